"""`trimtab validate`: the gate on what is stored."""

from __future__ import annotations

import click

from flows.opening import open_context
from flows.options import Options, common
from flows.outcome import print_outcome
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import prove_gate, validate_only


@click.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--canary", is_flag=True, help="Put known-bad batches to the gate: it must refuse every one.")
@common
def validate(options: Options, tables: tuple[str, ...], canary: bool) -> int:
    """Run the gate on the published warehouse and say in plain words what passed and what did not.

    Example: trimtab validate core.candles; exit status 4 if something does not pass.
    """
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "validate", reporter=reporter)
        told = prove_gate(run_directly, context) if canary else validate_only(run_directly, context, tables)
    return print_outcome(context, told, options)
