"""Widens the owner's limits by as little as today's hard limits make necessary.

A portfolio may be outside its own limits already, and the way back longer than participation, turnover or a
frozen line allow. One linear program finds weights within the hard limits that break the owner's by the
least in sum; the limits are widened to cover them, so that a step is proposed and the rest reported.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from portfolio.contradiction import contradiction, limit_sides
from portfolio.failure import AllocationFailure
from portfolio.problem import TOLERANCE, Problem

Array = NDArray[np.float64]
REMEDY = "Relax weight_bounds, class_bounds or cash_floor_usd; `trimtab check` names the setting."


def widen(
    soft: Problem, hard_low: Array, hard_high: Array, own: tuple[Array, Array] | None = None
) -> Problem:
    """Return the problem with the owner's limits widened as little as today's hard limits make necessary.

    Args:
        soft: the owner's limits as bounds and rows.
        hard_low: what no weight can go below today.
        hard_high: what no weight can go above today.
        own: the owner's bounds of each line without anything that holds only today; None where unknown.

    Raises:
        AllocationFailure: the limits contradict each other, or can not be met although the portfolio is not
            outside of them already.
    """
    if _is_met_plainly(soft, hard_low, hard_high):
        return replace(
            soft, lower=np.maximum(soft.lower, hard_low), upper=np.minimum(soft.upper, hard_high)
        )  # nothing has to be widened
    reached, missing = _nearest_way_back(soft, hard_low, hard_high)
    if own is not None and missing > TOLERANCE:
        failure = contradiction(soft, *own)
        if failure is not None:
            raise failure
    if missing > TOLERANCE and missing > _violation(soft, soft.current) + TOLERANCE:
        names = ", ".join(_broken_by(soft, reached))
        text = f"The bounds miss each other by {missing:.4f} of NAV ({names})."
        raise AllocationFailure("infeasible", text, REMEDY)
    return _cover(soft, reached, hard_low, hard_high)


def _is_met_plainly(soft: Problem, hard_low: Array, hard_high: Array) -> bool:
    """Tell whether staying, or clipping to the limits with the settlement cash taking the rest, obeys all.

    Most days it does, and then no linear program has to be solved to know that the limits can be met.
    """
    now = soft.current
    if now is None:
        return False
    weights = np.clip(now, np.maximum(soft.lower, hard_low), np.minimum(soft.upper, hard_high))
    if not np.array_equal(weights, now):
        if soft.settlement < 0:
            return False
        weights[soft.settlement] += 1.0 - float(weights.sum())
    is_allowed = bool(((hard_low <= weights) & (weights <= hard_high)).all())
    is_near = 0.5 * float(np.abs(weights - now).sum()) <= soft.max_turnover
    return is_allowed and is_near and _violation(soft, weights) == 0.0


def _nearest_way_back(soft: Problem, hard_low: Array, hard_high: Array) -> tuple[Array, float]:
    """Return weights within today's hard limits that break the owner's by the least in sum, and that sum."""
    from scipy.optimize import linprog  # noqa: PLC0415 - solvers are imported where they are used

    size = len(soft.lines)
    rows, right = _soft_rows(soft)
    slack = rows.shape[1] - 3 * size
    before = soft.current if soft.current is not None else np.zeros(size)
    cap = soft.max_turnover if soft.current is not None else float(size)
    equal = np.vstack(
        [
            np.concatenate([np.ones(size), np.zeros(2 * size + slack)]),
            np.hstack([np.eye(size), -np.eye(size), np.eye(size), np.zeros((size, slack))]),
        ]
    )
    spend = np.concatenate([np.zeros(size), np.full(2 * size, 0.5), np.zeros(slack)])
    # A tiny price on trading picks, among equally good ways back, the one that trades least.
    price = np.concatenate([np.zeros(size), np.full(2 * size, 1e-6), np.ones(slack)])
    box = list(zip(hard_low, hard_high, strict=True)) + [(0.0, None)] * (2 * size + slack)
    answer = linprog(
        price,
        A_ub=np.vstack([rows, spend]),
        b_ub=np.append(right, cap),
        A_eq=equal,
        b_eq=np.concatenate([[1.0], before]),
        bounds=box,
        method="highs",
    )
    if answer.status != 0:
        raise AllocationFailure("infeasible", f"No weights obey today's limits ({answer.message}).", REMEDY)
    reached = np.clip(answer.x[:size], hard_low, hard_high)
    return reached, float(answer.x[3 * size :].sum())


def _soft_rows(soft: Problem) -> tuple[Array, Array]:
    """Rows of the owner's limits over (w, bought, sold, slack), one slack for each."""
    sides = limit_sides(soft)
    left, right = np.vstack([s[1] for s in sides]), np.array([s[2] for s in sides])
    return np.hstack([left, np.zeros((len(left), 2 * len(soft.lines))), -np.eye(len(left))]), right


def _broken_by(soft: Problem, weights: Array) -> list[str]:
    """Names of the limits that weights break."""
    return [name for name, row, bound in limit_sides(soft) if float(row @ weights) > bound + TOLERANCE]


def _violation(problem: Problem, weights: Array | None) -> float:
    """Return by how much weights break the owner's limits, summed."""
    if weights is None:
        return 0.0
    total = float(
        np.maximum(0.0, problem.lower - weights).sum() + np.maximum(0.0, weights - problem.upper).sum()
    )
    for row in problem.rows:
        held = row.of(weights)
        total += max(0.0, row.lower - held) + max(0.0, held - row.upper)
    return total


def _cover(soft: Problem, reached: Array, hard_low: Array, hard_high: Array) -> Problem:
    rows = []
    for row in soft.rows:
        held = row.of(reached)
        rows.append(replace(row, lower=min(row.lower, held), upper=max(row.upper, held)))
    lower = np.maximum(np.minimum(soft.lower, reached), hard_low)
    upper = np.minimum(np.maximum(soft.upper, reached), hard_high)
    return replace(soft, lower=np.minimum(lower, upper), upper=upper, rows=tuple(rows))
