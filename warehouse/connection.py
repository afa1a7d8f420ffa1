"""Connections to DuckDB: opened with our settings, locked down, and never handed out of this room.

In: a path. Out: a connection whose session is UTC and that can neither read files, reach the network, load
extensions nor be talked into doing so later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from warehouse.errors import DamagedWarehouse, WriterBusy

STORAGE_COMPATIBILITY = "v1.5.0"
_LOCK_HOLDER = re.compile(r"\(PID (\d+)\)")


@dataclass(frozen=True, slots=True)
class Engine:
    """How much of the machine DuckDB may use; None leaves its own default.

    Attributes:
        memory_limit: Such as "2GB".
        threads: Number of worker threads.
        spills: May put what does not fit into memory beside the database file.
    """

    memory_limit: str | None = None
    threads: int | None = None
    spills: bool = True

    def within(self, memory_limit: str) -> Engine:
        """The same, with this limit where none was chosen."""
        return self if self.memory_limit is not None else replace(self, memory_limit=memory_limit)

    def config(self) -> dict[str, str | bool | int | float | list[str]]:
        """The settings as DuckDB takes them."""
        chosen: dict[str, str | bool | int | float | list[str]] = {}
        if self.memory_limit is not None:
            chosen["memory_limit"] = self.memory_limit
        if self.threads is not None:
            chosen["threads"] = self.threads
        return chosen


def connect(path: Path | None, engine: Engine, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a file, or a database in memory when no path is given.

    Raises:
        WriterBusy: Another process has the file open.
        DamagedWarehouse: The file or its log can not be read.
    """
    config = engine.config() | {"storage_compatibility_version": STORAGE_COMPATIBILITY}
    if path is not None:
        config["checkpoint_threshold"] = "256MB"
        spill = path.parent if read_only else path.parent / "state"
        config["temp_directory"] = str(spill) if engine.spills else ""
    try:
        connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=config)
    except duckdb.IOException as error:
        holder = _LOCK_HOLDER.search(str(error))
        if holder or "lock on file" in str(error):
            pid = int(holder.group(1)) if holder else None
            raise WriterBusy(
                pid, None, f"opened {path} itself; readers should use the published file"
            ) from error
        raise _damaged(path, error) from error
    except duckdb.Error as error:
        raise _damaged(path, error) from error
    _configure(connection, "global TimeZone = 'UTC'")
    # A worker process without a script looks like a person at a prompt to DuckDB, and would be drawn bars.
    _configure(connection, "enable_progress_bar = false")
    return connection


def is_locked(connection: duckdb.DuckDBPyConnection) -> bool:
    """True for a further connection to a file this process has open: it shares the locked settings."""
    row = first_row(connection, "select current_setting('lock_configuration')")
    return row is not None and bool(row[0])


def _damaged(path: Path | None, error: Exception) -> DamagedWarehouse:
    return DamagedWarehouse(
        f"{path} should open as a DuckDB database, but: {str(error).strip().splitlines()[0]} "
        "Nothing was changed. `trimtab restore` puts the newest verified snapshot in its place and keeps "
        "this file."
    )


def lock_down(connection: duckdb.DuckDBPyConnection) -> None:
    """Close every way out of the database, for good; registered Arrow tables still work."""
    for setting in (
        "enable_external_access = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "lock_configuration = true",
    ):
        _configure(connection, setting)


def _configure(connection: duckdb.DuckDBPyConnection, setting: str) -> None:
    """Change a setting, unless another connection of this process to the same file has locked them all.

    They share one instance, and another thread may lock it between any two statements of ours; what it locked
    is what we would have set.
    """
    try:
        if not is_locked(connection):
            connection.execute(f"set {setting}")
    except duckdb.InvalidInputException:
        if not is_locked(connection):
            raise


def first_row(
    connection: duckdb.DuckDBPyConnection, sql: str, bound: dict[str, Any] | None = None
) -> tuple[Any, ...] | None:
    """The first row of a result that is read to its end: DuckDB 2 refuses other work while rows wait."""
    rows = (connection.execute(sql, bound) if bound else connection.execute(sql)).fetchall()
    return rows[0] if rows else None
