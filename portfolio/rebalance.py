"""Whether a difference between holdings and proposal is worth a trade.

Drift is measured against the target in force. A fixed policy trades when a line leaves its band, back to the
target; a computed objective trades when a line of the proposal lies outside the band and the model's benefit
over the horizon beats the cost. A broken hard limit goes before bands, cooldown and gate.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from portfolio.book import Book
from portfolio.bounds import closed_to_buying
from portfolio.estimates import Estimates
from portfolio.limits import policy_rows
from portfolio.markets import called
from portfolio.model import (
    DAYS_PER_YEAR,
    DecisionInputs,
    Policy,
    RebalanceRules,
    is_cash,
    sleeve_of,
)
from portfolio.problem import Problem

Array = NDArray[np.float64]
EPSILON = 1e-9
LIMIT_SLACK = 1e-6
# A weight that a trade put at its limit is past it with the next price: so far past (of NAV, and of the
# limit itself) is drift, which bands and gate judge, and no breach.
LIMIT_DRIFT = 0.005
LIMIT_DRIFT_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Benefit:
    """Model estimate of U(proposed) − U(hold) over the horizon, in bps of NAV, and its two parts."""

    return_bps: float
    risk_bps: float

    @property
    def total_bps(self) -> float:
        """Both parts."""
        return self.return_bps + self.risk_bps


def benefit(estimates: Estimates, before: Array, after: Array, policy: Policy) -> Benefit:
    """Return the benefit of `after` over `before`, both in the order of the estimates' lines."""
    years = policy.rebalance.horizon_days / DAYS_PER_YEAR
    rate = policy.risk_free_rate
    gain = estimates.portfolio_return(after, rate) - estimates.portfolio_return(before, rate)
    relief = -0.5 * policy.risk_aversion * (estimates.variance(after) - estimates.variance(before))
    return Benefit(gain * years * 1e4, relief * years * 1e4)


def reference_target(
    inputs: DecisionInputs, policy: Policy, proposed: Mapping[str, float]
) -> tuple[Mapping[str, float], str]:
    """Return the target drift is measured against, and what it is."""
    if policy.objective == "policy" and policy.target_weights:
        return policy.target_weights, "policy"
    if inputs.target_in_force is not None:
        return inputs.target_in_force, "target in force"
    return proposed, "proposal"


def drifts(book: Book, reference: Mapping[str, float]) -> dict[str, float]:
    """Return current weight − reference by line."""
    return {x: book.weight.get(x, 0.0) - reference.get(x, 0.0) for x in sorted({*book.lines, *reference})}


def outside_band(weight: float, target: float, rules: RebalanceRules) -> bool:
    """Tell whether a weight left its band. Relative drift has no meaning at a target of 0."""
    drift = abs(weight - target)
    if drift > rules.band_absolute + EPSILON:
        return True
    return target > 0.0 and drift > rules.band_relative * target + EPSILON


def in_cooldown(inputs: DecisionInputs, rules: RebalanceRules) -> timedelta | None:
    """Return how long the quiet time after the last trade still lasts, or None."""
    if inputs.last_trade_at is None:
        return None
    left = inputs.last_trade_at + timedelta(hours=rules.cooldown_hours) - inputs.as_of
    return left if left > timedelta(0) else None


def breaches(book: Book, inputs: DecisionInputs, policy: Policy) -> list[str]:
    """Return a sentence per hard limit that the holdings break and that a trade can mend."""
    found: list[str] = []
    for line in book.lines:
        weight = book.weight.get(line, 0.0)
        lower, upper = policy.bounds_of(line)
        closed = closed_to_buying(line, inputs, policy)
        if closed:
            lower, upper = 0.0, 0.0
        upper = max(upper, book.immovable.get(line, 0.0))
        if book.keeps(line) is not None or (is_cash(line) and "cash" not in policy.sleeves):
            continue
        if weight > upper + tolerance(upper):
            found.append(_above(line, weight, upper, closed, inputs, policy))
        else:
            found += _broken(called(line), weight, lower, upper)
    for sleeve, (lower, upper) in sorted(policy.class_bounds.items()):
        held = sum(w for x, w in book.weight.items() if sleeve_of(x) == sleeve)
        found += _broken(sleeve, held, lower, upper)
    found += _broken_rows(book, inputs, policy)
    cash_usd, nav_usd = book.cash_weight() * (book.nav_usd or 0.0), book.nav_usd or 1.0
    floor_usd = policy.cash_floor_usd - max(0.01, nav_usd * tolerance(policy.cash_floor_usd / nav_usd))
    if policy.cash_floor_usd > 0.0 and cash_usd < floor_usd:
        found.append(f"Cash is {cash_usd:,.0f} USD, below its floor of {policy.cash_floor_usd:,.0f} USD.")
    found += [
        f"{asset} has lost its peg and is held."
        for asset in sorted(book.depegged)
        if book.weight.get(f"cash:{asset}", 0.0) > LIMIT_SLACK
    ]
    return found


