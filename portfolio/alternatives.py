"""The proposal beside what else could be done: hold, the target in force, 1/N, hierarchical risk parity.

Each is planned, costed and estimated as the proposal is. Resampled history says how far estimates of this
kind stray: the interval holds four of five draws.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portfolio.book import Book
from portfolio.estimates import Estimates
from portfolio.failure import AllocationFailure
from portfolio.model import DAYS_PER_YEAR, DecisionInputs, Policy
from portfolio.outcome import Alternative
from portfolio.planner import DUST_WEIGHT, plan_trades
from portfolio.problem import Problem, verify
from portfolio.proposal import solve
from portfolio.rebalance import benefit
from portfolio.robustness import BOOTSTRAP_DRAWS, block_indices
from portfolio.tax import tax_usd
from portfolio.verdict import Weighing

Array = NDArray[np.float64]
Weights = Mapping[str, float]
PLAIN = ("equal_weight", "hrp")
LOW, HIGH = 10.0, 90.0  # percentiles of the interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all of them are measured in."""

    book: Book
    inputs: DecisionInputs
    policy: Policy
    estimates: Estimates
    seed: int


def alternatives(setting: Setting, problem: Problem | None, case: Weighing) -> tuple[Alternative, ...]:
    """Return the rows of mart.decision_alternatives; none where holdings or estimates are not known."""
    book = setting.book
    if book.nav_usd is None or case.plan is None:
        return ()
    wanted: dict[str, Weights | str] = {"hold": dict(book.weight), "proposal": case.proposed}
    if set(case.reference) <= set(book.lines) and not _same(case.reference, case.proposed):
        wanted["target"] = case.reference
    if setting.policy.objective == "policy" and problem is not None:
        wanted["equal_weight"] = _equal(problem, case.proposed)
    elif problem is not None:
        wanted |= {name: _solved(name, problem) for name in PLAIN}
    return tuple(_measured(name, weights, setting, case) for name, weights in wanted.items())


def benefit_draws(
    estimates: Estimates, change: tuple[Array, Array], terms: tuple[float, int], seed: int
) -> Array:
    """Return how far the benefit of a change of weights strays in resampled history, bps, around zero.

    Stationary bootstrap, as `robustness.confidence` and with the same draws.

    Args:
        estimates: its daily returns are resampled.
        change: weights before and after, in the order of the estimates' lines.
        terms: risk aversion and horizon in days.
        seed: of the resampling.
    """
    aversion, horizon = terms
    series = np.column_stack([estimates.daily(weights) for weights in change])
    rows = block_indices(len(series), BOOTSTRAP_DRAWS, np.random.default_rng(seed))

    def gain(picked: Array) -> Array:
        mean, variance = picked.mean(axis=-2) * DAYS_PER_YEAR, picked.var(axis=-2) * DAYS_PER_YEAR
        utility = (mean - 0.5 * aversion * variance) * horizon / DAYS_PER_YEAR * 1e4
        return utility[..., 1] - utility[..., 0]

    return gain(series[rows]) - gain(series)


def _equal(problem: Problem, proposed: Weights) -> Weights | str:
    """The same weight for every coin that may be held, cash as proposed, or which limit that breaks.

    A fixed policy is decided without a solver: importing one would take longer than all else.
    """
    coins = [x for i, x in enumerate(problem.lines) if not problem.cash[i] and problem.upper[i] > 0.0]
    weights = {x: proposed.get(x, 0.0) if problem.cash[i] else 0.0 for i, x in enumerate(problem.lines)}
    share = 1.0 - sum(weights.values())
    weights |= {x: share / len(coins) for x in coins}
    try:
        verify(problem, np.array([weights[x] for x in problem.lines]))
    except AllocationFailure as failure:
        return f"{failure.reason}: {failure.detail}"
    return weights


def _solved(name: str, problem: Problem) -> Weights | str:
    """The weights of a plain method under the same limits, or why there are none."""
    try:
        _, solution = solve(name, problem, {}, None)
    except AllocationFailure as failure:
        return f"{failure.reason}: {failure.detail}"
    return {x: float(w) for x, w in zip(problem.lines, solution.weights, strict=True)}


def _measured(name: str, weights: Weights | str, setting: Setting, case: Weighing) -> Alternative:
    if isinstance(weights, str):
        return Alternative(name=name, note=weights)
    book, policy, estimates = setting.book, setting.policy, setting.estimates
    achieved, cost = _planned(name, weights, setting, case)
    unknown = _unknown(achieved, book.weight, estimates)
    if unknown:
        note = f"no estimate of {', '.join(unknown)}"
        return Alternative(name=name, weights=achieved, cost_bps=cost, note=note)
    before, after = _array(estimates, book.weight), _array(estimates, achieved)
    gain = benefit(estimates, before, after, policy)
    terms = (policy.risk_aversion, policy.rebalance.horizon_days)
    draws = gain.total_bps + benefit_draws(estimates, (before, after), terms, setting.seed)
    low, high = (float(p) for p in np.percentile(draws, [LOW, HIGH]))
    return Alternative(
        name=name,
        weights=achieved,
        expected_return=float(after @ estimates.expected),
        volatility=float(np.sqrt(max(0.0, estimates.variance(after)))),
        benefit_bps=gain.total_bps,
        benefit_low_bps=low,
        benefit_high_bps=high,
        cost_bps=cost,
        probability=None if name == "hold" else float(np.mean(draws > cost)),
    )


def _planned(
    name: str, weights: Weights, setting: Setting, case: Weighing
) -> tuple[Mapping[str, float], float]:
    """Weights after the orders that lead there, and what these cost, in bps of NAV."""
    if name == "hold":
        return weights, 0.0
    if name == "proposal" and case.plan is not None:
        return case.plan.achieved, case.cost_bps
    plan = plan_trades(setting.book, weights, setting.inputs, setting.policy)
    tax = tax_usd(plan.orders, setting.inputs, setting.policy) or 0.0
    return plan.achieved, (plan.cost_usd + tax) / (setting.book.nav_usd or 1.0) * 1e4


def _unknown(achieved: Weights, now: Weights, estimates: Estimates) -> list[str]:
    changed: Iterable[str] = {*achieved, *now}
    moved = {x for x in changed if abs(achieved.get(x, 0.0) - now.get(x, 0.0)) > DUST_WEIGHT}
    return sorted(moved - set(estimates.lines))


def _array(estimates: Estimates, weights: Weights) -> Array:
    return np.array([weights.get(x, 0.0) for x in estimates.lines])


def _same(one: Weights, other: Weights) -> bool:
    return all(abs(one.get(x, 0.0) - other.get(x, 0.0)) < DUST_WEIGHT for x in {*one, *other})
