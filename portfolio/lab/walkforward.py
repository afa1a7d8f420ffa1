"""Walk forward: decide on each date with what was known then, execute at the next close, drift, record.

The decision is the production one, `portfolio.decision.decide`, on inputs that somebody else has read as of
each date; the driver only puts the simulated holdings in their place. Orders are executed at the first daily
close after the decision, never at the price that the decision saw. Every proposal is taken as accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from portfolio.decision import LIVE, Bench, decide, decision_id
from portfolio.lab.account import Account, Fill
from portfolio.lab.alerting import Announcer
from portfolio.lab.execution import Market, execute
from portfolio.lab.hedging import live_through
from portfolio.lab.tape import Tape, weights_of
from portfolio.model import Decision, DecisionInputs, Policy, Position

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision of a walk.

    Attributes:
        recommendation_id: the id a live run would have given it; empty where it was not asked for.
        alerts: the events that would have been sent.
        target: line → weight proposed; empty where there is none.
    """

    recommendation_id: str
    as_of: datetime
    status: str
    reason_code: str
    grade: str
    method_used: str | None
    expected_benefit_bps: float | None
    expected_cost_bps: float | None
    alerts: tuple[str, ...]
    orders: int
    target: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """What a policy would have done and what would have become of it.

    Attributes:
        ends: end of each day from the first decision on, aware UTC.
        value_usd: at the day's close, after what was executed at it.
        turnover: ½ Σ|Δweight| executed at the day's close, cash included.
        traded_usd: notional of the orders executed at the day's close.
        cost_usd: fees, half-spreads and impact paid at the day's close.
        weights: days × lines, after execution.
        missed: orders that could not be executed.
        liquidated: hedges whose margin the venue took.
        rolled: dated contracts left for a later one; `delivered`: ended while they were held.
    """

    lines: tuple[str, ...]
    ends: tuple[datetime, ...]
    start_usd: float
    value_usd: Array
    turnover: Array
    traded_usd: Array
    cost_usd: Array
    weights: Array
    decisions: tuple[Decided, ...]
    missed: int
    liquidated: int = 0
    rolled: int = 0
    delivered: int = 0

    def returns(self) -> Array:
        """Return simple daily returns, the first one against the value at the start."""
        before = np.concatenate([[self.start_usd], self.value_usd[:-1]])
        return self.value_usd / before - 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a walk is made, besides its policy.

    Attributes:
        seed: of every decision.
        start: holdings at the beginning; None takes those of the first inputs.
        bench: how the heavy parts are computed.
        is_identified: give each decision its id, which costs some milliseconds each.
        most_trades: decide no more after so many proposals were executed; None never stops.
    """

    seed: int = 7
    start: tuple[Position, ...] | None = None
    bench: Bench = LIVE
    is_identified: bool = True
    most_trades: int | None = None


@dataclass(slots=True)
class _State:
    """Where a walk stands between two days."""

    account: Account
    announcer: Announcer
    pending: tuple[Decision, DecisionInputs] | None = None
    target: dict[str, float] | None = None
    traded_at: datetime | None = None
    proposals: int = 0
    known: DecisionInputs | None = None


def walk(days: Sequence[DecisionInputs], tape: Tape, policy: Policy, setting: Setting) -> Walk:
    """Follow a policy through time.

    Args:
        days: inputs as of each decision date, in order; their positions are replaced from the second on, and
            their target in force and last trade are those of the walk once it has traded.
        tape: what happened; the walk ends with it.
        policy: the rules.
        setting: seed, start and bench.
    """
    first = tape.after(days[0].as_of)
    state = _State(Account(days[0].positions if setting.start is None else setting.start), Announcer())
    valued, prices = _valued(tape)
    decided: list[Decided] = []
    ends = tape.ends[first:]
    rows = np.zeros((len(ends), 4))
    weights = np.zeros((len(ends), len(tape.lines)))
    start = state.account.value(prices[first - 1]) if first else 0.0
    waiting = list(days)
    for row, day in enumerate(range(first, len(tape.ends))):
        while waiting and waiting[0].as_of < tape.ends[day] and not _is_over(state, setting):
            decided.append(_decide(state, waiting.pop(0), policy, setting))
        rolls = live_through(state.account, tape, day, state.known)
        before = after = state.account.values(prices[day])
        fills = _execute(state, tape, day, valued)
        if fills:
            after = state.account.values(prices[day])
        share = weights_of(after)
        rows[row] = (
            sum(after.values()),
            _moved(weights_of(before), share) if fills else 0.0,
            sum(f.notional_usd for f in (*rolls, *fills)),
            sum(f.cost_usd for f in (*rolls, *fills)),
        )
        weights[row] = [share.get(x, 0.0) for x in tape.lines]
    return Walk(
        lines=tape.lines,
        ends=ends,
        start_usd=start,
        value_usd=rows[:, 0],
        turnover=rows[:, 1],
        traded_usd=rows[:, 2],
        cost_usd=rows[:, 3],
        weights=weights,
        decisions=tuple(decided),
        missed=state.account.missed,
        liquidated=state.account.liquidated,
        rolled=state.account.rolled,
        delivered=state.account.delivered,
    )


@lru_cache(maxsize=2)  # a study walks one tape many times
def _valued(tape: Tape) -> tuple[Array, tuple[Mapping[str, float], ...]]:
    """Closes with their gaps filled, and the same as line → USD for each day, without what has none yet."""
    valued = tape.valued()
    found = tuple(
        {x: float(p) for x, p in zip(tape.lines, row, strict=True) if np.isfinite(p)} for row in valued
    )
    return valued, found


def _moved(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """½ Σ|Δweight|, cash included."""
    return 0.5 * sum(abs(after.get(x, 0.0) - before.get(x, 0.0)) for x in sorted({*before, *after}))


def _is_over(state: _State, setting: Setting) -> bool:
    return setting.most_trades is not None and state.proposals >= setting.most_trades


def _decide(state: _State, known: DecisionInputs, policy: Policy, setting: Setting) -> Decided:
    """Decide with the simulated holdings in place of the stored ones; remember the orders for the close."""
    seen = replace(known, positions=state.account.positions, exposed={}, previous=None)
    if state.traded_at is not None:
        fixed = policy.objective == "policy"
        target = known.target_in_force if fixed else state.target
        seen = replace(
            seen, target_in_force=target, target_since=state.traded_at, last_trade_at=state.traded_at
        )
    state.known = seen
    decision = decide(seen, policy, setting.seed, replace(setting.bench, is_told=False))
    alerts = state.announcer.alerts(decision)
    target = {f"{t.sleeve}:{t.asset}": t.target_weight for t in decision.target_lines}
    if decision.status == "proposed" and decision.trades:
        state.pending = (decision, seen)
        state.target, state.traded_at = target, seen.as_of
        state.proposals += 1
    identity = ""
    if setting.is_identified:
        identity = decision_id(seen.portfolio, seen.slot, seen.config_hash, seen.content_hash())
    return Decided(
        recommendation_id=identity,
        as_of=seen.as_of,
        status=decision.status,
        reason_code=decision.reason_code,
        grade=decision.grade,
        method_used=decision.method_used,
        expected_benefit_bps=decision.expected_benefit_bps,
        expected_cost_bps=decision.expected_cost_bps,
        alerts=alerts,
        orders=len(decision.trades),
        target=target,
    )


def _execute(state: _State, tape: Tape, day: int, valued: Array) -> tuple[Fill, ...]:
    """Execute what was decided since the last close; a newer decision has replaced an older one."""
    if state.pending is None:
        return ()
    decision, inputs = state.pending
    state.pending = None
    price = tape.traded(day, valued)
    return execute(state.account, decision.trades, inputs, Market(price, tape, day))
