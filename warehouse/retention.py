"""Retention: what is old leaves the master for Parquet files, by policy, and can be put back.

In: the open master and how long things are kept. Out: fewer rows in raw tables and logs, one file and one row
of ops.archives for each. Core, mart and every moment younger than the limit are unchanged; older moments are
read together with the files.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from warehouse.archive import listed_archives, read_archive, write_archive
from warehouse.catalogue import load_catalogue
from warehouse.connection import Engine, first_row
from warehouse.errors import DamagedWarehouse
from warehouse.headers import Table
from warehouse.home import Home
from warehouse.lock import Clock, hold_lock
from warehouse.master import DEFAULT_ENGINE, WAIT_SECONDS, Master
from warehouse.opening import opened_file
from warehouse.snapshots import MIN_FREE_BYTES, refuse_little_space
from warehouse.statements import listed, quote, statement
from warehouse.values import into_database

# Logs that only grow, with the column that says when a row was written.
LOGS: Mapping[str, str] = {"ops.validations": "validated_at"}


@dataclass(frozen=True, slots=True)
class Moved:
    """Rows that changed their place.

    Attributes:
        table_name: The table they left or came back to.
        file: The archive's name.
        rows: How many.
    """

    table_name: str
    file: str
    rows: int


@dataclass(frozen=True, slots=True)
class _Open:
    """The open master with what is needed around it."""

    home: Home
    connection: duckdb.DuckDBPyConnection
    master: Master
    now: datetime


def archive_old(
    home: Home,
    clock: Clock,
    *,
    keep_vintages: timedelta | None,
    keep_logs: timedelta | None,
    wait_seconds: float = WAIT_SECONDS,
    engine: Engine = DEFAULT_ENGINE,
) -> list[Moved]:
    """Move replaced versions and old log rows to files.

    Args:
        home: The home.
        clock: The real clock.
        keep_vintages: A version stays that long after it was replaced; None for ever.
        keep_logs: A verdict stays that long; None for ever.
        wait_seconds: How long to wait for another writer.
        engine: How much of the machine may be used.

    Raises:
        WriterBusy: Another writer holds the master.
        DamagedWarehouse: A file did not give back what was written; nothing was deleted.
    """
    moved: list[Moved] = []
    with _opened(home, clock, "archive what is old", wait_seconds, engine) as at:
        if keep_vintages is not None:
            for table in load_catalogue().vintages():
                if table.like is not None:
                    moved += _versions(at, table, at.now - keep_vintages)
        if keep_logs is not None:
            for name, time in LOGS.items():
                moved += _log(at, name, time, at.now - keep_logs)
    return moved


def restore_archives(
    home: Home, clock: Clock, *, wait_seconds: float = WAIT_SECONDS, engine: Engine = DEFAULT_ENGINE
) -> list[Moved]:
    """Put every archived row back into its table; the files stay where they are.

    Raises:
        WriterBusy: Another writer holds the master.
        DamagedWarehouse: A file is missing or changed; what was put back before it stays.
    """
    moved: list[Moved] = []
    with _opened(home, clock, "put archived rows back", wait_seconds, engine) as at:
        for one in listed_archives(at.connection):
            rows = read_archive(home.archive, one)
            with at.master.transaction():
                at.master.wrote(one.table_name)
                at.connection.register("archived", rows)
                at.connection.execute(statement("archive_insert", source=quote(one.table_name)))
                at.connection.unregister("archived")
                at.master.upsert("ops.archives", [{"archive_id": one.archive_id, "restored_at": at.now}])
            moved.append(Moved(one.table_name, one.file, one.rows))
    return moved


@contextmanager
def _opened(home: Home, clock: Clock, purpose: str, wait_seconds: float, engine: Engine) -> Generator[_Open]:
    deadline = clock.monotonic() + wait_seconds
    with hold_lock(home, clock, purpose, wait_seconds):
        size = home.master.stat().st_size if home.master.exists() else 0
        refuse_little_space(home, max(size, MIN_FREE_BYTES))
        with opened_file(home, clock, engine, deadline) as opened:
            yield _Open(home, opened.connection, Master(home, clock, opened), clock.now())


def _versions(at: _Open, table: Table, before: datetime) -> list[Moved]:
    source = table.like or table.full_name
    select = statement(
        "archive_superseded",
        source=quote(source),
        columns=listed(table.column_names),
        key=listed(table.key),
        held_key=listed(table.key, "held."),
    )
    match = " and ".join(f"archivable.{quote(name)} = held.{quote(name)}" for name in table.key)
    return _move(
        at, source, select, statement("archive_delete_versions", source=quote(source), match=match), before
    )


def _log(at: _Open, name: str, time: str, before: datetime) -> list[Moved]:
    select = statement("archive_log", source=quote(name), time=quote(time))
    return _move(
        at, name, select, statement("archive_delete_log", source=quote(name), time=quote(time)), before
    )


def _move(at: _Open, source: str, select: str, delete: str, before: datetime) -> list[Moved]:
    connection, bound = at.connection, {"before": into_database(before)}
    connection.execute(statement("archive_stage", select=select), bound)
    try:
        rows, load_before = first_row(connection, statement("archive_extent")) or (0, 0)
        if not rows:
            return []
        (newest,) = first_row(connection, statement("archives_numbered")) or (0,)
        number = int(newest) + 1
        name, digest = write_archive(connection, at.home.archive, f"{source}-{number:06d}")
        with at.master.transaction():
            at.master.wrote(source)
            _delete(connection, source, delete, bound if "$before" in delete else {}, int(rows))
            facts = {"archive_id": number, "table_name": source, "file": name, "sha256": digest}
            extent = {"rows": int(rows), "known_before": before, "load_before": int(load_before)}
            at.master.append("ops.archives", [facts | extent | {"archived_at": at.now}])
        return [Moved(source, name, int(rows))]
    finally:
        connection.execute(statement("archive_unstage"))


def _delete(
    connection: duckdb.DuckDBPyConnection, source: str, delete: str, bound: dict[str, object], wanted: int
) -> None:
    (gone,) = first_row(connection, delete, bound) or (0,)
    if int(gone) != wanted:
        raise DamagedWarehouse(
            f"{wanted} archived rows should leave {source}, but {gone} would. Nothing was deleted; the file "
            "stays. Report this."
        )
