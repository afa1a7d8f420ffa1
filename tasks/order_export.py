"""A recommendation's trades as a file for the user's own execution: CSV for people, JSON for ccxt.

Pure: rows in, text out. Trimtab places no order. Both forms say on every row that it is a recommendation and
until when it holds; the ids are the same however often a file is written, so that an order that is placed
twice is refused by the venue.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

Row = Mapping[str, Any]
OrderType = Literal["limit", "market"]

COLUMNS = (
    "line",
    "pair",
    "sleeve",
    "asset",
    "venue",
    "symbol",
    "market_id",
    "market_type",
    "side",
    "quantity",
    "contracts",
    "limit_price",
    "reference_price",
    "notional_usd",
    "is_reduce_only",
    "first_do",
    "reason_code",
    "reason",
    "client_order_id",
    "recommendation_id",
    "valid_until",
    "notice",
)
NOTICE = "A recommendation of Trimtab, not an order: Trimtab places none. Do not use it after valid_until."
EXERCISE = "SIMULATED data: an exercise. Do not place it at a real venue. "
OPEN_STATUSES = ("proposed", "accepted")


class ExportError(Exception):
    """The recommendation can not be executed any more, or never could. Exit status 4."""

    exit_status = 4


def check_open(whole: Row, as_of: datetime) -> None:
    """Refuse what must not be executed: lapsed, replaced, rejected, or nothing to trade.

    Args:
        whole: the recommendation with its trades.
        as_of: aware UTC.

    Raises:
        ExportError: with what was found and what to do.
    """
    identity, status = whole["recommendation_id"], str(whole["status"])
    asked = f"Wanted the orders of {identity}"
    again = "Run `trimtab run` for a fresh one; `trimtab explain` still shows this one."
    if status not in OPEN_STATUSES:
        raise ExportError(
            f"{asked}; it is {status}, and only what is proposed or accepted is exported. {again}"
        )
    until = whole["valid_until"]
    if until is None or until.replace(tzinfo=as_of.tzinfo) <= as_of:
        raise ExportError(
            f"{asked}; it was valid until {_instant(until)} and it is {_instant(as_of)}. {again}"
        )
    if not whole["trades"]:
        raise ExportError(f"{asked}; it holds target weights and no order. Import positions for amounts.")


def client_order_id(recommendation_id: str, line: int, venue: str) -> str:
    """Return an order's own id, the same on every export.

    Letters and digits, at most 18: what the narrowest venue takes (Kraken 18; Gate 28, OKX 32, Binance 36).
    Hyperliquid wants 128 bits in hex.
    """
    digest = hashlib.sha256(recommendation_id.encode()).hexdigest()
    if venue == "hyperliquid":
        return "0x" + hashlib.sha256(f"{recommendation_id} {line}".encode()).hexdigest()[:32]
    return f"T{digest[:12]}L{line}"


def as_csv(whole: Row) -> str:
    """Return all trades, steps by hand included, one a row. A text that a spreadsheet would run is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for trade in whole["trades"]:
        row = {**trade, **_common(whole, trade)}
        row["first_do"] = " ".join(str(step["sentence"]) for step in _steps(trade))
        writer.writerow([_cell(row.get(name)) for name in COLUMNS])
    return out.getvalue()


def as_ccxt(whole: Row, order_type: OrderType) -> str:
    """Return the orders as a JSON array, each entry the arguments of ccxt's createOrder; pools are left out.

    Amounts and prices are texts in the venue's own steps; the amount of a derivative is in contracts.
    """
    orders = [_order(whole, trade, order_type) for trade in whole["trades"] if not is_by_hand(trade)]
    return json.dumps(orders, indent=2, ensure_ascii=False) + "\n"


def is_by_hand(trade: Row) -> bool:
    """Tell whether a trade is a deposit or a withdrawal, which no venue takes an order for."""
    return trade.get("market_type") == "pool"


def by_hand(trades: Sequence[Row]) -> list[str]:
    """Return what has to be done beside placing orders, in its order."""
    told: list[str] = []
    for trade in trades:
        if is_by_hand(trade):
            told.append(str(trade["reason"]))  # it names its steps
        else:
            told += [str(step["sentence"]) for step in _steps(trade)]
    return told


def _order(whole: Row, trade: Row, order_type: OrderType) -> dict[str, Any]:
    common = _common(whole, trade)
    identity = common.pop("client_order_id")
    params: dict[str, Any] = {"clientOrderId": identity}
    if trade.get("is_reduce_only"):
        params["reduceOnly"] = True
    price = trade.get("limit_price") if order_type == "limit" else None
    if order_type == "limit" and price is None:
        price = Decimal(repr(float(trade["reference_price"])))
    return {
        "venue": trade["venue"],
        "symbol": trade["symbol"],
        "type": order_type,
        "side": trade["side"],
        "amount": _plain(trade.get("contracts") or trade["quantity"]),
        "price": None if price is None else _plain(price),
        "params": params,
        "clientOrderId": identity,
        "info": {
            **common,
            "line": trade["line"],
            "pair": trade.get("pair"),
            "first_do": [str(step["sentence"]) for step in _steps(trade)],
            "reason": trade["reason"],
        },
    }


def _common(whole: Row, trade: Row) -> dict[str, Any]:
    identity = str(whole["recommendation_id"])
    return {
        "client_order_id": client_order_id(identity, int(trade["line"]), str(trade["venue"])),
        "recommendation_id": identity,
        "valid_until": _instant(whole["valid_until"]),
        "notice": (EXERCISE if whole["is_simulated"] else "") + NOTICE,
    }


def _steps(trade: Row) -> Sequence[Row]:
    return trade.get("steps_before") or ()


def _cell(value: object) -> str:
    """A CSV cell. Text from outside that begins like a formula gets an apostrophe; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal | int):
        return _plain(Decimal(value))
    if isinstance(value, float):
        return _plain(Decimal(repr(value)))
    text = " ".join(str(value).split())
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _instant(value: datetime | None) -> str:
    return "no time" if value is None else f"{value:%Y-%m-%dT%H:%M:%SZ}"
