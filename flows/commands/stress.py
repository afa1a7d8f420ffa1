"""`trimtab stress`: what the holdings and the proposal would lose, scenario by scenario."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.text import Text

from flows.opening import open_context
from flows.options import Options, common
from flows.paper import console, jsonable, money, percent, table
from flows.portfolios import chosen_portfolios
from tasks.publish import publish
from tasks.stress import StressSummary
from tasks.stress import stress as ask_what_if
from tasks.value import as_published


@click.command()
@click.option("--portfolio", help="Only this portfolio.")
@click.option(
    "--paths",
    type=click.IntRange(100, 1_000_000),
    default=10_000,
    show_default=True,
    help="Monte Carlo paths.",
)
@common
def stress(options: Options, portfolio: str | None, paths: int) -> int:
    """Episodes of the past, shocks along shared venues, protocols and issuers, and a Monte Carlo.

    A loss is positive. The answers are also in mart.scenario_results, line by line.

    Example: trimtab stress --portfolio core --paths 10000
    """
    context = open_context(options.config, options.home, options.as_of, "stress")
    context = context if options.as_of else as_published(context)
    names = chosen_portfolios(context.settings, portfolio)
    found = [ask_what_if(context, name, paths) for name in names]
    publish(context)
    if options.json:
        click.echo(json.dumps(jsonable([asdict(one) for one in found]), indent=2))
        return 0
    for one in found:
        _show(one)
    return 0


def _show(found: StressSummary) -> None:
    out = console()
    if found.is_simulated:
        out.print(Text("SIMULATED DATA", style="bold yellow"))
    worth = f"{money(found.nav_usd)} USD" if found.nav_usd is not None else "value unknown"
    out.print(Text(f"{found.portfolio}: {worth}", style="bold"))
    for note in found.notes:
        out.print(Text(f"  {note}"))
    for subject in dict.fromkeys(row["subject"] for row in found.rows):
        cells = [
            (
                row["scenario"],
                row["kind"],
                percent(row["loss_fraction"]) or "no data",
                money(row["loss_usd"]),
                "" if row["status"] == "complete" else percent(row["covered"], 0),
                row["detail"]["sentence"],
            )
            for row in found.rows
            if row["subject"] == subject
        ]
        columns = ("scenario", "kind", "loss", "loss USD", "covered", "what happens")
        out.print(Text(f"  {subject}", style="bold"))
        out.print(table(columns, cells, right=("loss", "loss USD", "covered")))
