"""The portfolio with the highest expected return at no more than `target_volatility`.

By PyPortfolioOpt with Clarabel. The target is on the whole portfolio, cash included, annual. Trading costs
are left to the bands and the gate.
"""

from portfolio.problem import Problem, Solution


def optimise(problem: Problem) -> Solution:
    """Return weights and shadow prices.

    Raises:
        AllocationFailure: every allowed portfolio is more volatile.
    """
    from portfolio.optimisers import _frontier  # noqa: PLC0415 - imports PyPortfolioOpt, which costs seconds

    unsolved = _frontier.frontier(problem)
    rules = _frontier.add_rules(unsolved, problem)
    target = float(problem.goal.volatility)
    weights = _frontier.run(unsolved, lambda: unsolved.efficient_risk(target), problem.lines)
    return Solution(weights, _frontier.shadow_prices(problem, rules))
