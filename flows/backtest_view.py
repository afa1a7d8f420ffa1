"""A backtest on a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.paper import jsonable
from tasks.backtest import BacktestSummary
from tasks.backtest_page import basis, headline, label

MOST_ROWS = 15
COLUMNS = (
    "Portfolio",
    "Final USD",
    "Growth p.a.",
    "Vol.",
    "Sharpe [90 %]",
    "Fall",
    "Turnover",
    "Cost",
    "Alerts",
)


def show(out: Console, summary: BacktestSummary) -> None:
    """Print the sentences, the table and the comparisons."""
    report = summary.report
    for sentence in headline(report):
        out.print(Text(sentence))
    table = Table(box=None, pad_edge=False)
    for i, name in enumerate(COLUMNS):
        table.add_column(name, justify="right" if i else "left", no_wrap=i > 0)
    varied = [row for row in report.rows[1:] if not row["is_baseline"]]
    plain = [row for row in report.rows[1:] if row["is_baseline"]]
    for row in (report.own, *varied[:MOST_ROWS], *plain):
        table.add_row(*(Text(cell) for cell in _cells(row)), style="bold" if row is report.own else "")
    out.print(table)
    if len(varied) > MOST_ROWS:
        out.print(Text(f"{len(varied) - MOST_ROWS} further variations are in mart.backtests.", style="dim"))
    for one in report.comparisons:
        out.print(
            Text(
                f"against {one.name}: Sharpe ratio {one.difference:+.2f} "
                f"({one.low:+.2f} to {one.high:+.2f}), "
                f"higher with probability {one.probability:.0%}: {one.verdict}"
            )
        )
    for sentence in basis(report):
        out.print(Text(sentence, style="dim"))
    made = f"{summary.walked} walked now, {summary.reused} found stored."
    out.print(Text(f"{made} The tear sheet: {summary.page}", style="dim"))


def as_json(summary: BacktestSummary) -> str:
    """The whole answer as JSON."""
    report = summary.report
    whole = {
        "sentences": headline(report),
        "basis": basis(report),
        "backtests": list(report.rows),
        "comparisons": [{**asdict(one), "verdict": one.verdict} for one in report.comparisons],
        "trials": report.trials,
        "independent_trials": report.independent,
        "best": report.best["backtest_id"],
        "deflated_sharpe_probability": report.deflated,
        "overfitting_probability": report.overfitting,
        "walked": summary.walked,
        "reused": summary.reused,
        "page": str(summary.page),
    }
    return json.dumps(jsonable(whole), indent=2, ensure_ascii=False, default=str)


def _cells(row: Mapping[str, Any]) -> list[str]:
    low, high = row["sharpe_low"], row["sharpe_high"]
    interval = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    return [
        label(row),
        f"{row['final_usd']:,.0f}",
        f"{row['annual_return']:+.1%}",
        f"{row['volatility']:.0%}",
        f"{row['sharpe']:.2f}{interval}",
        f"{row['max_drawdown']:.0%}",
        f"{row['turnover_per_year']:.0%}",
        f"{row['cost_bps_per_year']:.0f} bps",
        str(row["alerts"]),
    ]
