"""The steps, one verb per file; sources come in, channels go out."""
