"""`trimtab recommend`: decide on what is stored."""

from __future__ import annotations

import click

from flows.opening import open_context
from flows.options import Options, common
from flows.outcome import print_outcome
from flows.portfolios import chosen_portfolios
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import decide_only


@click.command()
@click.option("--portfolio", help="Decide only this portfolio.")
@common
def recommend(options: Options, portfolio: str | None) -> int:
    """Decide on what the warehouse holds; nothing is fetched, alerts are delivered.

    Example: trimtab recommend --portfolio core
    """
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "recommend", reporter=reporter)
        told = decide_only(run_directly, context, chosen_portfolios(context.settings, portfolio))
    return print_outcome(context, told, options)
