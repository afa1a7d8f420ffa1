"""One recommendation as one page: what to do, why, weights, risks and costs as plots, where it comes from.

Self-contained HTML without script; the page's own policy forbids the browser to fetch anything, and every
text is cleaned and escaped. It lies at <home>/published/reports/<id>.html from the moment it is recorded.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tasks.messages import grade_words
from tasks.page_parts import listed as _list
from tasks.page_parts import number as _number
from tasks.page_parts import table as _table
from tasks.page_parts import text as _text
from tasks.plots import STYLE as PLOT_STYLE
from tasks.plots import Bars, Plot, bars, lines
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
from tasks.validation_page import POLICY, STYLE
from warehouse.home import FOLDER_MODE, SNAPSHOT_MODE, Home

Row = dict[str, Any]
FOLDER, SEEN = "reports", 0.00005
MORE_STYLE = """
.banner { background: #9a6700; color: #fff; padding: .4rem .8rem; font-weight: 600; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
"""


def page_path(home: Home, recommendation_id: str) -> Path:
    """Where the page of a recommendation lies."""
    return home.published / FOLDER / f"{recommendation_id}.html"


def page_address(home: Home, recommendation_id: str, pages_url: str) -> str:
    """What an alert names: the page's address where its folder is served, else its path."""
    path = page_path(home, recommendation_id)
    return f"{pages_url.rstrip('/')}/{FOLDER}/{quote(path.name)}" if pages_url else str(path)


def write_page(path: Path, whole: Row) -> Path:
    """Write the page of one recommendation, whole or not at all; returns where it is.

    Args:
        path: of the page.
        whole: as `told.gather` has it.
    """
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page(whole))
        Path(temporary).chmod(SNAPSHOT_MODE)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def page(whole: Row) -> str:
    """The page as text; the same record gives the same bytes."""
    title = f"{whole['portfolio']}: {str(whole['status']).upper()}"
    simulated = (
        '<p class="banner">SIMULATED DATA: not a market, not advice</p>' if whole["is_simulated"] else ""
    )
    parts = [
        simulated,
        f"<h1>{_text(title)}</h1>",
        f'<p class="lead">{_text(whole["reason"])}</p>',
        f'<p class="dim">{_text(whole["recommendation_id"])}, as of {_instant(whole["as_of"])}, valid until '
        f"{_instant(whole['valid_until'])}. Trimtab recommends; it never trades.</p>",
        *_trades(whole["trades"]),
        *_weights(whole),
        *_benefit(whole),
        *_alternatives(whole),
        "<h2>Line by line</h2>",
        _table(("line", "", "why", "since the last one"), map(_line, whole["lines"])),
        *_options(whole),
        *_held(whole),
        *_history(whole),
        *_origin(whole),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{STYLE}{PLOT_STYLE}{MORE_STYLE}</style></head><body>"
        + "\n".join(part for part in parts if part)
        + "</body></html>\n"
    )


def _trades(trades: Sequence[Row]) -> list[str]:
    if not trades:
        return ["<h2>What to do</h2><p>Nothing.</p>"]
    rows = [
        (
            _text(trade["line"]),
            _text(str(trade["side"]).upper()),
            _number(f"{trade['quantity'].normalize():f}"),
            _text(f"{trade['symbol']} on {trade['venue']}"),
            _number(f"{trade['notional_usd']:,.0f}"),
            _number(f"{(trade['estimated_fee_usd'] or 0) + (trade['estimated_slippage_usd'] or 0):,.2f}"),
            _text(" ".join([*_steps_first(trade), trade["reason"]])),
        )
        for trade in trades
    ]
    heads = ("", "side", "quantity", "market", "about USD", "fee and slippage, USD", "why")
    return ["<h2>What to do, in this order</h2>", _table(heads, rows)]


def _steps_first(trade: Row) -> list[str]:
    """What is done by hand before an order, where its reason does not say it already."""
    told = [str(step["sentence"]) for step in trade.get("steps_before") or ()]
    return [sentence for sentence in told if sentence not in trade["reason"]]


def _weights(whole: Row) -> list[str]:
    held = [
        w for w in whole["weights"] if max(abs(w["current_weight"] or 0), abs(w["target_weight"])) >= SEEN
    ]
    if not held:
        return []
    told = (
        "Weights: now, and as proposed"
        if whole["status"] != "hold"
        else "Weights: now, and if it were traded"
    )
    weights = [
        Bars(
            _name(w),
            (w["current_weight"], w["target_weight"]),
            (w["lower_bound"] or 0.0, w["upper_bound"] or 0.0),
        )
        for w in held
    ]
    risks = [Bars(_name(w), (w["risk_contribution_before"], w["risk_contribution_after"])) for w in held]
    series = ("now", "proposed")
    parts = [
        f"<h2>{told}</h2>",
        _figure(bars(told, series, weights)),
        '<p class="dim">Thin line: allowed.</p>',
    ]
    parts += _drift(whole, {_name(w) for w in held})
    if any(value is not None for row in risks for value in row.values):
        title = "Share of the portfolio's risk"
        parts += [f"<h2>{title}</h2>", _figure(bars(title, series, risks))]
    return parts


