"""`trimtab revisions`: facts that changed after they were first known, and who had used them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

import click
from rich.text import Text

from flows.options import INSTANT, Options, common
from flows.paper import console, jsonable, table
from tasks.clock import RealClock
from tasks.settings import Settings, load_settings
from warehouse.home import Home
from warehouse.reader import open_published
from warehouse.revisions import Revision
from warehouse.revisions import revisions as changed_facts


@click.command()
@click.option("--since", type=INSTANT, required=True, help="Changes that became known from then on, UTC.")
@click.option("--limit", default=200, show_default=True, help="At most so many changes per table.")
@common
def revisions(options: Options, since: datetime, limit: int) -> int:
    """Facts that changed after they were first known, and the recommendations that used the earlier value.

    Example: trimtab revisions --since 2026-06-01
    """
    settings = load_settings(options.config, options.home)
    until = options.as_of or RealClock().now()
    with open_published(Home(settings.warehouse.home)) as reader:
        found = changed_facts(reader, since, until, _days(settings), limit)
    if options.json:
        click.echo(json.dumps([jsonable(asdict(one)) for one in found], indent=2, ensure_ascii=False))
        return 0
    out = console()
    if not found:
        out.print(Text(f"Nothing that was known before changed since {since:%Y-%m-%d %H:%M} UTC."))
        return 0
    out.print(
        table(("table", "fact", "first known (UTC)", "changed (UTC)", "change", "used by"), map(_row, found))
    )
    used = {name for one in found for name in one.recommendations}
    out.print(Text(f"\n{len(found)} changes; {len(used)} recommendations rest on an earlier value."))
    return 0


def _days(settings: Settings) -> int:
    """How far back the longest decision looks."""
    return max((one.lookback_days for one in settings.portfolios.values()), default=365) + 1


def _row(one: Revision) -> tuple[object, ...]:
    changes = "; ".join(
        f"{change['column']} {_said(change['before'])} → {_said(change['after'])}" for change in one.changes
    )
    used = ", ".join(one.recommendations) or "none"
    return (one.table_name, one.fact, one.first_known_at, one.known_at, changes, used)


def _said(value: str | None) -> str:
    return "nothing" if value is None else value
