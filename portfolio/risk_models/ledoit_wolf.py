"""Correlations shrunk towards zero, each line keeping its own volatility.

The intensity is that of Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance
matrices", Journal of Multivariate Analysis 88 (2004), applied to standardised returns, where their target μI
is the identity. Shrinking the covariances themselves would pull every variance towards the mean one: beside
coins, a stablecoin would come out with a volatility of 26 %.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.model import DAYS_PER_YEAR

CONSTANT = 1e-9  # a daily standard deviation below this is a constant series: cash


def intensity(standardised: NDArray[np.float64]) -> float:
    """Return the Ledoit–Wolf shrinkage in [0, 1] of T × N centred observations towards μI."""
    count, size = standardised.shape
    sample = standardised.T @ standardised / count
    mean = float(np.trace(sample)) / size
    distance = float(np.sum((sample - mean * np.eye(size)) ** 2))
    squared = standardised**2
    noise = float(np.sum(squared.T @ squared / count - sample**2)) / count
    return 0.0 if distance <= 0.0 else float(min(1.0, max(0.0, noise / distance)))


def covariance(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the annual covariance: own volatilities, shrunk correlations; zeros for a constant line."""
    values = returns.to_numpy(dtype="float64")
    spread = values.std(axis=0, ddof=1)
    moving = spread > CONSTANT
    standardised = (values[:, moving] - values[:, moving].mean(axis=0)) / values[:, moving].std(axis=0)
    shrink = intensity(standardised) if standardised.shape[1] > 1 else 0.0
    correlation = standardised.T @ standardised / len(standardised)
    shrunk = (1.0 - shrink) * correlation
    np.fill_diagonal(shrunk, 1.0)
    sigma = np.zeros((len(spread), len(spread)))
    sigma[np.ix_(moving, moving)] = shrunk * np.outer(spread[moving], spread[moving]) * DAYS_PER_YEAR
    return pd.DataFrame(sigma, index=returns.columns, columns=returns.columns)
