"""`trimtab stress`: what the holdings and the proposal would lose, scenario by scenario."""

from __future__ import annotations

import click
from rich.console import Console
from rich.text import Text

from flows.options import Options, common
from flows.paper import money, percent, table
from flows.studies import study
from tasks.stress import StressSummary
from tasks.stress import stress as ask_what_if

LEGEND = (
    "A loss is positive, a gain negative, as a share of the whole portfolio. A figure under `covered` says "
    "that only this part of it could be asked."
)
KINDS = {
    "historical": "through episodes of the past, at the worst close",
    "hypothetical": "under shocks",
    "modelled": "by models",
}


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
    return study(options, "stress", portfolio, lambda context, name: ask_what_if(context, name, paths), _show)


def _show(out: Console, found: StressSummary) -> None:
    worth = f"{money(found.nav_usd)} USD" if found.nav_usd is not None else "value unknown"
    out.print(Text(f"{found.portfolio}: {worth}", style="bold"))
    for note in found.notes:
        out.print(Text(f"  {note}"))
    out.print(Text(f"  {LEGEND}", style="dim"))
    for subject, kind in dict.fromkeys((row["subject"], row["kind"]) for row in found.rows):
        cells = [
            (
                row["scenario"],
                percent(row["loss_fraction"]) or "no data",
                money(row["loss_usd"]),
                "" if row["status"] == "complete" else percent(row["covered"], 0),
                row["detail"]["sentence"],
            )
            for row in found.rows
            if (row["subject"], row["kind"]) == (subject, kind)
        ]
        columns = ("scenario", "loss", "loss USD", "covered", "what happens")
        out.print(Text(f"  {subject}, {KINDS.get(kind, kind)}", style="bold"))
        out.print(table(columns, cells, right=("loss", "loss USD", "covered")))
