"""The catalogue: every table of the warehouse, read from its SQL file; the path is the name.

In: the files under warehouse/sql. Out: a Catalogue that knows columns, keys, dependencies and the order of
building. Dependencies are read out of the SQL by DuckDB's own parser, never listed by hand.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from warehouse.connection import first_row
from warehouse.errors import UnknownTable, WarehouseError
from warehouse.headers import Table, parse_table

SQL_ROOT = Path(__file__).parent / "sql"
LAYERS = ("raw", "core", "mart", "ops")
# Who may read whom; the macros core.<table>_at are the only other readers of raw.
MAY_READ = {
    "raw": frozenset[str](),
    "core": frozenset({"raw", "core"}),
    "mart": frozenset({"core", "mart"}),
    "ops": frozenset({"ops"}),
}


@dataclass(frozen=True)
class Catalogue:
    """All tables by full name, in the order in which they can be built."""

    tables: Mapping[str, Table]

    def table(self, name: str) -> Table:
        """Find a table by its full name.

        Raises:
            UnknownTable: No such table; the message names the nearest one.
        """
        found = self.tables.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self.tables, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else "`trimtab tables` lists them."
            raise UnknownTable(f"A table called '{name}' was asked for, and the catalogue has none. {hint}")
        return found

    def layer(self, layer: str) -> list[Table]:
        """All tables of one layer in building order."""
        return [table for table in self.tables.values() if table.layer == layer]

    def vintages(self) -> list[Table]:
        """Core tables that can be seen as of a moment: they know when each row was known and loaded."""
        return [t for t in self.layer("core") if {"known_at", "load_id"} <= set(t.column_names)]


def references(select: str, parser: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Full names of the tables a select reads; names without a schema are CTEs and are left out.

    Raises:
        WarehouseError: DuckDB can not parse it.
    """
    row = first_row(parser, "select json_serialize_sql($select)", {"select": select})
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise WarehouseError(f"This select can not be parsed: {tree.get('error_message')}\n{select}")
    return frozenset(
        f"{node['schema_name']}.{node['table_name']}"
        for node in _nodes(tree)
        if node.get("type") == "BASE_TABLE" and node["schema_name"]
    )


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for child in children:
        yield from _nodes(child)


@cache
def load_catalogue(root: Path = SQL_ROOT) -> Catalogue:
    """Read every SQL file of the four layers.

    Raises:
        WarehouseError: A header is malformed, a select can not be parsed, a table reads one that does not
        exist or
            that its layer may not read, or tables depend on each other in a circle.
    """
    files = [path for layer in LAYERS for path in sorted((root / layer).glob("*.sql"))]
    parsed = [parse_table(path.parent.name, path.stem, path.read_text(encoding="utf-8")) for path in files]
    tables = {table.full_name: table for table in parsed}
    with duckdb.connect(":memory:") as parser:
        for name, table in tables.items():
            tables[name] = _linked(table, tables, parser)
    return Catalogue({name: tables[name] for name in _building_order(tables)})


def _linked(table: Table, tables: Mapping[str, Table], parser: duckdb.DuckDBPyConnection) -> Table:
    reads = references(table.body, parser) if table.kind == "view" else frozenset(filter(None, [table.like]))
    for name in sorted(reads):
        if name not in tables:
            raise WarehouseError(
                f"{table.full_name} reads {name}, which has no SQL file. Add it, or correct the name."
            )
        if name.partition(".")[0] not in MAY_READ[table.layer]:
            raise WarehouseError(f"{table.full_name} reads {name}: {table.layer} may not read that layer.")
    if table.like is not None:
        lender = tables[table.like]
        table = replace(
            table, columns=lender.columns, key=table.key or lender.key, time=table.time or lender.time
        )
    return replace(table, reads=reads)


def _building_order(tables: Mapping[str, Table]) -> list[str]:
    sorter = TopologicalSorter({name: sorted(table.reads) for name, table in sorted(tables.items())})
    try:
        return list(sorter.static_order())
    except CycleError as circle:
        names = " → ".join(circle.args[1])
        raise WarehouseError(f"Views may not read each other in a circle, but these do: {names}.") from circle
