"""The manifest: what the master has acknowledged, kept in a small file beside it.

DuckDB accepts a truncated or missing log without a word. So after each committed transaction the number of
that commit and the row counts are written here, fsynced; at the next opening the master may be ahead by what
was committed right before a kill, never behind.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import duckdb

from warehouse.catalogue import load_catalogue
from warehouse.connection import first_row
from warehouse.errors import DamagedWarehouse
from warehouse.home import Home, write_private
from warehouse.statements import literal, quote, statement

FORMAT = 1
RESTORE = (
    "Run `trimtab restore` to put the newest verified snapshot in its place; this file is kept beside it."
)


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """What was published: enough to verify the file before it is restored."""

    snapshot_id: int
    bytes: int
    sha256: str
    load_id: int
    commit_id: int
    as_of: str
    published_at: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The newest acknowledged commit, the row counts then, and the published snapshots.

    Attributes:
        commit_id: Number of the newest acknowledged transaction.
        load_id: Newest load in it.
        rows: Row count of every table.
        snapshots: Published snapshots, oldest first.
    """

    commit_id: int = 0
    load_id: int = 0
    rows: dict[str, int] = field(default_factory=dict[str, int])
    snapshots: tuple[SnapshotRecord, ...] = ()


def read_manifest(home: Home) -> Manifest | None:
    """The manifest of a home, or None if there is none.

    Raises:
        DamagedWarehouse: The file is there and can not be understood.
    """
    if not home.manifest.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(home.manifest.read_text(encoding="utf-8"))
        return Manifest(
            commit_id=int(found["commit_id"]),
            load_id=int(found["load_id"]),
            rows={str(name): int(rows) for name, rows in found["rows"].items()},
            snapshots=tuple(SnapshotRecord(**record) for record in found["snapshots"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedWarehouse(
            f"{home.manifest} should say what was acknowledged, but is unreadable. {RESTORE}"
        ) from error


def write_manifest(home: Home, manifest: Manifest) -> None:
    """Replace the manifest atomically and durably."""
    write_private(home.manifest, json.dumps({"format": FORMAT} | asdict(manifest), indent=1))


def counted(connection: duckdb.DuckDBPyConnection, tables: Collection[str] | None = None) -> dict[str, int]:
    """Row count of these tables, or of all; a file from before an upgrade lacks the newest ones."""
    if tables is None:
        present = {str(row[0]) for row in connection.execute(statement("tables")).fetchall()}
        known = load_catalogue().tables.values()
        tables = [t.full_name for t in known if t.kind == "table" and t.full_name in present]
    if not tables:
        return {}
    counts = (statement("row_count", name=literal(name), table=quote(name)) for name in tables)
    return {
        str(name): int(rows) for name, rows in connection.execute("\nunion all\n".join(counts)).fetchall()
    }


def acknowledge(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    written: Collection[str] | None = None,
) -> Manifest:
    """Write down what the open database has committed; returns the manifest that was written.

    Args:
        home: The home.
        connection: The master's.
        manifest: What was acknowledged before.
        written: The tables that were written since; None counts all.
    """
    state = first_row(connection, statement("state")) or (0, "")
    load = first_row(connection, statement("newest_load")) or (0,)
    rows = counted(connection, written)
    rows = rows if written is None else {**manifest.rows, **rows}
    newest = replace(manifest, commit_id=int(state[0]), load_id=int(load[0]), rows=rows)
    write_manifest(home, newest)
    return newest


def verify(
    home: Home, connection: duckdb.DuckDBPyConnection, manifest: Manifest | None, *, sealed: bool
) -> bool:
    """Compare an opened master with its manifest; being ahead is healthy, being behind is damage.

    Args:
        home: The home.
        connection: The master's.
        manifest: What was acknowledged; None where nothing says so.
        sealed: The file is as it was closed, so that its rows need not be counted again.

    Returns:
        True if the master is ahead: the process was killed between a commit and its acknowledgement.

    Raises:
        DamagedWarehouse: Acknowledged transactions or rows are missing.
    """
    row = first_row(connection, statement("state"))
    commit_id = int(row[0]) if row else 0
    if manifest is None:
        if commit_id > 0:
            raise DamagedWarehouse(
                f"{home.manifest} should stand beside the master, but is missing. {RESTORE}"
            )
        return True
    if commit_id < manifest.commit_id:
        raise DamagedWarehouse(
            f"{home.master} should hold transaction {manifest.commit_id} (load {manifest.load_id}), but "
            "ends at "
            f"transaction {commit_id}: its log was lost or cut. {RESTORE}"
        )
    if commit_id == manifest.commit_id and not sealed:
        counts = counted(connection)
        wrong = [
            f"{name} should have {rows} rows and has {counts.get(name, 0)}"
            for name, rows in manifest.rows.items()
            if counts.get(name, 0) != rows
        ]
        if wrong:
            raise DamagedWarehouse(f"{home.master} lost acknowledged rows: {'; '.join(wrong[:3])}. {RESTORE}")
    return commit_id > manifest.commit_id
