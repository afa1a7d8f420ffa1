"""What a signal has been worth out of sample: information coefficients with honest errors, and proof.

A signal's score z of a day and coin is set against the return of the `horizon` days that follow, in units of
the coin's own volatility known then. Returns of neighbouring days overlap and coins move together, so the
products are averaged over the coins of a day first, and the error of their mean is the larger of Newey and
West's over twice the horizon ("A simple, positive semi-definite, heteroskedasticity and autocorrelation
consistent covariance matrix", Econometrica 55 (1987)) and Hansen and Hodrick's over the horizon ("Forward
exchange rates as optimal predictors of future spot rates", JPE 88 (1980)).

Out of sample means walk-forward: the direction is learned from windows that had ended by then, and never told
beforehand. What many signals show by chance is held back by Benjamini and Hochberg ("Controlling the false
discovery rate", JRSS B 57 (1995)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

SCORE_LIMIT = 3.0  # a score beyond it says no more than one at it
VOLATILITY_DAYS = 90
LEARNING_DAYS = 365  # of windows that have ended, before the first day that counts as out of sample
MIN_WINDOWS = 24  # horizons that do not overlap, out of sample
MIN_T = 2.0
FALSE_DISCOVERIES = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one signal at one horizon; NaN where history is too short.

    Attributes:
        horizon_days: days of return that a score is set against.
        pairs: scores with a return behind them.
        ic: information coefficient over all of them, Pearson's; ic_error: its standard error.
        rank_ic: the same of ranks, Spearman's; rank_t: over its own standard error.
        direction: +1 or -1, the sign of the coefficient over all windows that have ended; 0: not known.
        walk_ic: coefficient out of sample, in the direction learned before; walk_error, walk_t likewise.
        windows: horizons out of sample that do not overlap.
        hit: share of pairs out of sample whose sign was right.
        p_value: one-sided, by Student's t with windows - 1 degrees of freedom.
        q_value: p_value by Benjamini and Hochberg over all that were tested together.
    """

    signal: str
    horizon_days: int
    pairs: int = 0
    ic: float = float("nan")
    ic_error: float = float("nan")
    rank_ic: float = float("nan")
    rank_t: float = float("nan")
    direction: int = 0
    walk_ic: float = float("nan")
    walk_error: float = float("nan")
    walk_t: float = float("nan")
    windows: int = 0
    hit: float = float("nan")
    p_value: float = 1.0
    q_value: float = 1.0

    @property
    def is_proven(self) -> bool:
        """Tell whether the signal has earned a view."""
        enough = self.windows >= MIN_WINDOWS and self.direction != 0
        return enough and bool(self.walk_t >= MIN_T and self.q_value <= FALSE_DISCOVERIES)


def mean_error(values: Array, lags: int, *, is_weighted: bool = True) -> float:
    """Return the standard error of the mean of a series whose neighbours up to `lags` apart go together.

    Args:
        values: the series, evenly spaced.
        lags: how far apart two values may be and still go together.
        is_weighted: with Bartlett's weights (Newey and West), else without (Hansen and Hodrick).
    """
    n = len(values)
    if n < 2:
        return float("nan")
    x = values - values.mean()
    total = float(x @ x)
    for lag in range(1, min(lags, n - 1) + 1):
        weight = 1.0 - lag / (lags + 1.0) if is_weighted else 1.0
        total += 2.0 * weight * float(x[lag:] @ x[:-lag])
    return float(np.sqrt(max(total, 0.0)) / n)


def overlapping_error(values: Array, overlap: int) -> float:
    """Return the larger of the two errors of a mean over windows that overlap `overlap` values further on.

    Bartlett's weights make the one too small where all that goes together is the overlap; the other may come
    out near zero by chance.
    """
    return max(mean_error(values, 2 * overlap), mean_error(values, overlap, is_weighted=False))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Return Benjamini and Hochberg's q-values, in the order of the p-values."""
    p = np.asarray(p_values, dtype="float64")
    if not len(p):
        return []
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    result = np.empty(len(p))
    result[order] = q
    return [float(x) for x in result]


