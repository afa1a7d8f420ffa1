"""Binance USD-M futures: /fapi and /futures/data; the coin-margined side (/dapi) lists nothing."""

from __future__ import annotations

from sandbox.faces._binance import (
    candle_reply,
    candle_rows,
    day_ticker,
    lot_filter,
    page_size,
    price_filter,
    refuse,
    symbol_of,
)
from sandbox.market import Book
from sandbox.market_bars import Bars, decimals_of
from sandbox.market_coins import COINS
from sandbox.wire import Call, Face, Reply, answer

MARKETS = {f"{base}USDT": base for base in COINS}
_NEVER_EXPIRES_MS = 4_133_404_800_000
_BOOK_SIZES = (5, 10, 20, 50, 100, 500, 1000)


def _bars(call: Call, symbol: str) -> Bars:
    return call.market.perp(MARKETS[symbol])


def _trading(call: Call) -> list[str]:
    return [symbol for symbol, base in MARKETS.items() if COINS[base].perp.is_listed(call.now_ms)]


def ping(call: Call) -> Reply:
    """Answer {}."""
    del call
    return answer({})


def server_time(call: Call) -> Reply:
    """Answer the market's present."""
    return answer({"serverTime": call.now_ms})


def exchange_info(call: Call) -> Reply:
    """Answer the listed perpetuals with their steps and minimums."""
    symbols: list[dict[str, object]] = []
    for symbol in _trading(call):
        base = MARKETS[symbol]
        rules = COINS[base].perp
        symbols.append(
            {
                "symbol": symbol, "pair": symbol, "contractType": "PERPETUAL",
                "deliveryDate": _NEVER_EXPIRES_MS, "status": "TRADING",
                "onboardDate": int(rules.listed.timestamp() * 1000),
                "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000",
                "baseAsset": base, "quoteAsset": "USDT", "marginAsset": "USDT",
                "pricePrecision": decimals_of(rules.tick), "quantityPrecision": decimals_of(rules.lot),
                "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
                "underlyingSubType": [], "settlePlan": 0, "triggerProtect": "0.0500",
                "liquidationFee": "0.012500", "marketTakeBound": "0.05",
                "filters": [
                    price_filter(rules),
                    lot_filter(rules),
                    lot_filter(rules, "MARKET_LOT_SIZE"),
                    {"filterType": "MAX_NUM_ORDERS", "limit": 200},
                    {"filterType": "MIN_NOTIONAL", "notional": rules.min_notional},
                ],
                "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
                "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
            }
        )  # fmt: skip
    limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}
    return answer(
        {
            "timezone": "UTC", "serverTime": call.now_ms, "futuresType": "U_MARGINED", "rateLimits": [limit],
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
            "symbols": symbols,
        }
    )  # fmt: skip


def nothing_listed(call: Call) -> Reply:
    """Answer the coin-margined side's instruments: none."""
    limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}
    return answer(
        {
            "timezone": "UTC",
            "serverTime": call.now_ms,
            "rateLimits": [limit],
            "exchangeFilters": [],
            "symbols": [],
        }
    )


def klines(call: Call) -> Reply:
    """Answer candles of the contract."""
    bars = _bars(call, symbol_of(call, set(MARKETS)))
    rows = candle_rows(call, bars, page_size(call, default=500, most=1500, cut=False))
    return candle_reply(call, bars, rows)


def mark_klines(call: Call) -> Reply:
    """Answer candles of the mark price."""
    bars = call.market.mark(MARKETS[symbol_of(call, set(MARKETS))])
    rows = candle_rows(call, bars, page_size(call, default=500, most=1500, cut=False))
    return candle_reply(call, bars, rows)


def _book(call: Call, symbol: str, depth: int) -> Book:
    return call.market.book(_bars(call, symbol), COINS[MARKETS[symbol]], depth, call.now_ms)


def depth(call: Call) -> Reply:
    """Answer the order book."""
    symbol = symbol_of(call, set(MARKETS))
    size = page_size(call, default=500, most=1000, cut=False)
    if size not in _BOOK_SIZES:
        raise refuse(-4021, f"{size} is not valid depth limit")
    bars = _bars(call, symbol)
    book = _book(call, symbol, size) if COINS[MARKETS[symbol]].perp.is_listed(call.now_ms) else Book([], [])
    places, lots = bars.price_decimals, bars.amount_decimals
    text = [[[f"{price:.{places}f}", f"{amount:.{lots}f}"] for price, amount in side] for side in book]
    return answer(
        {"lastUpdateId": call.now_ms, "E": call.now_ms, "T": call.now_ms, "bids": text[0], "asks": text[1]}
    )


def _each(call: Call, row: str) -> Reply:
    """Answer one kind of row for the asked symbol, or for every listed one."""
    writers = {"day": _day_row, "best": _best_row, "price": _price_row}
    if "symbol" in call.query:
        symbol = symbol_of(call, set(MARKETS))
        return answer(writers[row](call, symbol) if symbol in _trading(call) else {})
    return answer([writers[row](call, symbol) for symbol in _trading(call)])


def _day_row(call: Call, symbol: str) -> dict[str, object]:
    return day_ticker(symbol, _bars(call, symbol), call.now_ms)


def _best_row(call: Call, symbol: str) -> dict[str, object]:
    bars, book = _bars(call, symbol), _book(call, symbol, 1)
    (bid, bid_size), (ask, ask_size) = book.bids[0], book.asks[0]
    places, lots = bars.price_decimals, bars.amount_decimals
    return {
        "symbol": symbol, "bidPrice": f"{bid:.{places}f}", "bidQty": f"{bid_size:.{lots}f}",
        "askPrice": f"{ask:.{places}f}", "askQty": f"{ask_size:.{lots}f}", "time": call.now_ms,
    }  # fmt: skip


def _price_row(call: Call, symbol: str) -> dict[str, object]:
    bars = _bars(call, symbol)
    return {
        "symbol": symbol,
        "price": f"{bars.last_price(call.now_ms):.{bars.price_decimals}f}",
        "time": call.now_ms,
    }


def day_tickers(call: Call) -> Reply:
    """Answer the rolling 24-hour statistics."""
    return _each(call, "day")


def best_prices(call: Call) -> Reply:
    """Answer the best bid and ask."""
    return _each(call, "best")


def last_prices(call: Call) -> Reply:
    """Answer the last price."""
    return _each(call, "price")


FACE = Face(
    "binance usd-m",
    {
        "/fapi/v1/ping": ping,
        "/fapi/v1/time": server_time,
        "/fapi/v1/exchangeInfo": exchange_info,
        "/fapi/v1/klines": klines,
        "/fapi/v1/markPriceKlines": mark_klines,
        "/fapi/v1/depth": depth,
        "/fapi/v1/ticker/24hr": day_tickers,
        "/fapi/v1/ticker/bookTicker": best_prices,
        "/fapi/v1/ticker/price": last_prices,
        "/fapi/v2/ticker/price": last_prices,
        "/dapi/v1/ping": ping,
        "/dapi/v1/time": server_time,
        "/dapi/v1/exchangeInfo": nothing_listed,
    },
)
