"""What a backtest amounts to, and how much of it may be luck.

Returns are simple daily returns; years have 365 days, for crypto trades every day. Nothing here knows where
the returns come from.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from portfolio.model import DAYS_PER_YEAR
from portfolio.robustness import block_indices

Array = NDArray[np.float64]
EULER_GAMMA = 0.5772156649015329
STEADY = 1e-12  # a standard deviation below this is none


def sharpe(returns: Array, risk_free_rate: float = 0.0) -> float:
    """Return the annual Sharpe ratio of daily returns; 0 where they do not vary."""
    excess = returns - risk_free_rate / DAYS_PER_YEAR
    spread = float(excess.std(ddof=1)) if len(excess) > 1 else 0.0
    return float(excess.mean()) / spread * math.sqrt(DAYS_PER_YEAR) if spread > STEADY else 0.0


def annual_return(returns: Array) -> float:
    """Return the compound annual growth rate."""
    growth = float(np.prod(1.0 + returns))
    return growth ** (DAYS_PER_YEAR / len(returns)) - 1.0 if growth > 0.0 and len(returns) else -1.0


def volatility(returns: Array) -> float:
    """Return the annual standard deviation."""
    return float(returns.std(ddof=1)) * math.sqrt(DAYS_PER_YEAR) if len(returns) > 1 else 0.0


def drawdowns(returns: Array) -> Array:
    """Return, per day, the fall from the highest value so far: 0 at a high, -0.5 at half of it."""
    value = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    return (value / np.maximum.accumulate(value) - 1.0)[1:]


def capture(returns: Array, benchmark: Array, *, up: bool) -> float:
    """Return the growth on the benchmark's up (down) days over the benchmark's own on the same days.

    Both as compound annual growth over those days, as funds report it; NaN where there is no such day.
    """
    days = benchmark > 0.0 if up else benchmark < 0.0
    if not days.any():
        return math.nan
    own, other = annual_log_growth(returns[days]), annual_log_growth(benchmark[days])
    return own / other


def annual_log_growth(returns: Array) -> float:
    """Return the mean log return per year of 365 days."""
    return float(np.log1p(np.maximum(returns, -0.999999)).mean()) * DAYS_PER_YEAR


def interval(
    returns: Array, figure: Callable[[Array], float], seed: int, draws: int = 500, level: float = 0.9
) -> tuple[float, float]:
    """Return the stationary-bootstrap interval of a figure of daily returns, by percentiles.

    D. Politis and J. Romano (1994), blocks of ten days on average: calm and storm come in clusters.
    """
    rows = block_indices(len(returns), draws, np.random.default_rng(seed))
    values = [figure(returns[row]) for row in rows]
    low, high = np.percentile(values, [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high)


def difference_interval(
    returns: Array, other: Array, seed: int, draws: int = 500, level: float = 0.9
) -> tuple[float, float, float]:
    """Return the interval of the difference of two Sharpe ratios on the same days, and P(difference > 0).

    Both series are resampled on the same days, so what they have in common does not widen the interval.
    """
    rows = block_indices(len(returns), draws, np.random.default_rng(seed))
    gaps = np.array([sharpe(returns[row]) - sharpe(other[row]) for row in rows])
    low, high = np.percentile(gaps, [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high), float((gaps > 0.0).mean())


@dataclass(frozen=True, slots=True)
class Moments:
    """What the distribution of a Sharpe ratio's estimate depends on; `sharpe` per observation, not annual."""

    sharpe: float
    observations: int
    skewness: float
    kurtosis: float


def moments(returns: Array) -> Moments:
    """Return the moments of daily returns; kurtosis is 3 for a normal distribution."""
    spread = float(returns.std())
    if len(returns) < 2 or spread <= STEADY:
        return Moments(0.0, len(returns), 0.0, 3.0)
    z = (returns - returns.mean()) / spread
    daily = float(returns.mean()) / float(returns.std(ddof=1))
    return Moments(daily, len(returns), float((z**3).mean()), float((z**4).mean()))


def probabilistic_sharpe(found: Moments, threshold: float) -> float:
    """Return the probability that the true Sharpe ratio exceeds a threshold, both per observation.

    D. Bailey and M. Lopez de Prado, "The Sharpe ratio efficient frontier", Journal of Risk 15 (2012).
    """
    from scipy.stats import norm  # noqa: PLC0415 - costs a quarter of a second, and only a report needs it

    spread = 1.0 - found.skewness * found.sharpe + (found.kurtosis - 1.0) / 4.0 * found.sharpe**2
    z = (found.sharpe - threshold) * math.sqrt(found.observations - 1) / math.sqrt(max(spread, STEADY))
    return float(norm.cdf(z))


