"""The guard: reads what is held and known now, and tells a breach once, its worsening, and its end.

An episode opens with the first look that shows a breach. A critical one, and one that a second look confirms,
is told; while it stays as it is nothing more is said; it ends when two looks in a row no longer show it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portfolio.guard import breaches
from portfolio.guarded import Breach, GuardInputs, GuardRules, HeldLeg, Incident
from tasks.context import RunContext
from tasks.guard_messages import GuardFacts, render_guard
from tasks.policy import policy_of
from warehouse.master import Master, open_master
from warehouse.reader import Reader, open_point_in_time

INCIDENT_DAYS = 7
QUIET_LOOKS = 2
CONFIRMING_LOOKS = 2
# A breach that grew by this share of its limit since it was told is told again.
WORSENING = 0.5
# What liquidates or robs does not wait for a second look.
AT_ONCE = ("margin", "delta", "incident", "delisting")
WORTH_SENDING = timedelta(hours=6)


@dataclass(frozen=True)
class GuardSummary:
    """What one look found.

    Attributes:
        breaches: one sentence each, with its action.
        opened, escalated, closed: how many of them were news, and how many ended.
    """

    portfolio: str
    breaches: tuple[str, ...]
    opened: int
    escalated: int
    closed: int

    @property
    def is_news(self) -> bool:
        """Whether an alert was made."""
        return bool(self.opened or self.escalated or self.closed)


@dataclass(frozen=True)
class _Step:
    """One episode after a look: its row, and what is to be told ("": nothing)."""

    row: Mapping[str, Any]
    told: str
    breach: Breach | None


def guard(context: RunContext, portfolio: str) -> GuardSummary:
    """Look at one portfolio and write what is news.

    Args:
        context: the run; `as_of` bounds what is seen.
        portfolio: its name.
    """
    with open_point_in_time(context.home, context.as_of) as reader:
        inputs = _inputs(reader, context, portfolio)
        is_simulated = reader.snapshot.is_simulated
    found = breaches(inputs, _rules(context, portfolio))
    with open_master(context.home, context.clock, purpose=f"guard {portfolio}") as master:
        steps = _steps(context, master, portfolio, found)
        with master.transaction():
            for step in steps:
                master.upsert("ops.guard_episodes", [step.row])
                if step.told:
                    master.append("ops.alerts", [_alert(context, step, is_simulated=is_simulated)])
    told = [step.told for step in steps]
    return GuardSummary(
        portfolio=portfolio,
        breaches=tuple(f"{one.sentence} {one.action}" for one in found),
        opened=told.count("opened"),
        escalated=told.count("worse"),
        closed=told.count("over"),
    )


def _rules(context: RunContext, portfolio: str) -> GuardRules:
    policy = policy_of(context.settings, portfolio)
    return GuardRules(
        min_liquidation_distance=policy.min_liquidation_distance or GuardRules().min_liquidation_distance,
        peg_tolerance=policy.peg_tolerance,
        cash_floor_usd=policy.cash_floor_usd,
        horizon_days=policy.rebalance.horizon_days,
    )


def _inputs(reader: Reader, context: RunContext, portfolio: str) -> GuardInputs:
    rows = reader.rows("guard_legs", portfolio=portfolio, as_of=context.as_of)
    since = context.as_of - timedelta(days=INCIDENT_DAYS)
    incidents = [
        Incident(entity=row["entity"], occurred_at=row["occurred_at"], amount_usd=row["amount_usd"])
        for row in reader.rows("recent_incidents", since=since)
    ]
    return GuardInputs(
        as_of=context.as_of,
        legs=tuple(HeldLeg(**row) for row in rows),
        stablecoins={row["asset"]: row["price_usd"] for row in reader.rows("guard_stablecoins")},
        incidents=incidents,
        entities=tuple(sorted({row["venue"] for row in rows} | {row["market_id"] for row in rows})),
    )


def _steps(context: RunContext, master: Master, portfolio: str, found: Sequence[Breach]) -> list[_Step]:
    """Put what was found beside the episodes that are open."""
    known = {
        (row["kind"], row["subject"]): row for row in master.rows("open_guard_episodes", portfolio=portfolio)
    }
    steps = [_seen(context, portfolio, one, known.pop((one.kind, one.subject), None)) for one in found]
    return [*steps, *(_unseen(context, row) for row in known.values())]


def _seen(context: RunContext, portfolio: str, one: Breach, before: Mapping[str, Any] | None) -> _Step:
    at = context.as_of
    sightings = 1 if before is None else int(before["sightings"]) + 1
    row: dict[str, Any] = {
        "episode_id": _episode(portfolio, one, at) if before is None else before["episode_id"],
        "portfolio": portfolio,
        "kind": one.kind,
        "subject": one.subject,
        "level": one.level,
        "measure": _finite(one.measure),
        "limit_value": _finite(one.limit),
        "excess": _finite(one.excess),
        "sightings": sightings,
        "quiet_looks": 0,
        "opened_at": at if before is None else before["opened_at"],
        "announced_at": None if before is None else before["announced_at"],
        "seen_at": at,
        "closed_at": None,
        "sentence": one.sentence,
    }
    if row["announced_at"] is None:
        is_sure = one.level == "critical" or one.kind in AT_ONCE or sightings >= CONFIRMING_LOOKS
        return _Step(row | {"announced_at": at}, "opened", one) if is_sure else _Step(row, "", one)
    assert before is not None
    told_at = float(before["excess"] or 0.0)
    is_worse = one.level == "critical" and before["level"] != "critical"
    is_worse = is_worse or (math.isfinite(one.excess) and one.excess > told_at + WORSENING)
    if is_worse:
        return _Step(row, "worse", one)
    # What was told stays the mark that worsening is measured from.
    return _Step(row | {"excess": before["excess"], "level": before["level"]}, "", one)


def _unseen(context: RunContext, before: Mapping[str, Any]) -> _Step:
    quiet = int(before["quiet_looks"]) + 1
    row = {**before, "quiet_looks": quiet, "sightings": before["sightings"]}
    if before["announced_at"] is None or quiet >= QUIET_LOOKS:
        told = "over" if before["announced_at"] is not None else ""
        return _Step(row | {"closed_at": context.as_of}, told, None)
    return _Step(row, "", None)


def _alert(context: RunContext, step: _Step, *, is_simulated: bool) -> dict[str, Any]:
    row, now = step.row, context.clock.now()
    message = render_guard(
        GuardFacts(
            portfolio=row["portfolio"],
            subject=row["subject"],
            level=row["level"],
            news=step.told,
            sentence=row["sentence"],
            action=step.breach.action if step.breach is not None else "",
            since=row["opened_at"],
            seen_at=context.as_of,
            episode_id=row["episode_id"],
            is_simulated=is_simulated,
        )
    )
    return {
        "alert_id": f"{row['episode_id']}-{step.told}-{context.as_of:%Y%m%dT%H%M%S}",
        "episode_id": row["episode_id"],
        "recommendation_id": None,
        "portfolio": row["portfolio"],
        "event": "guard",
        "severity": "info" if step.told == "over" else row["level"],
        "title": message.title,
        "body": message.body,
        "created_at": now,
        "valid_until": None,
        "send_until": now + WORTH_SENDING,
        "status": "pending",
        "is_simulated": is_simulated,
    }


def _episode(portfolio: str, one: Breach, at: datetime) -> str:
    text = f"{portfolio}\n{one.kind}\n{one.subject}\n{at.isoformat()}"
    return f"G-{at:%Y%m%d}-{portfolio}-{one.kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
