"""The run's own row in `ops.runs`: opened when a story starts, closed when it ends, whatever the end.

A row that stays `running` tells of a run that was killed.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.context import RunContext
from warehouse.home import Home
from warehouse.master import open_master


@dataclass(frozen=True)
class RunRow:
    """Which run, and how it stands."""

    run_id: str
    status: str
    reason_code: str = ""


def open_run(context: RunContext) -> RunRow:
    """Write that the run has started."""
    _write(context, status="running", finished=False, reason_code=None, message=None)
    return RunRow(context.run_id, "running")


def close_run(context: RunContext, status: str, reason_code: str = "", message: str = "") -> RunRow:
    """Write how the run ended: done, failed or blocked."""
    _write(context, status=status, finished=True, reason_code=reason_code or None, message=message or None)
    return RunRow(context.run_id, status, reason_code)


def _write(
    context: RunContext, *, status: str, finished: bool, reason_code: str | None, message: str | None
) -> None:
    now = context.clock.now()
    with open_master(
        Home(context.settings.warehouse.home), context.clock, purpose=f"run {context.run_id}"
    ) as master:
        known = master.rows("run_started", run_id=context.run_id)
        row = {
            "run_id": context.run_id,
            "flow": context.flow,
            "slot": context.slot,
            "started_at": known[0]["started_at"] if known else now,
            "finished_at": now if finished else None,
            "status": status,
            "reason_code": reason_code,
            "message": message,
        }
        master.upsert("ops.runs", [row])
