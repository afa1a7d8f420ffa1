"""The alerts of a decision: a proposal once per trades and slot, a block and its end once per incident.

Pure: a decision with what identifies it and what stood before go in, rows of ops.alerts come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from portfolio.model import Decision
from tasks.context import RunContext
from tasks.decision_record import Record
from tasks.messages import (
    BlockedFacts,
    Message,
    RecommendationFacts,
    ResolvedFacts,
    render_blocked,
    render_recommendation,
    render_resolved,
)
from tasks.recommendation_page import page_address
from tasks.trade_rows import trade_facts

Row = dict[str, Any]


def alerts_of(
    context: RunContext, record: Record, history: Mapping[str, Any], *, announce: bool
) -> list[Row]:
    """The alerts of one decision: each says something that was not said before."""
    decision, identity = record.decision, record.recommendation_id
    episode = history.get("episode_id")
    rows: list[Row] = []
    if decision.status == "blocked" or _is_stuck_off_peg(decision):
        if not episode or history.get("episode_reason_code") != decision.reason_code:
            message = render_blocked(
                BlockedFacts(
                    recommendation_id=identity,
                    portfolio=decision.portfolio,
                    as_of=decision.as_of,
                    reason=decision.reason,
                    is_simulated=decision.is_simulated,
                )
            )
            rows.append(_alert(context, record, "blocked", message, episode or identity))
        return rows
    if episode:
        message = render_resolved(
            ResolvedFacts(
                episode_id=episode,
                portfolio=decision.portfolio,
                as_of=decision.as_of,
                blocked_since=history["episode_since"],
                reason=history["episode_reason"],
                is_simulated=decision.is_simulated,
            )
        )
        rows.append(_alert(context, record, "resolved", message, episode))
    if announce:
        message = render_recommendation(_facts(context, record, history))
        address = page_address(context.home, identity, context.settings.warehouse.pages_url)
        message = replace(message, body=f"{message.body}\nPage: {address}")
        rows.append(_alert(context, record, "recommendation", message, identity))
    return rows


def _is_stuck_off_peg(decision: Decision) -> bool:
    """Whoever holds a coin that lost its peg is told, also where nothing can be traded against that."""
    is_stuck = decision.status == "hold" and decision.reason_code in {"depeg", "cannot_trade"}
    return is_stuck and "depeg" in decision.flags


def _facts(context: RunContext, record: Record, history: Mapping[str, Any]) -> RecommendationFacts:
    decision = record.decision
    same_slot = history.get("open_slot") == decision.slot
    return RecommendationFacts(
        recommendation_id=record.recommendation_id,
        portfolio=decision.portfolio,
        as_of=decision.as_of,
        data_at=record.data_at,
        valid_until=decision.valid_until,
        reason=decision.reason,
        trades=trade_facts(decision.trades),
        nav_usd=decision.nav_usd,
        expected_cost_bps=decision.expected_cost_bps,
        expected_benefit_bps=decision.expected_benefit_bps,
        horizon_days=context.settings.portfolios[decision.portfolio].rebalance.horizon_days,
        grade=decision.grade,
        flags=decision.flags,
        is_simulated=decision.is_simulated,
        supersedes=history.get("open_id") if same_slot else None,
    )


def _alert(context: RunContext, record: Record, event: str, message: Message, episode: str) -> Row:
    decision = record.decision
    now = context.clock.now()
    return {
        "alert_id": f"{record.recommendation_id}-{event}",
        "episode_id": episode,
        "recommendation_id": record.recommendation_id,
        "portfolio": decision.portfolio,
        "event": event,
        "severity": "warning" if event == "blocked" else "info",
        "title": message.title,
        "body": message.body,
        "created_at": now,
        "valid_until": decision.valid_until,
        "send_until": now + (decision.valid_until - decision.as_of),
        "status": "pending",
        "is_simulated": decision.is_simulated,
    }
