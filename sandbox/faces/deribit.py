"""Deribit's contracts: /api/v2/public. Dated futures and perpetuals of BTC and ETH; funding by the hour.

Every hourly funding row carries the rate of its hour (`interest_1h`) and the sum over the last eight
(`interest_8h`), as Deribit's do: who adds up the latter counts every hour eight times.
"""

from __future__ import annotations

from sandbox.faces._deribit import BASES, bars, expiries, premium, refused, rpc, strikes
from sandbox.market_bars import Row, hour_index
from sandbox.market_coins import COINS
from sandbox.noise import DAY_MS, HOUR_MS
from sandbox.wire import Call, Face, RefusalError, Reply

_NEVER_MS = 32_503_708_800_000
_TIMEFRAMES = {"60": "1h", "120": "2h", "360": "6h", "720": "12h", "1D": "1d"}
_MOST_CANDLES, _MOST_SETTLEMENTS = 5000, 744
_HOURS = 8


def _contracts(call: Call, base: str) -> dict[str, int]:
    """Return the contracts of a coin and when they end."""
    dated = {f"{base}-{expiry.name}": expiry.at_ms for expiry in expiries(call.now_ms)}
    return {f"{base}-PERPETUAL": _NEVER_MS, f"{base}_USDC-PERPETUAL": _NEVER_MS, **dated}


def _instrument(base: str, name: str, expiry_ms: int) -> dict[str, object]:
    is_linear = "_USDC" in name
    settled = "USDC" if is_linear else base
    return {
        "tick_size": 0.5, "taker_commission": 0.0005, "maker_commission": 0.0,
        "settlement_period": "perpetual" if expiry_ms == _NEVER_MS else "month",
        "settlement_currency": settled, "quote_currency": "USDC" if is_linear else "USD",
        "counter_currency": "USDC" if is_linear else "USD", "base_currency": base,
        "min_trade_amount": 0.001 if is_linear else 10.0, "contract_size": 0.001 if is_linear else 10.0,
        "max_leverage": 50, "kind": "future", "is_active": True, "instrument_name": name,
        "instrument_type": "linear" if is_linear else "reversed", "expiration_timestamp": expiry_ms,
        "creation_timestamp": int(COINS[base].perp.listed.timestamp() * 1000),
    }  # fmt: skip


def _option(base: str, name: str, expiry_ms: int, strike: int, kind: str) -> dict[str, object]:
    return {
        "tick_size": 0.0005, "taker_commission": 0.0003, "maker_commission": 0.0003, "strike": float(strike),
        "settlement_period": "month", "settlement_currency": base, "quote_currency": base,
        "counter_currency": "USD", "base_currency": base, "option_type": kind, "min_trade_amount": 0.1,
        "contract_size": 1.0, "kind": "option", "is_active": True, "instrument_name": name,
        "instrument_type": "reversed", "expiration_timestamp": expiry_ms,
        "creation_timestamp": expiry_ms - 180 * DAY_MS,
    }  # fmt: skip


def server_time(call: Call) -> Reply:
    """Answer the market's present."""
    return rpc(call, call.now_ms)


def instruments(call: Call) -> Reply:
    """Answer the listed contracts and options."""
    rows: list[dict[str, object]] = []
    for base in BASES:
        if call.query.get("currency", "any") not in {"any", base}:
            continue
        rows += [_instrument(base, name, end) for name, end in _contracts(call, base).items()]
        rows += [
            _option(base, f"{base}-{expiry.name}-{strike}-{kind[0].upper()}", expiry.at_ms, strike, kind)
            for expiry in expiries(call.now_ms)
            for strike in strikes(call, base)
            for kind in ("call", "put")
        ]
    wanted = call.query.get("kind", "any")
    return rpc(call, [row for row in rows if wanted in {"any", row["kind"]}])


def _asked(call: Call) -> tuple[str, int]:
    """Return the coin and the end of the asked contract."""
    name = call.query.get("instrument_name", "")
    for base in BASES:
        if name in (found := _contracts(call, base)):
            return base, found[name]
    raise RefusalError(400, refused("instrument not found", "instrument_name"))


def candles(call: Call) -> Reply:
    """Answer candles column by column; a dated contract trades above the index by its carry."""
    base, end = _asked(call)
    timeframe = _TIMEFRAMES.get(call.query.get("resolution", ""))
    if timeframe is None:
        raise RefusalError(400, refused("resolution not supported", "resolution"))
    span = (int(call.query["start_timestamp"]), int(call.query["end_timestamp"]))
    rows = bars(call, base).window(timeframe, span, _MOST_CANDLES, call.now_ms)
    listed = int(COINS[base].perp.listed.timestamp() * 1000)
    rows = [_above(row, end) for row in rows if row.open_ms >= listed]
    return rpc(
        call,
        {
            "status": "ok" if rows else "no_data",
            "ticks": [row.open_ms for row in rows],
            "open": [row.open for row in rows], "high": [row.high for row in rows],
            "low": [row.low for row in rows], "close": [row.close for row in rows],
            "volume": [row.base_volume for row in rows], "cost": [row.quote_volume for row in rows],
        },
    )  # fmt: skip


def _above(row: Row, end: int) -> Row:
    if end == _NEVER_MS:
        return row
    times = premium(row.open_ms, end)
    raised = {name: round(getattr(row, name) * times, 2) for name in ("open", "high", "low", "close")}
    return row._replace(**raised)


def funding(call: Call) -> Reply:
    """Answer the hourly rates of a span, the newest 744 of it."""
    base, end = _asked(call)
    if end != _NEVER_MS:
        raise RefusalError(400, refused("no funding", "instrument_name"))
    rates, listed = call.market.settled_rates(base), int(COINS[base].perp.listed.timestamp() * 1000)
    first = max(int(call.query["start_timestamp"]), listed + _HOURS * HOUR_MS)
    last = min(int(call.query["end_timestamp"]), call.now_ms)

    def hourly(at: int) -> float:
        return float(rates[(hour_index(at) - 1) // _HOURS]) / _HOURS

    stamps = range(-(-first // HOUR_MS) * HOUR_MS, last + 1, HOUR_MS)[-_MOST_SETTLEMENTS:]
    rows = [
        {
            "timestamp": at,
            "index_price": bars(call, base).last_price(at),
            "prev_index_price": bars(call, base).last_price(at - HOUR_MS),
            "interest_1h": hourly(at),
            "interest_8h": sum(hourly(at - back * HOUR_MS) for back in range(_HOURS)),
        }
        for at in stamps
    ]
    return rpc(call, rows)


def order_book(call: Call) -> Reply:
    """Answer the order book."""
    base, end = _asked(call)
    depth = int(call.query.get("depth", "5"))
    found = call.market.book(bars(call, base), COINS[base], depth, call.now_ms)
    times = 1.0 if end == _NEVER_MS else premium(call.now_ms, end)
    sides = [[[round(price * times, 2), amount] for price, amount in side] for side in found]
    return rpc(
        call,
        {"timestamp": call.now_ms, "change_id": call.now_ms, "state": "open", "bids": sides[0],
         "asks": sides[1], "instrument_name": call.query["instrument_name"]},
    )  # fmt: skip


FACE = Face(
    "deribit contracts",
    {
        "/api/v2/public/get_time": server_time,
        "/api/v2/public/get_instruments": instruments,
        "/api/v2/public/get_tradingview_chart_data": candles,
        "/api/v2/public/get_funding_rate_history": funding,
        "/api/v2/public/get_order_book": order_book,
    },
)
