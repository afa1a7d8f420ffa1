"""What writers and readers have in common: running named queries and handing out plain Python or a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from warehouse.errors import QueryFailed
from warehouse.queries import Query, named_query
from warehouse.values import into_database, out_of_database

if TYPE_CHECKING:
    import pandas as pd  # costs half a second; only a frame needs it


class Session:
    """Runs named queries on one connection, which stays inside this room."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, query_name: str, /, **parameters: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - bound values
        """Rows of a named query as dictionaries: datetimes aware UTC, decimals as Decimal, JSON as objects.

        Raises:
            UnknownQuery: No such query, or other parameters than it has.
            QueryFailed: DuckDB refused it.
        """
        return fetched_rows(self._run(named_query(query_name, frozenset(parameters)), parameters))

    def frame(self, query_name: str, /, **parameters: Any) -> pd.DataFrame:  # noqa: ANN401 - bound values
        """Rows of a named query as a frame: naive UTC `datetime64` (dates too), exact decimals.

        Raises:
            UnknownQuery: No such query, or other parameters than it has.
            QueryFailed: DuckDB refused it.
        """
        query = named_query(query_name, frozenset(parameters))
        self._prepare(query)
        bound = {name: into_database(value) for name, value in parameters.items()}
        try:
            return fetched_frame(self._connection, query.sql, bound)
        except duckdb.Error as error:
            raise QueryFailed(f"The query {query.name} should run, but DuckDB says: {error}") from error

    def _prepare(self, query: Query) -> None:
        """Before a named query runs; a reader of the past makes what it names."""

    def _run(self, query: Query, parameters: dict[str, Any]) -> duckdb.DuckDBPyConnection:
        self._prepare(query)
        bound = {name: into_database(value) for name, value in parameters.items()}
        try:
            return (
                self._connection.execute(query.sql, bound) if bound else self._connection.execute(query.sql)
            )
        except duckdb.Error as error:
            raise QueryFailed(f"The query {query.name} should run, but DuckDB says: {error}") from error


def fetched_rows(result: duckdb.DuckDBPyConnection, limit: int | None = None) -> list[dict[str, Any]]:
    """The result's rows as dictionaries, at most `limit` of them."""
    description = result.description or []
    names = [str(column[0]) for column in description]
    kinds = [str(column[1]) for column in description]
    fetched = result.fetchall() if limit is None else result.fetchmany(limit)
    return [
        {name: out_of_database(value, kind) for name, kind, value in zip(names, kinds, row, strict=True)}
        for row in fetched
    ]


def fetched_frame(
    connection: duckdb.DuckDBPyConnection, select: str, bound: dict[str, Any] | None = None
) -> pd.DataFrame:
    """The result of a select as a frame, through Arrow: exact decimals, fast texts."""
    return connection.sql(select, params=bound or None).to_arrow_table().to_pandas(date_as_object=False)
