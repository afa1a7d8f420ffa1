"""Where alerts go, one file per way out."""
