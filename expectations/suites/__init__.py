"""One suite per table; the file name is the registration."""
