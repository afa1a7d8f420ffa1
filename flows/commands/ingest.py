"""`trimtab ingest` and `trimtab backfill`: fetch what is missing, or a range of the past."""

from __future__ import annotations

from datetime import datetime

import click

from flows.opening import open_context
from flows.options import INSTANT, Options, common
from flows.outcome import print_outcome
from flows.progress import reporting
from flows.steps import run_directly
from flows.stories import ingest_only


def _fetch(
    options: Options, flow: str, sources: tuple[str, ...], since: datetime | None, until: datetime | None
) -> int:
    with reporting(quiet=options.quiet) as reporter:
        context = open_context(options.config, options.home, options.as_of, flow, reporter=reporter)
        told = ingest_only(run_directly, context, sources, since, until)
    return print_outcome(context, told, options)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--since", type=INSTANT, help="Fetch again from here.")
@click.option("--until", type=INSTANT, help="Fetch up to here.")
@common
def ingest(options: Options, sources: tuple[str, ...], since: datetime | None, until: datetime | None) -> int:
    """Fetch what is missing from all sources, or from those named.

    Example: trimtab ingest binance fred --since 2026-01-01
    """
    return _fetch(options, "ingest", sources, since, until)


@click.command()
@click.argument("since", type=INSTANT, metavar="FROM")
@click.argument("until", type=INSTANT, metavar="TO")
@common
def backfill(options: Options, since: datetime, until: datetime) -> int:
    """Fetch a range of the past again; nothing is decided and nobody is told.

    Example: trimtab backfill 2020-01-01 2020-12-31
    """
    return _fetch(options, "backfill", (), since, until)