def _drift(whole: Row, seen: set[str]) -> list[str]:
    """Drift from the target in force, each beside the band it may move in."""
    rules = rules_of(whole).get("rebalance", {})
    rows: list[Bars] = []
    for line in whole["lines"]:
        drift, target = line["numbers"].get("drift_absolute"), line["numbers"].get("reference_weight")
        if drift is None or target is None or _name(line) not in seen:
            continue
        width = rules.get("band_absolute", 0.0)
        width = min(width, rules.get("band_relative", 0.0) * target) if target > 0.0 else width
        rows.append(Bars(_name(line), (None, drift), (-width, width) if width else None))
    if not rows:
        return []
    title = "Drift from the target"
    figure = _figure(bars(title, (), rows, "{:+.1%}"))
    return [
        f"<h2>{title}</h2>",
        figure,
        '<p class="dim">Thin line: the band within which nothing is traded.</p>',
    ]


def _benefit(whole: Row) -> list[str]:
    if whole["expected_benefit_bps"] is None or whole["expected_cost_bps"] is None:
        return []
    days = rules_of(whole).get("rebalance", {}).get("horizon_days")
    horizon = f" over {days} days" if days else ""
    title = f"Estimated benefit{horizon} against cost, in basis points of the portfolio"
    rows = [
        Bars("higher return", (None, whole["benefit_return_bps"])),
        Bars("lower risk", (None, whole["benefit_risk_bps"])),
        Bars("benefit", (None, whole["expected_benefit_bps"]), _interval(whole)),
        Bars("cost, once", (None, None, whole["expected_cost_bps"])),
    ]
    parts = [f"<h2>{title}</h2>", _figure(bars(title, (), rows, "{:+.1f}"))]
    told = ["A model estimate, before tax unless a tax rate is set."]
    if _interval(whole) is not None:
        told.append("Thin line: four of five resampled histories lie within.")
    if whole["confidence"] is not None:
        told.append(f"Benefit beats cost in {whole['confidence']:.0%} of resampled histories.")
    return [*parts, f'<p class="dim">{_text(" ".join(told))}</p>']


def _alternatives(whole: Row) -> list[str]:
    if not whole["alternatives"]:
        return []
    cells = [alternative_cells(row) for row in whole["alternatives"]]
    rows = [(_text(first), *(_number(cell) for cell in rest)) for first, *rest in cells]
    told = (
        "Each under the same limits, planned and costed alike; benefit is over doing nothing, before costs. "
        "Return and risk are a year's."
    )
    return [
        "<h2>What else could be done</h2>",
        _table(ALTERNATIVE_COLUMNS, rows),
        f'<p class="dim">{told}</p>',
    ]


def _interval(whole: Row) -> tuple[float, float] | None:
    for row in whole["alternatives"]:
        if row["name"] == "proposal" and row["benefit_low_bps"] is not None:
            return row["benefit_low_bps"], row["benefit_high_bps"]
    return None


def _line(line: Row) -> tuple[str, ...]:
    changes = "; ".join(change_sentences(line["changed_since_last"] or {}))
    return _text(_name(line)), _text(str(line["action"]).upper()), _text(line["sentence"]), _text(changes)


def _options(whole: Row) -> list[str]:
    rows = [(_text(first), *map(_number, rest)) for first, *rest in option_cells(whole["lines"])]
    heading = "<h2>Options held, at what closing them would bring</h2>"
    return [heading, _table(OPTION_COLUMNS, rows)] if rows else []


def _held(whole: Row) -> list[str]:
    held, risks = held_sentences(whole["weights"]), risk_sentences(whole["lines"])
    parts = ["<h2>What held the weights where they are</h2>", _list(held)] if held else []
    return [*parts, f"<h2>{_text(RISK_TITLE)}</h2>", _list(risks)] if risks else parts


def _history(whole: Row) -> list[str]:
    earlier = list(whole["earlier"])
    worth = [row for row in earlier if row["nav_usd"] is not None]
    parts: list[str] = []
    if len(worth) > 1:
        title = "Value of the portfolio at its recommendations, in US dollars"
        values = {"value": [row["nav_usd"] for row in worth]}
        parts += [f"<h2>{title}</h2>", _figure(lines(Plot(title), [row["as_of"] for row in worth], values))]
    before = [row for row in reversed(earlier) if row["recommendation_id"] != whole["recommendation_id"]][:10]
    if before:
        rows = [(_instant(r["as_of"]), _text(str(r["decision"]).upper()), _text(r["reason"])) for r in before]
        parts += ["<h2>Earlier recommendations</h2>", _table(("as of", "", "why"), rows)]
    return parts


def _origin(whole: Row) -> list[str]:
    method = whole["method_used"] or "none"
    asked = "" if method == whole["objective"] else f" (asked for: {whole['objective']})"
    others = [flag for flag in whole["flags"] or [] if flag != whole["grade"]]
    flags = ", ".join(map(grade_words, others)) or "none"
    snapshot, _, load = str(whole["input_snapshot"]).partition("@")
    told = [
        f"Method {method}{asked}; grade {grade_words(whole['grade'])}; flags: {flags}.",
        *(f"Tried and failed: {one['method']}: {one['reason']}" for one in whole["attempts"] or ()),
        f"Inputs: snapshot {snapshot}, load {load}, sha256 {whole['inputs_hash']}.",
        f"Policy: sha256 {whole['config_hash']} (ops.policies); code {whole['code_version']}.",
        f"trimtab replay {whole['recommendation_id']} decides it again from what is stored.",
    ]
    return ["<h2>Where it comes from</h2>", _list(told)]


def _name(row: Row) -> str:
    return f"{row['sleeve']}:{row['asset']}"


def _instant(value: Any) -> str:  # noqa: ANN401 - a row's value
    return "no time" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def _figure(svg: str) -> str:
    return f"<figure>{svg}</figure>"
