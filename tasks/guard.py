"""The guard: reads what is held and known now, and tells a breach once, its worsening, and its end.

`portfolio.episodes` says what is news; here the rows are read and written, and the alerts made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from portfolio.episodes import Episode, Step, look
from portfolio.guarded import GuardInputs, GuardRules, Incident
from tasks.context import RunContext
from tasks.guard_messages import GuardFacts, render_guard
from tasks.held_legs import held_legs
from tasks.policy import policy_of
from warehouse.master import open_master
from warehouse.reader import Reader, open_point_in_time

INCIDENT_DAYS = 7
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


def guard(context: RunContext, portfolio: str) -> GuardSummary:
    """Look at one portfolio and write what is news.

    Args:
        context: the run; `as_of` bounds what is seen.
        portfolio: its name.
    """
    with open_point_in_time(context.home, context.as_of) as reader:
        inputs = _inputs(reader, context, portfolio)
        is_simulated = reader.snapshot.is_simulated
    with open_master(context.home, context.clock, purpose=f"guard {portfolio}") as master:
        rows = {
            (row["kind"], row["subject"]): row
            for row in master.rows("open_guard_episodes", portfolio=portfolio)
        }
        known = {name: _episode(row) for name, row in rows.items()}
        found, steps = look(inputs, _rules(context, portfolio), known)
        with master.transaction():
            for step in steps:
                row = _row(portfolio, step.episode, rows.get((step.episode.kind, step.episode.subject)))
                master.upsert("ops.guard_episodes", [row])
                if step.news:
                    alert = _alert(context, portfolio, row["episode_id"], step, is_simulated=is_simulated)
                    master.append("ops.alerts", [alert])
    told = [step.news for step in steps]
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
        net_delta_bounds=policy.net_delta_bounds,
    )


def _inputs(reader: Reader, context: RunContext, portfolio: str) -> GuardInputs:
    legs = held_legs(reader, portfolio, context.as_of)
    since = context.as_of - timedelta(days=INCIDENT_DAYS)
    incidents = [
        Incident(entity=row["entity"], occurred_at=row["occurred_at"], amount_usd=row["amount_usd"])
        for row in reader.rows("recent_incidents", since=since)
    ]
    return GuardInputs(
        as_of=context.as_of,
        legs=legs,
        stablecoins={row["asset"]: row["price_usd"] for row in reader.rows("guard_stablecoins")},
        incidents=incidents,
        entities=tuple(sorted({leg.venue for leg in legs} | {leg.market_id for leg in legs})),
    )


def _episode(row: Mapping[str, Any]) -> Episode:
    return Episode(
        kind=row["kind"],
        subject=row["subject"],
        level=row["level"],
        measure=row["measure"],
        limit=row["limit_value"],
        excess=row["excess"],
        sightings=row["sightings"],
        quiet_looks=row["quiet_looks"],
        opened_at=row["opened_at"],
        announced_at=row["announced_at"],
        seen_at=row["seen_at"],
        closed_at=row["closed_at"],
        sentence=row["sentence"],
    )


def _row(portfolio: str, one: Episode, before: Mapping[str, Any] | None) -> dict[str, Any]:
    named = asdict(one)
    limit = named.pop("limit")
    episode_id = _episode_id(portfolio, one) if before is None else before["episode_id"]
    return {"episode_id": episode_id, "portfolio": portfolio, "limit_value": limit, **named}


def _alert(
    context: RunContext, portfolio: str, episode_id: str, step: Step, *, is_simulated: bool
) -> dict[str, Any]:
    one, now = step.episode, context.clock.now()
    message = render_guard(
        GuardFacts(
            portfolio=portfolio,
            subject=one.subject,
            level=one.level,
            news=step.news,
            sentence=one.sentence,
            action=step.breach.action if step.breach is not None else "",
            since=one.opened_at,
            seen_at=context.as_of,
            episode_id=episode_id,
            is_simulated=is_simulated,
        )
    )
    return {
        "alert_id": f"{episode_id}-{step.news}-{context.as_of:%Y%m%dT%H%M%S}",
        "episode_id": episode_id,
        "recommendation_id": None,
        "portfolio": portfolio,
        "event": "guard",
        "severity": "info" if step.news == "over" else one.level,
        "title": message.title,
        "body": message.body,
        "created_at": now,
        "valid_until": None,
        "send_until": now + WORTH_SENDING,
        "status": "pending",
        "is_simulated": is_simulated,
    }


def _episode_id(portfolio: str, one: Episode) -> str:
    text = f"{portfolio}\n{one.kind}\n{one.subject}\n{one.opened_at.isoformat()}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"G-{one.opened_at:%Y%m%d}-{portfolio}-{one.kind}-{digest}"
