"""The owner's own fixed weights. Nothing is estimated and nothing is solved.

Lines that keep their weight (frozen, immovable, without a market) and lines that can not be held are balanced
by the cash of the policy, so that the other weights stay what the owner decided; only where cash does not
suffice are they scaled. A turnover cap shortens the way towards the target, in proportion.
"""

import numpy as np

from portfolio.failure import AllocationFailure
from portfolio.problem import Problem, Solution, turnover


def optimise(problem: Problem) -> Solution:
    """Return the target weights under the bounds.

    Raises:
        AllocationFailure: the problem has no target.
    """
    if problem.target is None:
        raise AllocationFailure(
            "no_target", "Objective 'policy' wants target_weights; there are none.", "Set target_weights."
        )
    weights = np.clip(problem.target, problem.lower, problem.upper)
    spare = 1.0 - float(weights.sum())
    weights = _absorb(weights, spare, problem)
    if problem.current is not None:
        moved = turnover(problem.current, weights)
        if moved > problem.max_turnover:
            weights = problem.current + (weights - problem.current) * problem.max_turnover / moved
    return Solution(weights)


def _absorb(weights: np.ndarray, spare: float, problem: Problem) -> np.ndarray:
    """Give what is left to cash (or take it from there), then to lines by trading them less, then to all."""
    limit = problem.upper if spare > 0 else problem.lower
    now = limit if problem.current is None else np.clip(problem.current, problem.lower, problem.upper)
    for mask, end in ((problem.cash, limit), (~problem.cash, now), (~problem.cash, limit)):
        for _ in range(len(weights)):
            room = np.where(mask, np.maximum((end - weights) * np.sign(spare), 0.0), 0.0)
            if abs(spare) < 1e-12 or room.sum() <= 0.0:
                break
            base = np.where((room > 0.0) & (weights > 0.0), weights, 0.0)
            share = base / base.sum() if base.sum() > 0.0 else room / room.sum()
            step = np.minimum(np.abs(spare) * share, room) * np.sign(spare)
            weights = weights + step
            spare -= float(step.sum())
    return weights
