"""Downside covariance: only days below zero count, E[min(r, 0) min(r, 0)'], in both lines.

J. Estrada, "Mean-semivariance optimization: a heuristic approach", Journal of Applied Finance 18 (2008):
positive semidefinite by construction, and of the same portfolio for every benchmark weight, unlike the
exact semivariance. Doubled, so that for symmetric returns about zero it is the covariance and one risk
aversion serves both.
"""

import numpy as np
import pandas as pd

from portfolio.model import DAYS_PER_YEAR


def covariance(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the annual downside covariance."""
    losses = np.minimum(returns.to_numpy(dtype="float64"), 0.0)
    sigma = 2.0 * losses.T @ losses / len(losses) * DAYS_PER_YEAR
    return pd.DataFrame((sigma + sigma.T) / 2.0, index=returns.columns, columns=returns.columns)
