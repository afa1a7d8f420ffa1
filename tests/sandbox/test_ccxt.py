"""Unmodified ccxt, only its addresses replaced, reads the sandbox as it would read the venue."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.async_support as ccxt
import pytest

from sandbox.market_coins import COINS
from sandbox.server import RunningSandbox

HOUR, DAY = 3_600_000, 86_400_000


def redirected(urls: Any, base_url: str) -> Any:
    if isinstance(urls, str):
        return re.sub(r"^https?://[^/]+", base_url, urls)
    return (
        {name: redirected(value, base_url) for name, value in urls.items()}
        if isinstance(urls, dict)
        else urls
    )


def ask(sandbox: RunningSandbox, question: Callable[[Any], Awaitable[Any]], venue: str = "binance") -> Any:
    async def run() -> Any:
        exchange = getattr(ccxt, venue)({"enableRateLimit": False})
        exchange.urls["api"] = redirected(exchange.urls["api"], sandbox.base_url)
        try:
            await exchange.load_markets()
            return await question(exchange)
        finally:
            await exchange.close()

    return asyncio.run(run())


def test_markets_have_steps_minimums_and_listing(shared: RunningSandbox) -> None:
    async def markets(exchange: Any) -> Any:
        return exchange.markets

    found = ask(shared, markets)
    for base in COINS:
        spot, perp = found[f"{base}/USDT"], found[f"{base}/USDT:USDT"]
        assert spot["active"]
        assert spot["limits"]["cost"]["min"] == 5.0
        assert spot["precision"]["amount"] == float(COINS[base].spot.lot)
        assert perp["linear"]
        assert perp["contractSize"] == 1.0
        assert 5 <= perp["limits"]["cost"]["min"] <= 10
        assert perp["created"] == int(COINS[base].perp.listed.timestamp() * 1000)
    assert "USDC/USDT" in found


@pytest.mark.parametrize("symbol", ["BTC/USDT", "SOL/USDT:USDT", "USDC/USDT"])
def test_candles_of_a_window(shared: RunningSandbox, symbol: str) -> None:
    now = int(shared.now.timestamp() * 1000)
    since = now // HOUR * HOUR - 900 * HOUR

    async def candles(exchange: Any) -> Any:
        return await exchange.fetch_ohlcv(
            symbol, "1h", since=since, limit=499, params={"until": since + 498 * HOUR}
        )

    rows = ask(shared, candles)
    assert [row[0] for row in rows] == list(range(since, since + 499 * HOUR, HOUR))
    for _, opened, high, low, close, volume in rows:
        assert 0 < low <= min(opened, close) <= max(opened, close) <= high
        assert volume > 0


def test_no_candle_opens_after_now_or_before_the_listing(shared: RunningSandbox) -> None:
    now = int(shared.now.timestamp() * 1000)

    async def ends(exchange: Any) -> Any:
        newest = await exchange.fetch_ohlcv("ETH/USDT", "1h", since=now - 3 * HOUR, limit=1000)
        oldest = await exchange.fetch_ohlcv("SOL/USDT", "1d", since=1, limit=2)
        return newest, oldest

    newest, oldest = ask(shared, ends)
    assert newest[-1][0] == now // HOUR * HOUR
    assert oldest[0][0] == int(COINS["SOL"].spot.listed.timestamp() * 1000) // DAY * DAY


def test_funding_book_tickers_time_and_open_interest(shared: RunningSandbox) -> None:
    now = int(shared.now.timestamp() * 1000)

    async def everything(exchange: Any) -> Any:
        return {
            "time": await exchange.fetch_time(),
            "funding": await exchange.fetch_funding_rate_history(
                "ETH/USDT:USDT", since=now - 30 * DAY, limit=1000
            ),
            "rates": await exchange.fetch_funding_rates(),
            "intervals": await exchange.fetch_funding_intervals(),
            "book": await exchange.fetch_order_book("BTC/USDT", limit=50),
            "perp_book": await exchange.fetch_order_book("DOGE/USDT:USDT", limit=50),
            "tickers": await exchange.fetch_tickers(["BTC/USDT", "SOL/USDT"]),
            "best": await exchange.fetch_bids_asks(["BTC/USDT", "SOL/USDT"]),
            "mark": await exchange.fetch_mark_ohlcv("BTC/USDT:USDT", "1h", limit=3),
            "interest": await exchange.fetch_open_interest("BTC/USDT:USDT"),
            "interests": await exchange.fetch_open_interest_history("BTC/USDT:USDT", "1h", limit=5),
        }

    got = ask(shared, everything)
    assert got["time"] == now
    assert [row["timestamp"] % (8 * HOUR) for row in got["funding"]] == [0] * 90
    assert set(got["rates"]) == {f"{base}/USDT:USDT" for base in COINS}
    assert got["intervals"]["BTC/USDT:USDT"]["interval"] == "8h"
    for book in (got["book"], got["perp_book"]):
        bids, asks = [level[0] for level in book["bids"]], [level[0] for level in book["asks"]]
        assert len(bids) == len(asks) == 50
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]
        assert asks[0] / bids[0] - 1 < 0.002
    ticker = got["tickers"]["SOL/USDT"]
    assert ticker["bid"] <= ticker["last"] <= ticker["ask"]
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert set(got["best"]) == {"BTC/USDT", "SOL/USDT"}
    assert len(got["mark"]) == 3
    assert len(got["interests"]) == 5
    assert got["interest"]["openInterestAmount"] > 0