def expected_maximum_sharpe(variance: float, trials: float) -> float:
    """Return the Sharpe ratio that the best of so many worthless trials is expected to show.

    Args:
        variance: of the trials' Sharpe ratios, per observation.
        trials: number of independent trials; one expects nothing.
    """
    from scipy.stats import norm  # noqa: PLC0415 - likewise

    if trials <= 1.0:
        return 0.0
    first, second = norm.ppf(1.0 - 1.0 / trials), norm.ppf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - EULER_GAMMA) * float(first) + EULER_GAMMA * float(second))


def deflated_sharpe(found: Moments, variance: float, trials: float) -> float:
    """Return the probability that a Sharpe ratio is real, given how many were tried to find it.

    D. Bailey and M. Lopez de Prado, "The deflated Sharpe ratio: correcting for selection bias, backtest
    overfitting and non-normality", Journal of Portfolio Management 40 (2014).
    """
    return probabilistic_sharpe(found, expected_maximum_sharpe(variance, trials))


def independent_trials(returns: Array) -> float:
    """Return how many independent trials a set of correlated ones amounts to (days × trials).

    M + (1 − M)·ρ with ρ their mean correlation (Bailey and Lopez de Prado 2014, appendix A.3).
    """
    count = returns.shape[1]
    moving = returns[:, returns.std(axis=0) > STEADY]
    if moving.shape[1] < 2:
        return float(min(count, 1))
    mean = (float(np.corrcoef(moving.T).sum()) - moving.shape[1]) / (moving.shape[1] * (moving.shape[1] - 1))
    return count + (1 - count) * min(1.0, max(0.0, mean))


def overfitting_probability(returns: Array, blocks: int = 10) -> float:
    """Return the probability that the best policy in sample is below the median out of sample (CSCV).

    D. Bailey, J. Borwein, M. Lopez de Prado and Q. Zhu, "The probability of backtest overfitting", Journal of
    Computational Finance 20 (2017): time is cut into an even number of blocks; every half of them is once the
    sample, the other half what comes after.

    Args:
        returns: days × policies, daily; at least two policies.
        blocks: S, even; 252 splits for 10.

    Returns:
        A fraction; NaN where there is nothing to choose from, or fewer than two days a block.
    """
    days, count = returns.shape
    if count < 2 or days < 2 * blocks:
        return math.nan
    parts = [returns[rows] for rows in np.array_split(np.arange(days), blocks)]
    below = 0
    halves = list(combinations(range(blocks), blocks // 2))
    for half in halves:
        inside = _sharpes(np.concatenate([parts[i] for i in half]))
        outside = _sharpes(np.concatenate([parts[i] for i in range(blocks) if i not in half]))
        best = int(np.argmax(inside))
        rank = float((outside < outside[best]).sum() + 0.5 * ((outside == outside[best]).sum() - 1) + 1)
        below += math.log(rank / (count + 1.0 - rank)) <= 0.0
    return below / len(halves)


def _sharpes(returns: Array) -> Array:
    spread = returns.std(axis=0, ddof=1)
    return np.where(spread > STEADY, returns.mean(axis=0) / np.maximum(spread, STEADY), 0.0)


def summary(returns: Array, benchmark: Array, seed: int, draws: int = 500) -> dict[str, float]:
    """Return the figures of one policy, by name; rates are annual.

    Args:
        returns: daily, net of all costs.
        benchmark: daily returns whose up and down days are captured.
        seed: of the bootstrap.
        draws: 0 leaves the intervals out.
    """
    fall = drawdowns(returns)
    figures = {
        "growth": float(np.prod(1.0 + returns)),
        "annual_return": annual_return(returns),
        "volatility": volatility(returns),
        "sharpe": sharpe(returns),
        "max_drawdown": float(fall.min()),
        "days_under_water": float(_longest(fall < -STEADY)),
        "up_capture": capture(returns, benchmark, up=True),
        "down_capture": capture(returns, benchmark, up=False),
        "sharpe_is_positive": probabilistic_sharpe(moments(returns), 0.0),
    }
    if draws:
        figures["sharpe_low"], figures["sharpe_high"] = interval(returns, sharpe, seed, draws)
        figures["return_low"], figures["return_high"] = interval(returns, annual_return, seed, draws)
    return figures


def _longest(flags: NDArray[np.bool_] | Sequence[bool]) -> int:
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest
