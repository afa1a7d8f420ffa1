"""What takes long: run by make soak, not by make test."""
