"""What people, and the clock, do with a recommendation: accept, reject, snooze, retract, let it lapse.

Comes in: an id, an event, who and why. Goes out: one event and the new status in one transaction; a
retraction also writes its alert there. Acceptance looks again: prices that moved away or holdings that
changed otherwise refuse it, and say what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from tasks.acceptance import executed, reprice
from tasks.context import RunContext
from tasks.messages import RetractedFacts, render_retracted, usd
from tasks.plain_text import clean
from warehouse.master import Master, open_master

Event = Literal["accepted", "rejected", "snoozed", "retracted"]
# Which statuses an event may follow; what happened already is found, not repeated.
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "accepted": ("proposed",),
    "rejected": ("proposed",),
    "snoozed": ("proposed",),
    "retracted": ("proposed", "accepted", "rejected", "expired", "superseded"),
}
RETRACTION_WORTH_SENDING = timedelta(days=7)


class LifecycleError(Exception):
    """The change was refused; the message says what was found and what to do. Exit status as given."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


@dataclass(frozen=True)
class LifecycleAnswer:
    """What became of a recommendation."""

    recommendation_id: str
    portfolio: str
    status: str
    sentence: str
    is_new: bool


def change(
    context: RunContext,
    recommendation_id: str,
    event: Event,
    actor: str,
    note: str = "",
    until: datetime | None = None,
) -> LifecycleAnswer:
    """Write one event of a recommendation's life.

    Args:
        context: the run; `as_of` is when it happens.
        recommendation_id: which one.
        event: what is done.
        actor: who does it.
        note: why.
        until: when a snooze ends.

    Raises:
        LifecycleError: there is no such id, its status does not allow the event, or what it rests on moved.
    """
    home = context.home
    with open_master(home, context.clock, purpose=f"{event} {recommendation_id}") as master:
        found = master.rows("recommendation", recommendation_id=recommendation_id)
        if not found:
            raise LifecycleError(
                f"Wanted a recommendation {clean(recommendation_id)!r}; there is none of that id. "
                "`trimtab status` lists the newest ones.",
                2,
            )
        row = found[0]
        if row["status"] == event:
            return _answer(
                row, event, f"{recommendation_id} was {event} before; nothing changed.", is_new=False
            )
        _refuse_status(row, event, context.as_of)
        sentence = _look_again(context, master, row) if event == "accepted" else ""
        _write(context, master, row, event, actor, " ".join(part for part in (note, sentence) if part), until)
    status = row["status"] if event == "snoozed" else event
    return _answer(row, status, _told(row, event, until, sentence), is_new=True)


def lapse(context: RunContext) -> int:
    """Let proposals expire whose time is over, one event each; return how many."""
    home = context.home
    with open_master(home, context.clock, purpose="let proposals lapse") as master:
        rows = master.rows("lapsed_recommendations", as_of=context.as_of)
        with master.transaction():
            for row in rows:
                master.run("expire_proposal", recommendation_id=row["recommendation_id"])
                note = f"valid until {row['valid_until']:%Y-%m-%d %H:%M} UTC"
                master.append(EVENTS, [_event(row["recommendation_id"], "expired", "", note, context.as_of)])
    return len(rows)


def notice_execution(context: RunContext, portfolio: str) -> tuple[str, ...]:
    """Accept proposals that the newest statement of holdings shows as carried out; return their ids."""
    home = context.home
    noticed: list[str] = []
    with open_master(home, context.clock, purpose=f"compare holdings of {portfolio}") as master:
        for proposal in master.rows("open_proposals", portfolio=portfolio):
            identity = str(proposal["recommendation_id"])
            if _execution(context, master, identity, portfolio, proposal["as_of"]) != "carried_out":
                continue
            with master.transaction():
                master.run("set_recommendation_status", recommendation_id=identity, status="accepted")
                note = "the holdings moved as recommended"
                master.append(EVENTS, [_event(identity, "accepted", "", note, context.as_of)])
            noticed.append(identity)
    return tuple(noticed)


EVENTS = "ops.recommendation_events"


def _refuse_status(row: Mapping[str, Any], event: Event, as_of: datetime) -> None:
    status, identity = str(row["status"]), row["recommendation_id"]
    if status not in ALLOWED[event]:
        raise LifecycleError(
            f"Wanted to mark {identity} as {event}; it is {status}, and that can follow "
            f"{' or '.join(ALLOWED[event])} only. `trimtab status` lists what is open.",
            2,
        )
    if event != "retracted" and row["valid_until"] <= as_of:
        raise LifecycleError(
            f"Wanted to mark {identity} as {event}; it was valid until "
            f"{row['valid_until']:%Y-%m-%d %H:%M} UTC. "
            "Run `trimtab recommend` for a fresh one.",
            4,
        )


