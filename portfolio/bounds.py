"""Turns a policy and a book into one allocation problem: which weights are allowed now.

Some rules can not be broken today (what is frozen stays, participation and turnover are capped, nothing goes
below zero); others are the owner's limits, which the portfolio may be outside of already. Where the way back
is longer than today's caps allow, the limits are widened by no more than needed: a step towards them is
proposed, the rest reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from portfolio.book import Book, cash_assets, markets_of
from portfolio.costs import TradingCost
from portfolio.estimates import Estimates
from portfolio.failure import AllocationFailure
from portfolio.model import DecisionInputs, Policy, asset_of, is_cash, line_of, sleeve_of
from portfolio.problem import TOLERANCE, Linear, Problem

Array = NDArray[np.float64]


@dataclass(slots=True)
class _Box:
    """One line's bounds while they are put together: the owner's (soft), today's (hard), and their names."""

    lower: float
    upper: float
    hard_lower: float
    hard_upper: float
    lower_name: str
    upper_name: str


def build_problem(
    book: Book,
    inputs: DecisionInputs,
    policy: Policy,
    estimates: Estimates | None,
    costs: Mapping[str, TradingCost],
) -> Problem:
    """Return the problem over all lines of the book.

    Raises:
        AllocationFailure: no weights obey the policy (`infeasible`).
    """
    lines = book.lines
    boxes = [_box(line, book, inputs, policy, estimates, costs) for line in lines]
    known = set(estimates.lines) if estimates else set(lines)
    mu, sigma = _spread_estimates(lines, estimates)
    quote, targets = line_of("cash", policy.quote), policy.target_weights or {}
    soft = Problem(
        lines=lines,
        cash=np.array([is_cash(x) or x not in known for x in lines]),
        lower=np.array([b.lower for b in boxes]),
        upper=np.array([b.upper for b in boxes]),
        lower_names=tuple(b.lower_name for b in boxes),
        upper_names=tuple(b.upper_name for b in boxes),
        rows=_rows(lines, book, policy),
        current=np.array([book.weight[x] for x in lines]) if book.nav_usd is not None else None,
        max_turnover=policy.max_turnover,
        cost_rates=np.array([_cost_rate(x, policy, costs) for x in lines]),
        expected=mu,
        covariance=sigma,
        risk_aversion=policy.risk_aversion,
        horizon_days=policy.rebalance.horizon_days,
        risk_free_rate=policy.risk_free_rate,
        target=np.array([0.0 if x in inputs.unlisted else targets.get(x, 0.0) for x in lines]),
        may_hold_all=np.array([policy.weight_bounds.get(x, (0.0, 0.0))[1] >= 0.999 for x in lines]),
        settlement=lines.index(quote) if quote in lines else -1,
    )
    low, high = np.array([b.hard_lower for b in boxes]), np.array([b.hard_upper for b in boxes])
    fixed = policy.objective == "policy"
    return replace(soft, lower=low, upper=high, rows=()) if fixed else widen(soft, low, high)


def _box(
    line: str,
    book: Book,
    inputs: DecisionInputs,
    policy: Policy,
    estimates: Estimates | None,
    costs: Mapping[str, TradingCost],
) -> _Box:
    now = book.weight.get(line, 0.0)
    lower, upper = policy.bounds_of(line)
    box = _Box(
        lower, upper, 0.0, 1.0, "weight_bounds lower" if lower > 0 else "no short positions", "weight_bounds"
    )
    if is_cash(line) and "cash" not in policy.sleeves:
        box.lower, box.upper, box.upper_name = 0.0, 0.0, "cash is not in sleeves"
    if line in inputs.unlisted:
        box.lower, box.upper, box.upper_name = 0.0, 0.0, "unlisted"
        box.hard_upper = now
    kept = book.keeps(line)
    reason = kept.reason_code if kept else None
    no_estimate = estimates is not None and line not in estimates.lines and line not in inputs.unlisted
    if reason is None and no_estimate and policy.objective != "policy":
        reason = "no_estimate"
    if reason is None and is_cash(line) and not _convertible(line, book, inputs, policy):
        reason = "no_conversion_market"
    if reason is not None:
        return _Box(now, now, now, now, reason, reason)
    _hold_back(box, line, now, book, policy, costs)
    return box


