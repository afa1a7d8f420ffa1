"""The run's own row in `ops.runs`, its lease, and the slot it serves.

Opened when a story starts, closed when it ends, whatever the end. A second run of a flow that is at work does
nothing and says so; a run that was killed is found by the one that takes its lease over.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tasks.context import RunContext
from tasks.slots import SERVES, account
from warehouse.errors import LeaseHeld
from warehouse.lease import BEAT_SECONDS, Fence, acquire, release
from warehouse.master import Master, open_master

# Two runs of these would do the same work twice; all others may well run beside one another.
LEASED = ("market", "onchain", "rebalance", "recommend", "maintenance", "canary", "notify", "guard")


@dataclass(frozen=True)
class RunRow:
    """Which run, how it stands, and its hold on the lease of its flow."""

    run_id: str
    status: str
    reason_code: str = ""
    fence: Fence | None = None


def open_run(context: RunContext) -> RunRow:
    """Take the flow's lease and write that the run has started.

    Raises:
        LeaseHeld: another run of the flow is alive; that this one was skipped is written first.
    """
    flow = SERVES.get(context.flow, context.flow)
    fence: Fence | None = None
    if flow in LEASED:
        try:
            fence = acquire(context.home, flow, context.run_id, context.clock)
        except LeaseHeld as held:
            close_run(context, "skipped_overlap", "overlap", str(held))
            raise
    with _master(replace(context, fence=fence)) as master, master.transaction():
        if fence is not None and fence.replaced_run_id is not None:
            master.run(
                "abandon_run",
                run_id=fence.replaced_run_id,
                finished_at=context.clock.now(),
                message=f"It ended without a word; {context.run_id} took over.",
            )
        _agree(master, context)
        _write(master, context, status="running", finished=False, reason_code=None, message=None)
    return RunRow(context.run_id, "running", fence=fence)


def close_run(context: RunContext, status: str, reason_code: str = "", message: str = "") -> RunRow:
    """Write how the run ended: done, failed, blocked or skipped_overlap; account for its slot."""
    with _master(context) as master, master.transaction():
        _write(
            master,
            context,
            status=status,
            finished=True,
            reason_code=reason_code or None,
            message=message or None,
        )
        account(master, context, status)
    return RunRow(context.run_id, status, reason_code)


def give_back(context: RunContext) -> None:
    """Give the lease back, where the run has one."""
    if isinstance(context.fence, Fence):
        release(context.home, context.fence, context.clock)


@contextmanager
def alive(context: RunContext) -> Generator[None]:
    """Give signs of life from a thread of its own; a stopped process gives none."""
    fence = context.fence
    if not isinstance(fence, Fence):
        yield
        return
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_SECONDS):
            fence.beat(context.clock)

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _agree(master: Master, context: RunContext) -> None:
    """Let the prices follow the limits of this run's configuration."""
    stated = context.settings.gate.agreement
    limits = {
        "rule": "prices",
        "floor": stated.floor,
        "mads": stated.mads,
        "ceiling": stated.ceiling,
        "two_venues": stated.two_venues,
        "max_lag_seconds": stated.max_lag.total_seconds(),
    }
    if master.rows("agreement_limits") != [limits]:
        master.upsert("mart.agreement_limits", [limits])


def _master(context: RunContext):  # noqa: ANN202 - the context manager's own type
    return open_master(context.home, context.clock, purpose=f"run {context.run_id}")


def _write(
    master: Master,
    context: RunContext,
    *,
    status: str,
    finished: bool,
    reason_code: str | None,
    message: str | None,
) -> None:
    now = context.clock.now()
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
