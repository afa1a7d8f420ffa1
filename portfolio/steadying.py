"""Options that make an answer steadier or simpler: a ridge, resampled answers, no small positions.

All of them stay inside the problem's rules: a ridge changes the estimates, an average of allowed weights is
allowed, and small positions are sent to zero or to the minimum by bounds of the same problem.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from portfolio.failure import AllocationFailure
from portfolio.model import DAYS_PER_YEAR, Policy
from portfolio.problem import ACTIVE, Problem, Solution

Array = NDArray[np.float64]
Optimise = Callable[[str, Problem], Solution]


def ridged(problem: Problem, share: float) -> Problem:
    """Add a share of the risky lines' average variance to each of theirs: less trust in correlations."""
    if share <= 0.0 or problem.covariance is None or problem.cash.all():
        return problem
    extra = share * float(np.diag(problem.covariance)[~problem.cash].mean())
    return replace(problem, covariance=problem.covariance + np.diag(np.where(problem.cash, 0.0, extra)))


def is_plain(policy: Policy) -> bool:
    """Tell whether an answer is the optimiser's own."""
    return policy.min_position <= 0.0 and policy.resampling_draws <= 0


def steadied(optimise: Optimise, policy: Policy, seed: int) -> Optimise:
    """Return the optimiser with the policy's resampling and minimum position around it."""
    if is_plain(policy):
        return optimise

    def solve(method: str, problem: Problem) -> Solution:
        if method == "policy":
            return optimise(method, problem)
        drawn = resampled(optimise, policy.resampling_draws, seed)
        return whole_positions(drawn, method, problem, policy.min_position)

    return solve


def resampled(optimise: Optimise, draws: int, seed: int) -> Optimise:
    """Return an optimiser whose answer is the average over expected returns from resampled days.

    R. Michaud, "Efficient Asset Management" (1998). Days are drawn for all lines at once, so their order is
    of no consequence. The shadow prices of an average have no meaning and are left out.
    """
    if draws <= 0:
        return optimise

    def solve(method: str, problem: Problem) -> Solution:
        if problem.expected is None or problem.returns is None:
            return optimise(method, problem)
        rng = np.random.default_rng(seed)
        count, mean = len(problem.returns), problem.returns.mean(axis=0)
        total = np.zeros(len(problem.lines))
        for _ in range(draws):
            days = problem.returns[rng.integers(0, count, size=count)]
            moved = problem.expected + (days.mean(axis=0) - mean) * DAYS_PER_YEAR
            total += optimise(method, replace(problem, expected=moved)).weights
        return Solution(total / draws)

    return solve


def whole_positions(optimise: Optimise, method: str, problem: Problem, minimum: float) -> Solution:
    """Solve so that every line that may be nothing holds nothing or at least `minimum`; cash is free.

    Two choices a pass, no search: what came out at half the minimum or more is raised to it, the rest is sent
    to zero, and the problem is solved again. Where that has no answer, all small positions are sent to zero.

    Raises:
        AllocationFailure: the optimiser has no answer without the small positions.
    """
    solution = optimise(method, problem)
    while minimum > 0.0 and (small := _small(problem, solution.weights, minimum)).any():
        raised = small & (solution.weights >= minimum / 2.0) & (problem.upper >= minimum)
        try:  # each pass fixes a line at nothing or above the minimum, so there are no more passes than lines
            tried = _with(problem, small, raised, minimum)
            solution = optimise(method, tried)
        except AllocationFailure:
            tried = _with(problem, small, np.zeros_like(small), minimum)
            solution = optimise(method, tried)
        problem = tried
    return solution


def _small(problem: Problem, weights: Array, minimum: float) -> NDArray[np.bool_]:
    free = ~problem.cash & ~problem.fixed() & (problem.lower <= ACTIVE)
    return free & (weights > ACTIVE) & (weights < minimum - ACTIVE)


def _with(problem: Problem, small: NDArray[np.bool_], raised: NDArray[np.bool_], minimum: float) -> Problem:
    lower = np.where(raised, minimum, problem.lower)
    upper = np.where(small & ~raised, 0.0, problem.upper)
    return replace(problem, lower=lower, upper=upper)
