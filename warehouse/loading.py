"""Putting one batch into raw and core.

In: an Arrow table of a raw table's columns. Out: how many rows were new, revised or there already. A key
never seen is stored as it came; a changed value becomes a new version known at the time of reading; an
identical one is nothing. Primary keys would make this tens of times slower, so the batch is compared with
the stretch of time that it covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.connection import first_row
from warehouse.errors import ConflictingBatch
from warehouse.headers import Table
from warehouse.points import reached
from warehouse.statements import listed, literal, quote, statement
from warehouse.values import into_database

BOOKKEEPING = ("known_at", "is_reconstructed", "load_id")


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """What one batch did."""

    rows_new: int
    rows_revised: int
    rows_unchanged: int


def load_batch(
    connection: duckdb.DuckDBPyConnection, table: Table, batch: pa.Table, *, load_id: int, as_of: datetime
) -> LoadCounts:
    """Compare a batch with what core holds and write what differs, inside the caller's transaction.

    Args:
        connection: The master's connection.
        table: The core table.
        batch: All columns but load_id.
        load_id: Number of the load.
        as_of: Data time of the run; revisions are known from then on.

    Raises:
        ConflictingBatch: Two different values for one key, or a change of a table that is never edited.
    """
    if batch.num_rows == 0:
        return LoadCounts(0, 0, 0)
    # In one piece, which one thread reads: rows are stored in the order in which they came.
    connection.register("batch", batch.combine_chunks())
    staged = _stage(connection, table, batch)
    bound, span = _bound(connection, table)
    if _meets_nothing(connection, table, bound, span):
        reached("staged")
        _insert_all(connection, table, load_id)
        counts = LoadCounts(staged, 0, 0)
    else:
        _refuse_edits(connection, table, bound, span)
        reached("staged")
        held = _count(connection, statement("load_held", core=quote(table.full_name), bound=bound), span)
        # Looked up in a smaller batch, rows would come out as the threads happen to find them.
        order = f"order by {listed(table.key)}" if held > staged else ""
        place = {"bound": bound, "held_rows": str(held), "order": order}
        written = _record(
            connection, table, place, span | {"as_of": into_database(as_of), "load_id": load_id}
        )
        revised = _follow(connection, table, bound, span | {"load_id": load_id}) if written else 0
        counts = LoadCounts(written - revised, revised, staged - written)
    connection.execute(statement("load_unstage"))
    # After an error the transaction is rolled back, and the registration with it.
    connection.unregister("batch")
    return counts


def _stage(connection: duckdb.DuckDBPyConnection, table: Table, batch: pa.Table) -> int:
    columns = batch.column_names
    connection.execute(statement("load_stage", columns=listed(columns)))
    # Hashes are counted sooner than keys; two keys with one hash only cause the closer look.
    if _count(connection, statement("load_hashes", key=listed(table.key))) == batch.num_rows:
        return batch.num_rows
    repeats = statement("load_repeats", key=listed(table.key))
    if not connection.execute(repeats).fetchall():
        return batch.num_rows
    values = [name for name in columns if name not in BOOKKEEPING]
    earliest = {
        "known_at": "min(known_at) as known_at",
        "is_reconstructed": "bool_and(is_reconstructed) as is_reconstructed",
    }
    selected = ", ".join(earliest.get(name, quote(name)) for name in columns)
    connection.execute(statement("load_distinct", columns=selected, values=listed(values)))
    connection.execute(statement("load_use_distinct"))
    conflicts = connection.execute(repeats).fetchall()
    if conflicts:
        examples = "; ".join(", ".join(str(part) for part in key) for key in conflicts)
        raise ConflictingBatch(
            f"One value per key was wanted for {table.full_name}, but the batch has different values for "
            "the same "
            f"{', '.join(table.key)}: {examples}. Nothing of it was stored; fetch it again."
        )
    return _count(connection, statement("row_count", name=literal("staged"), table="staged"))


def _bound(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[str, dict[str, Any]]:
    if table.time is None:
        return "true", {}
    row = first_row(connection, statement("load_span", time=quote(table.time))) or (None, None)
    return f"held.{quote(table.time)} between $first_time and $last_time", {
        "first_time": row[0],
        "last_time": row[1],
    }


def _meets_nothing(
    connection: duckdb.DuckDBPyConnection, table: Table, bound: str, bindings: dict[str, Any]
) -> bool:
    """True where core has no row within the stretch of any of the batch's series: no key can be there.

    That is so for nearly every batch of a long backfill, and saves comparing and copying it.
    """
    series = [name for name in table.key if name != table.time]
    if table.time is None or table.time not in table.key or not series:
        return False
    place = {
        "core": quote(table.full_name),
        "bound": bound,
        "series": listed(series),
        "time": quote(table.time),
        "match": " and ".join(f"spans.{quote(name)} = held.{quote(name)}" for name in series),
    }
    # An hourly batch goes back over hours that core has: its first row tells that, and is soon looked for.
    parts = ("(select * from staged limit 1)", "staged")
    statements = (statement("load_meets", rows=rows, **place) for rows in parts)
    return all(first_row(connection, sql, bindings) is None for sql in statements)


def _refuse_edits(
    connection: duckdb.DuckDBPyConnection, table: Table, bound: str, bindings: dict[str, Any]
) -> None:
    if table.like is not None:
        return
    sql = statement(
        "load_differing",
        core=quote(table.full_name),
        bound=bound,
        match=_match(table, "staged"),
        differs=_differs(table),
    )
    differing = _count(connection, sql, bindings)
    if differing:
        raise ConflictingBatch(
            f"{table.full_name} is never edited, but {differing} rows of the batch differ from what is "
            "stored under the same key. Give the batch a new id."
        )


def _record(
    connection: duckdb.DuckDBPyConnection, table: Table, place: dict[str, str], bindings: dict[str, Any]
) -> int:
    """Write what is new or differs into the record of versions; returns how many rows that were."""
    replaced = (
        "case when held.known_at is null then staged.known_at "
        "else greatest($as_of, held.known_at) end as known_at"
    )
    if "is_reconstructed" in table.column_names:
        replaced += ", staged.is_reconstructed and held.known_at is null as is_reconstructed"
    sql = statement(
        "load_record",
        record=quote(table.like or table.full_name),
        columns=listed(table.column_names),
        values=_values(table),
        replaced=replaced,
        core=quote(table.full_name),
        match=_match(table, "staged"),
        differs=_differs(table),
        **place,
    )
    return _count(connection, sql, bindings)


def _follow(connection: duckdb.DuckDBPyConnection, table: Table, bound: str, bindings: dict[str, Any]) -> int:
    """Make what was recorded current; returns how many rows were current before."""
    if table.like is None:
        return 0
    core, record = quote(table.full_name), quote(table.like)
    match = _match(table, "changes")
    sql = statement("load_delete", core=core, record=record, key=listed(table.key), bound=bound, match=match)
    revised = _count(connection, sql, bindings)
    sql = statement("load_follow", core=core, record=record, columns=listed(table.column_names))
    connection.execute(sql, {"load_id": bindings["load_id"]})
    return revised


def _insert_all(connection: duckdb.DuckDBPyConnection, table: Table, load_id: int) -> None:
    for target in filter(None, (table.like, table.full_name)):
        columns = listed(table.column_names)
        sql = statement("load_all", table=quote(target), columns=columns, values=_values(table))
        connection.execute(sql, {"load_id": load_id})


def _values(table: Table) -> str:
    return ", ".join("$load_id" if name == "load_id" else quote(name) for name in table.column_names)


def _differs(table: Table) -> str:
    values = [c for c in table.column_names if c not in BOOKKEEPING and c not in table.key]
    return "(" + " or ".join(f"staged.{quote(c)} is distinct from held.{quote(c)}" for c in values) + ")"


def _count(connection: duckdb.DuckDBPyConnection, sql: str, bindings: dict[str, Any] | None = None) -> int:
    row = first_row(connection, sql, bindings)
    return int(row[-1]) if row else 0


def _match(table: Table, batch: str) -> str:
    return " and ".join(f"{batch}.{quote(name)} = held.{quote(name)}" for name in table.key)
