"""One SELECT typed by a person, on a connection that is already locked down.

In: SQL text. Out: columns and rows, or RefusedStatement. Only reading statements pass; files, settings,
extensions and other databases are out of reach already, so this is about clear answers more than about
safety.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import duckdb

from warehouse.errors import QueryFailed, RefusedStatement
from warehouse.values import out_of_database

if TYPE_CHECKING:
    import pandas as pd  # costs half a second; only a frame needs it

CHUNK_ROWS = 10_000
# PIVOT without a list of values is parsed as MULTI; it only reads.
READING = frozenset({"SELECT", "EXPLAIN", "MULTI"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer to a SELECT.

    Attributes:
        columns: Names in order.
        types: DuckDB type of each column.
        rows: At most as many as were asked for.
        is_complete: False when there are more rows.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_complete: bool


def checked_select(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The text if it is exactly one reading statement.

    Raises:
        RefusedStatement: It is empty, several statements, or one that does more than read.
    """
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise RefusedStatement(f"One SELECT was wanted, and this can not be parsed: {error}") from error
    if not any(one.query for one in statements):
        statements = statements[
            -1:
        ]  # DuckDB 1.5 parses PIVOT as a type and a SELECT, neither of which was typed
    if len(statements) != 1:
        raise RefusedStatement(
            f"Exactly one SELECT was wanted, and {len(statements)} statements came. Send one at a time."
        )
    kind = statements[0].type.name
    if kind not in READING:
        raise RefusedStatement(
            f"Only reading is possible here (SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE), and this is "
            f"{kind}. "
            "The published snapshot is never changed."
        )
    return sql


def select(
    connection: duckdb.DuckDBPyConnection, sql: str, *, limit: int, timeout_seconds: float | None
) -> Selection:
    """Run one SELECT.

    Raises:
        RefusedStatement: See `checked_select`.
        QueryFailed: DuckDB refused it, or it took too long.
    """
    text = checked_select(connection, sql)
    with _limited(connection, timeout_seconds):
        result = connection.execute(text)
        description = result.description or []
        fetched = result.fetchmany(limit + 1)
        if len(fetched) > limit:
            connection.interrupt()
    kinds = tuple(str(column[1]) for column in description)
    rows = tuple(
        tuple(out_of_database(value, kind) for kind, value in zip(kinds, row, strict=True))
        for row in fetched[:limit]
    )
    return Selection(tuple(str(column[0]) for column in description), kinds, rows, len(fetched) <= limit)


@dataclass(frozen=True, slots=True)
class Stream:
    """The answer to a SELECT, read while it is being computed.

    Attributes:
        columns: Names in order; a repeated name gets a number.
        types: DuckDB type of each column.
        rows: Read once, in order.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def stream(connection: duckdb.DuckDBPyConnection, sql: str) -> Stream:
    """Run one SELECT and hand out its rows as they come; memory does not grow with the answer.

    Raises:
        RefusedStatement: See `checked_select`.
        QueryFailed: DuckDB refused it; the same may happen while rows are read.
    """
    text = checked_select(connection, sql)
    with _limited(connection, None):
        result = connection.execute(text)
    description = result.description or []
    kinds = tuple(str(column[1]) for column in description)
    return Stream(_distinct([str(column[0]) for column in description]), kinds, _rows(connection, kinds))


def _rows(connection: duckdb.DuckDBPyConnection, kinds: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    while True:
        with _limited(connection, None):
            fetched = connection.fetchmany(CHUNK_ROWS)
        if not fetched:
            return
        for row in fetched:
            yield tuple(out_of_database(value, kind) for kind, value in zip(kinds, row, strict=True))


def write_parquet(connection: duckdb.DuckDBPyConnection, sql: str, sink: BinaryIO) -> int:
    """Run one SELECT and write its answer as Parquet; returns the number of rows.

    Raises:
        RefusedStatement: See `checked_select`.
        QueryFailed: DuckDB refused it.
    """
    from pyarrow import parquet  # noqa: PLC0415 - a tenth of a second that only Parquet needs

    text, count = checked_select(connection, sql), 0
    with _limited(connection, None):
        reader = connection.sql(text).to_arrow_reader(CHUNK_ROWS)
        names = list(_distinct(list(reader.schema.names)))
        empty = reader.schema.empty_table().rename_columns(names)
        with parquet.ParquetWriter(sink, empty.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch.rename_columns(names))
                count += batch.num_rows
    return count


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Every name once: JSON and Parquet can not hold two columns of one name."""
    told: list[str] = []
    for name in names:
        other, number = name, 1
        while other in told:
            number += 1
            other = f"{name}_{number}"
        told.append(other)
    return tuple(told)


def select_frame(
    connection: duckdb.DuckDBPyConnection, sql: str, *, timeout_seconds: float | None
) -> pd.DataFrame:
    """Run one SELECT and take the whole answer as a frame; errors as in `select`."""
    text = checked_select(connection, sql)
    with _limited(connection, timeout_seconds):
        return connection.sql(text).to_arrow_table().to_pandas(date_as_object=False)


@contextmanager
def _limited(connection: duckdb.DuckDBPyConnection, timeout_seconds: float | None) -> Generator[None]:
    timer = threading.Timer(timeout_seconds, connection.interrupt) if timeout_seconds else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise QueryFailed(
            f"An answer was wanted within {timeout_seconds:g} s, and the query took longer."
        ) from error
    except duckdb.Error as error:
        raise QueryFailed(f"The query could not be answered: {error}") from error
    finally:
        if timer is not None:
            timer.cancel()
            timer.join()