def tolerance(limit: float) -> float:
    """Return how far past a hard limit is still drift, in fractions of NAV; nothing for a limit of 0."""
    if not math.isfinite(limit):
        return 0.0
    return max(LIMIT_SLACK, min(LIMIT_DRIFT, LIMIT_DRIFT_SHARE * abs(limit)))


def _above(
    line: str, weight: float, upper: float, closed: str, inputs: DecisionInputs, policy: Policy
) -> str:
    """Return why a line holds more than it may, as a sentence."""
    text = f"{called(line)} is {weight:.1%} of the portfolio"
    if closed == "delisting":
        return f"{text} and its market closes on {inputs.exits[line]:%Y-%m-%d}: it is left before."
    if closed == "min_liquidation_distance":
        near, wanted = inputs.terms[line].liquidation_distance, policy.min_liquidation_distance
        margin = f"{near:.0%} from liquidation, at least {wanted:.0%} is wanted: add margin or close."
        return f"{called(line)} is {margin}"
    return _broken(called(line), weight, 0.0, upper)[0]


def _broken(name: str, held: float, lower: float, upper: float) -> list[str]:
    """Return the sentence on a limit that is broken, in as many digits as tell the share from the limit."""
    if lower - tolerance(lower) <= held <= upper + tolerance(upper):
        return []
    side, limit = ("above", upper) if held > upper else ("below", lower)
    digits = next((n for n in range(1, 4) if f"{held:.{n}%}" != f"{limit:.{n}%}"), 4)
    return [f"{name} is {held:.{digits}%} of the portfolio, {side} its limit of {limit:.{digits}%}."]


def _broken_rows(book: Book, inputs: DecisionInputs, policy: Policy) -> list[str]:
    """Return a sentence per limit across lines, other than of classes and the floor, that is broken."""
    if policy.objective == "policy" or book.nav_usd is None:
        return []
    now = np.array([book.weight.get(x, 0.0) for x in book.lines])
    found: list[str] = []
    for row in policy_rows(book.lines, book, inputs, policy):
        if not row.name.startswith(("class ", "cash_floor")):
            beside = f" {row.fixed:+.1%} of it are held and not allocated." if row.fixed else ""
            found += [x + beside for x in _broken(row.name, row.of(now), row.lower, row.upper)]
    return found


def apply_mode(problem: Problem, weights: Array, policy: Policy) -> Array:
    """Return the weights that the rebalance mode allows on the way to `weights`.

    `sell_only` takes the sells and leaves their proceeds in cash. `cash_flow_only` compares cash with its
    target: a surplus is spent on lines below target, a shortage is raised from lines above target, and
    nothing is swapped.
    """
    mode = policy.rebalance.mode
    if mode == "full" or problem.current is None:
        return weights
    cash = np.array([is_cash(x) for x in problem.lines])
    change = weights - problem.current
    coins = np.where(cash, 0.0, change)
    surplus = -float(change[cash].sum())
    if mode == "sell_only":
        kept = np.minimum(coins, 0.0)
    else:
        side = np.maximum(coins, 0.0) if surplus > 0.0 else np.minimum(coins, 0.0)
        total = abs(float(side.sum()))
        kept = side * min(1.0, abs(surplus) / total) if total > 0.0 else np.zeros_like(coins)
    result = problem.current + kept
    return _settle(problem, result, cash)


def _settle(problem: Problem, weights: Array, cash: NDArray[np.bool_]) -> Array:
    """Let cash take the difference, the settlement line first."""
    missing = 1.0 - float(weights.sum())
    order = sorted(np.flatnonzero(cash), key=lambda i: (i != problem.settlement, -weights[i]))
    for i in order:
        step = max(missing, -float(weights[i]))
        weights[i] += step
        missing -= step
    return weights
