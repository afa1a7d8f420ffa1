"""The step that publishes: a new snapshot of the master for people and for decisions."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.context import RunContext
from warehouse.connection import Engine
from warehouse.mirror import write_mirror
from warehouse.publish import publish as publish_snapshot


@dataclass(frozen=True)
class PublishSummary:
    """Which snapshot is the newest now."""

    snapshot_id: int
    load_id: int


def publish_first(context: RunContext) -> bool:
    """Publish the new home while it is still empty, so that readers meet empty tables and never no file.

    Returns:
        Whether there was nothing to read before.
    """
    if context.home.current.exists():
        return False
    publish(context)
    return True


def publish(context: RunContext) -> PublishSummary:
    """Publish what the master holds, and mirror it as Parquet where that is wanted."""
    warehouse = context.settings.warehouse
    home = context.home
    snapshot = publish_snapshot(home, context.clock, as_of=context.as_of, keep=warehouse.keep_snapshots)
    if warehouse.parquet_mirror:
        write_mirror(home, Engine(memory_limit=warehouse.memory_limit))
    return PublishSummary(snapshot.snapshot_id, snapshot.load_id)
