"""The risk of cash over the holding horizon, not over a day.

A stablecoin's daily moves are mostly noise about its peg: today's rise is tomorrow's fall. Multiplying their
variance by 365 would make 80 % of cash one of the larger risks of a portfolio. Its variance ratio (A. Lo and
C. MacKinlay, "Stock market prices do not follow random walks", Review of Financial Studies 1 (1988)) says how
much of a day's variance is still there after the horizon: 1 for a coin that wanders, as one that is losing
its peg does, 1/days for pure noise. What variance can not see, a sudden loss of the peg, is a matter of
limits and scenarios.
"""

import numpy as np
import pandas as pd

from portfolio.model import is_cash


def variance_ratio(returns: np.ndarray, days: int) -> float:
    """Return Var(sum over `days`) / (days · Var(1 day)), kept within [1/days, 1]; 1 where it can not be told.

    Args:
        returns: daily simple returns, oldest first; overlapping windows are used.
        days: the horizon; at least four horizons of history are wanted.
    """
    daily = float(np.var(returns))
    if days < 2 or len(returns) < 4 * days or daily <= 0.0:
        return 1.0
    total = np.concatenate([[0.0], np.cumsum(returns - returns.mean())])
    windows = total[days:] - total[:-days]
    return float(np.clip(np.mean(windows**2) / (days * daily), 1.0 / days, 1.0))


def at_horizon(covariance: pd.DataFrame, returns: pd.DataFrame, days: int) -> pd.DataFrame:
    """Return the covariance with cash scaled to its risk over the horizon; still positive semidefinite.

    Cash variances are multiplied by their variance ratios. Covariances with other lines are scaled once more
    by the square root of the largest ratio, for what reverts in the price of cash does not add up with coins
    either.
    """
    lines = [str(c) for c in covariance.columns]
    cash = np.array([is_cash(x) for x in lines])
    if not cash.any():
        return covariance
    factor = np.array(
        [
            np.sqrt(variance_ratio(returns[x].to_numpy(dtype="float64"), days)) if is_cash(x) else 1.0
            for x in lines
        ]
    )
    scaled = covariance.to_numpy(dtype="float64") * np.outer(factor, factor)
    across = cash[:, None] != cash[None, :]
    scaled[across] *= float(factor[cash].max())
    return pd.DataFrame(scaled, index=covariance.index, columns=covariance.columns)
