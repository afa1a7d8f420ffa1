"""The portfolio with the highest expected utility after the cost of getting there (PyPortfolioOpt).

Maximises w'μ − ½γ w'Σw − (365/H) Σ k|w − current|: annual utility less the one-off trading cost spread over
the holding horizon of H days, under box, class and turnover rules. Cash is a line like any other. The L1 cost
makes a no-trade region: lines whose gain does not pay for the trade stay where they are (Dybvig and Pezzo
2019). Shadow prices are the duals of the rules.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from portfolio import qp
from portfolio.problem import Problem, Solution


def optimise(problem: Problem) -> Solution:
    """Return weights and shadow prices."""
    import cvxpy as cp  # noqa: PLC0415 - costs a second

    from portfolio.optimisers import _frontier  # noqa: PLC0415 - imports PyPortfolioOpt, which costs seconds

    unsolved = _frontier.frontier(problem)
    rules = _frontier.add_rules(unsolved, problem)
    if problem.current is not None:
        before, rates = problem.current, problem.annual_cost_rates()

        def trading_cost(w: Any) -> Any:  # noqa: ANN401 - cvxpy expressions have no types
            return cp.sum(cp.multiply(rates, cp.abs(w - before)))

        unsolved.add_objective(trading_cost)
    aversion: Any = problem.risk_aversion  # annotated int by its default; any positive number is right
    weights = _frontier.run(
        unsolved, lambda: unsolved.max_quadratic_utility(risk_aversion=aversion), problem.lines
    )
    return Solution(weights, _frontier.shadow_prices(problem, rules))


def resolve(problem: Problem) -> NDArray[np.float64]:
    """Return the same weights by the direct quadratic program."""
    mu, sigma = problem.estimates()
    costs = None if problem.current is None else problem.annual_cost_rates()
    return qp.solve(problem, problem.risk_aversion * sigma, -mu, costs)
