"""Rows and frames as Arrow tables in the types of the table they go to.

In: rows or frames from the other rooms. Out: Arrow, or BadRows with the column named. Decimals never pass
through a float; NaN becomes NULL, because DuckDB sorts NaN above every number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from warehouse.errors import BadRows
from warehouse.values import into_database, to_json

if TYPE_CHECKING:
    import pandas as pd  # costs half a second; only a frame needs it

ARROW_TYPES: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "DATE": pa.date32(),
    "DECIMAL(38,18)": pa.decimal128(38, 18),
    "VARCHAR[]": pa.list_(pa.string()),
}


def rows_to_arrow(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str], table: str) -> pa.Table:
    """Rows with the same columns as an Arrow table.

    Args:
        rows: At least one mapping of column to value.
        types: DuckDB type of each column of the table.
        table: Its name, for messages.

    Raises:
        BadRows: Rows differ in their columns, name an unknown one, or hold a value that does not fit.
    """
    names = tuple(rows[0])
    for row in rows:
        if row.keys() != rows[0].keys():
            raise BadRows(
                f"All rows for {table} should have the same columns: {sorted(names)} against {sorted(row)}."
            )
    _refuse_unknown(names, types, table)
    columns: list[pa.Array] = []
    for name in names:
        try:
            values = [row[name] for row in rows]
            plain = (
                [to_json(v) for v in values] if types[name] == "JSON" else [into_database(v) for v in values]
            )
            columns.append(_array(plain, types[name]))
        except (BadRows, pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            raise _misfit(table, name, types[name], error) from error
    return pa.Table.from_arrays(columns, names=list(names))


def frame_to_arrow(frame: pd.DataFrame, types: Mapping[str, str], table: str) -> pa.Table:
    """A frame as an Arrow table in the table's types; NaN and NaT become NULL.

    Raises:
        BadRows: Unknown columns, or values that do not fit without loss.
    """
    import pandas as pd  # noqa: PLC0415 - readers that never see a frame do not wait for it

    _refuse_unknown(tuple(str(name) for name in frame.columns), types, table)
    columns: list[pa.Array | pa.ChunkedArray] = []
    for name in frame.columns:
        series, kind = frame[name], types[str(name)]
        try:
            if isinstance(series.dtype, pd.DatetimeTZDtype):
                series = series.dt.tz_convert("UTC").dt.tz_localize(None)
            if kind == "DECIMAL(38,18)":
                columns.append(_array([None if pd.isna(v) else v for v in series], kind))
            else:
                columns.append(pa.array(series, type=ARROW_TYPES[kind], from_pandas=True))
        except (BadRows, pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            raise _misfit(table, str(name), kind, error) from error
    return pa.Table.from_arrays(columns, names=[str(name) for name in frame.columns])


def _array(values: list[Any], kind: str) -> pa.Array:
    if kind == "DECIMAL(38,18)":
        values = [None if value is None else _exact(value) for value in values]
    return pa.array(values, type=ARROW_TYPES[kind], from_pandas=True)


def _exact(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, (int, str)):
        return Decimal(value)
    raise BadRows(f"an exact number (Decimal, int or text) was wanted, not {type(value).__name__} {value!r}")


def _refuse_unknown(names: tuple[str, ...], types: Mapping[str, str], table: str) -> None:
    unknown = [name for name in names if name not in types]
    if unknown:
        raise BadRows(f"{table} has no column {', '.join(unknown)}. It has: {', '.join(types)}.")


def _misfit(table: str, column: str, kind: str, error: Exception) -> BadRows:
    return BadRows(f"{table}.{column} takes {kind}, and a value does not fit: {error}")
