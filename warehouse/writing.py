"""Writing rows: transactions that the manifest acknowledges, appending, storing over, and named updates.

In: rows as mappings of column to value. Out: committed transactions. Batches of facts go through
warehouse.master.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.arrow import rows_to_arrow
from warehouse.catalogue import load_catalogue
from warehouse.errors import BadRows, NoSpace, QueryFailed, WarehouseError
from warehouse.headers import Table
from warehouse.home import Home
from warehouse.lock import Clock
from warehouse.manifest import Manifest, acknowledge
from warehouse.opening import Opened
from warehouse.points import reached
from warehouse.queries import named_query
from warehouse.schema import column_types, schema_hash
from warehouse.session import Session
from warehouse.statements import listed, quote, statement

_KNOWN_TYPES: dict[str, dict[str, dict[str, str]]] = {}


class Writer(Session):
    """An open master that takes rows."""

    def __init__(self, home: Home, clock: Clock, opened: Opened) -> None:
        super().__init__(opened.connection)
        self._home, self._clock = home, clock
        self._manifest, self._preimage = opened.manifest, opened.preimage
        self._depth = 0
        self._written: set[str] = set()

    @property
    def _types(self) -> dict[str, dict[str, str]]:
        # Every opened file follows today's SQL files: one look (30 ms) serves the whole process.
        if schema_hash() not in _KNOWN_TYPES:
            _KNOWN_TYPES[schema_hash()] = column_types(self._connection)
        return _KNOWN_TYPES[schema_hash()]

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing for what happens inside; within another transaction it simply belongs to that one.

        Raises:
            NoSpace: The disk is full; nothing of the transaction was kept.
        """
        if self._depth:
            yield
            return
        # A commit that finds the log long folds it into the file.
        self._preimage.keep(self._connection)
        self._connection.begin()
        self._depth = 1
        try:
            yield
            self._connection.execute(statement("state_commit")).fetchall()
            reached("before_commit")
            self._connection.commit()
        except BaseException as error:
            self._roll_back()
            if isinstance(error, duckdb.Error):
                raise self._told(error) from error
            raise
        finally:
            self._depth = 0
        reached("after_commit")
        self._manifest = acknowledge(self._home, self._connection, self._manifest, self._written)
        self._written = set()  # not before: where this failed, the next one counts these too
        reached("acknowledged")

    def acknowledge(self) -> None:
        """Write down in the manifest what is committed, every table counted."""
        self._manifest = acknowledge(self._home, self._connection, self._manifest)

    def wrote(self, *tables: str) -> None:
        """Say that the transaction wrote these tables by other means than this class: they are counted."""
        self._written.update(tables)

    def append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows; columns that are left out are NULL, objects go into JSON columns as they are.

        Raises:
            UnknownTable: No such table.
            BadRows: Columns or values do not fit.
        """
        if not rows:
            return
        target = load_catalogue().table(table)
        batch = rows_to_arrow(rows, self._types[target.full_name], target.full_name)
        with self.transaction(), self._registered(batch, target):
            self.wrote(target.full_name)
            columns = listed(batch.column_names)
            self._execute(statement("rows_insert", table=quote(target.full_name), columns=columns), target)

    def upsert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store rows over those with the same key; columns that are left out keep what is stored.

        Raises:
            UnknownTable: No such table.
            BadRows: Columns or values do not fit, the key is incomplete or repeated, or the table has no key.
        """
        if not rows:
            return
        target = load_catalogue().table(table)
        batch = rows_to_arrow(rows, self._types[target.full_name], target.full_name)
        keys = {tuple(row.get(name) for name in target.key) for row in rows}
        if not target.key or not set(target.key) <= set(batch.column_names) or len(keys) != len(rows):
            wanted = ", ".join(target.key) or "a key, which this log does not have"
            raise BadRows(
                f"Rows stored over {table} need each {wanted} once. Give every key column, each key once."
            )
        given = set(batch.column_names)
        merged = ", ".join(
            ("batch." if name in given else "held.") + quote(name) + " as " + quote(name)
            for name in target.column_names
        )
        name, columns = quote(target.full_name), listed(target.column_names)
        match = " and ".join(f"batch.{quote(key)} = held.{quote(key)}" for key in target.key)
        with self.transaction(), self._registered(batch, target):
            self.wrote(target.full_name)
            self._execute(statement("rows_merge", columns=merged, table=name, match=match), target)
            self._execute(statement("rows_delete", table=name, match=match), target)
            self._execute(statement("rows_replace", table=name, columns=columns), target)

    def run(self, query_name: str, /, **parameters: Any) -> int:  # noqa: ANN401 - bound values
        """Run a named update or delete; returns how many rows it changed."""
        query = named_query(query_name, frozenset(parameters))
        with self.transaction():
            tables = load_catalogue().tables.values()
            self.wrote(*(t.full_name for t in tables if t.kind == "table" and t.full_name in query.sql))
            rows = self._run(query, parameters).fetchall()
        return int(rows[0][0]) if rows else 0

    @property
    def manifest(self) -> Manifest:
        """What has been acknowledged so far."""
        return self._manifest

    def checkpoint(self) -> None:
        """Fold the log into the file."""
        self._preimage.keep(self._connection)
        self._connection.execute("checkpoint")

    @contextmanager
    def _registered(self, batch: pa.Table, target: Table) -> Generator[None]:
        self._connection.register("batch", batch)
        try:
            yield
        except duckdb.ConstraintException as error:
            raise BadRows(f"Rows for {target.full_name} break a rule of the table: {error}") from error
        # After an error the transaction is rolled back, and the registration with it.
        self._connection.unregister("batch")

    def _execute(self, sql: str, target: Table) -> None:
        try:
            self._connection.execute(sql)
        except (duckdb.ConstraintException, duckdb.IOException):
            raise
        except duckdb.Error as error:
            raise QueryFailed(f"Rows for {target.full_name} could not be stored: {error}") from error

    def _told(self, error: duckdb.Error) -> WarehouseError:
        if isinstance(error, duckdb.IOException) and "space" in str(error).lower():
            told = f"{self._home.root} has no space left; nothing of this batch was kept. Free some."
            return NoSpace(told)
        return QueryFailed(f"The master should take these rows, but DuckDB says: {error} Nothing was kept.")

    def _roll_back(self) -> None:
        try:
            self._connection.rollback()
        except duckdb.Error:
            # The connection is already beyond repair (a failed commit); closing it discards the transaction.
            return
