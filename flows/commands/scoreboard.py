"""`trimtab scoreboard`: what recommendations came to, and whether the record is as it was written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from rich.text import Text

from flows.exit_status import BLOCKED, DONE
from flows.options import Options, common
from flows.paper import bps, console, jsonable, table
from tasks.score import Scoreboard, read_scoreboard
from tasks.settings import load_settings
from warehouse.home import Home

Row = dict[str, Any]
SHOWN = 30


@click.command()
@click.option("--portfolio", help="Only this portfolio.")
@click.option("--expect", metavar="HASH", help="A row's hash that was noted earlier: it must still be there.")
@common
def scoreboard(options: Options, portfolio: str | None, expect: str | None) -> int:
    """What recommendations came to over their horizon: against doing nothing, the target, the estimate.

    Every row holds the hash of the one before. The chain is verified each time, and whether the
    recommendations still say what they said; if not, the exit status is 4. Note the last hash somewhere
    else and name it later with --expect: then the end can not be cut off unseen either.

    Example: trimtab scoreboard --portfolio core
    """
    settings = load_settings(options.config, options.home)
    board = read_scoreboard(Home(settings.warehouse.home))
    problems = list(board.problems)
    if expect and expect not in {row["row_hash"] for row in board.rows}:
        problems.append(f"No entry has the hash {expect}: the record was cut off or written anew.")
    rows = [row for row in board.rows if portfolio in {None, row["portfolio"]}]
    if options.json:
        facts = {"is_whole": not problems, "problems": problems, "summary": _summary(rows), "rows": rows}
        click.echo(json.dumps(jsonable(facts), indent=2))
    else:
        _show(rows, board, problems)
    return BLOCKED if problems else DONE


def _summary(rows: Sequence[Row]) -> Row:
    """How often it was right, and how far the estimates were from what came."""
    measured = [row for row in rows if row["state"] == "measured"]
    proposed = [row for row in measured if row["decision"] == "proposed"]
    compared = [row for row in proposed if row["expected_benefit_bps"] is not None]
    count = len(compared)
    return {
        "measured": len(measured),
        "unmeasurable": len(rows) - len(measured),
        "proposed": len(proposed),
        "proposed_right": sum(row["is_hit"] for row in proposed),
        "held": len(measured) - len(proposed),
        "held_right": sum(row["is_hit"] for row in measured if row["decision"] == "hold"),
        "mean_expected_bps": sum(row["expected_benefit_bps"] for row in compared) / count if count else None,
        "mean_realised_bps": sum(row["realised_benefit_bps"] for row in compared) / count if count else None,
    }


def _show(rows: Sequence[Row], board: Scoreboard, problems: Sequence[str]) -> None:
    out = console()
    if not rows:
        out.print(
            Text("Nothing is on the scoreboard yet: a recommendation is measured when its horizon is over.")
        )
    else:
        out.print(_table(rows[-SHOWN:]))
        for sentence in _sentences(_summary(rows)):
            out.print(Text(sentence))
    for problem in problems:
        out.print(Text(problem, style="bold red"))
    if board.rows and not problems:
        out.print(Text(f"The record is whole: {len(board.rows)} entries, the last hash is"))
        out.print(Text(f"  {board.rows[-1]['row_hash']}"))


def _sentences(told: Row) -> list[str]:
    found = [
        f"Trades: {told['proposed_right']} of {told['proposed']} were worth their cost. "
        f"Holds: {told['held_right']} of {told['held']} missed nothing."
    ]
    if told["mean_expected_bps"] is not None:
        found.append(
            f"Benefit of the trades, on average: {bps(told['mean_expected_bps'])} expected, "
            f"{bps(told['mean_realised_bps'])} realised."
        )
    if told["unmeasurable"]:
        found.append(
            f"{told['unmeasurable']} could not be measured: a price or the positions were not known."
        )
    return found


def _table(rows: Sequence[Row]) -> object:
    figures = ("held", "proposed, net", "target", "expected", "realised", "cost")
    columns = ("recommendation", "said", "days", *figures, "")
    made = [
        (
            row["recommendation_id"],
            row["decision"],
            row["horizon_days"],
            *(_signed(row[name]) for name in ("hold_return", "proposed_return", "reference_return")),
            *(bps(row[f"{name}_bps"]) for name in ("expected_benefit", "realised_benefit", "expected_cost")),
            f"no {', '.join(row['missing'])}" if row["missing"] else "right" if row["is_hit"] else "wrong",
        )
        for row in rows
    ]
    return table(columns, made, right=columns[2:-1])


def _signed(fraction: float | None) -> str:
    return "" if fraction is None else f"{fraction * 100:+.2f} %"
