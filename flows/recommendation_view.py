"""A recommendation as people read it on a terminal: what to do first, then why, then the figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from flows.paper import bps, jsonable, money, percent, plain, table
from portfolio.outcome import benefit_words
from tasks.messages import grade_words
from tasks.revised import revised_sentences
from tasks.told import (
    ALTERNATIVE_COLUMNS,
    RISK_TITLE,
    alternative_cells,
    change_sentences,
    held_sentences,
    risk_sentences,
    rules_of,
)
from tasks.told_options import OPTION_COLUMNS, option_cells
from tasks.told_views import view_sentences

Row = dict[str, Any]


def as_json(whole: Row) -> str:
    """The same as JSON."""
    return json.dumps(jsonable(whole), indent=2, ensure_ascii=False)


def show(out: Console, whole: Row) -> None:
    """Print what to do, why, and until when."""
    out.print(Rule(style="dim"))
    if whole["is_simulated"]:
        out.print(Text("SIMULATED DATA: not a market, not advice", style="bold yellow"))
    status = str(whole["status"])
    out.print(
        Text(f"{whole['portfolio']}: {status.upper()}", style="bold"), Text(f"({whole['recommendation_id']})")
    )
    out.print(Text(str(whole["reason"])))
    if whole["trades"]:
        out.print()
        out.print(_trades(whole["trades"]))
        for text in _by_hand(whole["trades"]):
            out.print(Text(text))
    held = [row for row in whole["weights"] if _is_seen(row)]
    if held:
        out.print()
        out.print(_weights(held))
        idle = len(whole["weights"]) - len(held)
        if idle:
            more = "1 more line that stays" if idle == 1 else f"{idle} more lines that stay"
            out.print(Text(f"and {more} at 0 %", style="dim"))
    out.print()
    for text in _figures(whole):
        out.print(Text(text))


def explain(out: Console, whole: Row) -> None:
    """Print all of it: figures, constraints, risk, and a line per asset."""
    show(out, whole)
    _section(out, "What held the weights where they are", held_sentences(whole["weights"]))
    options = option_cells(whole["lines"])
    if options:
        out.print(Text("\nOptions held, at what closing them would bring", style="bold"))
        out.print(table(OPTION_COLUMNS, options, right=OPTION_COLUMNS[1:]))
    _section(out, RISK_TITLE, risk_sentences(whole["lines"]))
    if whole["alternatives"]:
        out.print(Text("\nWhat else could be done, under the same limits", style="bold"))
        cells = [alternative_cells(row) for row in whole["alternatives"]]
        out.print(table(ALTERNATIVE_COLUMNS, cells, right=ALTERNATIVE_COLUMNS[1:]))
        told = "Benefit is over doing nothing, before costs, a model estimate; return and risk are a year's."
        out.print(Text(told, style="dim"))
    out.print(Text("\nLine by line", style="bold"))
    out.print(_line_by_line(whole["lines"]))
    _section(out, "What signals had to say", view_sentences(whole["views"]))
    tried = [f"{attempt['method']}: {attempt['reason']}" for attempt in whole["attempts"] or ()]
    _section(out, "Methods that were tried and failed", tried)
    _section(out, "Inputs revised since (it stays as it was; decide anew)", revised_sentences(whole))
    out.print(Text("\nWhere it comes from", style="bold"))
    snapshot, _, load = str(whole["input_snapshot"]).partition("@")
    out.print(Text(f"  inputs: snapshot {snapshot}, load {load}; sha256 {whole['inputs_hash'][:16]}"))
    out.print(
        Text(f"  policy: sha256 {whole['config_hash'][:16]} (ops.policies); code {whole['code_version']}")
    )
    out.print(Text(f"  trimtab replay {whole['recommendation_id']} decides it again from what is stored"))


def _line_by_line(lines: Sequence[Row]) -> Table:
    """Action, line, and why, wrapped within its own column; below it what changed since the last time."""
    grid = Table.grid(padding=(0, 2))
    for row in lines:
        why = Text(row["sentence"])
        for told in change_sentences(row["changed_since_last"] or {}):
            why.append(f"\n{told}", style="dim")
        grid.add_row(Text(f"  {row['action'].upper()}"), Text(f"{row['sleeve']}:{row['asset']}"), why)
    return grid


def _section(out: Console, title: str, sentences: Sequence[str]) -> None:
    """Print a title and its sentences, where there are any."""
    if not sentences:
        return
    out.print(Text(f"\n{title}", style="bold"))
    for text in sentences:
        out.print(Text(f"  {text}"))


def _trades(trades: list[Row]) -> object:
    columns = ("", "side", "quantity", "market", "venue", "about USD", "at price", "fee USD", "slippage USD")
    rows = [
        (
            trade["line"],
            _doing(trade),
            plain(trade["quantity"]),
            trade["symbol"],
            trade["venue"],
            money(trade["notional_usd"]),
            trade["reference_price"],
            money(trade["estimated_fee_usd"]),
            money(trade["estimated_slippage_usd"]),
        )
        for trade in trades
    ]
    return table(columns, rows, right=("quantity", "about USD", "at price", "fee USD", "slippage USD"))


def _doing(trade: Row) -> str:
    """What a trade is: a side, a leg of a pair, or a step by hand."""
    side = str(trade["side"]).upper()
    if trade.get("market_type") == "pool":
        return "DEPOSIT" if side == "BUY" else "WITHDRAW"
    return side if trade.get("pair") is None else f"{side} (pair {trade['pair']})"


def _by_hand(trades: list[Row]) -> list[str]:
    """What is to be done before each order, and that the legs of a pair belong together."""
    texts = [
        f"Before {trade['line']}: {step['sentence']}"
        for trade in trades
        for step in trade.get("steps_before") or ()
    ]
    pairs = Counter(trade["pair"] for trade in trades if trade.get("pair") is not None)
    if any(count > 1 for count in pairs.values()):
        texts.append("The legs of a pair belong together: both or none.")
    texts += [
        f"The other leg of pair {pair} needs no order: another line gives or takes its coins."
        for pair, count in sorted(pairs.items())
        if count == 1
    ]
    return texts


def _is_seen(row: Row) -> bool:
    """Whether a line holds or shall hold anything that shows in hundredths of a percent, or carries risk."""
    shares = ("current_weight", "target_weight", "risk_contribution_before", "risk_contribution_after")
    return max(abs(row[name] or 0.0) for name in shares) >= 0.00005


def _weights(weights: list[Row]) -> object:
    columns = ("line", "now", "target", "change", "allowed", "share of risk", "as proposed")
    rows: list[tuple[object, ...]] = []
    for row in weights:
        current, target = row["current_weight"], row["target_weight"]
        change = "" if current is None else f"{round((target - current) * 100, 2) + 0.0:+.2f}"
        low, high = (row["lower_bound"] or 0) * 100, (row["upper_bound"] or 0) * 100
        allowed = "as it is" if low == high != 0 else f"{low:.0f}-{high:.0f} %"
        risk = (percent(row["risk_contribution_before"], 1), percent(row["risk_contribution_after"], 1))
        line = f"{row['sleeve']}:{row['asset']}"
        rows.append((line, percent(current), percent(target), change, allowed, *risk))
    return table(columns, rows, right=columns[1:])


def _figures(whole: Row) -> list[str]:
    texts: list[str] = []
    if whole["nav_usd"] is not None:
        texts.append(f"Portfolio value   {money(whole['nav_usd'])} USD")
    rules = rules_of(whole)
    if whole["expected_benefit_bps"] is not None:
        days = rules.get("rebalance", {}).get("horizon_days")
        over = f" over {days} days" if days else ""
        split = benefit_words(whole["benefit_return_bps"], whole["benefit_risk_bps"])
        asked = "; the fixed policy is followed all the same" if whole["objective"] == "policy" else ""
        texts.append(
            f"Benefit           {bps(whole['expected_benefit_bps'])}{over} ({split}); a model estimate{asked}"
        )
    if whole["expected_cost_bps"] is not None:
        tax = "before tax" if rules.get("tax_rate") is None else "with tax where cost bases are stated"
        texts.append(f"Cost              {bps(whole['expected_cost_bps'])}, once; {tax}")
    if whole["turnover"] is not None:
        texts.append(
            f"Turnover          {percent(whole['turnover'])}; "
            f"largest drift {percent(whole['drift_absolute'])}"
        )
    if whole["confidence"] is not None:
        texts.append(
            f"Confidence        {percent(whole['confidence'], 0)} that benefit beats cost, by resampling"
        )
    method = whole["method_used"] or "none"
    asked = "" if method == whole["objective"] else f" (asked for: {whole['objective']})"
    others = [flag for flag in whole["flags"] or [] if flag != whole["grade"]]
    flags = f"; also: {', '.join(map(grade_words, others))}" if others else ""
    texts.append(f"Method            {method}{asked}")
    texts.append(f"Grade             {grade_words(whole['grade'])}{flags}")
    texts.append(
        f"Data as of        {_instant(whole['as_of'])}; valid until {_instant(whole['valid_until'])}"
    )
    return texts


def _instant(value: datetime | None) -> str:
    return "no time" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"
