"""What a portfolio moves with: beta to the market, and correlation with macroeconomic series.

Only common days count: a macro series is published on trading days, and the portfolio's return between two
of its observations is compounded over the days between them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

MIN_POINTS = 60
Z90 = 1.6448536269514722


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A beta or a correlation with its 90 % interval, and the number of common observations."""

    value: float
    low: float
    high: float
    points: int


def weighted(returns: pd.DataFrame, weights: Mapping[str, float]) -> pd.Series:
    """Return the daily return of fixed weights, on days on which every line has one."""
    lines = [x for x, w in weights.items() if w and x in returns]
    panel = returns[lines].dropna()
    return panel.mul(pd.Series({x: weights[x] for x in lines})).sum(axis=1)


def beta(series: pd.Series, market: pd.Series) -> Link | None:
    """Return the slope of an ordinary regression on the market, on common days; None with too few."""
    both = pd.concat([series, market], axis=1).dropna().to_numpy(dtype="float64")
    if len(both) < MIN_POINTS or float(both[:, 1].std()) == 0.0:
        return None
    y, x = both[:, 0] - both[:, 0].mean(), both[:, 1] - both[:, 1].mean()
    slope = float(x @ y / (x @ x))
    rest = y - slope * x
    error = math.sqrt(float(rest @ rest) / (len(x) - 2) / float(x @ x))
    return Link(value=slope, low=slope - Z90 * error, high=slope + Z90 * error, points=len(x))


def macro_correlation(series: pd.Series, levels: pd.Series) -> Link | None:
    """Correlate the portfolio with the changes of a macro series between its own observations.

    Args:
        series: daily simple returns, dated by the midnight that ends the day.
        levels: observations, dated by the day they are of; rises of positive series are taken in logs.

    Returns:
        None with too few common observations, or where one of the two does not move.
    """
    seen = levels.dropna()
    if len(seen) < MIN_POINTS or series.empty:
        return None
    raw = seen.to_numpy(dtype="float64")
    changes = np.diff(np.log(raw)) if float(raw.min()) > 0.0 else np.diff(raw)
    worth = (1.0 + series).cumprod()
    # The crypto day that ends at the midnight after a trading day is the one that saw it.
    ends = worth.reindex(pd.DatetimeIndex(seen.index) + pd.Timedelta(days=1)).to_numpy(dtype="float64")
    moved = ends[1:] / ends[:-1] - 1.0
    common = np.isfinite(moved) & np.isfinite(changes)
    x, y = changes[common], moved[common]
    if len(x) < MIN_POINTS or float(x.std()) == 0.0 or float(y.std()) == 0.0:
        return None
    value = float(np.corrcoef(x, y)[0, 1])
    # Fisher's z: the interval of a correlation is symmetric in its inverse hyperbolic tangent.
    middle, error = math.atanh(min(max(value, -1.0 + 1e-12), 1.0 - 1e-12)), Z90 / math.sqrt(len(x) - 3)
    return Link(value=value, low=math.tanh(middle - error), high=math.tanh(middle + error), points=len(x))
