"""Allocation and risk maths: pure, without clock, disk or network."""