def _hold_back(
    box: _Box, line: str, now: float, book: Book, policy: Policy, costs: Mapping[str, TradingCost]
) -> None:
    """Narrow one line's hard bounds by what is immovable, by participation and by a lost peg."""
    stays = book.immovable.get(line, 0.0)
    if stays > 0.0:
        box.hard_lower = stays
        if stays > box.lower:
            box.lower, box.lower_name = stays, "immovable"
        box.upper = max(box.upper, stays)
    cost = costs.get(line)
    if book.nav_usd is not None and cost is not None and cost.average_daily_volume_usd is not None:
        most = policy.max_participation * cost.average_daily_volume_usd / book.nav_usd
        box.hard_lower = max(box.hard_lower, now - most)
        box.hard_upper = min(box.hard_upper, now + most)
        if box.hard_upper < box.upper:
            box.upper, box.upper_name = box.hard_upper, "max_participation"
        if box.hard_lower > box.lower:
            box.lower, box.lower_name = box.hard_lower, "max_participation"
    if is_cash(line) and asset_of(line) in book.depegged and book.nav_usd is not None:
        box.hard_upper = min(box.hard_upper, now)
        if now < box.upper:
            box.upper, box.upper_name = now, "depeg"
    box.lower = min(box.lower, box.hard_upper)
    box.upper = max(box.upper, box.hard_lower)
    box.upper = max(box.upper, box.lower)


def _convertible(line: str, book: Book, inputs: DecisionInputs, policy: Policy) -> bool:
    """Tell whether a cash line can change at all: it settles trades, or a market converts it."""
    asset = asset_of(line)
    if book.nav_usd is None or policy.objective == "policy" or asset == policy.quote:
        return True
    others = [a for a in cash_assets(book.lines, policy) if a != asset]
    return bool(markets_of(asset, inputs, others)) or any(markets_of(a, inputs, [asset]) for a in others)


def _rows(lines: tuple[str, ...], book: Book, policy: Policy) -> tuple[Linear, ...]:
    floor = policy.cash_floor_usd / book.nav_usd if book.nav_usd else 0.0
    bounds = dict(policy.class_bounds)
    low, high = bounds.get("cash", (0.0, 1.0))
    names = {sleeve: f"class {sleeve}" for sleeve in bounds}
    if floor > low:
        bounds["cash"], names["cash"] = (min(floor, 1.0), max(high, min(floor, 1.0))), "cash_floor_usd"
    rows: list[Linear] = []
    for sleeve, (lower, upper) in sorted(bounds.items()):
        members = np.array([float(sleeve_of(x) == sleeve) for x in lines])
        if members.any():
            rows.append(Linear(name=names[sleeve], coefficients=members, lower=lower, upper=upper))
    return tuple(rows)


def _spread_estimates(
    lines: tuple[str, ...], estimates: Estimates | None
) -> tuple[Array | None, Array | None]:
    if estimates is None:
        return None, None
    mu, sigma = np.zeros(len(lines)), np.zeros((len(lines), len(lines)))
    at = np.array([lines.index(x) for x in estimates.lines], dtype=np.intp)
    mu[at] = estimates.expected
    sigma[np.ix_(at, at)] = estimates.covariance
    return mu, sigma


def _cost_rate(line: str, policy: Policy, costs: Mapping[str, TradingCost]) -> float:
    cost = costs.get(line)
    return 0.0 if cost is None or line == line_of("cash", policy.quote) else cost.rate(0.0)


def widen(soft: Problem, hard_low: Array, hard_high: Array) -> Problem:
    """Return the problem with the owner's limits widened as little as today's hard limits make necessary.

    Raises:
        AllocationFailure: the limits can not be met although the portfolio is not outside of them already.
    """
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
    missing = float(answer.x[3 * size :].sum())
    if missing > TOLERANCE and missing > _violation(soft, soft.current) + TOLERANCE:
        raise AllocationFailure("infeasible", f"The bounds miss each other by {missing:.4f} of NAV.", REMEDY)
    return _cover(soft, reached, hard_low, hard_high)


REMEDY = "Relax weight_bounds, class_bounds or cash_floor_usd; `trimtab check` names the setting."


def _soft_rows(soft: Problem) -> tuple[Array, Array]:
    """Rows of the owner's limits over (w, bought, sold, slack), one slack for each."""
    size = len(soft.lines)
    eye = np.eye(size)
    sides = [side for rule in soft.rows for side in rule.sides()]
    left = np.vstack([eye, -eye, *(s[1][None, :] for s in sides)])
    right = np.concatenate([soft.upper, -soft.lower, [s[2] for s in sides]])
    return np.hstack([left, np.zeros((len(left), 2 * size)), -np.eye(len(left))]), right


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
