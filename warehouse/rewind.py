"""Many past moments of one snapshot, one after the other: a backtest reads all versions once and moves.

In: a home. Out: a Reader that stands at a moment and can be moved. At each moment it answers what
`open_point_in_time` answers there; a fact counts from its own `known_at` on, in the version known by then.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime

import duckdb

from warehouse.archive import bring_back, needed_archives
from warehouse.catalogue import LAYERS, load_catalogue
from warehouse.connection import Engine, connect, lock_down
from warehouse.headers import Table
from warehouse.home import Home
from warehouse.pointintime import Rows, state_rows, widened
from warehouse.reader import DEFAULT_ENGINE, Reader, open_newest
from warehouse.schema import vintage_source
from warehouse.snapshots import SnapshotInfo, snapshot_info
from warehouse.statements import listed, literal, quote, statement
from warehouse.values import into_database

# Views that most questions of a decision stand on, some of them through one another. A view is computed anew
# wherever it is named: kept for the moment, each is computed once.
KEPT = (
    "mart.stablecoin_prices",
    "mart.latest_stablecoin_prices",
    "mart.quote_prices",
    "mart.spot_prices",
    "mart.identity_breaks",
    "mart.latest_prices",
)


class Rewinder(Reader):
    """A snapshot in memory, seen as of a moment that can be moved; made by `open_rewinder` only."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, snapshot: SnapshotInfo, kept: Mapping[str, str]
    ) -> None:
        super().__init__(connection, snapshot)
        self._kept = kept

    def move(self, as_of: datetime) -> None:
        """Show everything as it was known at another moment (aware UTC)."""
        self._connection.execute(statement("rewind_move", moment=_moment(as_of)))
        for name, body in self._kept.items():
            self._connection.execute(statement("rewind_keep", name=quote(name), body=body))


@contextmanager
def open_rewinder(
    home: Home, first: datetime, stated: Mapping[str, Rows] | None = None, *, engine: Engine = DEFAULT_ENGINE
) -> Generator[Rewinder]:
    """Open the newest published snapshot for reading at many moments.

    Args:
        home: The home.
        first: The earliest moment that will be asked for, aware UTC; versions that were moved to files since
            are brought back from there on.
        stated: Table → rows that stand in for what the snapshot holds.
        engine: How much of the machine may be used.

    Raises:
        NothingPublished: Nothing was published yet.
        DamagedWarehouse: The snapshot can not be read.
    """
    path, probe = open_newest(home, engine)
    connection = connect(None, engine)
    try:
        info = snapshot_info(probe)
        assert info is not None, "a published snapshot knows its number"
        connection.execute(statement("attach", path=literal(str(path))))
        kept = _build(connection, home, first, stated or {})
        lock_down(connection)
        yield Rewinder(connection, info, kept)
    finally:
        connection.close()
        probe.close()


def _moment(as_of: datetime) -> str:
    return f"timestamp '{into_database(as_of).isoformat(sep=' ')}'"


def _build(
    connection: duckdb.DuckDBPyConnection, home: Home, first: datetime, stated: Mapping[str, Rows]
) -> dict[str, str]:
    """Show every table and view of the catalogue over versions held in memory, as of the first moment.

    Returns:
        The views that are kept as tables, in the order in which they rest on each other, with their selects.
    """
    for layer in LAYERS:
        connection.execute(f"create schema {quote(layer)}")
    connection.execute(statement("rewind_schema"))
    connection.execute(statement("rewind_move", moment=_moment(first)))
    present = {str(row[0]) for row in connection.execute(statement("tables_attached")).fetchall()}
    returned = bring_back(connection, home.archive, needed_archives(connection, present, first, None))
    wider = widened(connection)
    held: set[str] = set()
    kept: dict[str, str] = {}
    for table in load_catalogue().tables.values():
        if table.full_name in stated:
            state_rows(connection, table, stated[table.full_name])
            continue
        if table.full_name in KEPT:
            kept[table.full_name] = table.body
            connection.execute(statement("rewind_keep", name=quote(table.full_name), body=table.body))
            continue
        if table.kind == "view":
            body = table.body
        elif table.full_name not in present:
            connection.execute(table.body)  # younger than the snapshot: nothing was known of it
            continue
        elif table.layer in {"raw", "core"} and {"known_at", "load_id"} <= set(table.column_names):
            source = _source(table, wider, returned)
            body = _versions(connection, table, source, held)
        else:
            here = wider.get(table.full_name, f"snapshot.{quote(table.full_name)}")
            body = statement("pass_through", source=here)
        connection.execute(statement("create_view", name=quote(table.full_name), body=body))
    return kept


def _source(table: Table, wider: Mapping[str, str], returned: Mapping[str, str]) -> str:
    """Where all versions of a table are: the snapshot, and files that are brought back."""
    origin = vintage_source(table)
    source = wider.get(origin, f"snapshot.{quote(origin)}")
    if origin in returned:
        source = statement("archived_union", source=source, archived=returned[origin])
    return source


def _versions(connection: duckdb.DuckDBPyConnection, table: Table, source: str, held: set[str]) -> str:
    """Hold all versions of a table in memory, once, and return the select that shows them at a moment."""
    origin = vintage_source(table)
    name = f"versions.{quote(origin.replace('.', ' '))}"
    if origin not in held:
        connection.execute(statement("rewind_versions", name=name, key=listed(table.key), source=source))
        held.add(origin)
    columns = listed(table.column_names)
    if table.layer == "raw":
        return statement("rewind_raw", columns=columns, source=name)
    return statement("rewind_core", columns=columns, key=listed(table.key), source=name)
