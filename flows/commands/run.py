"""`trimtab run`: the whole job once."""

from __future__ import annotations

import click

from flows.opening import open_context
from flows.options import Options, common
from flows.outcome import print_outcome
from flows.portfolios import chosen_portfolios
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import rebalance


@click.command()
@click.option("--portfolio", help="Decide only this portfolio.")
@common
def run(options: Options, portfolio: str | None) -> int:
    """Fetch what is missing, check it, decide every portfolio, publish, and deliver alerts.

    Example: trimtab run --portfolio core
    """
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "run", reporter=reporter)
        told = rebalance(run_directly, context, chosen_portfolios(context.settings, portfolio))
    return print_outcome(context, told, options)
