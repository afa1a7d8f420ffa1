"""One way of estimating expected returns per file; the file name is its name in the configuration.

Each offers `estimate(panel) -> (Series, substitutions)`: annual simple expected return by line, and what had
to be replaced on the way. A stablecoin earns nothing by being held, so cash is expected to return 0 in all of
them.
"""
