"""How the proposed weights move with each input, through the production decision: which input to doubt first.

Every change goes through `decide` itself, at its own seams (`Bench`): estimates, costs, window, resampled
history. What is compared is the allocation before hysteresis and orders; the verdict stands beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.checks import usable_panel
from portfolio.costs import TradingCost
from portfolio.decision import LIVE, Bench, decide
from portfolio.estimates import Estimates, estimate
from portfolio.model import DecisionInputs, Freeze, Policy, is_cash
from portfolio.problem import Problem
from portfolio.proposal import Proposal, propose
from portfolio.robustness import block_indices

Array = NDArray[np.float64]
Weights = Mapping[str, float]

RETURN_STEP = 0.05  # a year; small beside the standard error of any coin's mean
VOLATILITY_STEP = 0.20
CORRELATION_STEP = 0.25  # of the way to no correlation, and to one
COST_FACTORS = (0.5, 2.0)
BAND = (5.0, 50.0, 95.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came out of one decision: the allocation, None where there was none, and the verdict."""

    weights: Weights | None
    status: str
    reason_code: str
    method: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One change of one input.

    Attributes:
        input: expected_returns, volatility, correlation, costs or lookback.
        change: in words; `line`: that alone was changed, empty for all.
        turnover: ½ Σ|Δweight| between the answer and the answer before; None where one of them has none.
        moved: line → Δweight.
        is_reversed: the verdict became another one.
    """

    input: str
    change: str
    line: str
    turnover: float | None
    moved: Weights
    answer: Answer
    is_reversed: bool


def ask(inputs: DecisionInputs, policy: Policy, seed: int, bench: Bench = LIVE) -> Answer:
    """Decide, and keep the allocation whatever the verdict; stability is not probed once more."""
    seen: list[Proposal] = []

    def keep(*args: Any, **named: Any) -> Proposal:  # noqa: ANN401 - passed on as they come
        seen.append(bench.propose(*args, **named))
        return seen[-1]

    decision = decide(inputs, policy, seed, replace(bench, propose=keep, is_probed=False))
    found = seen[-1] if seen else None
    weights = None
    if found is not None and found.solution is not None and found.problem is not None:
        weights = {x: float(w) for x, w in zip(found.problem.lines, found.solution.weights, strict=True)}
    return Answer(
        weights=weights,
        status=decision.status,
        reason_code=decision.reason_code,
        method=None if found is None else found.method,
    )


def doubts(inputs: DecisionInputs, policy: Policy, seed: int) -> tuple[Answer, tuple[Doubt, ...]]:
    """Change one input at a time; the change that moves most comes first.

    Returns:
        The answer as it stands, and what each change makes of it.
    """
    base = ask(inputs, policy, seed)
    if base.weights is None:
        return base, ()
    cases = [*_estimate_cases(base.weights), *_cost_cases()]
    found = [_compare(base, ask(inputs, policy, seed, bench), *names) for names, bench in cases]
    for days in (policy.lookback_days // 2, policy.lookback_days * 2):
        changed = ask(inputs, replace(policy, lookback_days=days), seed)
        found.append(_compare(base, changed, "lookback", f"{days} days", ""))
    return base, tuple(sorted(found, key=lambda x: (-(x.turnover or 0.0), x.input, x.line, x.change)))


def _compare(base: Answer, changed: Answer, what: str, change: str, line: str) -> Doubt:
    moved: dict[str, float] = {}
    if base.weights is not None and changed.weights is not None:
        lines = sorted({*base.weights, *changed.weights})
        moved = {x: changed.weights.get(x, 0.0) - base.weights.get(x, 0.0) for x in lines}
    return Doubt(
        input=what,
        change=change,
        line=line,
        turnover=0.5 * sum(abs(x) for x in moved.values()) if moved else None,
        moved={x: d for x, d in moved.items() if abs(d) > 1e-9},
        answer=changed,
        is_reversed=(changed.status, changed.reason_code) != (base.status, base.reason_code),
    )


def _estimate_cases(weights: Weights) -> list[tuple[tuple[str, str, str], Bench]]:
    made: list[tuple[tuple[str, str, str], Bench]] = []
    for sign in (1.0, -1.0):
        for line in ("", *(x for x in sorted(weights) if not is_cash(x))):
            step = sign * RETURN_STEP
            word = f"{step * 100:+.0f} points a year"
            made.append((("expected_returns", word, line), _bench(_shifted(step, line))))
        factor = 1.0 + sign * VOLATILITY_STEP
        word = f"{sign * VOLATILITY_STEP:+.0%}"
        made.append((("volatility", word, ""), _bench(_stretched(factor))))
        word = f"{CORRELATION_STEP:.0%} nearer to {'one' if sign > 0 else 'none'}"
        made.append((("correlation", word, ""), _bench(_correlated(max(sign, 0.0)))))
    return made


def _cost_cases() -> list[tuple[tuple[str, str, str], Bench]]:
    return [(("costs", f"× {x:g}", ""), replace(LIVE, propose=_dearer(x))) for x in COST_FACTORS]


def _bench(change: Callable[[Estimates], Estimates]) -> Bench:
    def changed(*args: Any, **named: Any) -> Estimates:  # noqa: ANN401 - passed on as they come
        return change(estimate(*args, **named))

    return replace(LIVE, estimate=changed)


def _shifted(step: float, line: str) -> Callable[[Estimates], Estimates]:
    def change(found: Estimates) -> Estimates:
        hit = np.array([(x == line) if line else not is_cash(x) for x in found.lines])
        return replace(found, expected=found.expected + step * hit)

    return change


def _stretched(factor: float) -> Callable[[Estimates], Estimates]:
    return lambda found: replace(found, covariance=found.covariance * factor**2)


def _correlated(goal: float) -> Callable[[Estimates], Estimates]:
    """Move every correlation a part of the way to `goal`, 0 or 1: both ends are positive semidefinite."""

    def change(found: Estimates) -> Estimates:
        spread = np.sqrt(np.diag(found.covariance))
        end = np.outer(spread, spread) if goal else np.diag(spread**2)
        mixed = (1.0 - CORRELATION_STEP) * found.covariance + CORRELATION_STEP * end
        return replace(found, covariance=mixed)

    return change


def _dearer(factor: float) -> Callable[..., Proposal]:
    def proposed(
        problem: Problem, policy: Policy, costs: Mapping[str, TradingCost], *args: Any, **named: Any  # noqa: ANN401
    ) -> Proposal:  # fmt: skip
        dear = replace(problem, cost_rates=problem.cost_rates * factor)
        return propose(dear, policy, {x: _times(cost, factor) for x, cost in costs.items()}, *args, **named)

    return proposed


def _times(cost: TradingCost, factor: float) -> TradingCost:
    """Every part of a cost, impact too; the volatility of a cost is of its impact only."""
    return replace(
        cost,
        taker_fee=cost.taker_fee * factor,
        half_spread=cost.half_spread * factor,
        daily_volatility=cost.daily_volatility * factor,
    )


def weight_bands(
    inputs: DecisionInputs, policy: Policy, seed: int, draws: int
) -> dict[str, tuple[float, float, float]]:
    """Return line → 5th, 50th and 95th percentile of its weight over resampled histories.

    The window that a decision uses is resampled in blocks of days (stationary bootstrap), all lines together,
    and decided on again. Draws without an allocation count for nothing.
    """
    rng = np.random.default_rng(seed)
    answers: list[Weights] = []
    for _ in range(draws):
        found = ask(inputs, policy, seed, replace(LIVE, panel=_resampled(rng)))
        if found.weights is not None:
            answers.append(found.weights)
    if not answers:
        return {}
    lines = sorted({x for one in answers for x in one})
    table = np.array([[one.get(x, 0.0) for x in lines] for one in answers])
    bands = np.percentile(table, BAND, axis=0)
    return {x: (float(bands[0, i]), float(bands[1, i]), float(bands[2, i])) for i, x in enumerate(lines)}


def _resampled(rng: np.random.Generator) -> Callable[..., tuple[pd.DataFrame, Mapping[str, Freeze]]]:
    def panel(*args: Any, **named: Any) -> tuple[pd.DataFrame, Mapping[str, Freeze]]:  # noqa: ANN401
        found, excluded = usable_panel(*args, **named)
        rows = block_indices(len(found), 1, rng)[0]
        return pd.DataFrame(found.to_numpy()[rows], index=found.index, columns=found.columns), excluded

    return panel
