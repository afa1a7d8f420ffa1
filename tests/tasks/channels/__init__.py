"""Channels against a real receiver on loopback."""
