"""What a portfolio is worth now, line by line against its target, and how it has done.

Comes in: the published snapshot as of the run's moment. Goes out: plain values. Value and weights are those
of the decision's own book, so that `nav` and a recommendation can never differ.
"""

from __future__ import annotations

from typing import Any

from portfolio.book import Book, open_book
from tasks.context import RunContext
from tasks.inputs import LoadedInputs, load_inputs
from tasks.policy import policy_of
from warehouse.reader import open_point_in_time

Row = dict[str, Any]


def value_portfolio(context: RunContext, portfolio: str) -> Row:
    """Value, drift and performance of one portfolio as of `context.as_of`."""
    with open_point_in_time(context.home, context.as_of) as reader:
        loaded = load_inputs(reader, context, portfolio, (), {})
        performance = reader.rows("performance_summary", portfolio=portfolio)
        closes = reader.rows("newest_nav", portfolio=portfolio)
        is_simulated = bool(reader.snapshot.is_simulated)
    book = open_book(loaded.inputs, policy_of(context.settings, portfolio))
    return {
        "portfolio": portfolio,
        "as_of": context.as_of,
        "is_simulated": is_simulated,
        "nav_usd": book.nav_usd,
        "notes": _notes(book, loaded, closes, portfolio),
        "lines": _lines(book, loaded),
        "newest_close": closes[0] if closes else None,
        "performance": performance,
    }


def _lines(book: Book, loaded: LoadedInputs) -> list[Row]:
    target = loaded.inputs.target_in_force
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
    elif loaded.inputs.target_in_force is None:
        notes.append(
            "No target was ever accepted, so there is no drift to show: `trimtab accept ID`, or a policy "
            "with target_weights."
        )
    if loaded.outside:
        notes.append(
            f"Not counted, for nothing prices it: {', '.join(loaded.outside)}. Add it to universe.assets."
        )
    notes += [freeze.sentence for _, freeze in sorted(book.left_out.items())]
    for close in closes:
        if close["cash_flows_usd"]:
            notes.append(
                f"Cash flows of {close['cash_flows_usd']:,.2f} USD came after the newest statement: they are "
                "in the performance and not yet in the value above. Import the positions again."
            )
        notes += [
            f"On {row['as_of_date']} the positions changed by {row['unexplained_usd']:,.2f} USD more than "
            "prices and recorded cash flows explain: taken as an unrecorded cash flow. Record it, if it was "
            "one."
            for row in close["unexplained"] or []
        ]
    return notes
