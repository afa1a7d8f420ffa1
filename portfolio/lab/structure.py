"""What leads what, where a history breaks, how calm the market is, and correlations that do not stay.

Hundreds of questions are asked of one history: a p-value by itself says nothing. Each has beside it what is
left of it after all questions are counted (Holm: the chance of even one false answer; Benjamini-Hochberg: the
share of false ones among those that are named).
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.lab.comovement import MIN_POINTS, Link, macro_correlation

Array = NDArray[np.float64]
MOST_LAGS = 5
MIN_DAYS = 120
WINDOW = 90  # observations of a rolling correlation
TINY = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Whether one series helps to foretell another one.

    Attributes:
        lags: days, chosen by BIC.
        p_value: of Granger's F-test alone; `holm` and `bh`: among all tests that were made.
        sum_of_lags: sum of the coefficients: its sign is the direction.
    """

    cause: str
    effect: str
    lags: int
    points: int
    sum_of_lags: float
    p_value: float
    holm: float = 1.0
    bh: float = 1.0


def leads(panel: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> tuple[Lead, ...]:
    """Test each pair (cause, effect) in a vector autoregression of the two, smallest p-value first.

    C. Granger, "Investigating causal relations by econometric models and cross-spectral methods",
    Econometrica 37 (1969). Leading is not causing: a common driver that reaches one first looks the same.

    Args:
        panel: daily series by name, index daily; gaps are NaN and leave their days out.
        pairs: which to ask.
    """
    found = [x for cause, effect in pairs if (x := granger(panel, cause, effect)) is not None]
    p = np.array([x.p_value for x in found])
    holm, bh = adjusted(p)
    counted = [
        Lead(
            cause=x.cause, effect=x.effect, lags=x.lags, points=x.points, sum_of_lags=x.sum_of_lags,
            p_value=x.p_value, holm=float(h), bh=float(b),
        )
        for x, h, b in zip(found, holm, bh, strict=True)
    ]  # fmt: skip
    return tuple(sorted(counted, key=lambda x: (x.p_value, x.cause, x.effect)))


def granger(panel: pd.DataFrame, cause: str, effect: str) -> Lead | None:
    """Return the F-test that lags of `cause` add nothing to lags of `effect`; None with too few days."""
    values = panel[[effect, cause]].to_numpy(dtype="float64")
    rows = _lagged(values, MOST_LAGS)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < MIN_DAYS or float(rows[:, :2].std(axis=0).min()) < TINY:
        return None
    y = rows[:, 0]
    fits: list[tuple[float, int]] = []
    for lags in range(1, MOST_LAGS + 1):
        rest = _residuals(rows, y, lags, with_cause=True)[0]
        size = 1 + 2 * lags
        fits.append((len(y) * math.log(max(rest, TINY**2) / len(y)) + size * math.log(len(y)), lags))
    lags = min(fits)[1]
    full, slopes = _residuals(rows, y, lags, with_cause=True)
    short, _ = _residuals(rows, y, lags, with_cause=False)
    free = len(y) - 1 - 2 * lags
    if full <= TINY**2:
        return None
    from scipy.stats import f  # noqa: PLC0415 - costs a quarter of a second, and only this needs it

    ratio = (short - full) / lags / (full / free)
    return Lead(
        cause=cause,
        effect=effect,
        lags=lags,
        points=len(y),
        sum_of_lags=float(slopes[1 + lags :].sum()),
        p_value=float(f.sf(ratio, lags, free)),
    )


def _lagged(values: Array, lags: int) -> Array:
    """Rows (effect, cause, effect and cause 1 day before, 2 days before, …)."""
    return np.hstack([values[lags - k : len(values) - k] for k in range(lags + 1)])


def _residuals(rows: Array, y: Array, lags: int, *, with_cause: bool) -> tuple[float, Array]:
    own = rows[:, 2 : 2 + 2 * lags : 2]
    parts = [np.ones((len(y), 1)), own]
    if with_cause:
        parts.append(rows[:, 3 : 3 + 2 * lags : 2])
    x = np.hstack(parts)
    slopes = np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype="float64")
    rest = y - x @ slopes
    return float(rest @ rest), slopes


