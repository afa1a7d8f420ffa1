"""The portfolio with the smallest expected shortfall on the days of the lookback, cash at its lower bound.

R. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000), as one
linear program for HiGHS, ten times faster here than a cone solver. It sees the days there were: what a
series never showed is a matter of the scenario caps.
"""

import numpy as np

from portfolio.failure import AllocationFailure
from portfolio.problem import Problem, Solution
from portfolio.risky import risky_problem, whole


def optimise(problem: Problem) -> Solution:
    """Return the weights; cost-blind like `min_volatility`.

    Raises:
        AllocationFailure: there is no history, or HiGHS has no optimal answer.
    """
    from scipy import sparse  # noqa: PLC0415 - solvers are imported where they are used
    from scipy.optimize import linprog  # noqa: PLC0415 - likewise

    if problem.returns is None:
        raise AllocationFailure("no_estimates", "Daily returns were wanted; there are none.", "Try 'hrp'.")
    part, share = risky_problem(problem)
    days = problem.returns[:, ~problem.cash]
    count, size = days.shape
    sides = [side for rule in part.rows for side in rule.sides()]
    # x = (weights, value at risk, each day's excess loss); excess_t ≥ −r_t'w − f_t − value at risk, where
    # f_t is what the rest of the book, held and not allocated, returned on that day.
    tail = sparse.hstack([sparse.csr_matrix(-days), -np.ones((count, 1)), -sparse.eye(count)])
    rules = sparse.csr_matrix((len(sides), size + 1 + count))
    if sides:
        rules = sparse.hstack([np.array([s[1] for s in sides]), sparse.csr_matrix((len(sides), 1 + count))])
    beside = np.zeros(count) if part.fixed_returns is None else part.fixed_returns
    answer = linprog(
        np.concatenate(
            [np.zeros(size), [1.0], np.full(count, 1.0 / ((1.0 - problem.goal.cvar_level) * count))]
        ),
        A_ub=sparse.vstack([tail, rules]).tocsr(),
        b_ub=np.concatenate([beside, [s[2] for s in sides]]),
        A_eq=sparse.csr_matrix(np.concatenate([np.ones(size), np.zeros(1 + count)])[None, :]),
        b_eq=[1.0],
        bounds=[*zip(part.lower, part.upper, strict=True), (None, None), *[(0.0, None)] * count],
        method="highs",
    )
    if answer.status != 0:
        raise AllocationFailure("solver", f"HiGHS gave no answer ({answer.message}).", "Relax the bounds.")
    return Solution(whole(problem, share, np.clip(answer.x[:size], part.lower, part.upper)))
