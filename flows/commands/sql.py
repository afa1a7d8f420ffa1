"""`trimtab sql`: one read-only question to the published warehouse."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from flows.asking import Answer, ask
from flows.options import Options, common
from tasks.settings import load_settings


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
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=86_400),
    default=60.0,
    show_default=True,
    help="Give up after so many seconds.",
)
@common
def sql(options: Options, statement: str, shape: str | None, output: Path | None, timeout: float) -> int:
    """One SELECT on the published snapshot; nothing can be written, read from disk or set.

    It runs in a process of its own with a time limit and a memory limit. In CSV a text that a spreadsheet
    would run as a formula begins with an apostrophe. With - the statement is read from standard input.

    Example: trimtab sql "select * from ops.snapshot"
    """
    chosen = shape or ("json" if options.json else "table")
    if chosen == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Wanted -o FILE or a pipe for Parquet, found a terminal. Add -o FILE.")
    if statement == "-":
        statement = sys.stdin.read()
    warehouse = load_settings(options.config, options.home).warehouse
    with ask(
        warehouse.home,
        statement,
        chosen,
        timeout_seconds=timeout,
        memory_limit=warehouse.memory_limit,
    ) as answer:
        if output is None:
            shutil.copyfileobj(answer.content, sys.stdout.buffer)
        else:
            _write(answer, output)
            click.echo(f"{answer.rows} rows written to {output}.", err=True)
        if not answer.is_complete:
            click.echo(f"Only the first {answer.rows} rows; --format csv shows all.", err=True)
        if not answer.rows and statement.lower().split()[:2] == ["show", "tables"]:
            # DuckDB's SHOW TABLES looks into the schema main only, and a snapshot keeps nothing there.
            click.echo(
                "The tables live in the schemas core, mart and ops: trimtab tables, or SHOW ALL TABLES.",
                err=True,
            )
    return 0


def _write(answer: Answer, output: Path) -> None:
    """The file appears whole or not at all."""
    try:
        with NamedTemporaryFile(dir=output.parent, prefix=f".{output.name}.", delete=False) as made:
            shutil.copyfileobj(answer.content, made)
        os.replace(made.name, output)  # noqa: PTH105 - a path's replace() would need another name for made
    except OSError as error:
        raise click.UsageError(
            f"Wanted to write {output}, found: {error.strerror}. Name a folder that is yours."
        ) from error
