"""`trimtab sensitivity`: which input of a decision to doubt first, and what the portfolio moves with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from flows.options import Options, common
from flows.paper import percent, table
from flows.studies import study
from tasks.sensitivity import SensitivitySummary
from tasks.sensitivity import sensitivity as ask_what_moves

Row = dict[str, Any]
EDGE = 5e-4  # a weight so near to its band lies at its edge
SURE = 0.05  # of a lead, with all tests counted; one of which only the share of false ones is small is likely


@dataclass(frozen=True)
class _Section:
    """How the rows of one kind are shown: a title, columns, a row's cells; figures are set to the right."""

    title: str
    columns: tuple[str, ...]
    cells: Callable[[Row], tuple[str, ...]]
    figures: tuple[str, ...]


@click.command()
@click.option("--portfolio", help="Only this portfolio.")
@click.option("--draws", type=click.IntRange(10, 2000), default=50, show_default=True, help="Of the bands.")
@common
def sensitivity(options: Options, portfolio: str | None, draws: int) -> int:
    """Change each input, decide again, and see what moves; the answers are in mart.sensitivity.

    Example: trimtab sensitivity --portfolio core --draws 100
    """
    return study(
        options, "sensitivity", portfolio, lambda context, name: ask_what_moves(context, name, draws), _show
    )


def _show(out: Console, found: SensitivitySummary) -> None:
    out.print(Text(found.portfolio, style="bold"))
    for note in found.notes:
        out.print(Text(f"  {note}"))
    for kind, section in SECTIONS.items():
        rows = [section.cells(row) for row in found.rows if row["kind"] == kind]
        if rows:
            out.print(Text(f"  {section.title}", style="bold"))
            out.print(table(section.columns, rows, right=section.figures))


def _doubt(row: Row) -> tuple[str, ...]:
    detail = row["detail"]
    largest = sorted(detail["moved"].items(), key=lambda pair: -abs(pair[1]))[:2]
    told = ", ".join(f"{line} {delta * 100:+.1f} pp" for line, delta in largest) or "nothing"
    if detail["is_reversed"]:
        told = f"{told}; the verdict becomes {detail['status']} ({detail['reason_code']})"
    return row["name"], row["line"] or "all", percent(row["value"]) or "no answer", told


def _band(row: Row) -> tuple[str, ...]:
    proposed, low, high = row["detail"]["proposed"], row["low"], row["high"]
    is_inside = low - EDGE <= proposed <= high + EDGE
    figures = (percent(x) for x in (proposed, low, row["value"], high))
    return (row["line"], *figures, "" if is_inside else "the proposal lies outside")


def _link(row: Row) -> tuple[str, ...]:
    whole = "the proposed weights"
    name = (row["line"] or whole) if row["kind"] == "beta" else row["name"]
    figures = ("" if x is None else f"{x:+.2f}" for x in (row["value"], row["low"], row["high"]))
    return (name, *figures, str(row["detail"]["points"]))


def _lead(row: Row) -> tuple[str, ...]:
    detail = row["detail"]
    likely = "likely" if detail["is_sure"] else "may be chance"
    word = "sure" if row["value"] < SURE else likely
    figures = (_chance(x) for x in (detail["p_value"], row["value"], detail["benjamini_hochberg"]))
    return (row["name"], word, *figures)


def _break(row: Row) -> tuple[str, ...]:
    return row["name"], str(row["detail"]["points"])


def _regime(row: Row) -> tuple[str, ...]:
    detail = row["detail"]
    return f"{row['value']:.1%}", percent(detail["calm_volatility"]), percent(detail["storm_volatility"])


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


SECTIONS = {
    "doubt": _Section(
        "one input changed at a time; the input on top is the one to doubt first",
        ("change", "line", "turnover", "weights that move most"),
        _doubt,
        ("turnover",),
    ),
    "band": _Section(
        "weights over resampled histories",
        ("line", "proposed", "5 % below", "median", "5 % above", ""),
        _band,
        ("proposed", "5 % below", "median", "5 % above"),
    ),
    "beta": _Section(
        "beta to bitcoin, with its 90 % interval",
        ("of", "beta", "from", "to", "days"),
        _link,
        ("beta", "from", "to", "days"),
    ),
    "macro": _Section(
        "correlation of the proposed weights with macroeconomic series, on common trading days",
        ("series", "correlation", "from", "to", "observations"),
        _link,
        ("correlation", "from", "to", "observations"),
    ),
    "rolling": _Section(
        "that correlation in the newest 90 observations, and the least and most of any 90",
        ("series", "newest", "least", "most", "observations"),
        _link,
        ("newest", "least", "most", "observations"),
    ),
    "lead": _Section(
        "what leads what (Granger): probability of so strong a lead by chance; leading is not causing",
        ("lead", "", "alone", "all tests (Holm)", "share false (BH)"),
        _lead,
        ("alone", "all tests (Holm)", "share false (BH)"),
    ),
    "break": _Section(
        "days on which mean or variance of the proposed weights' returns changed for good",
        ("day", "days looked at"),
        _break,
        ("days looked at",),
    ),
    "regime": _Section(
        "two regimes of the proposed weights' returns, by the days up to now",
        ("probability of the stormy one", "daily volatility, calm", "stormy"),
        _regime,
        ("probability of the stormy one", "daily volatility, calm", "stormy"),
    ),
}
