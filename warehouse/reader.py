"""Reading: the published snapshot as it is, or as things were known at a past moment.

In: a home. Out: a Reader that can only read. A snapshot that was opened stays whole and readable, whatever
is published meanwhile.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import duckdb

from warehouse.connection import Engine, connect, lock_down
from warehouse.errors import DamagedWarehouse, NothingPublished, WarehouseError
from warehouse.headers import Table
from warehouse.home import Home
from warehouse.pointintime import Past
from warehouse.queries import Query
from warehouse.selecting import Selection, Stream, select, select_frame, stream, write_parquet
from warehouse.session import Session
from warehouse.snapshots import SnapshotInfo, newest_snapshot, snapshot_info
from warehouse.statements import quote

if TYPE_CHECKING:
    import pandas as pd  # costs half a second; only a frame needs it

DEFAULT_ENGINE = Engine()
_ATTEMPTS = 5


class Reader(Session):
    """An open snapshot; made by `open_published` and `open_point_in_time` only."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, snapshot: SnapshotInfo, past: Past | None = None
    ) -> None:
        super().__init__(connection)
        self._snapshot, self._past = snapshot, past

    @property
    def snapshot(self) -> SnapshotInfo:
        """Which snapshot this is."""
        return self._snapshot

    def select(self, sql: str, *, limit: int = 1_000_000, timeout_seconds: float | None = None) -> Selection:
        """Run one SELECT typed by a person.

        Args:
            sql: Exactly one reading statement.
            limit: Most rows to return.
            timeout_seconds: Interrupt it after that long; None for never.

        Raises:
            RefusedStatement: Not one reading statement.
            QueryFailed: DuckDB refused it, or it took too long.
        """
        return select(self._all(), sql, limit=limit, timeout_seconds=timeout_seconds)

    def stream(self, sql: str) -> Stream:
        """Run one SELECT and hand out its rows as they come; errors as in `select`."""
        return stream(self._all(), sql)

    def write_parquet(self, sql: str, sink: BinaryIO) -> int:
        """Run one SELECT and write its answer as Parquet; returns the number of rows."""
        return write_parquet(self._all(), sql, sink)

    def head(self, table: Table, count: int) -> Selection:
        """The first rows of a table of the catalogue, in no particular order."""
        return select(
            self._all(),
            f"from {quote(table.layer)}.{quote(table.name)}",
            limit=count,
            timeout_seconds=None,
        )

    def select_frame(self, sql: str, *, timeout_seconds: float | None = None) -> pd.DataFrame:
        """Run one SELECT and take the whole answer as a frame; errors as in `select`."""
        return select_frame(self._all(), sql, timeout_seconds=timeout_seconds)

    def _prepare(self, query: Query) -> None:
        if self._past is not None:
            self._past.show(query.sql)

    def _all(self) -> duckdb.DuckDBPyConnection:
        """The connection for what a person asks: that may name anything."""
        if self._past is not None:
            self._past.show()
        return self._connection


@contextmanager
def open_published(home: Home, *, engine: Engine = DEFAULT_ENGINE) -> Generator[Reader]:
    """Open the newest published snapshot, read-only and locked down.

    Raises:
        NothingPublished: Nothing was published yet.
        DamagedWarehouse: The snapshot can not be read.
    """
    path, connection = open_newest(home, engine)
    try:
        lock_down(connection)
        yield Reader(connection, _info(connection, path))
    finally:
        connection.close()


@contextmanager
def open_point_in_time(
    home: Home,
    as_of: datetime,
    load_ceiling: int | None = None,
    snapshot_id: int | None = None,
    *,
    stated: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    engine: Engine = DEFAULT_ENGINE,
) -> Generator[Reader]:
    """Open a snapshot as things were known at a moment.

    The core tables show the newest version of each key among those known by `as_of` and brought by a load up
    to `load_ceiling`; the mart views are computed over these. Tables of mart and ops are shown as they are.

    Args:
        home: The home.
        as_of: Data time, aware UTC.
        load_ceiling: Highest load to see; None for all.
        snapshot_id: Which snapshot; None for the newest.
        stated: Table → rows that stand in for what the snapshot holds, such as what the configuration says.
        engine: How much of the machine may be used.

    Raises:
        NothingPublished: No such snapshot.
        DamagedWarehouse: The snapshot can not be read.
    """
    if snapshot_id is None:
        path, probe = open_newest(home, engine)
    else:
        path = home.snapshot(snapshot_id)
        if not path.exists():
            raise NothingPublished(
                f"Snapshot {snapshot_id} was wanted, and {path} is not there. Name a kept one."
            )
        probe = connect(path, engine.within(home.memory_limit), read_only=True)
    try:
        # The probe keeps the file from vanishing until it is attached.
        info = _info(probe, path)
        connection = connect(None, engine)
        try:
            past = Past(connection, path, home.archive, as_of, load_ceiling, stated or {})
            probe.close()
            lock_down(connection)
            yield Reader(connection, info, past)
        finally:
            connection.close()
    finally:
        probe.close()


def open_newest(home: Home, engine: Engine) -> tuple[Path, duckdb.DuckDBPyConnection]:
    """The newest snapshot and a read-only connection to it, not locked down yet.

    Raises:
        NothingPublished: There is none.
        DamagedWarehouse: It can not be read.
    """
    for attempt in range(_ATTEMPTS):
        path = newest_snapshot(home)
        try:
            return path, connect(path, engine.within(home.memory_limit), read_only=True)
        except WarehouseError:
            # Between reading the link and opening the file a newer one may have been published and this one
            # removed.
            if path.exists() or attempt == _ATTEMPTS - 1:
                raise
    raise NothingPublished(
        f"The newest snapshot under {home.published} vanished again and again. Try once more."
    )


def _info(connection: duckdb.DuckDBPyConnection, path: Path) -> SnapshotInfo:
    try:
        info = snapshot_info(connection)
    except duckdb.Error as error:
        raise DamagedWarehouse(f"{path} should be a published snapshot, but: {error}") from error
    if info is None:
        raise DamagedWarehouse(f"{path} should be a published snapshot, but it does not know its number.")
    return info
