"""The tear sheet: one self-contained page with the table, the comparisons, the plots and what was assumed.

No script, nothing from elsewhere. The same stored backtests give the same bytes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portfolio.lab.measures import drawdowns
from tasks.backtest_report import Report
from tasks.plain_text import clean
from tasks.plots import STYLE as PLOT_STYLE
from tasks.plots import Plot, areas, columns, lines
from tasks.validation_page import POLICY, STYLE

Array = NDArray[np.float64]
Row = Mapping[str, Any]
MOST_ROWS = 40
MORE_STYLE = """
table { font-size: .82rem; }
th, td { padding: .3rem .4rem; } td:first-child { white-space: normal; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } td.n { white-space: nowrap; }
td.n small { display: block; opacity: .7; font-weight: 400; }
tr.own td { font-weight: 600; }
@media (max-width: 50rem) { table { display: block; overflow-x: auto; } }
"""
HEADINGS = (
    "Portfolio", "Final value", "Growth a year", "Volatility", "Sharpe ratio", "Deepest fall",
    "Turnover a year", "Cost a year", "Up / down capture", "Alerts",
)  # fmt: skip


def write_page(path: Path, report: Report) -> Path:
    """Write the tear sheet in place of an earlier one; returns where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".backtest-", suffix=".html")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page(report))
        Path(temporary).chmod(0o640)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def page(report: Report) -> str:
    """The page as text."""
    own = report.own
    title = f"Backtest of {own['portfolio']}"
    body = [
        f"<h1>{_text(title)}</h1>",
        *(f'<p class="lead">{_text(sentence)}</p>' for sentence in headline(report)[:1]),
        *(f"<p>{_text(sentence)}</p>" for sentence in headline(report)[1:]),
        *(f"<figure>{part}</figure>" if part.startswith("<svg") else part for part in _plots(report)),
        "<h2>Figures</h2>",
        _table(report),
        "<h2>Against the plain portfolios</h2>",
        _comparisons(report),
        "<h2>What this rests on</h2>",
        "<ul>" + "".join(f"<li>{_text(sentence)}</li>" for sentence in basis(report)) + "</ul>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{_text(title)}</title><style>{STYLE}{PLOT_STYLE}{MORE_STYLE}</style></head><body>"
        + "\n".join(body)
        + "</body></html>\n"
    )


def headline(report: Report) -> list[str]:
    """What a reader must know first, in sentences."""
    own = report.own
    period = f"{own['first_decision_at']:%Y-%m-%d} to {own['last_close_at']:%Y-%m-%d}"
    simulated = "SIMULATED DATA. " if own["is_simulated"] else ""
    told = [
        f"{simulated}{period}, {own['decisions']} decisions: {own['start_usd']:,.0f} USD became "
        f"{own['final_usd']:,.0f} USD net of all costs, {own['annual_return']:+.1%} a year"
        f"{_span(own, 'return', '{:+.1%}')}."
    ]
    better = [c.name for c in report.comparisons if c.verdict == "beats it"]
    worse = [c.name for c in report.comparisons if c.verdict == "is beaten by it"]
    same = [c.name for c in report.comparisons if c.name not in {*better, *worse}]
    told.append(
        "By Sharpe ratio the policy as configured "
        + "; ".join(
            part
            for part in (
                f"beats {', '.join(better)}" if better else "",
                f"is beaten by {', '.join(worse)}" if worse else "",
                f"can not be told apart from {', '.join(same)}" if same else "",
            )
            if part
        )
        + "."
    )
    if report.trials > 1:
        best, over = report.best, report.overfitting
        told.append(
            f"{report.trials} policies were tried, as good as {report.independent:.1f} independent ones. "
            f"The best ({best['variation'] or 'as configured'}) has a Sharpe "
            f"ratio of {best['sharpe']:.2f}; "
            f"the probability that this is more than luck among so many is {report.deflated:.0%} "
            "(deflated Sharpe ratio)"
            + (
                f", and the probability that choosing the best is overfitting is {over:.0%}."
                if over is not None
                else "."
            )
        )
    return told


def basis(report: Report) -> list[str]:
    """What the figures rest on, in sentences."""
    own = report.own
    return [
        f"Decisions every {own['every_hours']} hours by the {own['engine']} engine, on what was known then; "
        "every proposal is taken as accepted and executed at the next daily close.",
        "Fees, half the spread and the impact of each order are paid; interest, taxes and transfers are not.",
        "Plain portfolios are decided, executed and charged alike.",
        "Intervals are those of the stationary bootstrap, 90 %.",
        f"{own['alerts']} messages would have been sent; {own['blocked']} decisions were blocked, "
        f"{own['missed_orders']} orders could not be executed.",
        *(f"Assumed: {x}." if x[:1].islower() else f"{x}." for x in own["assumptions"] or ()),
        f"Backtest {own['backtest_id']}, code {own['code_version']}, seed {own['seed']}.",
    ]


