"""Tables, views, macros and comments in a database, brought up to the SQL files in one transaction.

A new file gets today's tables and counts every migration as done. An older file first goes through the
migrations it has not seen (warehouse/sql/migrations/NNNN_name.sql), then gets what is new. Views and macros
are always replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache

import duckdb

from warehouse.catalogue import LAYERS, SQL_ROOT, Catalogue, load_catalogue
from warehouse.connection import first_row
from warehouse.errors import NewerHome, SchemaDrift
from warehouse.headers import Table, split_header
from warehouse.points import reached
from warehouse.statements import listed, literal, quote, statement
from warehouse.values import into_database

NO_LOAD_LIMIT = "9223372036854775807"
NO_TIME_LIMIT = "timestamp 'infinity'"


@cache
def schema_hash() -> str:
    """Hash of every SQL file that shapes the database."""
    digest = hashlib.sha256()
    for folder in (*LAYERS, "migrations", "statements"):
        for path in sorted((SQL_ROOT / folder).glob("*.sql")):
            digest.update(f"{folder}/{path.name}\n".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def create_schema(connection: duckdb.DuckDBPyConnection, applied_at: datetime) -> None:
    """Build everything in an empty database."""
    connection.begin()
    for layer in LAYERS:
        connection.execute(f"create schema {quote(layer)}")
    catalogue = load_catalogue()
    for table in catalogue.tables.values():
        if table.kind == "table":
            connection.execute(table.body)
    connection.execute(statement("state_start"))
    for version, name, _ in migrations():
        _record_migration(connection, version, name, applied_at)
    _finish(connection, catalogue)
    connection.commit()


def upgrade_schema(connection: duckdb.DuckDBPyConnection, applied_at: datetime) -> bool:
    """Bring an older file up to the SQL files; True if anything was done.

    Raises:
        SchemaDrift: A table's columns differ from its SQL file and no migration changes that.
        NewerHome: The file has been through migrations that this code does not have.
    """
    row = first_row(connection, statement("state"))
    if row is not None and row[1] == schema_hash():
        return False
    catalogue = load_catalogue()
    connection.begin()
    try:
        done = {
            int(number): str(name)
            for number, name in connection.execute(statement("migrations_done")).fetchall()
        }
        _refuse_newer(done)
        for version, name, sql in migrations():
            if version not in done:
                connection.execute(sql)
                _record_migration(connection, version, name, applied_at)
        _drop_stale_views(connection, catalogue)
        present = column_types(connection)
        for table in catalogue.tables.values():
            if table.kind == "table" and table.full_name not in present:
                connection.execute(table.body)
        _refuse_drift(connection, catalogue)
        _finish(connection, catalogue)
        # Ahead of the manifest until it is acknowledged: a kill before that is no damage.
        connection.execute(statement("state_commit")).fetchall()
    except duckdb.Error as error:
        connection.rollback()
        raise SchemaDrift(
            f"The tables could not be brought up to the SQL files; they stay as they were. {error}"
        ) from error
    except BaseException:
        connection.rollback()
        raise
    reached("migrating")
    connection.commit()
    reached("migrated")
    connection.execute("checkpoint")  # DDL left in the log has been seen to fail replay (duckdb issue 25395)
    return True


def _refuse_newer(done: Mapping[int, str]) -> None:
    """Code that was rolled back must not write tables that it does not know; reading needs no upgrade."""
    known = {version: name for version, name, _ in migrations()}
    unknown = sorted(version for version in done if version > max(known, default=0))
    if not unknown:
        return
    newest = known[max(known)] if known else "none"
    raise NewerHome(
        f"Wanted tables of schema {max(known, default=0)} or earlier ({newest}), found schema {unknown[-1]} "
        f"({', '.join(done[version] for version in unknown)}): a later version of Trimtab has changed this "
        "home, and nothing was written. Install that version again; or `trimtab restore N` a snapshot from "
        "before it. Reading (status, sql, show, explain) still works."
    )


def migrations() -> list[tuple[int, str, str]]:
    """Number, file name and SQL of every migration in order."""
    paths = sorted((SQL_ROOT / "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [
        (int(path.name[:4]), path.name, split_header(path.read_text(encoding="utf-8"))[1]) for path in paths
    ]


def column_types(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """DuckDB type of each column of each table and view, by full table name."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(statement("columns")).fetchall():
        found.setdefault(str(table), {})[str(column)] = str(kind)
    return found


def drifted(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> list[str]:
    """Sentences about tables and views whose columns are not those their header promises."""
    present = column_types(connection)
    return [
        f"{name} should have the columns {', '.join(table.column_names)}, but has "
        f"{', '.join(present.get(name, {}))}"
        for name, table in catalogue.tables.items()
        if tuple(present.get(name, {})) != table.column_names
    ]


def as_of_select(table: Table, source: str, as_of: str, load: str, guard: str = "") -> str:
    """The select that shows a core table as it was known at a moment.

    Args:
        table: The core table.
        source: Quoted name of the table with all versions.
        as_of: SQL of the moment.
        load: SQL of the highest load.
        guard: A further condition, beginning with `and`.
    """
    return statement("as_of", key=listed(table.key), source=source, as_of=as_of, load=load, guard=guard)


def _guard(table: Table, as_of: str, load: str) -> str:
    source = vintage_source(table)
    told = (
        f"{source} no longer holds all that is needed to show this moment: old versions were moved to files. "
        "`trimtab maintain --restore` puts them back."
    )
    return statement("archive_guard", table=literal(source), as_of=as_of, load=load, message=literal(told))


def vintage_source(table: Table) -> str:
    """Full name of the table that holds all versions: raw, or the core table itself where it keeps them."""
    return table.like or table.full_name


def _finish(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    for table in catalogue.vintages():
        as_of, load = f"coalesce(as_of, {NO_TIME_LIMIT})", f"coalesce(load, {NO_LOAD_LIMIT})"
        source, guard = quote(vintage_source(table)), _guard(table, as_of, load)
        body = as_of_select(table, source, as_of, load, guard)
        connection.execute(statement("as_of_macro", name=quote(f"{table.full_name}_at"), body=body))
    for table in catalogue.tables.values():
        if table.kind == "view":
            connection.execute(statement("create_view", name=quote(table.full_name), body=table.body))
        _comment(connection, table)
    connection.execute(statement("state_schema"), {"schema_hash": schema_hash()})


def _refuse_drift(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    tables = {name: table for name, table in catalogue.tables.items() if table.kind == "table"}
    drift = drifted(connection, Catalogue(tables))
    if drift:
        raise SchemaDrift("; ".join(drift) + ". Add a file under warehouse/sql/migrations that changes it.")


def _comment(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    name = quote(table.full_name)
    texts = [statement("comment", kind=table.kind, name=name, text=literal(table.sentence))]
    texts += [
        statement("comment", kind="column", name=f"{name}.{quote(column.name)}", text=literal(column.comment))
        for column in table.columns
    ]
    connection.execute(";\n".join(texts))


def _drop_stale_views(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    for (name,) in connection.execute(statement("views")).fetchall():
        known = catalogue.tables.get(str(name))
        if known is None or known.kind != "view":
            connection.execute(f"drop view {quote(str(name))}")


def _record_migration(connection: duckdb.DuckDBPyConnection, version: int, name: str, at: datetime) -> None:
    values = {"version": version, "name": name, "applied_at": into_database(at)}
    connection.execute(statement("migration_done"), values)
