"""`trimtab tables` and `trimtab show`: the catalogue."""

from __future__ import annotations

import json

import click
from rich.text import Text

from flows.options import Options, common
from flows.paper import cell, console, jsonable, table
from tasks.settings import load_settings
from warehouse.catalogue import load_catalogue
from warehouse.errors import NothingPublished
from warehouse.home import Home
from warehouse.reader import open_published


@click.command()
@common
def tables(options: Options) -> int:
    """The tables people may rely on, with one sentence each.

    Example: trimtab tables
    """
    catalogue = load_catalogue()
    listed = sorted(catalogue.tables.values(), key=lambda one: (one.layer, one.name))
    if options.json:
        facts = [{"table": one.full_name, "kind": one.kind, "sentence": one.sentence} for one in listed]
        click.echo(json.dumps(facts, indent=2))
        return 0
    rows = [(one.full_name, one.kind, one.sentence) for one in listed]
    console().print(table(("table", "kind", "what it holds"), rows))
    return 0


@click.command()
@click.argument("name", metavar="TABLE")
@click.option("--rows", "count", default=5, show_default=True, help="How many rows to show.")
@common
def show(options: Options, name: str, count: int) -> int:
    """One table: its columns with meanings, units and promises, and its first rows.

    Example: trimtab show core.candles
    """
    one = load_catalogue().table(name)
    settings = load_settings(options.config, options.home)
    try:
        with open_published(Home(settings.warehouse.home)) as reader:
            head = reader.head(one, count)
    except NothingPublished:
        head = None
    if options.json:
        columns = [{"column": c.name, "meaning": c.meaning, "promise": c.promise} for c in one.columns]
        rows = [] if head is None else [dict(zip(head.columns, row, strict=True)) for row in head.rows]
        click.echo(json.dumps(jsonable({"table": one.full_name, "columns": columns, "rows": rows}), indent=2))
        return 0
    out = console()
    out.print(Text(f"{one.full_name}: {one.sentence}", style="bold"))
    if one.key:
        out.print(Text(f"One row per {', '.join(one.key)}."))
    out.print(table(("column", "meaning", "promise"), [(c.name, c.meaning, c.promise) for c in one.columns]))
    if head is None:
        out.print(Text("Nothing is published yet: `trimtab run` does that."))
    elif not head.rows:
        out.print(Text("It holds no rows yet."))
    else:
        out.print(Text("\nFirst rows", style="bold"))
        for row in head.rows:
            cells = zip(head.columns, row, strict=True)
            out.print(Text("  " + ", ".join(f"{name}={cell(value)}" for name, value in cells)))
    return 0
