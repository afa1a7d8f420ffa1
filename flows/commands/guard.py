"""`trimtab guard`: risk alerts that need no optimiser."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from flows.exit_status import worst
from flows.opening import open_context
from flows.options import Options, common
from flows.paper import jsonable
from flows.portfolios import chosen_portfolios
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import keep_guard


@click.command()
@click.option("--portfolio", help="Only this portfolio.")
@common
def guard(options: Options, portfolio: str | None) -> int:
    """Margin and liquidation distance, hedges that do not match, depegs, funding that turned, incidents.

    Also markets that stopped or end, and the floor of cash. It looks at what is published, decides nothing,
    and speaks also while the allocation is blocked: once when a risk opens, again when it grows, once when it
    is over.

    Example: trimtab guard --portfolio core
    """
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, "guard", reporter=reporter)
        told = keep_guard(run_directly, context, chosen_portfolios(context.settings, portfolio))
    if options.json:
        click.echo(json.dumps(jsonable([asdict(one) for one in told.guards]), indent=2, ensure_ascii=False))
        return worst(told.status)
    for one in told.guards:
        click.echo(
            f"{one.portfolio}: {len(one.breaches) or 'no'} breach{'' if len(one.breaches) == 1 else 'es'}."
        )
        for sentence in one.breaches:
            click.echo(f"  {sentence}")
    if told.notify is not None and told.notify.sentence:
        click.echo(told.notify.sentence)
    return worst(told.status)
