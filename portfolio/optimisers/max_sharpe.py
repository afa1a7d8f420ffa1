"""The portfolio with the highest expected excess return per unit of volatility (PyPortfolioOpt).

Over the lines that are not cash, cash at its lower bound. Solved without costs or turnover cap, for which
PyPortfolioOpt's version is wrong (a higher cost makes it trade more); the cap is applied afterwards.
"""

from portfolio.problem import Problem, Solution
from portfolio.risky import risky_problem, whole


def optimise(problem: Problem) -> Solution:
    """Return the weights.

    Raises:
        AllocationFailure: no line is expected to earn more than the risk-free rate.
    """
    from portfolio.optimisers import _frontier  # noqa: PLC0415 - imports PyPortfolioOpt, which costs seconds

    part, share = risky_problem(problem)
    unsolved = _frontier.frontier(part)
    _frontier.add_rules(unsolved, part)
    rate = float(problem.risk_free_rate)
    weights = _frontier.run(unsolved, lambda: unsolved.max_sharpe(risk_free_rate=rate), part.lines)
    return Solution(whole(problem, share, weights))
