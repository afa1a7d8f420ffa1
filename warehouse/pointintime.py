"""The past: core tables as they were known at a moment, over an attached snapshot.

In: an empty database in memory. Out: views named as the warehouse's tables. The mart's SQL runs unchanged
over them, which makes a replayed decision the same computation as a live one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse.archive import bring_back, needed_archives
from warehouse.catalogue import LAYERS, load_catalogue
from warehouse.connection import first_row
from warehouse.headers import Table
from warehouse.schema import NO_LOAD_LIMIT, as_of_select, column_types, schema_hash, vintage_source
from warehouse.statements import listed, literal, quote, statement
from warehouse.values import into_database

Rows = Sequence[Mapping[str, Any]]


class Past:
    """A snapshot as of a moment.

    What is read is made when it is first named: binding all views takes longer than most questions.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        snapshot: Path,
        archive: Path,
        as_of: datetime,
        load_ceiling: int | None,
        stated: Mapping[str, Rows],
    ) -> None:
        """Attach a snapshot; versions that were archived since are read back.

        Args:
            connection: An empty database in memory.
            snapshot: A published file.
            archive: The folder of archived versions.
            as_of: Data time, aware UTC.
            load_ceiling: Highest load to see; None for all.
            stated: Table → rows that stand in for what the snapshot holds.
        """
        self._connection, self._as_of, self._ceiling = connection, as_of, load_ceiling
        connection.execute(statement("attach", path=literal(str(snapshot))))
        for layer in LAYERS:
            connection.execute(f"create schema {quote(layer)}")
        present = {str(row[0]) for row in connection.execute(statement("tables_attached")).fetchall()}
        self._wider = widened(connection)
        needed = needed_archives(connection, present, as_of, load_ceiling)
        self._returned = bring_back(connection, archive, needed)
        self._to_make: dict[str, Table] = {}
        for table in load_catalogue().tables.values():
            if table.full_name in stated:
                state_rows(connection, table, stated[table.full_name])
            elif table.kind == "table" and table.full_name not in present:
                connection.execute(table.body)  # younger than the snapshot: nothing was known of it
            else:
                self._to_make[table.full_name] = table

    def show(self, sql: str | None = None) -> None:
        """Make what a query names, and what that rests on; all there is for a query of a person."""
        for name in list(self._to_make):
            if sql is None or name in sql:
                self._make(name)

    def _make(self, name: str) -> None:
        table = self._to_make.pop(name, None)
        if table is None:
            return
        if table.kind == "view":
            for read in sorted(table.reads):
                self._make(read)
            body = table.body
        else:
            body = _past(self._connection, table, self._as_of, self._ceiling, self._returned, self._wider)
        self._connection.execute(statement("create_view", name=quote(name), body=body))


def state_rows(connection: duckdb.DuckDBPyConnection, table: Table, rows: Rows) -> None:
    """Make a table that holds the given rows, in place of what a snapshot holds."""
    connection.execute(table.body)
    if not rows:
        return
    types = column_types(connection)[table.full_name]
    from warehouse.arrow import rows_to_arrow  # noqa: PLC0415 - pandas; every reader imports this module

    batch = rows_to_arrow(rows, types, table.full_name)
    connection.register("stated_rows", batch)
    try:
        place = {"table": quote(table.full_name), "columns": listed(batch.column_names)}
        connection.execute(statement("stated_rows", **place, rows="stated_rows"))
    finally:
        connection.unregister("stated_rows")


def _past(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    as_of: datetime,
    ceiling: int | None,
    returned: Mapping[str, str],
    wider: Mapping[str, str],
) -> str:
    here = wider.get(table.full_name, _attached(table.full_name))
    if not {"known_at", "load_id"} <= set(table.column_names) or table.layer not in {"raw", "core"}:
        return statement("pass_through", source=here)
    moment = f"timestamp '{into_database(as_of).isoformat(sep=' ')}'"
    load = NO_LOAD_LIMIT if ceiling is None else str(int(ceiling))
    origin = vintage_source(table)
    source = wider.get(origin, _attached(origin))
    if origin in returned:
        source = statement("archived_union", source=source, archived=returned[origin])
    if table.layer == "raw":
        return statement("known_by", source=source, as_of=moment, load=load)
    if _all_known(connection, source, as_of, ceiling):
        # Everything was known by then, and core holds the newest version of each key: no need to look for it.
        return statement("pass_through", source=here)
    return as_of_select(table, source, moment, load)


def widened(connection: duckdb.DuckDBPyConnection) -> Mapping[str, str]:
    """Tables of an older snapshot that lack columns of today's, as what to read instead: those are empty."""
    state = first_row(connection, statement("state_attached"))
    if state is not None and state[0] == schema_hash():
        return {}
    held = {str(row[0]) for row in connection.execute(statement("columns_attached")).fetchall()}
    wider: dict[str, str] = {}
    for table in load_catalogue().tables.values():
        lacking = [name for name in table.column_names if f"{table.full_name}.{name}" not in held]
        if table.kind == "table" and 0 < len(lacking) < len(table.column_names):
            columns = ", ".join(f"null as {quote(name)}" for name in lacking)
            wider[table.full_name] = statement(
                "with_columns", columns=columns, source=_attached(table.full_name)
            )
    return wider


def _all_known(
    connection: duckdb.DuckDBPyConnection, source: str, as_of: datetime, ceiling: int | None
) -> bool:
    known_at, load_id = first_row(connection, statement("newest_vintage", source=source)) or (None, None)
    if known_at is None or load_id is None:
        return True
    return bool(known_at <= into_database(as_of)) and (ceiling is None or int(load_id) <= ceiling)


def _attached(full_name: str) -> str:
    return f"snapshot.{quote(full_name)}"