def volatilities(returns: pd.DataFrame) -> pd.DataFrame:
    """Return each line's daily volatility over the trailing 90 days, known at the day's close."""
    return returns.rolling(VOLATILITY_DAYS, min_periods=VOLATILITY_DAYS * 2 // 3).std()


def outcomes(returns: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return what came after each day's close, over `horizon` days, in units of volatility known that day.

    Args:
        returns: daily simple returns, days × lines; a missing day leaves a hole in every window over it.
        horizon: days.

    Returns:
        Days × lines on the same calendar, every day of it there.
    """
    calendar = pd.date_range(returns.index.min(), returns.index.max(), freq="D")
    daily = returns.reindex(calendar)
    logs = daily.add(1.0).apply(np.log)
    summed = logs.rolling(horizon, min_periods=horizon).sum().shift(-horizon)
    spread = volatilities(daily).where(lambda s: s > 0.0)
    return np.expm1(summed) / (spread * np.sqrt(horizon))


def assess(scores: Mapping[str, pd.DataFrame], returns: pd.DataFrame, horizon: int) -> tuple[Evidence, ...]:
    """Return the evidence of every signal, judged together.

    Args:
        scores: signal → z-scores, days × lines; a row stands at the first daily close at which it was known.
        returns: daily simple returns, days × lines.
        horizon: days.
    """
    after = outcomes(returns, horizon) if len(returns) else returns
    found = [_evidence(name, scores[name], after, horizon) for name in sorted(scores)]
    return judged(found)


def judged(found: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return the evidence with q-values over all that is given: what is tried together is judged together."""
    qs = adjusted([e.p_value for e in found])
    return tuple(replace(e, q_value=q) for e, q in zip(found, qs, strict=True))


def _evidence(signal: str, scores: pd.DataFrame, after: pd.DataFrame, horizon: int) -> Evidence:
    """Return one signal's evidence; its q-value is not known yet."""
    lines = [x for x in scores.columns if x in after.columns]
    z = scores[lines].clip(-SCORE_LIMIT, SCORE_LIMIT).sort_index()
    u = after[lines].reindex(z.index)
    both = (z.notna() & u.notna()).to_numpy()
    rows: NDArray[np.bool_] = np.asarray(both.any(axis=1), dtype=np.bool_)
    z, u, both = z[rows], u[rows], both[rows]
    days = pd.DatetimeIndex(z.index)
    short = Evidence(signal=signal, horizon_days=horizon, pairs=int(both.sum()))
    if len(days) < 30:
        return short
    gap = max(1, int(np.median(np.diff(days.to_numpy()) / np.timedelta64(1, "D"))))
    lags = int(np.ceil(horizon / gap))
    zs = np.where(both, z.to_numpy(dtype="float64"), 0.0)
    us = np.where(both, u.to_numpy(dtype="float64"), 0.0)
    ic, error = _coefficient(zs, us, both, lags)
    rank_ic, rank_error = _coefficient(_ranks(zs, both), _ranks(us, both), both, lags)
    whole = replace(
        short,
        ic=ic,
        ic_error=error,
        rank_ic=rank_ic,
        rank_t=rank_ic / rank_error if rank_error > 0.0 else float("nan"),
    )
    return _walked(whole, zs, us, both, days, lags)


def _coefficient(z: Array, u: Array, both: NDArray[np.bool_], lags: int) -> tuple[float, float]:
    """Return the mean over days of the day's mean product of standardised pairs, and its error."""
    products = _standard(z, both) * _standard(u, both)
    daily = products.sum(axis=1) / both.sum(axis=1)
    return float(daily.mean()), overlapping_error(daily, lags)


def _standard(x: Array, both: NDArray[np.bool_]) -> Array:
    values = x[both]
    deviation = float(values.std())
    return np.where(both, (x - values.mean()) / deviation, 0.0) if deviation > 0.0 else np.zeros_like(x)


def _ranks(x: Array, both: NDArray[np.bool_]) -> Array:
    result = np.zeros_like(x)
    result[both] = pd.Series(x[both]).rank().to_numpy(dtype="float64")
    return result


def _walked(
    whole: Evidence, z: Array, u: Array, both: NDArray[np.bool_], days: pd.DatetimeIndex, lags: int
) -> Evidence:
    """Add what the signal was worth on days whose direction was learned from windows that had ended."""
    horizon, count = whole.horizon_days, both.sum(axis=1)
    at = ((days - days[0]) / pd.Timedelta(days=1)).to_numpy().astype("int64")
    ended = np.searchsorted(at, at - horizon, side="right")  # number of rows whose window ended by this day
    # A signal gets no credit for a market that rose all along: the mean known by then is taken off.
    sums = np.concatenate([[0.0], np.cumsum(u.sum(axis=1))])
    counts = np.concatenate([[0.0], np.cumsum(count)])
    mean = np.divide(sums[ended], counts[ended], out=np.zeros(len(days)), where=counts[ended] > 0)
    excess = np.where(both, u - mean[:, None], 0.0)
    products = (z * excess).sum(axis=1) / count
    learned = np.sign(np.concatenate([[0.0], np.cumsum(products)])[ended])
    tested = (at - horizon >= LEARNING_DAYS) & (learned != 0.0)
    direction = int(np.sign(products.sum()))
    if int(tested.sum()) < 30:
        return replace(whole, direction=direction)
    gains = learned[tested] * products[tested]
    scale = np.sqrt(_mean_square(z, both, tested) * _mean_square(excess, both, tested))
    error = overlapping_error(gains, lags)
    windows = int((at[tested][-1] - at[tested][0]) // horizon + 1)
    t = float(gains.mean() / error) if error > 0.0 else float("nan")
    right = (np.sign(learned[:, None] * z) == np.sign(excess))[tested]
    return replace(
        whole,
        direction=direction,
        walk_ic=float(gains.mean() / scale),
        walk_error=float(error / scale),
        walk_t=t,
        windows=windows,
        hit=float(right[both[tested]].mean()),
        p_value=_chance(t, windows - 1),
    )


def _mean_square(x: Array, both: NDArray[np.bool_], rows: NDArray[np.bool_]) -> float:
    return float(((x**2).sum(axis=1) / both.sum(axis=1))[rows].mean())


def _chance(t: float, freedom: int) -> float:
    """Return the chance of a t as large where there is nothing."""
    if not np.isfinite(t) or freedom < 1:
        return 1.0
    from scipy.special import stdtr  # noqa: PLC0415 - scipy is imported late; every decision imports this module

    return float(stdtr(freedom, -t))
