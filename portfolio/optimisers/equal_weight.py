"""The same weight for every line that is not cash, cash at its lower bound.

The benchmark any estimate has to beat: V. DeMiguel, L. Garlappi and R. Uppal, "Optimal versus naive
diversification", Review of Financial Studies 22 (2009). Where a bound is broken, the nearest weights that
obey all bounds are taken.
"""

import numpy as np

from portfolio.problem import Problem, Solution
from portfolio.risky import risky_problem, whole


def optimise(problem: Problem) -> Solution:
    """Return the weights; needs no estimates. Lines that may not be held at all are not counted."""
    part, share = risky_problem(problem)
    open_lines = part.upper > 0.0
    weights = np.where(open_lines, 1.0 / max(1, int(open_lines.sum())), 0.0)
    return Solution(whole(problem, share, weights))
