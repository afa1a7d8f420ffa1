"""Coinbase Exchange (ccxt's `coinbaseexchange`): candles come 300 a page, newest first."""

from __future__ import annotations

from sandbox.market import Book
from sandbox.market_bars import TIMEFRAME_HOURS, Bars
from sandbox.market_coins import COINS, STABLES, Rules
from sandbox.noise import HOUR_MS
from sandbox.wire import Call, Face, RefusalError, Reply, answer, instant_ms, iso

_MOST_CANDLES = 300
_SHARE, _NOISE = 0.14, 0.00010
_GRANULARITIES = {"3600": "1h", "21600": "6h", "86400": "1d"}
_HALF_SPREAD = 1.6

PRODUCTS = {f"{base}-USD": base for base in [*COINS, "USDT", "DAI"]}


def _rules(call: Call, base: str) -> Rules:
    if base in COINS:
        return Rules(COINS[base].spot.tick, "0.00000001", "1", COINS[base].spot.listed)
    return Rules("0.0001", "0.01", "1", call.market.stable_rules.listed)


def _bars(call: Call, product: str) -> Bars:
    base = PRODUCTS[product]
    noise = _NOISE if base in COINS else 0.00004
    return call.market.venue_spot(
        "coinbase", base, "USD", rules=_rules(call, base), share=_SHARE, noise=noise
    )


def _listed(call: Call) -> list[str]:
    return [product for product, base in PRODUCTS.items() if _rules(call, base).is_listed(call.now_ms)]


def _product(call: Call, name: str) -> dict[str, object]:
    base = PRODUCTS[name]
    rules = _rules(call, base)
    return {
        "id": name, "base_currency": base, "quote_currency": "USD", "quote_increment": rules.tick,
        "base_increment": rules.lot, "display_name": name.replace("-", "/"),
        "min_market_funds": rules.min_notional,
        "margin_enabled": False, "post_only": False, "limit_only": False, "cancel_only": False,
        "status": "online",
        "status_message": "", "trading_disabled": False,
        "fx_stablecoin": base in STABLES, "auction_mode": False,
    }  # fmt: skip


def server_time(call: Call) -> Reply:
    """Answer the market's present."""
    return answer({"iso": iso(call.now_ms, "%Y-%m-%dT%H:%M:%S.000Z"), "epoch": call.now_ms / 1000})


def currencies(call: Call) -> Reply:
    """Answer the currencies."""
    del call
    rows = [
        {
            "id": name, "name": name, "min_size": "0.00000001", "status": "online", "message": "",
            "max_precision": "0.00000001", "convertible_to": [], "details": {"type": kind},
            "default_network": "",
            "supported_networks": [], "display_name": name,
        }
        for name, kind in [*((name, "crypto") for name in [*COINS, *STABLES]), ("USD", "fiat")]
    ]  # fmt: skip
    return answer(rows)


def products(call: Call) -> Reply:
    """Answer the listed products."""
    return answer([_product(call, name) for name in _listed(call)])


def one_product(call: Call) -> Reply:
    """Answer what is asked of one product."""
    name, _, part = call.path.removeprefix("/products/").partition("/")
    if name not in _listed(call):
        raise RefusalError(404, {"message": "NotFound"})
    parts = {"": _facts, "candles": _candles, "ticker": _ticker, "stats": _stats, "book": _order_book}
    if part not in parts:
        raise RefusalError(404, {"message": "NotFound"})
    return parts[part](call, name)


def _facts(call: Call, name: str) -> Reply:
    return answer(_product(call, name))


def _candles(call: Call, name: str) -> Reply:
    granularity = call.query.get("granularity", "3600")
    if granularity not in _GRANULARITIES:
        raise RefusalError(400, {"message": "Unsupported granularity"})
    timeframe = _GRANULARITIES[granularity]
    begin = instant_ms(call.query["start"]) if "start" in call.query else None
    end = instant_ms(call.query["end"]) if "end" in call.query else None
    if (
        begin is not None
        and end is not None
        and (end - begin) // (TIMEFRAME_HOURS[timeframe] * HOUR_MS) > _MOST_CANDLES
    ):
        reason = f"Count of aggregations requested exceeds {_MOST_CANDLES}"
        message = f"granularity too small for the requested time range. {reason}"
        raise RefusalError(400, {"message": message})
    rows = _bars(call, name).window(timeframe, (begin, end), _MOST_CANDLES, call.now_ms)
    return answer(
        [
            [row.open_ms // 1000, row.low, row.high, row.open, row.close, row.base_volume]
            for row in reversed(rows)
        ]
    )


def _book(call: Call, name: str, depth: int) -> Book:
    coin = COINS.get(PRODUCTS[name])
    return call.market.book(_bars(call, name), coin, depth, call.now_ms, wider=_HALF_SPREAD)


def _ticker(call: Call, name: str) -> Reply:
    bars, book = _bars(call, name), _book(call, name, 1)
    day, places = bars.last_day(call.now_ms), bars.price_decimals
    return answer(
        {
            "trade_id": call.now_ms // 1000, "price": f"{day.close:.{places}f}", "size": "0.01000000",
            "time": iso(call.now_ms, "%Y-%m-%dT%H:%M:%S.000000Z"), "bid": f"{book.bids[0][0]:.{places}f}",
            "ask": f"{book.asks[0][0]:.{places}f}", "volume": f"{day.base_volume:.8f}",
        }
    )  # fmt: skip


def _stats(call: Call, name: str) -> Reply:
    bars = _bars(call, name)
    day, places = bars.last_day(call.now_ms), bars.price_decimals
    prices = {"open": day.open, "high": day.high, "low": day.low, "last": day.close}
    return answer(
        {**{key: f"{price:.{places}f}" for key, price in prices.items()}, "volume": f"{day.base_volume:.8f}"}
    )


def _order_book(call: Call, name: str) -> Reply:
    bars, depth = _bars(call, name), 1 if call.query.get("level", "1") == "1" else 50
    places, lots = bars.price_decimals, bars.amount_decimals
    sides = [
        [[f"{price:.{places}f}", f"{amount:.{lots}f}", 1 + int(amount) % 7] for price, amount in side]
        for side in _book(call, name, depth)
    ]
    return answer({"sequence": call.now_ms, "bids": sides[0], "asks": sides[1], "auction_mode": False})


def sparklines(call: Call) -> Reply:
    """Answer the last day's hours of every product, newest first."""
    lines: dict[str, object] = {}
    for name in _listed(call):
        rows = _bars(call, name).window("1h", (None, None), 24, call.now_ms)
        lines[name] = [
            [row.open_ms // 1000, row.low, row.high, row.open, row.close] for row in reversed(rows)
        ]
    return answer(lines)


FACE = Face(
    "coinbase exchange",
    {
        "/time": server_time,
        "/currencies": currencies,
        "/products": products,
        "/products/spark-lines": sparklines,
    },
    {"/products/": one_product},
)
