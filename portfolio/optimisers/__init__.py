"""One allocation method per file; the file name is its name in the configuration."""
