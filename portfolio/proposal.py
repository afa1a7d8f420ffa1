"""Gets an allocation: the objective first, then the owner's fallbacks in order, each attempt on record.

Nothing falls back silently: the method that answered and every one that failed before it are part of the
decision.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from portfolio import registry
from portfolio.costs import TradingCost
from portfolio.failure import AllocationFailure
from portfolio.model import Attempt, Policy
from portfolio.problem import Problem, Solution, tidy, verify
from portfolio.steadying import ridged, steadied

Array = NDArray[np.float64]
Optimise = Callable[[str, Problem], Solution]
IMPACT_MATTERS = 1e-4  # a change of the cost rate by one basis point


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """A verified allocation, or none.

    Attributes:
        method: what gave it; `hold` where the ladder ends in holding, None where it ends in nothing.
        solution: weights (tidied) and shadow prices; None unless a method answered.
        problem: the problem with the cost rates it was solved at; None where no weights obey the policy.
    """

    method: str | None
    problem: Problem | None
    solution: Solution | None
    failures: tuple[Attempt, ...]


def by_name(method: str, problem: Problem) -> Solution:
    """Solve with the method of that file name."""
    return registry.load(registry.OPTIMISERS, method).optimise(problem)


def propose(
    problem: Problem,
    policy: Policy,
    costs: Mapping[str, TradingCost],
    nav_usd: float | None,
    optimise: Optimise = by_name,
    seed: int = 0,
) -> Proposal:
    """Try the methods in order and return the first verified answer.

    `optimise` solves one of them; `seed` is of the policy's resampling.
    """
    problem, optimise = ridged(problem, policy.regularisation), steadied(optimise, policy, seed)
    failures: list[Attempt] = []
    ladder = (
        (policy.objective, "hold") if policy.objective == "policy" else (policy.objective, *policy.fallbacks)
    )
    for method in ladder:
        if method == "hold":
            return Proposal(method="hold", problem=problem, solution=None, failures=tuple(failures))
        try:
            used, solution = solve(method, problem, costs, nav_usd, optimise)
        except AllocationFailure as failure:
            failures.append(Attempt(method, f"{failure.reason}: {failure.detail}"))
            continue
        return Proposal(method=method, problem=used, solution=solution, failures=tuple(failures))
    return Proposal(method=None, problem=problem, solution=None, failures=tuple(failures))


def solve(
    method: str,
    problem: Problem,
    costs: Mapping[str, TradingCost],
    nav_usd: float | None,
    optimise: Optimise = by_name,
) -> tuple[Problem, Solution]:
    """Solve with one method, verify, tidy.

    The impact part of the cost grows with the square root of the trade, which a linear cost can not say: it
    is solved once without impact and, where the trades are large enough to matter, again at the impact of
    their size.

    Raises:
        AllocationFailure: the method has no verified answer.
    """
    solution = _checked(optimise(method, problem), problem)
    if method == "max_quadratic_utility" and problem.current is not None and nav_usd:
        traded = np.abs(solution.weights - problem.current) * nav_usd
        rates = np.array(
            [
                costs[x].rate(float(usd)) if rate > 0.0 else 0.0
                for x, usd, rate in zip(problem.lines, traded, problem.cost_rates, strict=True)
            ]
        )
        if float(np.abs(rates - problem.cost_rates).max()) > IMPACT_MATTERS:
            problem = replace(problem, cost_rates=rates)
            solution = _checked(optimise(method, problem), problem)
    return problem, solution


def _checked(solution: Solution, problem: Problem) -> Solution:
    verify(problem, solution.weights)
    tidied = tidy(problem, solution.weights)
    verify(problem, tidied)
    return Solution(tidied, solution.shadow_prices)
