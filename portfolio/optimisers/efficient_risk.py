"""The portfolio with the highest expected return at no more than `target_volatility`.

By PyPortfolioOpt with Clarabel. The target is on the whole portfolio, cash and what is held beside it
included, annual. Trading costs are left to the bands and the gate.
"""

from portfolio.problem import Problem, Solution

NEVER_BINDS = (
    10.0  # the rule of the whole book stands in for PyPortfolioOpt's own, which sees the weights alone
)


def optimise(problem: Problem) -> Solution:
    """Return weights and shadow prices.

    Raises:
        AllocationFailure: every allowed portfolio is more volatile.
    """
    from portfolio.optimisers import _frontier  # noqa: PLC0415 - imports PyPortfolioOpt, which costs seconds

    unsolved = _frontier.frontier(problem, _frontier.CONE)
    rules = _frontier.add_rules(unsolved, problem)
    target = float(problem.goal.volatility)
    if problem.pull is not None:
        rules |= _frontier.cap_whole(unsolved, problem, target)
        target = max(NEVER_BINDS, target)
    weights = _frontier.run(unsolved, lambda: unsolved.efficient_risk(target), problem.lines)
    return Solution(weights, _frontier.shadow_prices(problem, rules))
