"""The venues' dialects, one file each; a file here that holds FACE is served."""
