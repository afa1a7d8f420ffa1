"""`trimtab sensitivity`: which input of a decision to doubt first, and what the portfolio moves with."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from rich.text import Text

from flows.opening import open_context
from flows.options import Options, common
from flows.paper import console, jsonable, percent, table
from flows.portfolios import chosen_portfolios
from tasks.publish import publish
from tasks.sensitivity import SensitivitySummary
from tasks.sensitivity import sensitivity as ask_what_moves
from tasks.value import as_published

Row = dict[str, Any]
TITLES = {
    "doubt": "inputs, the one to doubt first on top (turnover of the answer when it is changed)",
    "band": "weights over resampled histories",
    "beta": "beta to bitcoin of the weights and of each line",
    "macro": "correlation of the weights with macroeconomic series, on common trading days",
    "rolling": "the same in the newest 90 observations; least and most of any 90",
    "lead": "what leads what (Granger): p-value after all tests are counted (Holm)",
    "break": "days on which mean or variance of the weights' returns changed for good",
    "regime": "probability of the stormy one of two regimes, by the days up to now",
}


@click.command()
@click.option("--portfolio", help="Only this portfolio.")
@click.option("--draws", type=click.IntRange(10, 2000), default=50, show_default=True, help="Of the bands.")
@common
def sensitivity(options: Options, portfolio: str | None, draws: int) -> int:
    """Change each input, decide again, and see what moves; the answers are in mart.sensitivity.

    Example: trimtab sensitivity --portfolio core --draws 100
    """
    context = open_context(options.config, options.home, options.as_of, "sensitivity")
    context = context if options.as_of else as_published(context)
    names = chosen_portfolios(context.settings, portfolio)
    found = [ask_what_moves(context, name, draws) for name in names]
    publish(context)
    if options.json:
        click.echo(json.dumps(jsonable([asdict(one) for one in found]), indent=2))
        return 0
    for one in found:
        _show(one)
    return 0


def _show(found: SensitivitySummary) -> None:
    out = console()
    if found.is_simulated:
        out.print(Text("SIMULATED DATA", style="bold yellow"))
    out.print(Text(found.portfolio, style="bold"))
    for note in found.notes:
        out.print(Text(f"  {note}"))
    columns = ("what", "line", "value", "from", "to", "note")
    for kind, title in TITLES.items():
        rows = [_cells(row) for row in found.rows if row["kind"] == kind]
        if rows:
            out.print(Text(f"  {title}", style="bold"))
            out.print(table(columns, rows, right=("value", "from", "to")))


def _cells(row: Row) -> tuple[str, ...]:
    is_weight = row["kind"] in {"doubt", "band"}
    numbers = [row.get(name) for name in ("value", "low", "high")]
    form = "{:.3f}" if row["kind"] in {"lead", "regime"} else "{:+.2f}"
    told = [percent(x) if is_weight else "" if x is None else form.format(x) for x in numbers]
    return (row["name"], row["line"] or "all", *told, _note(row["detail"]))


def _note(detail: Row) -> str:
    if "moved" in detail:
        largest = sorted(detail["moved"].items(), key=lambda pair: -abs(pair[1]))[:2]
        moves = ", ".join(f"{line} {delta * 100:+.1f} pp" for line, delta in largest)
        return f"{moves}; then {detail['status']} {detail['reason_code']}" if detail["is_reversed"] else moves
    if "proposed" in detail:
        return f"proposed {percent(detail['proposed'])}"
    if "tests" in detail:
        word = "sure" if detail["is_sure"] else "may be chance"
        alone, share = detail["p_value"], detail["benjamini_hochberg"]
        return f"{word}: alone {alone:.2g}, Benjamini-Hochberg {share:.2g} of {detail['tests']} tests"
    if "storm_volatility" in detail:
        return (
            f"a day: {percent(detail['calm_volatility'])} calm, {percent(detail['storm_volatility'])} stormy"
        )
    return f"{detail['points']} observations"
