"""The part of a problem that is not cash, for the methods that have no use for cash.

A portfolio of minimum volatility over coins and cash is all cash, an answer nobody wants; so
`min_volatility`, `max_sharpe`, `hrp` and `equal_weight` keep as little cash as the rules allow (its lower
bounds, the cash floor, what cannot be invested under the other bounds) and allocate the rest over the other
lines.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from portfolio import fast_qp
from portfolio.failure import AllocationFailure
from portfolio.problem import TOLERANCE, Linear, Problem, turnover

Array = NDArray[np.float64]


def invested_share(problem: Problem) -> float:
    """Return the largest sum of non-cash weights that the bounds allow (turnover aside).

    Where every rule counts all cash alike and all other lines alike, only the two sums matter, and the answer
    is an end of an interval; else a linear program finds it.
    """
    found = _of_sums(problem)
    if found is not None:
        return min(1.0, max(0.0, found))
    from scipy.optimize import linprog  # noqa: PLC0415 - solvers are imported where they are used

    sides = [side for rule in problem.rows for side in rule.sides()]
    rows, right = [s[1] for s in sides], [s[2] for s in sides]
    answer = linprog(
        np.where(problem.cash, 0.0, -1.0),
        A_ub=np.array(rows) if rows else None,
        b_ub=np.array(right) if rows else None,
        A_eq=np.ones((1, len(problem.lines))),
        b_eq=[1.0],
        bounds=list(zip(problem.lower, problem.upper, strict=True)),
        method="highs",
    )
    if answer.status != 0:
        raise AllocationFailure(
            "infeasible",
            f"No weights obey all bounds ({answer.message}).",
            "Relax weight_bounds or class_bounds.",
        )
    return min(1.0, max(0.0, -float(answer.fun)))


def _of_sums(problem: Problem) -> float | None:
    """Return the share by the sums of cash and of the rest alone; None where a rule tells lines apart."""
    keep = ~problem.cash
    if not keep.any() or not problem.cash.any():
        return None
    least = max(float(problem.lower[keep].sum()), 1.0 - float(problem.upper[problem.cash].sum()))
    most = min(float(problem.upper[keep].sum()), 1.0 - float(problem.lower[problem.cash].sum()))
    for _, coefficients, limit in (side for rule in problem.rows for side in rule.sides()):
        cash, rest = coefficients[problem.cash], coefficients[keep]
        if (cash != cash[0]).any() or (rest != rest[0]).any():
            return None
        slope, room = float(rest[0] - cash[0]), limit - float(cash[0])
        if slope > 0.0:
            most = min(most, room / slope)
        elif slope < 0.0:
            least = max(least, room / slope)
        elif room < 0.0:
            return None
    return most if least <= most and bool((problem.lower <= problem.upper).all()) else None


def risky_problem(problem: Problem) -> tuple[Problem, float]:
    """Return the problem over the non-cash lines scaled to a budget of 1, and the factor that scales back.

    The scaling is what PyPortfolioOpt expects; `current` is dropped, for costs and turnover are dealt with
    after.

    Raises:
        AllocationFailure: nothing may be invested, or no line is there to invest in.
    """
    share = invested_share(problem)
    keep = ~problem.cash
    if share <= TOLERANCE or not keep.any():
        raise AllocationFailure(
            "nothing_to_invest",
            "The bounds leave nothing for lines other than cash.",
            "Relax the cash bounds.",
        )
    index = np.flatnonzero(keep)
    rows = tuple(_scaled(r, problem, share) for r in problem.rows if r.coefficients[keep].any())
    part = replace(
        problem,
        lines=tuple(problem.lines[i] for i in index),
        cash=problem.cash[keep],
        lower=np.maximum(problem.lower[keep] / share, 0.0),
        upper=np.minimum(problem.upper[keep] / share, 1.0),
        lower_names=tuple(problem.lower_names[i] for i in index),
        upper_names=tuple(problem.upper_names[i] for i in index),
        rows=rows,
        current=None,
        cost_rates=problem.cost_rates[keep],
        expected=None if problem.expected is None else problem.expected[keep],
        covariance=None if problem.covariance is None else problem.covariance[np.ix_(keep, keep)],
        pull=None if problem.pull is None else problem.pull[keep] / share,
        fixed_returns=None if problem.fixed_returns is None else problem.fixed_returns / share,
        may_hold_all=problem.may_hold_all[keep],
        settlement=-1,
    )
    return part, share


def _scaled(row: Linear, problem: Problem, share: float) -> Linear:
    """Return the rule over the non-cash lines, what cash holds at least taken off."""
    held = row.fixed + float(row.coefficients[problem.cash] @ problem.lower[problem.cash])
    own = row.coefficients[~problem.cash]
    return Linear(
        name=row.name, coefficients=own, lower=(row.lower - held) / share, upper=(row.upper - held) / share
    )


def whole(problem: Problem, share: float, risky_weights: Array) -> Array:
    """Put the cash back and bring the result within every rule, the turnover cap included."""
    weights = np.zeros(len(problem.lines))
    weights[~problem.cash] = risky_weights * share
    weights[problem.cash] = _cash_weights(problem, 1.0 - share)
    return within_rules(problem, weights)


def within_rules(problem: Problem, weights: Array) -> Array:
    """Return the weights themselves where they obey the rules, else the nearest ones that do."""
    ok = bool((weights >= problem.lower - 1e-9).all() and (weights <= problem.upper + 1e-9).all())
    for row in problem.rows:
        ok = ok and row.lower - 1e-9 <= row.of(weights) <= row.upper + 1e-9
    if problem.current is not None:
        ok = ok and turnover(problem.current, weights) <= problem.max_turnover + 1e-9
    return weights if ok else fast_qp.project(problem, weights)


def _cash_weights(problem: Problem, total: float) -> Array:
    """Split cash over its lines: as it is now, the line that trades settle in taking the difference first."""
    index = np.flatnonzero(problem.cash)
    lower, upper = problem.lower[index], problem.upper[index]
    start = np.zeros(len(index)) if problem.current is None else problem.current[index]
    split = np.clip(start, lower, upper)
    for i in sorted(range(len(index)), key=lambda j: (index[j] != problem.settlement, j)):
        missing = total - float(split.sum())
        split[i] = float(np.clip(split[i] + missing, lower[i], upper[i]))
    return split
