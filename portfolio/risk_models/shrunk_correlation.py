"""Correlations shrunk towards their averages per pair of classes, each line keeping its own volatility.

O. Ledoit and M. Wolf, "Honey, I shrunk the sample covariance matrix", Journal of Portfolio Management 30
(2004), shrink towards the average correlation. Over a mixed set of sleeves there is no such average: coins
move together, a carry with its own basis, cash with nothing. So the target is the average within a class
and between two classes, and the intensity is that of the identity target (`ledoit_wolf.intensity`), which
is never too strong here.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.model import DAYS_PER_YEAR, sleeve_of
from portfolio.risk_models.ledoit_wolf import CONSTANT, intensity

Array = NDArray[np.float64]


def block_average(correlation: Array, classes: list[str]) -> Array:
    """Return the matrix of average correlations by pair of classes, with a unit diagonal."""
    target = np.eye(len(classes))
    own = ~np.eye(len(classes), dtype=bool)
    for first in sorted(set(classes)):
        for second in sorted(set(classes)):
            cells = np.outer([c == first for c in classes], [c == second for c in classes]) & own
            if cells.any():
                target[cells] = correlation[cells].mean()
    return target


def covariance(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the annual covariance: own volatilities, shrunk correlations; zeros for a constant line."""
    values = returns.to_numpy(dtype="float64")
    spread = values.std(axis=0, ddof=1)
    moving = spread > CONSTANT
    classes = [sleeve_of(str(c)) for c, m in zip(returns.columns, moving, strict=True) if m]
    sigma = np.zeros((len(spread), len(spread)))
    if classes:
        standardised = (values[:, moving] - values[:, moving].mean(axis=0)) / values[:, moving].std(axis=0)
        correlation = standardised.T @ standardised / len(standardised)
        shrink = intensity(standardised) if len(classes) > 1 else 0.0
        target = _nearest_definite(block_average(correlation, classes))
        shrunk = (1.0 - shrink) * correlation + shrink * target
        np.fill_diagonal(shrunk, 1.0)
        sigma[np.ix_(moving, moving)] = shrunk * np.outer(spread[moving], spread[moving]) * DAYS_PER_YEAR
    return pd.DataFrame(sigma, index=returns.columns, columns=returns.columns)


def _nearest_definite(target: Array) -> Array:
    """Pull a target that is not positive semidefinite towards the identity until it is."""
    least = float(np.linalg.eigvalsh(target).min())
    share = 0.0 if least >= 0.0 else -least / (1.0 - least)
    return (1.0 - share) * target + share * np.eye(len(target))
