"""Compaction: the master written anew without the blocks that deleted rows left behind.

In: a home whose lock is free. Out: the same tables with the same rows in a smaller file. The old file is
replaced by one rename, after every table was compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse.catalogue import load_catalogue
from warehouse.connection import Engine, connect, first_row
from warehouse.errors import DamagedWarehouse
from warehouse.home import FILE_MODE, Home, sync_folder
from warehouse.lock import Clock, hold_lock
from warehouse.manifest import read_manifest
from warehouse.master import DEFAULT_ENGINE, WAIT_SECONDS
from warehouse.opening import log_of, opened_file
from warehouse.points import reached
from warehouse.preimage import forget
from warehouse.schema import create_schema
from warehouse.snapshots import refuse_little_space, sync_file
from warehouse.statements import listed, literal, quote, statement


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction came to.

    Attributes:
        bytes_before: Size of the master before.
        bytes_after: Size after; the same when it was not worth the work.
        free_share: Share of its blocks that held nothing.
    """

    bytes_before: int
    bytes_after: int
    free_share: float


def compact(
    home: Home,
    clock: Clock,
    *,
    above: float,
    wait_seconds: float = WAIT_SECONDS,
    engine: Engine = DEFAULT_ENGINE,
) -> Compaction:
    """Rewrite the master if more than a share of its blocks is free.

    Args:
        home: The home.
        clock: The real clock.
        above: Least share of free blocks that is worth the work, 0 to 1.
        wait_seconds: How long to wait for another writer.
        engine: How much of the machine may be used.

    Raises:
        WriterBusy: Another writer holds the master.
        NoSpace: Too little free space for a second file; nothing was changed.
        DamagedWarehouse: The new file does not hold what the old one does; the old one stays.
    """
    deadline = clock.monotonic() + wait_seconds
    with hold_lock(home, clock, "compact", wait_seconds):
        _remove_leftovers(home)
        with opened_file(home, clock, engine, deadline) as opened:
            opened.connection.execute("checkpoint")
            total, free, _ = first_row(opened.connection, statement("blocks")) or (0, 0, 0)
        before = home.master.stat().st_size
        share = int(free) / int(total) if total else 0.0
        if share <= above or read_manifest(home) is None:
            return Compaction(before, before, share)
        refuse_little_space(home, before)
        _rewrite(home, clock, engine)
        return Compaction(before, home.master.stat().st_size, share)


def _rewrite(home: Home, clock: Clock, engine: Engine) -> None:
    fresh = home.root / ".master.compact.duckdb"
    connection = connect(fresh, engine)
    try:
        fresh.chmod(FILE_MODE)
        create_schema(connection, clock.now())
        connection.execute(statement("attach", path=literal(str(home.master))))
        connection.begin()
        for table in load_catalogue().tables.values():
            if table.kind == "table":
                name = quote(table.full_name)
                connection.execute(statement("compact_empty", table=name))
                connection.execute(statement("compact_copy", table=name))
        connection.commit()
        _compare(connection)
        connection.execute("detach snapshot")
        connection.execute("checkpoint")
    finally:
        connection.close()
    log_of(fresh).unlink(missing_ok=True)
    sync_file(fresh)
    reached("compacted")
    forget(home)
    fresh.replace(home.master)
    sync_folder(home.root)


def _compare(connection: duckdb.DuckDBPyConnection) -> None:
    for table in load_catalogue().tables.values():
        if table.kind != "table":
            continue
        columns = listed(table.column_names)
        old, new = (
            first_row(connection, statement("content_hash", table=place, columns=columns))
            for place in (f"snapshot.{quote(table.full_name)}", quote(table.full_name))
        )
        if old != new:
            raise DamagedWarehouse(
                f"The compacted {table.full_name} should hold what the master does, {old}, but holds {new}. "
                "The master stays as it was; look at the disk."
            )


def _remove_leftovers(home: Home) -> None:
    for path in home.root.glob(".master.compact.duckdb*"):
        path.unlink(missing_ok=True)
