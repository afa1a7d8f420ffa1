"""Deribit's volatility: option chains, one option's ticker with greeks, and the DVOL index."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from sandbox.faces._deribit import (
    BASES,
    YEAR_MS,
    Expiry,
    bars,
    expiries,
    option_value,
    premium,
    refused,
    rpc,
    smile,
    strikes,
)
from sandbox.market_bars import hour_index
from sandbox.noise import HOUR_MS
from sandbox.wire import Call, Face, RefusalError, Reply

_INDEX_SINCE_MS = int(datetime(2021, 3, 24, tzinfo=UTC).timestamp()) * 1000
_MOST_VALUES = 1000


def _base(call: Call) -> str:
    base = call.query.get("currency", "")
    if base not in BASES:
        raise RefusalError(400, refused("invalid currency", "currency"))
    return base


def _row(call: Call, base: str, expiry: Expiry, strike: int, letter: str) -> dict[str, object]:
    forward = round(bars(call, base).last_price(call.now_ms) * premium(call.now_ms, expiry.at_ms), 4)
    percent, years = smile(base, strike, forward), (expiry.at_ms - call.now_ms) / YEAR_MS
    mark = round(option_value(forward, strike, years, percent, is_call=letter == "C") / forward, 6)
    return {
        "instrument_name": f"{base}-{expiry.name}-{strike}-{letter}", "base_currency": base,
        "quote_currency": base, "underlying_index": f"{base}-{expiry.name}", "underlying_price": forward,
        "mark_price": mark, "mark_iv": percent, "mid_price": mark, "bid_price": round(mark * 0.97, 4),
        "ask_price": round(mark * 1.03 + 0.0005, 4), "last": mark, "open_interest": float(strike % 977),
        "interest_rate": 0.0, "volume": 1.0, "volume_usd": forward, "high": mark, "low": mark,
        "price_change": None, "estimated_delivery_price": forward, "creation_timestamp": call.now_ms,
    }  # fmt: skip


def summary(call: Call) -> Reply:
    """Answer the chain of a coin."""
    base = _base(call)
    return rpc(
        call,
        [
            _row(call, base, expiry, strike, letter)
            for expiry in expiries(call.now_ms)
            for strike in strikes(call, base)
            for letter in ("C", "P")
        ],
    )


def ticker(call: Call) -> Reply:
    """Answer one option with its greeks, in Deribit's units."""
    name = call.query.get("instrument_name", "")
    for base in BASES:
        for expiry in expiries(call.now_ms):
            for strike in strikes(call, base):
                for letter in ("C", "P"):
                    row = _row(call, base, expiry, strike, letter)
                    if row["instrument_name"] == name:
                        greeks = _greeks(row, strike, (expiry.at_ms - call.now_ms) / YEAR_MS, letter)
                        return rpc(call, row | {"greeks": greeks, "timestamp": call.now_ms, "state": "open"})
    raise RefusalError(400, refused("instrument not found", "instrument_name"))


def _greeks(row: dict[str, object], strike: float, years: float, letter: str) -> dict[str, float]:
    """Return the greeks by small steps: another way than the product's formulas."""
    forward, percent = float(str(row["underlying_price"])), float(str(row["mark_iv"]))

    def value(price: float = forward, wait: float = years, volatility: float = percent) -> float:
        return option_value(price, strike, wait, volatility, is_call=letter == "C")

    step, day = forward * 1e-4, 1e-3 / 365
    return {
        "delta": (value(forward + step) - value(forward - step)) / (2 * step),
        "gamma": (value(forward + step) - 2 * value() + value(forward - step)) / step**2,
        "vega": value(volatility=percent + 0.5) - value(volatility=percent - 0.5),
        "theta": (value(wait=years - day) - value()) / 1e-3,
        "rho": 0.0,
    }


def volatility_index(call: Call) -> Reply:
    """Answer the index by the hour, percent a year; the newest 1000 hours of the span, and where to go on."""
    base = _base(call)
    if call.query.get("resolution") != "3600":
        raise RefusalError(400, refused("resolution not supported", "resolution"))
    first = max(int(call.query["start_timestamp"]), _INDEX_SINCE_MS)
    last = min(int(call.query["end_timestamp"]), call.now_ms)
    stamps = range(-(-first // HOUR_MS) * HOUR_MS, last + 1, HOUR_MS)
    kept = stamps[-_MOST_VALUES:]
    rows = [[at, *_index(call, base, at)] for at in kept]
    return rpc(call, {"data": rows, "continuation": kept[0] if len(kept) < len(stamps) else None})


def _index(call: Call, base: str, at: int) -> list[float]:
    stress = call.market.climate.stress
    hour = hour_index(at)
    begin, end = (
        round((48.0 if base == "BTC" else 60.0) * math.exp(0.3 * min(2.0, float(stress[h]) - 1.0)), 2)
        for h in (hour - 1, hour)
    )
    return [begin, round(max(begin, end) + 0.2, 2), round(min(begin, end) - 0.2, 2), end]


FACE = Face(
    "deribit options",
    {
        "/api/v2/public/get_book_summary_by_currency": summary,
        "/api/v2/public/ticker": ticker,
        "/api/v2/public/get_volatility_index_data": volatility_index,
    },
)
