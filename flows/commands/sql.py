"""`trimtab sql`: one read-only question to the published warehouse."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import click

from flows.options import Options, common
from flows.paper import cell, console, jsonable, table
from tasks.settings import load_settings
from warehouse.home import Home
from warehouse.reader import open_published
from warehouse.selecting import Selection

# A spreadsheet runs a cell that begins with one of these.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@click.command()
@click.argument("statement", metavar="SELECT")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default=None,
    help="How to answer.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@common
def sql(options: Options, statement: str, shape: str | None, output: Path | None) -> int:
    """One SELECT on the published snapshot; nothing can be written, read from disk or set.

    Example: trimtab sql "select * from ops.snapshot"
    """
    chosen = shape or ("json" if options.json else "table")
    settings = load_settings(options.config, options.home)
    with open_published(Home(settings.warehouse.home)) as reader:
        if chosen == "parquet":
            if output is None:
                raise click.UsageError("Wanted -o FILE with --format parquet, found none. Add it.")
            reader.select_frame(statement).to_parquet(output, index=False)
            click.echo(f"Written to {output}.", err=True)
            return 0
        answer = reader.select(statement)
    if chosen == "table" and output is None:
        console_table(answer)
        return 0
    text = _csv(answer) if chosen == "csv" else _json(answer) if chosen == "json" else _plain_table(answer)
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        output.write_text(text, encoding="utf-8")
        click.echo(f"{len(answer.rows)} rows written to {output}.", err=True)
    return 0


def console_table(answer: Selection) -> None:
    """Print rows as a table, as wide as they need where nobody is looking at a terminal."""
    out = console()
    if out.is_terminal:
        out.print(table(answer.columns, answer.rows))
        click.echo(f"{len(answer.rows)} rows", err=True)
    else:
        click.echo(_plain_table(answer))


def _plain_table(answer: Selection) -> str:
    cells = [list(answer.columns), *([cell(value) for value in row] for row in answer.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(answer.columns))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def _csv(answer: Selection) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([[_safe(value) for value in row] for row in answer.rows])
    return buffer.getvalue()


def _safe(value: Any) -> Any:  # noqa: ANN401 - a cell of any type
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return jsonable(value) if not isinstance(value, float | int | str | None) else value


def _json(answer: Selection) -> str:
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return json.dumps(jsonable(rows), indent=2, ensure_ascii=False, default=str) + "\n"
