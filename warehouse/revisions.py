"""Facts that changed after they were first known, with the recommendations that rest on the earlier value.

In: a reader over a published snapshot. Out: one Revision per change. Every table that keeps versions is
looked at; which columns are values and which are the key is read from the catalogue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.headers import Table
from warehouse.reader import Reader
from warehouse.statements import listed, literal, quote, statement
from warehouse.values import into_database, out_of_database

# What says when a version was known or brought, or only repeats the key for readers, is no value.
NO_VALUES = frozenset({"known_at", "is_reconstructed", "load_id", "symbol"})
ASSET_COLUMNS = ("base", "asset")


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of one fact.

    Attributes:
        table_name: core table, such as core.candles.
        asset: the asset it is about; empty if none.
        fact: the values of its key.
        first_known_at: when the first version was known; `earlier_known_at`: the version before this one.
        known_at: when this version was known.
        earlier_load_id: load of the version before; `load_id`: load of this one.
        changes: columns with their value before and after, as text.
        recommendations: those decided on the earlier value.
    """

    table_name: str
    asset: str
    fact: str
    first_known_at: datetime
    earlier_known_at: datetime
    known_at: datetime
    earlier_load_id: int
    load_id: int
    changes: tuple[dict[str, str | None], ...]
    recommendations: tuple[str, ...]


def revisions(reader: Reader, since: datetime, until: datetime, days: int, limit: int) -> list[Revision]:
    """Changes that became known between two instants, the newest first.

    Args:
        reader: of the published snapshot.
        since: aware UTC, inclusive.
        until: aware UTC, inclusive.
        days: how far back a decision looks: an older fact did not enter it.
        limit: at most so many per table.
    """
    catalogue = load_catalogue()
    deciding = _deciding(catalogue)
    stored = {row["table_name"]: frozenset(row["column_names"]) for row in reader.rows("stored_columns")}
    found: list[Revision] = []
    for table in catalogue.layer("raw"):
        values = [name for name in _values(table) if name in stored.get(table.name, ())]
        if {"known_at", "load_id"} <= set(table.column_names) and values:
            sql = _sql(table, values, (since, until, days), is_deciding=f"core.{table.name}" in deciding)
            answer = reader.select(sql, limit=limit)
            found += [_revision(answer.columns, row) for row in answer.rows]
    return sorted(found, key=lambda one: (one.known_at, one.load_id), reverse=True)


def _deciding(catalogue: Catalogue) -> set[str]:
    """Tables that the mart is computed from: a decision reads nothing else."""
    read = {name for table in catalogue.layer("mart") for name in table.reads}
    return {name for name in read if name.startswith("core.")}


def _values(table: Table) -> list[str]:
    return [name for name in table.column_names if name not in NO_VALUES and name not in table.key]


def _sql(
    table: Table, values: Sequence[str], asked: tuple[datetime, datetime, int], *, is_deciding: bool
) -> str:
    since, until, days = asked
    pairs = ", ".join(
        f"{{'column': {literal(name)}, 'before': lag({quote(name)}) over version :: varchar, "
        f"'after': {quote(name)} :: varchar}}"
        for name in values
    )
    asset = next((name for name in ASSET_COLUMNS if name in table.column_names), None)
    return statement(
        "revisions",
        name=literal(f"core.{table.name}"),
        source=quote(table.full_name),
        key=listed(table.key),
        key_text=", ".join(f"revised.{quote(name)} :: varchar" for name in table.key),
        changes=f"[{pairs}]",
        asset=f"revised.{quote(asset)}" if asset else "''",
        is_deciding="true" if is_deciding and asset else "false",
        moment=f"revised.{quote(table.time or 'earlier_known_at')}",
        since=_instant(since),
        until=_instant(until),
        days=str(int(days)),
    )


def _instant(moment: datetime) -> str:
    return f"timestamp {literal(into_database(moment).isoformat(sep=' '))}"


def _revision(columns: Sequence[str], row: Sequence[Any]) -> Revision:
    values = {name: out_of_database(value, "") for name, value in zip(columns, row, strict=True)}
    values["changes"] = tuple(dict(change) for change in values["changes"])
    values["recommendations"] = tuple(values["recommendations"])
    return Revision(**values)
