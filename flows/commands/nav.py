"""`trimtab nav`: what a portfolio is worth, how far it is from its target, and how it has done."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.text import Text

from flows.opening import open_context
from flows.options import Options, common
from flows.paper import console, jsonable, money, percent, table
from flows.portfolios import chosen_portfolios
from tasks.value import as_published, value_portfolio

Row = dict[str, Any]


@click.command()
@click.option("--portfolio", help="Only this portfolio.")
@common
def nav(options: Options, portfolio: str | None) -> int:
    """Value at the newest snapshot, drift against the target in force, and time-weighted performance.

    Value and drift are those that a decision sees; performance is linked day by day at 00:00 UTC, cash
    flows excluded, funding apart.

    Example: trimtab nav --portfolio core
    """
    context = open_context(options.config, options.home, options.as_of, "nav")
    context = context if options.as_of else as_published(context)
    names = chosen_portfolios(context.settings, portfolio)
    facts = [value_portfolio(context, name) for name in names]
    if options.json:
        click.echo(json.dumps(jsonable(facts), indent=2))
        return 0
    for fact in facts:
        _show(fact)
    return 0


def _show(fact: Row) -> None:
    out = console()
    if fact["is_simulated"]:
        out.print(Text("SIMULATED DATA", style="bold yellow"))
    worth = f"{money(fact['nav_usd'])} USD" if fact["nav_usd"] is not None else "unknown"
    out.print(Text(f"{fact['portfolio']}: {worth} as of {fact['as_of']:%Y-%m-%d %H:%M} UTC", style="bold"))
    for note in fact["notes"]:
        out.print(Text(f"  {note}"))
    if fact["target"] not in {None, "in_force"}:
        out.print(Text(f"  No target was ever accepted: drift is against the proposal {fact['target']}."))
    columns = ("line", "value USD", "weight", "target", "drift", "relative")
    rows = [
        (
            line["line"],
            money(line["value_usd"]),
            percent(line["weight"]),
            percent(line["target_weight"]),
            _signed(line["drift_absolute"]),
            _signed(line["drift_relative"]),
        )
        for line in fact["lines"]
    ]
    if rows:
        out.print(table(columns, rows, right=columns[1:]))
    if not fact["performance"]:
        out.print(Text("  No performance yet: it needs two daily closes after the first statement."))
        return
    columns = ("time-weighted", "since", "1 day", "30 days", "since then", "of it funding", "funding USD")
    rows = [
        (
            row["sleeve"],
            row["first_date"],
            _signed(row["return_1d"]),
            _signed(row["return_30d"]),
            _signed(row["return_total"]),
            _signed(row["funding_return"]),
            money(row["funding_usd"]),
        )
        for row in fact["performance"]
    ]
    out.print(table(columns, rows, right=columns[2:]))


def _signed(fraction: float | None) -> str:
    return "" if fraction is None else f"{fraction * 100:+.2f} %"
