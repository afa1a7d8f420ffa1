"""Binance spot: /api/v3."""

from __future__ import annotations

import json

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
from sandbox.market import Book, Market
from sandbox.market_bars import Bars
from sandbox.market_coins import COINS, Rules
from sandbox.wire import Call, Face, Reply, answer

MARKETS = {f"{base}USDT": (base, "USDT") for base in [*COINS, "USDC", "DAI"]} | {
    f"{base}USDC": (base, "USDC") for base in ("BTC", "ETH")
}


def _bars(market: Market, symbol: str) -> Bars:
    return market.spot(*MARKETS[symbol])


def _rules(market: Market, symbol: str) -> Rules:
    coin = COINS.get(MARKETS[symbol][0])
    return coin.spot if coin else market.stable_rules


def _trading(call: Call) -> list[str]:
    return [symbol for symbol in MARKETS if _rules(call.market, symbol).is_listed(call.now_ms)]


def _book(call: Call, symbol: str, depth: int) -> Book:
    return call.market.book(_bars(call.market, symbol), COINS.get(MARKETS[symbol][0]), depth, call.now_ms)


def ping(call: Call) -> Reply:
    """Answer {}."""
    del call
    return answer({})


def server_time(call: Call) -> Reply:
    """Answer the market's present."""
    return answer({"serverTime": call.now_ms})


def exchange_info(call: Call) -> Reply:
    """Answer the listed markets with their steps and minimums."""
    symbols: list[dict[str, object]] = []
    for symbol in _trading(call):
        base, quote = MARKETS[symbol]
        rules = _rules(call.market, symbol)
        symbols.append(
            {
                "symbol": symbol, "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8,
                "quoteAsset": quote, "quotePrecision": 8, "quoteAssetPrecision": 8,
                "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
                "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
                "icebergAllowed": True, "ocoAllowed": True, "quoteOrderQtyMarketAllowed": True,
                "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
                "filters": [
                    price_filter(rules),
                    lot_filter(rules),
                    {
                        "filterType": "NOTIONAL", "minNotional": f"{float(rules.min_notional):.8f}",
                        "applyMinToMarket": True, "maxNotional": "9000000.00000000",
                        "applyMaxToMarket": False, "avgPriceMins": 5,
                    },
                ],
                "permissions": [], "permissionSets": [["SPOT"]],
            }
        )  # fmt: skip
    limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}
    return answer(
        {
            "timezone": "UTC",
            "serverTime": call.now_ms,
            "rateLimits": [limit],
            "exchangeFilters": [],
            "symbols": symbols,
        }
    )


def klines(call: Call) -> Reply:
    """Answer candles."""
    symbol = symbol_of(call, set(MARKETS))
    bars = _bars(call.market, symbol)
    rows = candle_rows(call, bars, page_size(call, default=500, most=1000, cut=True))
    return candle_reply(call, bars, rows, printed=8)


def depth(call: Call) -> Reply:
    """Answer the order book."""
    symbol = symbol_of(call, set(MARKETS))
    if not _rules(call.market, symbol).is_listed(call.now_ms):
        return answer({"lastUpdateId": 0, "bids": [], "asks": []})
    book = _book(call, symbol, page_size(call, default=100, most=5000, cut=True))
    text = [[[f"{price:.8f}", f"{amount:.8f}"] for price, amount in side] for side in book]
    return answer({"lastUpdateId": call.now_ms, "bids": text[0], "asks": text[1]})


def _asked(call: Call) -> tuple[list[str], bool]:
    """Read `symbol` or `symbols`; the flag says whether one object is expected instead of a list."""
    if "symbol" in call.query:
        return [symbol_of(call, set(MARKETS))], True
    if "symbols" in call.query:
        symbols = [str(symbol) for symbol in json.loads(call.query["symbols"])]
        if not set(symbols) <= set(MARKETS):
            raise refuse(-1121, "Invalid symbol.")
        return symbols, False
    return _trading(call), False


def _listed(call: Call) -> tuple[list[str], bool]:
    symbols, single = _asked(call)
    return [symbol for symbol in symbols if _rules(call.market, symbol).is_listed(call.now_ms)], single


def _one_or_all(rows: list[dict[str, object]], *, single: bool) -> Reply:
    return answer((rows[0] if rows else {}) if single else rows)


def _best(call: Call, symbol: str) -> dict[str, object]:
    book = _book(call, symbol, 1)
    (bid, bid_size), (ask, ask_size) = book.bids[0], book.asks[0]
    return {
        "bidPrice": f"{bid:.8f}",
        "bidQty": f"{bid_size:.8f}",
        "askPrice": f"{ask:.8f}",
        "askQty": f"{ask_size:.8f}",
    }


def day_tickers(call: Call) -> Reply:
    """Answer the rolling 24-hour statistics."""
    symbols, single = _listed(call)
    rows: list[dict[str, object]] = []
    for symbol in symbols:
        ticker = day_ticker(symbol, _bars(call.market, symbol), call.now_ms)
        rows.append({**ticker, "prevClosePrice": ticker["openPrice"], **_best(call, symbol)})
    return _one_or_all(rows, single=single)


def best_prices(call: Call) -> Reply:
    """Answer the best bid and ask."""
    symbols, single = _listed(call)
    return _one_or_all([{"symbol": symbol, **_best(call, symbol)} for symbol in symbols], single=single)


def last_prices(call: Call) -> Reply:
    """Answer the last price."""
    symbols, single = _listed(call)
    rows: list[dict[str, object]] = [
        {"symbol": symbol, "price": f"{_bars(call.market, symbol).last_price(call.now_ms):.8f}"}
        for symbol in symbols
    ]
    return _one_or_all(rows, single=single)


FACE = Face(
    "binance spot",
    {
        "/api/v3/ping": ping,
        "/api/v3/time": server_time,
        "/api/v3/exchangeInfo": exchange_info,
        "/api/v3/klines": klines,
        "/api/v3/uiKlines": klines,
        "/api/v3/depth": depth,
        "/api/v3/ticker/24hr": day_tickers,
        "/api/v3/ticker/bookTicker": best_prices,
        "/api/v3/ticker/price": last_prices,
    },
)
