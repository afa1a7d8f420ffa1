"""A decision as rows: the recommendation, its weights, trades, lines, policy, events and alerts.

Pure: a record and what stood before go in, rows per table come out. What is announced is decided here: a
proposal once per set of trades and slot, a block once per incident, its end once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import tomli_w

from portfolio.model import Decision
from tasks.context import RunContext
from tasks.decision_alerts import alerts_of
from tasks.decision_facts import facts_row
from tasks.decision_record import Record
from tasks.policy import config_hash, deciding_settings
from tasks.trade_rows import trade_rows, trades_hash_of
from tasks.version import code_version
from tasks.views import view_rows

Row = dict[str, Any]


@dataclass
class Rows:
    """What one transaction writes."""

    inserts: dict[str, Sequence[Row]] = field(default_factory=dict)
    upserts: dict[str, Sequence[Row]] = field(default_factory=dict)
    supersedes: str | None = None
    is_announced: bool = False


def rows_of(context: RunContext, record: Record, history: Mapping[str, Any]) -> Rows:
    """All rows of one decision.

    Args:
        context: the run.
        record: the decision.
        history: one row of the query `portfolio_history`; empty for a first decision.
    """
    decision, identity = record.decision, record.recommendation_id
    trades_hash = trades_hash_of(decision.trades)
    is_news = decision.status == "proposed" and history.get("announced_trades") != trades_hash
    is_news = is_news and not _is_snoozed(decision, history)
    alerts = alerts_of(context, record, history, announce=is_news)
    replaced = None if decision.status == "blocked" else history.get("open_id")
    lines = _lines(record)
    key = {"recommendation_id": identity}
    owned = {**key, "portfolio": decision.portfolio, "as_of": decision.as_of}
    rows = Rows(supersedes=replaced, is_announced=is_news)
    rows.inserts = {
        "mart.recommendations": [_recommendation(context, record, trades_hash, replaced, is_news)],
        "mart.target_weights": [{**owned, **asdict(line)} for line in decision.target_lines],
        "mart.recommendation_trades": trade_rows(identity, decision.trades),
        "mart.decision_lines": lines,
        "mart.decision_alternatives": [key | asdict(one) for one in decision.alternatives],
        "mart.decision_views": view_rows(identity, record.heard),
        "ops.decision_facts": [facts_row(identity, record.facts)],
        "ops.recommendation_events": _events(record, replaced),
        "ops.alerts": alerts,
        "ops.validations": [verdict.row() for verdict in record.verdicts],
    }
    rows.upserts = {"ops.policies": [_policy(context, decision)]}
    return rows


def _is_snoozed(decision: Decision, history: Mapping[str, Any]) -> bool:
    """Tell whether somebody asked for quiet; a hard limit's breach is told all the same."""
    until = history.get("snoozed_until")
    return until is not None and decision.as_of < until and decision.reason_code != "hard_limit"


def _recommendation(
    context: RunContext, record: Record, trades_hash: str, replaced: str | None, is_news: bool
) -> Row:
    decision = record.decision
    flags = [*decision.flags, *(["outside_universe"] if record.outside else [])]
    reason = decision.reason
    if record.outside:
        reason += f" Not counted, because the universe does not price it: {', '.join(record.outside)}."
    copied = (
        "portfolio as_of slot status grade is_simulated reason_code objective method_used nav_usd "
        "drift_absolute turnover expected_benefit_bps benefit_return_bps benefit_risk_bps "
        "expected_cost_bps confidence valid_until"
    )
    return {
        **{name: getattr(decision, name) for name in copied.split()},
        "recommendation_id": record.recommendation_id,
        "flags": flags,
        "reason": reason,
        "input_snapshot": record.input_snapshot,
        "inputs_hash": record.inputs_hash,
        "config_hash": config_hash(context.settings, decision.portfolio),
        "code_version": code_version(),
        "trades_hash": trades_hash,
        "attempts": [asdict(attempt) for attempt in decision.failures],
        "is_announced": is_news,
        "created_at": decision.as_of,
        "supersedes": replaced,
    }


def _lines(record: Record) -> list[Row]:
    rows: list[Row] = [
        {
            "recommendation_id": record.recommendation_id,
            "sleeve": line.sleeve,
            "asset": line.asset,
            "action": line.action,
            "reason_code": line.reason_code,
            "numbers": {"sentence": line.reason, **line.numbers},
            "changed_since_last": dict(line.changed_since_last),
        }
        for line in record.decision.lines
    ]
    for name in record.outside:
        asset, _, kind = name.partition(" (")
        sentence = f"{name} is held and not in universe.assets: it is not priced, counted or traded."
        rows.append(
            {
                "recommendation_id": record.recommendation_id,
                "sleeve": kind.removesuffix(")"),
                "asset": asset,
                "action": "skip",
                "reason_code": "outside_universe",
                "numbers": {"sentence": sentence},
                "changed_since_last": {},
            }
        )
    return rows


def _events(record: Record, replaced: str | None) -> list[Row]:
    def event(identity: str, name: str, note: str) -> Row:
        return {
            "recommendation_id": identity,
            "event": name,
            "actor": "",
            "note": note,
            "happened_at": record.decision.as_of,
        }

    rows = [event(record.recommendation_id, record.decision.status, record.decision.reason_code)]
    if replaced:
        rows.append(event(replaced, "superseded", f"by {record.recommendation_id}"))
    return rows


def _policy(context: RunContext, decision: Decision) -> Row:
    return {
        "config_hash": config_hash(context.settings, decision.portfolio),
        "toml": tomli_w.dumps(deciding_settings(context.settings, decision.portfolio)),
        "first_used_at": decision.as_of,
    }