def _look_again(context: RunContext, master: Master, row: Mapping[str, Any]) -> str:
    """Refuse an acceptance that rests on other prices or holdings; else say what the orders cost now."""
    identity = str(row["recommendation_id"])
    again = "Run `trimtab run` for one at today's prices and holdings."
    execution = _execution(context, master, identity, str(row["portfolio"]), row["as_of"])
    if execution == "carried_out":
        return "The holdings already moved as recommended."
    if execution == "otherwise":
        raise LifecycleError(
            f"Wanted to accept {identity}; the holdings have changed since, not as it recommends. {again}",
            4,
        )
    trades = master.rows("trade_prices_now", recommendation_id=identity)
    now = reprice(trades)
    limit = context.settings.alerts.accept_price_move
    if now.unpriced:
        raise LifecycleError(
            f"Wanted to accept {identity}; there is no price now for {', '.join(now.unpriced)}. {again}", 4
        )
    if abs(now.worst_move) > limit:
        raise LifecycleError(
            f"Wanted to accept {identity}; {now.worst_symbol} has moved by {now.worst_move:+.1%} since, "
            f"the limit is {limit:.1%} (alerts.accept_price_move). {again}",
            4,
        )
    if not trades:
        return ""
    total, move = usd(now.notional_usd), f"{now.worst_move:+.2%}"
    return f"At today's prices its orders amount to {total}; the largest move is {move}."


def _execution(
    context: RunContext, master: Master, identity: str, portfolio: str, decided_at: datetime
) -> str:
    trades = master.rows("trade_prices_now", recommendation_id=identity)
    holdings = master.rows("holdings_moved", portfolio=portfolio, decided_at=decided_at, as_of=context.as_of)
    return executed(trades, holdings)


def _write(
    context: RunContext,
    master: Master,
    row: Mapping[str, Any],
    event: Event,
    actor: str,
    note: str,
    until: datetime | None,
) -> None:
    identity = str(row["recommendation_id"])
    with master.transaction():
        if event != "snoozed":
            master.run("set_recommendation_status", recommendation_id=identity, status=event)
        master.append(EVENTS, [_event(identity, event, actor, note, context.as_of, until)])
        receivers = master.rows("alert_receivers", recommendation_id=identity)
        if event == "retracted" and receivers:
            master.append("ops.alerts", [_retraction(context, row, actor, note)])


def _event(
    identity: str, event: str, actor: str, note: str, at: datetime, until: datetime | None = None
) -> dict[str, Any]:
    return {
        "recommendation_id": identity,
        "event": event,
        "actor": clean(actor, limit=80),
        "note": clean(note, limit=500),
        "happened_at": at,
        "until_at": until,
    }


def _retraction(context: RunContext, row: Mapping[str, Any], actor: str, note: str) -> dict[str, Any]:
    identity, now = str(row["recommendation_id"]), context.clock.now()
    message = render_retracted(
        RetractedFacts(
            recommendation_id=identity,
            portfolio=str(row["portfolio"]),
            retracted_at=context.as_of,
            actor=actor,
            note=note,
            was_accepted=row["status"] == "accepted",
            is_simulated=bool(row["is_simulated"]),
        )
    )
    return {
        "alert_id": f"{identity}-retracted",
        "episode_id": identity,
        "recommendation_id": identity,
        "portfolio": row["portfolio"],
        "event": "retracted",
        "severity": "critical",
        "title": message.title,
        "body": message.body,
        "created_at": now,
        "valid_until": None,
        "send_until": now + RETRACTION_WORTH_SENDING,
        "status": "pending",
        "is_simulated": row["is_simulated"],
    }


def _told(row: Mapping[str, Any], event: Event, until: datetime | None, sentence: str) -> str:
    identity = row["recommendation_id"]
    if event == "snoozed" and until is not None:
        return f"{identity} is quiet until {until:%Y-%m-%d %H:%M} UTC: no proposal is announced before."
    endings = {
        "accepted": f"{sentence} Drift is measured against its target from now on.",
        "rejected": "The target in force stays as it was.",
        "retracted": "Every channel that was told of it is told so.",
    }
    return f"{identity} is {event}. {endings[event]}".replace("  ", " ")


def _answer(row: Mapping[str, Any], status: str, sentence: str, *, is_new: bool) -> LifecycleAnswer:
    return LifecycleAnswer(
        recommendation_id=str(row["recommendation_id"]),
        portfolio=str(row["portfolio"]),
        status=status,
        sentence=sentence,
        is_new=is_new,
    )
