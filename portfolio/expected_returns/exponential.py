"""Exponentially weighted mean return: recent days count more, half as much for each 180 days of age."""

import numpy as np
import pandas as pd

from portfolio.estimates import Panel
from portfolio.model import DAYS_PER_YEAR, Attempt

HALF_LIFE_DAYS = 180.0


def estimate(panel: Panel) -> tuple[pd.Series, tuple[Attempt, ...]]:
    """Return the annual arithmetic mean by line; cash 0."""
    values = panel.returns.to_numpy(dtype="float64")
    age = np.arange(len(values) - 1, -1, -1, dtype="float64")
    weight = 0.5 ** (age / HALF_LIFE_DAYS)
    mean = pd.Series(weight @ values / weight.sum() * DAYS_PER_YEAR, index=panel.returns.columns)
    risky = panel.risky()
    return mean.where(mean.index.isin(risky), 0.0), ()
