"""Kraken spot: /0/public. Dollar markets, so that stablecoins and coins have a USD price of their own.

Errors come with status 200 and a word in `error`, as Kraken's do; candles reach back 720 and no further.
"""

from __future__ import annotations

from sandbox.market import Book
from sandbox.market_bars import TIMEFRAME_HOURS, Bars, Row, decimals_of
from sandbox.market_coins import COINS, STABLES, Rules
from sandbox.noise import DAY_MS, HOUR_MS
from sandbox.wire import Call, Face, Reply, answer, iso

_CODES = {"BTC": "XXBT", "ETH": "XETH", "XRP": "XXRP", "LTC": "XLTC", "DOGE": "XXDG", "USD": "ZUSD"}
_SHORT = {"BTC": "XBT", "DOGE": "XDG"}
_KEPT_CANDLES = 720
_SHARE, _NOISE = 0.06, 0.00015
_HALF_SPREAD = 2.5
"""Spreads are this many times those of the main venue."""


def _pair_id(base: str, quote: str) -> str:
    """Old pairs carry the long codes (XXBTZUSD), newer ones the plain names (SOLUSD)."""
    if base in _CODES and base != "DOGE" and quote == "USD":
        return _CODES[base] + _CODES["USD"]
    return "USDTZUSD" if (base, quote) == ("USDT", "USD") else _SHORT.get(base, base) + quote


_QUOTED = [(base, "USD") for base in [*COINS, *STABLES]] + [(base, "USDT") for base in ("BTC", "ETH", "SOL")]
PAIRS = {_pair_id(base, quote): (base, quote) for base, quote in _QUOTED}
_ALIASES = {_SHORT.get(base, base) + quote: pair for pair, (base, quote) in PAIRS.items()}


def _rules(call: Call, base: str) -> Rules:
    if base in COINS:
        spot = COINS[base].spot
        return Rules(spot.tick, "0.00000001", "0.5", spot.listed)
    return Rules("0.0001", "0.00000001", "0.5", call.market.stable_rules.listed)


def _bars(call: Call, pair: str) -> Bars:
    base, quote = PAIRS[pair]
    return call.market.venue_spot(
        "kraken",
        base,
        quote,
        rules=_rules(call, base),
        share=_SHARE,
        noise=_NOISE if base in COINS else 0.00005,
    )


def _listed(call: Call, pair: str) -> bool:
    return _rules(call, PAIRS[pair][0]).is_listed(call.now_ms)


def _result(result: object) -> Reply:
    return answer({"error": [], "result": result})


def _error(word: str) -> Reply:
    return answer({"error": [word]})


def _pair(call: Call) -> str | None:
    """Read `pair`; None when it is unknown."""
    asked = call.query.get("pair", "")
    pair = asked if asked in PAIRS else _ALIASES.get(asked)
    return pair if pair is not None and _listed(call, pair) else None


