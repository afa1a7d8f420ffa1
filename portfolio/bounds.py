"""Turns a policy and a book into one allocation problem: which weights are allowed now.

Some rules can not be broken today (what is frozen stays, participation and turnover are capped, nothing goes
below zero); others are the owner's limits, which the portfolio may be outside of already. Where the way back
is longer than today's caps allow, the limits are widened by no more than needed: a step towards them is
proposed, the rest reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from portfolio.book import Book, cash_assets, markets_of
from portfolio.costs import TradingCost
from portfolio.estimates import Estimates
from portfolio.limits import policy_rows
from portfolio.model import DecisionInputs, Policy, asset_of, is_cash, line_of, sleeve_of
from portfolio.problem import Goal, Problem
from portfolio.widening import widen

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
        rows=policy_rows(lines, book, inputs, policy),
        current=np.array([book.weight[x] for x in lines]) if book.nav_usd is not None else None,
        max_turnover=policy.max_turnover,
        cost_rates=np.array([_cost_rate(x, policy, costs) for x in lines]),
        expected=mu,
        covariance=sigma,
        risk_aversion=policy.risk_aversion,
        horizon_days=policy.rebalance.horizon_days,
        risk_free_rate=policy.risk_free_rate,
        target=np.array([0.0 if _is_leaving(x, inputs, policy) else targets.get(x, 0.0) for x in lines]),
        goal=_goal(policy),
        returns=_spread_returns(lines, estimates),
        pull=_spread_pull(lines, estimates),
        fixed_returns=estimates.fixed.returns if estimates and estimates.fixed else None,
        fixed_variance=float(estimates.fixed.own.sum()) if estimates and estimates.fixed else 0.0,
        may_hold_all=np.array([policy.weight_bounds.get(x, (0.0, 0.0))[1] >= 0.999 for x in lines]),
        settlement=lines.index(quote) if quote in lines else -1,
    )
    low, high = np.array([b.hard_lower for b in boxes]), np.array([b.hard_upper for b in boxes])
    fixed = policy.objective == "policy"
    own = np.array([policy.bounds_of(x) for x in lines], dtype=np.float64).reshape(len(lines), 2)
    return (
        replace(soft, lower=low, upper=high, rows=())
        if fixed
        else widen(soft, low, high, (own[:, 0], own[:, 1]))
    )


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
    closed = closed_to_buying(line, inputs, policy)
    if closed:
        box.lower, box.upper, box.upper_name = 0.0, 0.0, closed
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
    _hold_back(box, line, now, book, policy, costs.get(line))
    return box


def closed_to_buying(line: str, inputs: DecisionInputs, policy: Policy) -> str:
    """Return why a line is to be held at nothing and never bought, or an empty string."""
    if line in inputs.unlisted:
        return "unlisted"
    if leaves_soon(line, inputs, policy):
        return "delisting"
    terms = inputs.terms.get(line)
    if terms is None:
        return ""
    named = line in policy.weight_bounds or sleeve_of(line) in policy.class_bounds
    if terms.is_indicative and not named:
        return "indicative"
    near, wanted = terms.liquidation_distance, policy.min_liquidation_distance
    return "min_liquidation_distance" if wanted is not None and near is not None and near < wanted else ""


def leaves_soon(line: str, inputs: DecisionInputs, policy: Policy) -> bool:
    """Tell whether a line's market closes within the policy's notice."""
    end = inputs.exits.get(line)
    return end is not None and end - inputs.as_of <= timedelta(days=policy.exit_notice_days)


def _hold_back(
    box: _Box, line: str, now: float, book: Book, policy: Policy, cost: TradingCost | None
) -> None:
    """Narrow one line's hard bounds by what is immovable, by participation and by a lost peg."""
    stays = book.immovable.get(line, 0.0)
    if stays > 0.0:
        box.hard_lower = stays
        if stays > box.lower:
            box.lower, box.lower_name = stays, "immovable"
        box.upper = max(box.upper, stays)
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


def _is_leaving(line: str, inputs: DecisionInputs, policy: Policy) -> bool:
    return line in inputs.unlisted or leaves_soon(line, inputs, policy)


def _goal(policy: Policy) -> Goal:
    return Goal(policy.target_volatility, policy.target_return, policy.cvar_level)


def _spread_returns(lines: tuple[str, ...], estimates: Estimates | None) -> Array | None:
    if estimates is None:
        return None
    spread = np.zeros((len(estimates.returns), len(lines)))
    spread[:, [lines.index(x) for x in estimates.lines]] = estimates.returns
    return spread


def _spread_pull(lines: tuple[str, ...], estimates: Estimates | None) -> Array | None:
    if estimates is None or estimates.fixed is None:
        return None
    spread = np.zeros(len(lines))
    spread[[lines.index(x) for x in estimates.lines]] = estimates.fixed.total_pull()
    return spread


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