def adjusted(p: Array) -> tuple[Array, Array]:
    """Return p-values after Holm (1979) and after Benjamini and Hochberg (1995), in the order given."""
    count = len(p)
    if not count:
        return p, p
    order = np.argsort(p, kind="stable")
    ranked = p[order]
    holm, bh = np.empty(count), np.empty(count)
    holm[order] = np.minimum(1.0, np.maximum.accumulate(ranked * (count - np.arange(count))))
    ratios = ranked * count / (np.arange(count) + 1)
    bh[order] = np.minimum(1.0, np.minimum.accumulate(ratios[::-1])[::-1])
    return holm, bh


def breaks(returns: pd.Series) -> tuple[pd.Timestamp, ...]:
    """Return the days on which mean or variance of daily returns changed for good, oldest first.

    R. Killick, P. Fearnhead and I. Eckley, "Optimal detection of changepoints with a linear computational
    cost", JASA 107 (2012), normal likelihood, four parameters' worth of BIC a break, at least 30 days apart.
    """
    told = returns.dropna()
    if len(told) < MIN_DAYS or float(told.std()) < TINY:
        return ()
    import ruptures  # noqa: PLC0415 - heavy, and only this needs it

    scaled = ((told - told.mean()) / told.std()).to_numpy(dtype="float64").reshape(-1, 1)
    plain = {"add_small_diag": False}
    search = ruptures.Pelt(model="normal", min_size=30, jump=2, params=plain).fit(scaled)
    ends = search.predict(pen=4.0 * math.log(len(scaled)))[:-1]
    return tuple(pd.Timestamp(told.index[int(end)]) for end in ends)


def storm_probability(returns: pd.Series) -> tuple[float, float, float] | None:
    """Return the probability that the newest day is stormy, and the daily volatility of calm and of storm.

    J. Hamilton, "A new approach to the economic analysis of nonstationary time series and the business
    cycle", Econometrica 57 (1989): two regimes that differ in variance. Filtered, never smoothed: a day is
    judged by the days up to it. None where there are too few days or no two regimes can be told apart.
    """
    told = returns.dropna().to_numpy(dtype="float64")
    if len(told) < MIN_DAYS or float(told.std()) < TINY:
        return None
    from statsmodels.tsa.regime_switching.markov_regression import (  # noqa: PLC0415 - heavy likewise
        MarkovRegression,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the search on its way; whether it arrived is asked below
        model = MarkovRegression(told / told.std(), k_regimes=2, trend="c", switching_variance=True)
        fitted: Any = model.fit(disp=False)
    variance = np.array([v for k, v in zip(model.param_names, fitted.params, strict=True) if "sigma2" in k])
    if not np.isfinite(fitted.llf) or not np.isfinite(variance).all() or float(variance.min()) <= 0.0:
        return None
    storm = int(variance.argmax())
    chance = float(np.asarray(fitted.filtered_marginal_probabilities)[-1, storm])
    calm, wild = (math.sqrt(float(v)) * float(told.std()) for v in sorted(variance))
    return (chance, calm, wild) if math.isfinite(chance) else None


def rolling_macro(series: pd.Series, levels: pd.Series, window: int = WINDOW) -> Link | None:
    """Return the correlation of the newest window with a macro series, and the least and most of any window.

    Args:
        series: daily simple returns, as in `macro_correlation`.
        levels: observations of the macro series.
        window: observations of it in each window; windows step by a fifth of that.
    """
    seen = levels.dropna()
    step = max(1, window // 5)
    cuts = range(len(seen), window, -step)
    told = [macro_correlation(series, seen.iloc[end - window - 1 : end]) for end in cuts]
    values = [x.value for x in told if x is not None]
    if not values or told[0] is None or window < MIN_POINTS:
        return None
    return Link(value=values[0], low=min(values), high=max(values), points=told[0].points)


def pairs_of(returns: Sequence[str], others: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs worth asking: lines among each other, and each other series with its line, both ways.

    Args:
        returns: names of the lines' returns.
        others: series → the line it belongs to; empty for one that concerns all.
    """
    found = [(a, b) for a in returns for b in returns if a != b]
    for name, line in others.items():
        for own in (line,) if line else returns:
            if own in returns:
                found += [(name, own), (own, name)]
    return tuple(found)
