"""A simulated market on loopback that speaks real venues' wire formats."""
