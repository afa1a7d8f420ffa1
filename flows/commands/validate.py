"""`trimtab validate`: the gate on what is stored."""

from __future__ import annotations

import click

from flows.opening import open_context
from flows.options import Options, common
from flows.outcome import print_outcome
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import validate_only


@click.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@common
def validate(options: Options, tables: tuple[str, ...]) -> int:
    """Run the gate on the published warehouse and say in plain words what passed and what did not.

    Example: trimtab validate core.candles
    """
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "validate", reporter=reporter)
        told = validate_only(run_directly, context, tables)
    return print_outcome(context, told, options)
