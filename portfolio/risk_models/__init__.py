"""One way of estimating risk per file; the file name is its name in the configuration.

Each offers `covariance(returns) -> DataFrame`: daily simple returns (days × lines, no gaps) in, annual
covariance (lines × lines, same labels) out.
"""
