"""The portfolio with the highest expected utility after the cost of getting there.

Maximises w'μ − ½γ w'Σw − (365/H) Σ k|w − current|: annual utility less the one-off trading cost spread over
the holding horizon of H days, under every rule of the problem. Where something is held and not allocated (f),
w'Σw is (w + f)'Σ(w + f): γΣf is taken off the returns. Cash is a line like any other. The L1 cost makes a
no-trade region: lines whose gain does not pay for the trade stay where they are (Dybvig and Pezzo 2019).
Solved directly and polished to the exact optimum (`fast_qp`, `polish`), so no modelling layer is loaded;
where that gives no answer, PyPortfolioOpt is asked, which the tests hold equal. Shadow prices are the duals.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portfolio import fast_qp
from portfolio.failure import AllocationFailure
from portfolio.polish import polish
from portfolio.problem import Problem, Solution, verify


def optimise(problem: Problem) -> Solution:
    """Return weights and shadow prices."""
    mu, sigma = problem.estimates()
    costs = None if problem.current is None else problem.annual_cost_rates()
    quadratic, linear = problem.risk_aversion * sigma, problem.risk_aversion * problem.pulled() - mu
    try:
        found = fast_qp.optimise(problem, quadratic, linear, costs)
        solution = polish(problem, quadratic, linear, costs, found)
        verify(problem, solution.weights)
    except AllocationFailure:
        return modelled(problem)
    return solution


def resolve(problem: Problem) -> NDArray[np.float64]:
    """Return the weights alone, unpolished: for many problems that differ by little."""
    mu, sigma = problem.estimates()
    costs = None if problem.current is None else problem.annual_cost_rates()
    linear = problem.risk_aversion * problem.pulled() - mu
    return fast_qp.solve(problem, problem.risk_aversion * sigma, linear, costs)


def modelled(problem: Problem) -> Solution:
    """Return the same weights and shadow prices by PyPortfolioOpt and cvxpy, which take seconds to load."""
    import cvxpy as cp  # noqa: PLC0415 - costs a second

    from portfolio.optimisers import _frontier  # noqa: PLC0415 - imports PyPortfolioOpt, which costs seconds

    mu, _ = problem.estimates()
    unsolved = _frontier.frontier(replace(problem, expected=mu - problem.risk_aversion * problem.pulled()))
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
