"""The long-only portfolio of least variance, every day, over a rolling window: in numpy alone.

The covariance is carried from day to day (one day in, one day out: a rank-two update) and the portfolio is
found by an active set that starts from yesterday's, which is nearly always today's. This is the fast path for
studies of many assets; costs are charged in proportion to what is traded, weights drift with prices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
REFRESH_DAYS = 250  # sums are taken anew this often, so that rounding does not pile up
TOLERANCE = 1e-10


@dataclass(slots=True, eq=False)
class RollingCovariance:
    """Sample covariance of the last `window` rows, updated row by row.

    Attributes:
        returns: days × assets, without gaps.
        window: number of rows.
        at: the covariance is of rows [at − window, at).
    """

    returns: Array
    window: int
    at: int
    _products: Array
    _sums: Array

    @classmethod
    def start(cls, returns: Array, window: int) -> "RollingCovariance":
        """Return the covariance of the first `window` rows."""
        rows = returns[:window]
        return cls(returns, window, window, rows.T @ rows, rows.sum(axis=0))

    def step(self) -> None:
        """Move on by one row."""
        new, old = self.returns[self.at], self.returns[self.at - self.window]
        self.at += 1
        if self.at % REFRESH_DAYS == 0:
            rows = self.returns[self.at - self.window : self.at]
            self._products, self._sums = rows.T @ rows, rows.sum(axis=0)
            return
        both = np.stack([new, old])
        self._products += both.T @ (both * np.array([[1.0], [-1.0]]))
        self._sums += new - old

    def matrix(self) -> Array:
        """Return the covariance, divisor window − 1."""
        mean = self._sums / self.window
        return (self._products - np.outer(self._sums, mean)) / (self.window - 1)


def least_variance(sigma: Array, support: Mask | None = None) -> Array:
    """Return the long-only weights of least variance, summing to one.

    A primal active set: solve on the support, drop what would go below zero, take in what would lower the
    variance, until neither is left.

    Args:
        sigma: covariance, N × N, positive definite on any support that is met.
        support: where to start, such as yesterday's holdings; None starts from the least volatile asset.
    """
    size = len(sigma)
    if support is None or not support.any():
        support = np.zeros(size, dtype=bool)
        support[int(np.argmin(np.diag(sigma)))] = True
    held = np.flatnonzero(support)
    weights = np.zeros(size)
    weights[held] = 1.0 / held.size
    for _ in range(20 * size):
        raw = np.linalg.solve(sigma[np.ix_(held, held)], np.ones(held.size))
        wanted = raw / raw.sum()
        if (wanted <= 0.0).any():
            now = weights[held]
            falling = wanted <= 0.0
            step = float((now[falling] / (now[falling] - wanted[falling])).min())
            moved = now + step * (wanted - now)
            weights[held] = moved
            gone = falling & (moved <= TOLERANCE)
            weights[held[gone]] = 0.0
            held = held[~gone]
            continue
        weights[:] = 0.0
        weights[held] = wanted
        slope = sigma[:, held] @ wanted
        variance = float(wanted @ slope[held])
        gain = slope - variance
        gain[held] = 0.0
        best = int(np.argmin(gain))
        if gain[best] >= -TOLERANCE * variance:
            return weights
        held = np.append(held, best)
    raise ArithmeticError("The active set of the least variance did not settle; is the covariance singular?")


@dataclass(frozen=True, slots=True, eq=False)
class MinVarianceWalk:
    """Per day: value after it, weights chosen at its start, turnover and cost as fractions of value."""

    value: Array
    weights: Array
    turnover: Array
    cost: Array


def min_variance_walk(returns: Array, window: int, cost_rate: float) -> MinVarianceWalk:
    """Rebalance every day to the least variance of the window before it.

    Args:
        returns: days × assets, simple daily, without gaps.
        window: days of history; the first `window` rows are only history.
        cost_rate: paid on every unit of weight bought or sold, as a fraction of it.

    Returns:
        Arrays over the days after the window; value is 1 before the first of them.
    """
    days, size = len(returns) - window, returns.shape[1]
    rolling = RollingCovariance.start(returns, window)
    chosen, value = np.zeros((days, size)), np.zeros(days)
    turnover, cost = np.zeros(days), np.zeros(days)
    held, wealth = np.zeros(size), 1.0
    support: Mask | None = None
    for day in range(days):
        weights = least_variance(rolling.matrix(), support)
        support = weights > 0.0
        traded = float(np.abs(weights - held).sum())
        cost[day] = cost_rate * traded
        turnover[day] = 0.5 * traded
        growth = 1.0 + returns[window + day]
        grown = weights * growth
        total = float(grown.sum())
        wealth *= (1.0 - cost[day]) * total
        held = grown / total
        chosen[day], value[day] = weights, wealth
        if day < days - 1:
            rolling.step()
    return MinVarianceWalk(value, chosen, turnover, cost)
