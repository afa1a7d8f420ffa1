"""The book of expected runs: one row per slot in which a flow was due, and what became of it.

A run accounts for its own slot when it ends, and for those before it that nobody served: their data were
fetched after all (`caught_up`), or their decision was overtaken by this one (`superseded`). What other flows
owe is noticed as `missed` until one of their runs comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from cronsim import CronSim

from tasks.context import RunContext
from tasks.settings_operation import ScheduleSettings
from warehouse.master import Master

# A run from the terminal that serves a scheduled flow's slot.
SERVES = {"run": "rebalance", "ingest": "market", "maintain": "maintenance"}
LONGEST_GRACE = timedelta(minutes=10)
# Ten years of hours would be an accident of the clock, not a backlog.
MAX_SLOTS = 20_000


def scheduled_flows(schedule: ScheduleSettings) -> dict[str, str]:
    """Flow → cron line."""
    return {name: cron for name, cron in schedule.model_dump().items() if isinstance(cron, str)}


def newest_slot(cron: str, moment: datetime) -> datetime:
    """The last slot at or before a moment."""
    return next(CronSim(cron, moment.replace(second=0, microsecond=0) + timedelta(minutes=1), reverse=True))


def slots_between(cron: str, after: datetime, before: datetime) -> list[datetime]:
    """The slots after one instant and before another, both excluded, oldest first."""
    following: Iterator[datetime] = CronSim(cron, after)
    return list(takewhile(lambda slot: slot < before, islice(following, MAX_SLOTS)))


def grace_of(cron: str, slot: datetime) -> timedelta:
    """How late a run may start and be on time: half its interval, ten minutes at most."""
    return min(LONGEST_GRACE, (next(CronSim(cron, slot)) - slot) / 2)


def account(master: Master, context: RunContext, status: str) -> None:
    """Account for the slot of a run that ends, and for what is owed before it and by other flows.

    Args:
        master: open; the caller's transaction.
        context: the run.
        status: how the run ended, as in `ops.runs`.
    """
    schedule = context.settings.schedule
    flow = SERVES.get(context.flow, context.flow)
    crons = scheduled_flows(schedule)
    if flow not in crons or not (context.is_scheduled or schedule.terminal):
        return
    now = context.clock.now()
    rows = _own(master, context, flow, crons[flow], status)
    for other, cron in crons.items():
        if other != flow:
            rows += _owed(master, other, cron, context.as_of)
    master.upsert("ops.expected_runs", [{**row, "noticed_at": now} for row in rows])


def _own(master: Master, context: RunContext, flow: str, cron: str, status: str) -> list[dict[str, Any]]:
    slot = newest_slot(cron, context.as_of)
    known = master.rows("slot_of", flow=flow, slot=slot)
    if known and known[0]["status"] not in {"missed", "skipped_overlap"}:
        return []
    if status == "skipped_overlap":
        return [] if known else [_row(flow, slot, status, context.run_id)]
    is_late = context.as_of - slot > grace_of(cron, slot)
    rows = [_row(flow, slot, "late" if is_late else "on_time", context.run_id)]
    newest = master.rows("newest_slot", flow=flow)[0]["slot"]
    if newest is None:
        return rows
    between = slots_between(cron, newest, slot)
    if status == "failed":  # it made nothing good; the next run that does accounts for them
        return [*(_row(flow, one, "missed", None) for one in between), *rows]
    kind = "superseded" if flow == "rebalance" else "caught_up"
    owed = [row["slot"] for row in master.rows("unserved_slots", flow=flow, before=slot)]
    return [*(_row(flow, one, kind, context.run_id) for one in (*owed, *between)), *rows]


def _owed(master: Master, flow: str, cron: str, as_of: datetime) -> list[dict[str, Any]]:
    """Slots of another flow that passed with nobody serving them; none before its first run."""
    newest = master.rows("newest_slot", flow=flow)[0]["slot"]
    if newest is None:
        return []
    passed = slots_between(cron, newest, as_of)
    return [_row(flow, slot, "missed", None) for slot in passed if as_of - slot > grace_of(cron, slot)]


def _row(flow: str, slot: datetime, status: str, run_id: str | None) -> dict[str, Any]:
    return {"flow": flow, "slot": slot, "status": status, "run_id": run_id}