def server_time(call: Call) -> Reply:
    """Answer the market's present."""
    return _result(
        {"unixtime": call.now_ms // 1000, "rfc1123": iso(call.now_ms, "%a, %d %b %y %H:%M:%S +0000")}
    )


def system_status(call: Call) -> Reply:
    """Answer that the venue is online."""
    return _result({"status": "online", "timestamp": iso(call.now_ms)})


def assets(call: Call) -> Reply:
    """Answer the currencies."""
    del call
    facts = {"aclass": "currency", "decimals": 10, "display_decimals": 5, "status": "enabled"}
    names = [*COINS, *STABLES, "USD"]
    return _result({_CODES.get(name, name): {**facts, "altname": _SHORT.get(name, name)} for name in names})


def asset_pairs(call: Call) -> Reply:
    """Answer the listed pairs with their steps, minimums and fees."""
    rows: dict[str, object] = {}
    for pair, (base, quote) in PAIRS.items():
        if not _listed(call, pair):
            continue
        rules = _rules(call, base)
        short = _SHORT.get(base, base)
        least = COINS[base].spot.lot if base in COINS else "5"
        rows[pair] = {
            "altname": short + quote, "wsname": f"{short}/{quote}", "aclass_base": "currency",
            "base": _CODES.get(base, base), "aclass_quote": "currency", "quote": _CODES.get(quote, quote),
            "lot": "unit", "cost_decimals": 5, "pair_decimals": decimals_of(rules.tick),
            "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [], "leverage_sell": [],
            "fees": [[0, 0.4], [10000, 0.35], [50000, 0.24]],
            "fees_maker": [[0, 0.25], [10000, 0.2], [50000, 0.14]],
            "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40, "ordermin": least,
            "costmin": rules.min_notional, "tick_size": rules.tick, "status": "online",
        }  # fmt: skip
    return _result(rows)


def ohlc(call: Call) -> Reply:
    """Answer at most the last 720 candles after `since`, the running one included."""
    pair = _pair(call)
    if pair is None:
        return _error("EQuery:Unknown asset pair")
    minutes = call.query.get("interval", "60")
    timeframes = {str(hours * 60): name for name, hours in TIMEFRAME_HOURS.items()}
    if minutes not in timeframes:
        return _error("EGeneral:Invalid arguments:interval")
    bars, timeframe = _bars(call, pair), timeframes[minutes]
    rows = bars.window(timeframe, (None, None), _KEPT_CANDLES, call.now_ms)
    since = int(float(call.query.get("since") or 0))
    step = TIMEFRAME_HOURS[timeframe] * HOUR_MS
    finished = [row for row in rows if row.open_ms + step <= call.now_ms]
    last = (finished or rows)[-1].open_ms // 1000
    shown = [_candle(bars, row) for row in rows if row.open_ms // 1000 > since]
    return _result({pair: shown, "last": last})


def _candle(bars: Bars, row: Row) -> list[object]:
    places = bars.price_decimals
    average = row.quote_volume / row.base_volume if row.base_volume else row.close
    prices = [f"{price:.{places}f}" for price in (row.open, row.high, row.low, row.close, average)]
    return [row.open_ms // 1000, *prices, f"{row.base_volume:.8f}", int(row.quote_volume / 1200)]


def _book(call: Call, pair: str, depth: int) -> Book:
    return call.market.book(
        _bars(call, pair), COINS.get(PAIRS[pair][0]), depth, call.now_ms, wider=_HALF_SPREAD
    )


def depth(call: Call) -> Reply:
    """Answer the order book."""
    pair = _pair(call)
    if pair is None:
        return _error("EQuery:Unknown asset pair")
    places, book = (
        _bars(call, pair).price_decimals,
        _book(call, pair, min(int(call.query.get("count", 100)), 500)),
    )
    sides = [
        [[f"{price:.{places}f}", f"{amount:.3f}", call.now_ms // 1000] for price, amount in side]
        for side in book
    ]
    return _result({pair: {"bids": sides[0], "asks": sides[1]}})


def ticker(call: Call) -> Reply:
    """Answer prices and volumes of the asked pairs, or of all."""
    asked = call.query.get("pair")
    pairs = [pair for pair in PAIRS if _listed(call, pair)]
    if asked:
        known = [name if name in PAIRS else _ALIASES.get(name, "") for name in asked.split(",")]
        if not set(known) <= set(pairs):
            return _error("EQuery:Unknown asset pair")
        pairs = known
    return _result({pair: _ticker(call, pair) for pair in pairs})


def _ticker(call: Call, pair: str) -> dict[str, object]:
    bars = _bars(call, pair)
    day, places = bars.last_day(call.now_ms), bars.price_decimals
    today = bars.unfinished("1d", call.now_ms // DAY_MS * DAY_MS, call.now_ms)
    book = _book(call, pair, 1)

    def pair_of(first: float, second: float, digits: int) -> list[str]:
        return [f"{first:.{digits}f}", f"{second:.{digits}f}"]

    (bid, bid_size), (ask, ask_size) = book.bids[0], book.asks[0]
    averages = [row.quote_volume / row.base_volume if row.base_volume else row.close for row in (today, day)]
    return {
        "a": [f"{ask:.{places}f}", str(max(1, int(ask_size))), f"{ask_size:.3f}"],
        "b": [f"{bid:.{places}f}", str(max(1, int(bid_size))), f"{bid_size:.3f}"],
        "c": [f"{day.close:.{places}f}", "0.01000000"],
        "v": pair_of(today.base_volume, day.base_volume, 8),
        "p": pair_of(averages[0], averages[1], places),
        "t": [int(today.quote_volume / 1200), int(day.quote_volume / 1200)],
        "l": pair_of(today.low, day.low, places),
        "h": pair_of(today.high, day.high, places),
        "o": f"{today.open:.{places}f}",
    }


FACE = Face(
    "kraken",
    {
        "/0/public/Time": server_time,
        "/0/public/SystemStatus": system_status,
        "/0/public/Assets": assets,
        "/0/public/AssetPairs": asset_pairs,
        "/0/public/OHLC": ohlc,
        "/0/public/Depth": depth,
        "/0/public/Ticker": ticker,
    },
)
