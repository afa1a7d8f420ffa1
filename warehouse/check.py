"""The catalogue's own check: no data, no network.

In: the SQL files. Out: sentences about what is wrong; none means that every table has the columns its header
promises, every view and named query binds, and every key is made of real columns.
"""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.connection import Engine, connect
from warehouse.errors import WarehouseError
from warehouse.headers import Table
from warehouse.queries import all_queries
from warehouse.schema import column_types, create_schema, drifted, migrations
from warehouse.statements import quote

# Nothing is stored, so the moment only has to be one.
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def check() -> list[str]:
    """What is wrong with the SQL files, one sentence each; empty when all is well."""
    try:
        catalogue = load_catalogue()
    except WarehouseError as error:
        return [str(error)]
    problems = [problem for table in catalogue.tables.values() for problem in _header_problems(table)]
    with connect(None, Engine(threads=1)) as connection:
        try:
            create_schema(connection, _ANY_MOMENT)
        except duckdb.Error as error:
            return [*problems, f"The tables and views can not be created: {error}"]
        problems += drifted(connection, catalogue)
        problems += _query_problems(connection)
        problems += _audit_problems(catalogue)
    return problems + _migration_problems()


def load_types() -> dict[str, dict[str, str]]:
    """DuckDB type of every column of every table and view, by full table name."""
    with connect(None, Engine(threads=1)) as connection:
        create_schema(connection, _ANY_MOMENT)
        return column_types(connection)


def _header_problems(table: Table) -> list[str]:
    where = f"warehouse/sql/{table.layer}/{table.name}.sql"
    names = table.column_names
    problems = [f"{where}: the key column {key} is not a column" for key in table.key if key not in names]
    if table.time is not None and table.time not in table.key:
        problems.append(f"{where}: the time column {table.time} is not part of the key")
    problems += [
        f"{where}: column {name} is described twice" for name in sorted(set(names)) if names.count(name) > 1
    ]
    problems += [f"{where}: column {c.name} has no meaning" for c in table.columns if not c.meaning]
    return problems


def _query_problems(connection: duckdb.DuckDBPyConnection) -> list[str]:
    problems: list[str] = []
    for query in all_queries().values():
        if not query.sentence:
            problems.append(f"The query {query.name} should start with a comment that says what it answers.")
        try:
            count = len(connection.extract_statements(query.sql))
            connection.execute(f"prepare {quote('checked')} as {query.sql}")
            connection.execute(f"deallocate {quote('checked')}")
        except duckdb.Error as error:
            problems.append(f"The query {query.name} does not fit the tables: {error}")
        else:
            if count != 1:
                problems.append(f"The query {query.name} should be one statement, but is {count}.")
    return problems


def _audit_problems(catalogue: Catalogue) -> list[str]:
    audits = (name.removeprefix("audit.") for name in all_queries() if name.startswith("audit."))
    return [
        f"The audit {name} belongs to no table: {name} is neither a core nor a mart table."
        for name in audits
        if not {f"core.{name}", f"mart.{name}"} & catalogue.tables.keys()
    ]


def _migration_problems() -> list[str]:
    numbers = [version for version, _, _ in migrations()]
    wanted = list(range(1, len(numbers) + 1))
    return [] if numbers == wanted else [f"Migrations should be numbered {wanted}, but are {numbers}."]
