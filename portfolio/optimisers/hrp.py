"""Hierarchical risk parity (PyPortfolioOpt) over the lines that are not cash, cash at its lower bound.

M. Lopez de Prado, "Building diversified portfolios that outperform out of sample", Journal of Portfolio
Management 42 (2016). PyPortfolioOpt links the distances themselves; the paper links the distances of the
distances. HRP knows no
bounds: where its answer breaks one, the nearest weights that obey all bounds are taken.
"""

import numpy as np
import pandas as pd

from portfolio.failure import AllocationFailure
from portfolio.problem import Problem, Solution
from portfolio.risky import risky_problem, whole


def optimise(problem: Problem) -> Solution:
    """Return the weights; needs the covariance only."""
    from pypfopt import HRPOpt  # noqa: PLC0415 - the library costs seconds

    part, share = risky_problem(problem)
    _, sigma = part.estimates()
    if len(part.lines) == 1:
        return Solution(whole(problem, share, np.ones(1)))
    lines = list(part.lines)
    try:
        raw = HRPOpt(cov_matrix=pd.DataFrame(sigma, index=lines, columns=lines)).optimize()
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise AllocationFailure(
            "solver", f"HRP gave no answer ({type(error).__name__}: {error}).", "Try another objective."
        ) from error
    weights = np.array([raw[line] for line in lines], dtype="float64")
    return Solution(whole(problem, share, weights))
