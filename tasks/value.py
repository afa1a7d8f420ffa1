"""What a portfolio is worth now, line by line against its target, and how it has done.

Comes in: the published snapshot as of the run's moment. Goes out: plain values. Value and weights are those
of the decision's own book, so that `nav` and a recommendation can never differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from portfolio.book import Book, open_book
from portfolio.pairing import pair_legs
from tasks.context import RunContext
from tasks.held_quotes import read_quotes
from tasks.inputs import LoadedInputs, load_inputs
from tasks.policy import policy_of
from tasks.positions import MONEY, held_rows
from tasks.prices import read_prices
from warehouse.reader import Reader, open_point_in_time, open_published

Row = dict[str, Any]


def as_published(context: RunContext) -> RunContext:
    """The same run at the moment of the newest snapshot, which is what can be told."""
    with open_published(context.home) as reader:
        at = reader.snapshot.as_of
    return replace(context, as_of=min(at, context.as_of))


def value_portfolio(context: RunContext, portfolio: str) -> Row:
    """Value, drift and performance of one portfolio as of `context.as_of`."""
    with open_point_in_time(context.home, context.as_of) as reader:
        loaded = load_inputs(reader, context, portfolio, (), {})
        target, source = _target(reader, loaded, portfolio)
        performance = reader.rows("performance_summary", portfolio=portfolio)
        closes = reader.rows("newest_nav", portfolio=portfolio)
        is_simulated = bool(reader.snapshot.is_simulated)
    book = open_book(loaded.inputs, policy_of(context.settings, portfolio))
    return {
        "portfolio": portfolio,
        "as_of": context.as_of,
        "is_simulated": is_simulated,
        "nav_usd": book.nav_usd,
        "target": source,
        "notes": _notes(book, loaded, closes, portfolio),
        "lines": _lines(book, target),
        "newest_close": closes[0] if closes else None,
        "performance": performance,
    }


def value_legs(context: RunContext, portfolio: str) -> list[Row]:
    """Each leg of the newest statement with its sleeve, at the newest prices; the largest value first."""
    with open_point_in_time(context.home, context.as_of) as reader:
        rows = reader.rows("portfolio_positions", portfolio=portfolio)
        prices = read_prices(reader, context, portfolio)
        quotes = read_quotes(reader, context, portfolio, prices.marks, prices.cash)
    sleeves = context.settings.portfolios[portfolio].sleeves
    made: list[Row] = []
    for part in pair_legs(held_rows(rows), sleeves, MONEY):
        row = rows[part.row]
        value, share = quotes.value(row), float(part.quantity) / row["quantity"]
        kept = ("venue", "account", "kind", "asset", "market_id", "entry_price", "margin_mode", "quote")
        made.append(
            {"portfolio": portfolio, "sleeve": part.sleeve, "quantity": float(part.quantity)}
            | {name: row[name] for name in (*kept, "as_of")}
            | {"margin": None if row["margin"] is None else row["margin"] * share}
            | {"price_usd": quotes.price(row), "value_usd": None if value is None else value * share}
        )
    return sorted(made, key=lambda row: (-(row["value_usd"] or 0.0), row["asset"], row["kind"]))


def _target(
    reader: Reader, loaded: LoadedInputs, portfolio: str
) -> tuple[Mapping[str, float] | None, str | None]:
    """The target in force; only where there never was one, the newest proposal."""
    if loaded.inputs.target_in_force is not None:
        return loaded.inputs.target_in_force, "in_force"
    for row in reader.rows("newest_recommendations"):
        if row["portfolio"] == portfolio:
            weights = reader.rows("weights_of", recommendation_id=row["recommendation_id"])
            found = {f"{w['sleeve']}:{w['asset']}": float(w["target_weight"]) for w in weights}
            return (found, str(row["recommendation_id"])) if found else (None, None)
    return None, None


def _lines(book: Book, target: Mapping[str, float] | None) -> list[Row]:
    names = sorted({*(x for x, w in book.weight.items() if w), *(x for x, w in (target or {}).items() if w)})
    made: list[Row] = []
    for line in names:
        weight = book.weight.get(line, 0.0) if book.nav_usd is not None else None
        wanted = None if target is None else target.get(line, 0.0)
        drift = None if weight is None or wanted is None else weight - wanted
        made.append(
            {
                "line": line,
                "value_usd": None if weight is None or book.nav_usd is None else weight * book.nav_usd,
                "weight": weight,
                "target_weight": wanted,
                "drift_absolute": drift,
                "drift_relative": drift / wanted if drift is not None and wanted else None,
            }
        )
    return made


def _notes(book: Book, loaded: LoadedInputs, closes: list[Row], portfolio: str) -> list[str]:
    notes: list[str] = []
    if book.nav_usd is None:
        notes.append(
            "No positions are known, or none can be priced: "
            f"`trimtab positions import FILE --portfolio {portfolio}`, then `trimtab ingest`."
        )
    if loaded.outside:
        notes.append(
            f"Not counted, for nothing prices it: {', '.join(loaded.outside)}. Add it to universe.assets."
        )
    notes += [freeze.sentence for _, freeze in sorted(book.left_out.items())]
    notes += [freeze.sentence for x, freeze in sorted(book.frozen.items()) if x in loaded.inputs.exposed]
    for close in closes:
        if close["pending"]:
            notes.append(
                f"After the newest statement came {', '.join(close['pending'])}: in the performance, and not "
                "yet in the value above. Import the positions again."
            )
        notes += [
            f"On {row['as_of_date']} the positions changed by {row['unexplained_usd']:,.2f} USD more than "
            "prices and recorded cash flows explain: taken as an unrecorded cash flow. Record it, if it was "
            "one."
            for row in close["unexplained"] or []
        ]
    return notes
