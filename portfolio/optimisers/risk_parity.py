"""Every line that is not cash contributes the same risk, cash at its lower bound.

S. Maillard, T. Roncalli and J. Teiletche, "The properties of equally weighted risk contribution
portfolios", Journal of Portfolio Management 36 (2010), by the cyclical coordinate descent of T. Griveau-
Billion, J.-C. Richard and T. Roncalli (2013) on F. Spinu's convex form. Where a bound is broken, the
nearest weights that obey all bounds are taken.
"""

import numpy as np
from numpy.typing import NDArray

from portfolio.failure import AllocationFailure
from portfolio.problem import Problem, Solution
from portfolio.risky import risky_problem, whole

Array = NDArray[np.float64]
QUIET = 1e-6  # annual variance of 0.1 % volatility, below which a line would get everything
SWEEPS, CLOSE = 2000, 1e-13


def optimise(problem: Problem) -> Solution:
    """Return the weights; needs the covariance only. A line that may hold nothing takes no part."""
    part, share = risky_problem(problem)
    _, sigma = part.estimates()
    weights = np.zeros(len(part.lines))
    open_lines = np.flatnonzero(part.upper > 0.0)
    weights[open_lines] = equal_contributions(sigma[np.ix_(open_lines, open_lines)])
    return Solution(whole(problem, share, weights))


def equal_contributions(covariance: Array) -> Array:
    """Return the long-only weights, summing to one, whose contributions wᵢ(Σw)ᵢ are equal.

    Raises:
        AllocationFailure: the descent does not converge.
    """
    sigma = covariance.copy()
    np.fill_diagonal(sigma, np.maximum(np.diag(sigma), QUIET))
    budget = 1.0 / len(sigma)
    y = np.sqrt(budget / np.diag(sigma))
    for _ in range(SWEEPS):
        before = y.copy()
        for i in range(len(y)):
            rest = float(sigma[i] @ y) - sigma[i, i] * y[i]
            y[i] = (-rest + np.sqrt(rest * rest + 4.0 * sigma[i, i] * budget)) / (2.0 * sigma[i, i])
        if float(np.abs(y / before - 1.0).max()) < CLOSE:
            return y / y.sum()
    raise AllocationFailure("solver", "Equal risk contributions were not reached.", "Try another objective.")
