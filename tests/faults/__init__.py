"""The fault matrix: what goes wrong with sources, and the test that injects it."""