def _plots(report: Report) -> list[str]:
    own = report.own["backtest_id"]
    # A variation's own name would take the plot's place; the sentences above say which one is the best.
    names = {
        row["backtest_id"]: "best variation" if row["variation"] else row["name"]
        for row in reversed(report.rows)
        if row["backtest_id"] in report.days
    }
    order = [own, *(x for x in names if x != own)]
    days: list[date] = [row["as_of_date"] for row in report.days[own]]
    value = {names[x]: _column(report, x, days, "value_usd").tolist() for x in order}
    fall = {names[x]: drawdowns(_column(report, x, days, "simple_return")).tolist() for x in order}
    mine = report.days[own]
    weights = _weights(mine)
    cost = list(accumulate(float(row["cost_usd"]) for row in mine))
    turnover = [float(row["turnover"]) for row in mine]
    return [
        "<h2>Value, US dollars</h2>",
        lines(Plot("Value", is_log=True), days, value),
        "<h2>Fall from the highest value</h2>",
        lines(Plot("Fall", "{:.0%}"), days, fall),
        "<h2>Weights of the policy</h2>",
        areas(Plot("Weights", "{:.0%}"), days, weights),
        "<h2>Turnover and costs of the policy</h2>",
        columns(Plot("turnover", "{:.0%}"), days, turnover, (Plot("costs so far, USD"), cost)),
    ]


def _column(report: Report, identity: str, days: Sequence[date], name: str) -> Array:
    known = {row["as_of_date"]: float(row[name]) for row in report.days[identity]}
    missing = 0.0 if name == "simple_return" else float("nan")
    return np.array([known.get(day, missing) for day in days])


def _weights(rows: Sequence[Row]) -> dict[str, list[float]]:
    """Weights by line on every day, as they stood after the last decision; largest lines first."""
    told = [row["weights"] for row in rows]
    names = sorted({x for one in told if one for x in one})
    found = {x: np.zeros(len(rows)) for x in names}
    last: Mapping[str, float] = {}
    for i, one in enumerate(told):
        last = one or last
        for x in names:
            found[x][i] = last.get(x, 0.0)
    order = sorted(names, key=lambda x: (x.startswith("cash:"), -float(found[x].mean()), x))
    return {x.partition(":")[2]: found[x].tolist() for x in order}


def label(row: Row) -> str:
    """A backtest's name for people."""
    return row["variation"] or row["name"]


def _table(report: Report) -> str:
    head = "".join(f'<th class="{"n" if i else ""}">{_text(x)}</th>' for i, x in enumerate(HEADINGS))
    own, rest = report.rows[0], report.rows[1:]
    varied = [row for row in rest if not row["is_baseline"]][:MOST_ROWS]
    plain = [row for row in rest if row["is_baseline"]]
    rows = "".join(_row(row, is_own=row is own) for row in (own, *varied, *plain))
    left_out = report.trials - 1 - len(varied)
    note = f'<p class="dim">{left_out} further variations are in mart.backtests.</p>' if left_out else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}"


def _row(row: Row, *, is_own: bool) -> str:
    both = [row["up_capture"], row["down_capture"]]
    captured = " / ".join("–" if x is None else f"{x:.0%}" for x in both)
    cells = [
        (f"{row['final_usd']:,.0f}", ""),
        (f"{row['annual_return']:+.1%}", _span(row, "return", "{:+.0%}")),
        (f"{row['volatility']:.0%}", ""),
        (f"{row['sharpe']:.2f}", _span(row, "sharpe", "{:.2f}")),
        (f"{row['max_drawdown']:.0%}", ""),
        (f"{row['turnover_per_year']:.0%}", ""),
        (f"{row['cost_bps_per_year']:.0f} bps", ""),
        (captured, ""),
        (str(row["alerts"]), ""),
    ]
    below = [f"<small>{_text(span.strip())}</small>" if span else "" for _, span in cells]
    numbers = "".join(
        f'<td class="n">{_text(cell)}{span}</td>' for (cell, _), span in zip(cells, below, strict=True)
    )
    return f'<tr class="{"own" if is_own else ""}"><td>{_text(label(row))}</td>{numbers}</tr>'


def _comparisons(report: Report) -> str:
    rows = "".join(
        f'<tr><td>{_text(c.name)}</td><td class="n">{c.difference:+.2f}</td>'
        f'<td class="n">{c.low:+.2f} to {c.high:+.2f}</td><td class="n">{c.probability:.0%}</td>'
        f"<td>{_text(c.verdict)}</td></tr>"
        for c in report.comparisons
    )
    head = "<th>Portfolio</th><th class='n'>Sharpe ratio of the policy less its own</th>"
    head += "<th class='n'>90 % interval</th><th class='n'>P(policy higher)</th><th>The policy …</th>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _span(row: Row, name: str, form: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if low is None or high is None else f" ({form.format(low)} to {form.format(high)})"


def _text(value: object) -> str:
    return escape(clean(str(value)))
