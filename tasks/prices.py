"""What each line is worth now, by the venues that agree; and the lines about which they do not.

Comes in: a point-in-time reader. Goes out: marks, dollar prices of cash, and freezes with their sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portfolio.model import Freeze, PriceMark
from tasks.context import RunContext
from tasks.policy import cash_of
from warehouse.reader import Reader

# A reference price of a stablecoin is published daily, about a day late; older than this it is no price.
CASH_PRICE_MAX_AGE = timedelta(days=4)
# A line that the venues do not agree on is still shown at what they last agreed on, if that is not too old.
AGREED_PRICE_MAX_AGE = timedelta(days=7)
# A move since the last daily close beyond this is real or a fault; either way people are told.
EXTREME_MOVE = 0.35


@dataclass(frozen=True)
class Prices:
    """The prices of one decision.

    Attributes:
        marks: Line → its price.
        cash: Stablecoin → US dollars.
        frozen: Line → why its price may not decide.
        moves: Line → its move since the last daily close, where that is extreme and confirmed.
    """

    marks: dict[str, PriceMark]
    cash: dict[str, float]
    frozen: dict[str, Freeze]
    moves: dict[str, float]


def read_prices(reader: Reader, context: RunContext, portfolio: str) -> Prices:
    """The last price of each line, and of each stablecoin in dollars, as of `context.as_of`."""
    found = Prices({}, {}, {}, {})
    settings, as_of = context.settings, context.as_of
    oldest = as_of - settings.gate.freshness["candles_1d"]
    for row in reader.rows("decision_prices", assets=list(settings.universe.assets), oldest=oldest):
        line = f"spot:{row['asset']}"
        if not row["has_quorum"]:
            found.frozen[line] = _no_quorum(row)
            if row["close_usd"] is not None and as_of - row["close_at"] <= AGREED_PRICE_MAX_AGE:
                found.marks[line] = PriceMark(
                    price_usd=float(row["close_usd"]),
                    price_quote=float(row["close_quote"]),
                    at=row["close_at"],
                    venues=int(row["venues"]),
                )
        elif row["price_usd"] is not None:
            found.marks[line] = PriceMark(
                price_usd=float(row["price_usd"]),
                price_quote=float(row["price_quote"]),
                at=row["price_at"],
                venues=int(row["venues"]),
            )
            if row["is_stale"]:
                found.frozen[line] = _stale(row, as_of, settings.gate.freshness["candles_1d"])
            elif abs(row["change_since_close"] or 0.0) > EXTREME_MOVE:
                found.moves[line] = float(row["change_since_close"])
    _read_cash(reader, context, portfolio, found)
    return found


def _no_quorum(row: Mapping[str, Any]) -> Freeze:
    quorum = f"quorum {row['venues']}/{row['venues_asked']}"
    sentence = f"the venues do not agree what {row['asset']} is worth ({quorum}): {row['said']} USD."
    return Freeze("no_quorum", sentence)


def _stale(row: Mapping[str, Any], as_of: datetime, limit: timedelta) -> Freeze:
    """What is held keeps its last price, so that the rest can be decided; nothing is traded at it."""
    hours, most = ((span.total_seconds() / 3600) for span in (as_of - row["price_at"], limit))
    sentence = (
        f"the last price of {row['asset']}, {row['price_usd']:.6g} USD, is of "
        f"{row['price_at']:%Y-%m-%d %H:%M} UTC: {hours:.0f} hours old, older than the limit of {most:g} hours"
    )
    return Freeze("stale_price", sentence)


def _read_cash(reader: Reader, context: RunContext, portfolio: str, found: Prices) -> None:
    as_of = context.as_of
    for row in reader.rows("cash_prices", as_of=as_of):
        at: datetime = row["price_at"]
        if row["price_usd"] is None or as_of - at > CASH_PRICE_MAX_AGE:
            continue
        price = float(row["price_usd"])
        found.cash[row["asset"]] = price
        if row["asset"] in cash_of(context.settings, portfolio):
            found.marks[f"cash:{row['asset']}"] = PriceMark(
                price_usd=price, price_quote=1.0, at=at, venues=len(row["sources"])
            )
