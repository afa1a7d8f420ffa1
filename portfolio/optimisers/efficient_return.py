"""The least volatile portfolio that is expected to earn `target_return`, cash included.

The target is on the whole portfolio, an annual simple return. Trading costs are left to the bands and the
gate.
"""

from dataclasses import replace

from portfolio import fast_qp
from portfolio.failure import AllocationFailure
from portfolio.polish import polish
from portfolio.problem import Linear, Problem, Solution


def optimise(problem: Problem) -> Solution:
    """Return weights and shadow prices; `target_return lower` is what a higher target costs in ½ variance.

    Raises:
        AllocationFailure: no allowed portfolio is expected to earn as much.
    """
    mu, sigma = problem.estimates()
    target = Linear(name="target_return", coefficients=mu, lower=problem.goal.expected_return)
    aimed = replace(problem, rows=(*problem.rows, target))
    pull = problem.pulled()
    try:
        found = fast_qp.optimise(aimed, sigma, pull)
    except AllocationFailure as failure:
        wanted = f"{problem.goal.expected_return:.1%} a year"
        raise AllocationFailure(
            "infeasible", f"No allowed portfolio is expected to earn {wanted}.", "Lower target_return."
        ) from failure
    return polish(aimed, sigma, pull, None, found)
