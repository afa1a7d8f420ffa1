"""Hierarchical risk parity over the lines that are not cash, cash at its lower bound.

M. Lopez de Prado, "Building diversified portfolios that outperform out of sample", Journal of Portfolio
Management 42 (2016), as printed: single linkage on the distances of the columns of the distance matrix,
which PyPortfolioOpt leaves out (it links the distances themselves, and fails on scipy 1.18). HRP knows no
bounds: where its answer breaks one, the nearest weights that obey all bounds are taken.
"""

import numpy as np
from numpy.typing import NDArray

from portfolio.failure import AllocationFailure
from portfolio.problem import Problem, Solution
from portfolio.risky import risky_problem, whole

Array = NDArray[np.float64]
QUIET = 1e-6  # annual variance of 0.1 % volatility: below it a line counts as that quiet, not as riskless


def optimise(problem: Problem) -> Solution:
    """Return the weights; needs the covariance only."""
    part, share = risky_problem(problem)
    _, sigma = part.estimates()
    if not np.isfinite(sigma).all():
        raise AllocationFailure("solver", "HRP wants a finite covariance.", "Try another risk_model.")
    # The printed bisection depends on the order of the columns; from calm to wild it depends on nothing else.
    order = np.argsort(np.diag(sigma), kind="stable")
    weights = np.empty(len(order))
    weights[order] = hrp_weights(sigma[np.ix_(order, order)])
    return Solution(whole(problem, share, weights))


def hrp_weights(covariance: Array) -> Array:
    """Return weights by the paper's steps: tree clustering, quasi-diagonalisation, recursive bisection."""
    from scipy.cluster.hierarchy import leaves_list, linkage  # noqa: PLC0415 - scipy is imported where used
    from scipy.spatial.distance import pdist  # noqa: PLC0415 - likewise

    size = len(covariance)
    if size == 1:
        return np.ones(1)
    variance = np.maximum(np.diag(covariance), QUIET)
    correlation = covariance / np.sqrt(np.outer(variance, variance))
    np.fill_diagonal(correlation, 1.0)
    distance = np.sqrt(np.clip((1.0 - correlation) / 2.0, 0.0, 1.0))
    weights = np.ones(size)
    stack = [leaves_list(linkage(pdist(distance), "single"))]
    while stack:
        items = stack.pop()
        if len(items) > 1:
            left, right = items[: len(items) // 2], items[len(items) // 2 :]
            risk = [_cluster_variance(covariance, variance, half) for half in (left, right)]
            share = 1.0 - risk[0] / (risk[0] + risk[1])
            weights[left] *= share
            weights[right] *= 1.0 - share
            stack += [left, right]
    return weights


def _cluster_variance(covariance: Array, variance: Array, items: NDArray[np.intp]) -> float:
    inverse = 1.0 / variance[items]
    share = inverse / inverse.sum()
    return max(float(share @ covariance[np.ix_(items, items)] @ share), QUIET)
