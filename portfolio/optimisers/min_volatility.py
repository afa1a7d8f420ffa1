"""The least volatile portfolio of the lines that are not cash (PyPortfolioOpt), cash at its lower bound.

The volatility is that of the whole book: what is held and not allocated is part of it.
"""

import numpy as np
from numpy.typing import NDArray

from portfolio import fast_qp
from portfolio.problem import Problem, Solution
from portfolio.risky import risky_problem, whole


def optimise(problem: Problem) -> Solution:
    """Return the weights; cost-blind, costs are dealt with by the bands and the benefit gate."""
    from portfolio.optimisers import _frontier  # noqa: PLC0415 - imports PyPortfolioOpt, which costs seconds

    part, share = risky_problem(problem)
    unsolved = _frontier.frontier(part)
    _frontier.add_rules(unsolved, part)
    _frontier.count_fixed(unsolved, part)
    return Solution(whole(problem, share, _frontier.run(unsolved, unsolved.min_volatility, part.lines)))


def resolve(problem: Problem) -> NDArray[np.float64]:
    """Return the same weights by the direct quadratic program."""
    part, share = risky_problem(problem)
    _, sigma = part.estimates()
    return whole(problem, share, fast_qp.solve(part, sigma, part.pulled()))
