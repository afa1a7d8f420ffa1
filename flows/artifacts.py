"""What a run leaves on its page in Prefect: the recommendation, its trades, and how fresh the data are.

Everything is read from the published snapshot, so the page shows what any reader sees. Text that comes from
outside (symbols, venues, reasons that quote them) is escaped: it must not become a link, an image or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.paper import bps, cell, duration, money, percent, plain
from flows.stories import Told
from tasks.context import RunContext
from tasks.plain_text import clean
from tasks.told import gather
from warehouse.errors import NothingPublished
from warehouse.reader import Reader, open_published

Row = dict[str, Any]


def publish_artifacts(context: RunContext, told: Told) -> None:
    """Make the artifacts of a finished story; one that published nothing yet gets its summary alone."""
    _make_markdown(f"summary-{context.flow}", summary(context, told), "What this run did")
    try:
        with open_published(context.home) as reader:
            _make_table("freshness", freshness(reader), "How old the newest data of each source are")
            for answer in told.recommendations:
                whole = gather(reader, answer.recommendation_id)
                if whole is not None:
                    _make_recommendation(answer.portfolio, whole)
    except NothingPublished:
        return


def escaped(text: object) -> str:
    """Text as Markdown that shows it letter by letter, on one line."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", clean(cell(text)))


def summary(context: RunContext, told: Told) -> str:
    """The run in a few lines of Markdown."""
    status, _code, message = told.verdict
    lines = [f"**{escaped(status)}** {escaped(message)}".rstrip()]
    lines.append(f"Data as of {context.as_of:%Y-%m-%d %H:%M} UTC, run `{context.run_id}`")
    if told.ingest is not None:
        lines.append(escaped(told.ingest.sentence))
        lines += [f"Failed: {escaped(failure.sentence)}" for failure in told.ingest.failures]
    if told.validation is not None:
        lines += [escaped(sentence) for sentence in told.validation.sentences]
    lines += [
        f"{escaped(answer.portfolio)}: **{escaped(answer.status)}** {escaped(answer.reason)}"
        for answer in told.recommendations
    ]
    if told.notify is not None:
        lines += [f"Not delivered: {escaped(sentence)}" for sentence in told.notify.failed]
        lines.append(f"Alerts sent: {told.notify.sent}, waiting: {told.notify.waiting}")
    return "\n\n".join(lines)


def freshness(reader: Reader) -> list[Row]:
    """One row per dataset and source, as text."""
    return [
        {
            "dataset": clean(row["dataset"]),
            "source": clean(row["source"]),
            "newest data (UTC)": cell(row["newest_data_at"]),
            "age": duration(row["age_seconds"]),
            "limit": duration(row["limit_seconds"]) if row["limit_seconds"] is not None else "none",
            "fresh": "yes" if row["is_fresh"] else "NO",
        }
        for row in reader.rows("freshness")
    ]


def recommendation(whole: Row) -> str:
    """One recommendation as Markdown: what to do first, then why, what it costs and until when."""
    lines: list[str] = []
    if whole["is_simulated"]:
        lines.append("> **SIMULATED DATA: not a market, not advice**")
    lines.append(f"## {escaped(whole['portfolio'])}: {escaped(whole['status']).upper()}")
    if whole["trades"]:
        lines.append(
            _table(("", "quantity", "market", "venue", "about USD", "why"), _trade_cells(whole["trades"]))
        )
    lines.append(escaped(whole["reason"]))
    lines += [f"{name}: {value}" for name, value in _figures(whole)]
    if whole["weights"]:
        lines.append(_table(("line", "now", "target"), _weight_cells(whole["weights"])))
    return "\n\n".join(lines)


def _figures(whole: Row) -> list[tuple[str, str]]:
    figures = [
        ("Portfolio value", f"{money(whole['nav_usd'])} USD" if whole["nav_usd"] is not None else ""),
        ("Benefit, a model estimate", bps(whole["expected_benefit_bps"])),
        ("Cost, once, before tax", bps(whole["expected_cost_bps"])),
        ("Turnover", percent(whole["turnover"])),
        ("Method", escaped(whole["method_used"])),
        ("Grade", escaped(whole["grade"])),
        ("Data as of", f"{cell(whole['as_of'])} UTC"),
        ("Valid until", f"{cell(whole['valid_until'])} UTC" if whole["valid_until"] is not None else ""),
        ("Id", f"`{whole['recommendation_id']}`"),
    ]
    return [(name, value) for name, value in figures if value]


def _trade_cells(trades: Sequence[Row]) -> list[tuple[str, ...]]:
    return [
        (
            f"**{escaped(trade['side']).upper()}**",
            plain(trade["quantity"]),
            escaped(trade["symbol"]),
            escaped(trade["venue"]),
            money(trade["notional_usd"]),
            escaped(trade["reason"]),
        )
        for trade in trades
    ]


def _weight_cells(weights: Sequence[Row]) -> list[tuple[str, ...]]:
    return [
        (
            escaped(f"{row['sleeve']}:{row['asset']}"),
            percent(row["current_weight"]),
            percent(row["target_weight"]),
        )
        for row in weights
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _make_recommendation(portfolio: str, whole: Row) -> None:
    _make_markdown(f"recommendation-{portfolio}", recommendation(whole), f"What {portfolio} should do")
    if whole["trades"]:
        rows = [{name: cell(value) for name, value in trade.items()} for trade in whole["trades"]]
        _make_table(f"trades-{portfolio}", rows, f"The trades of {portfolio}, sells first")


def _key(text: str) -> str:
    """Prefect's keys are lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _make_markdown(key: str, text: str, description: str) -> None:
    create_markdown_artifact(text, key=_key(key), description=description)


def _make_table(key: str, rows: list[Row], description: str) -> None:
    create_table_artifact(rows, key=_key(key), description=description)
