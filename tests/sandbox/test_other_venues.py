"""Kraken and Coinbase Exchange through unmodified ccxt: the same coins, a little apart."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Get
from tests.sandbox.test_ccxt import DAY, HOUR, ask

VENUES = ["kraken", "coinbaseexchange"]


@pytest.mark.parametrize("venue", VENUES)
def test_markets_candles_books_and_time(shared: RunningSandbox, venue: str) -> None:
    now = int(shared.now.timestamp() * 1000)

    async def everything(exchange: Any) -> Any:
        return {
            "markets": exchange.markets,
            "time": await exchange.fetch_time(),
            "days": await exchange.fetch_ohlcv("ETH/USD", "1d", since=now // DAY * DAY - 30 * DAY, limit=100),
            "book": await exchange.fetch_order_book("BTC/USD"),
            "ticker": await exchange.fetch_ticker("BTC/USD"),
            "tickers": await exchange.fetch_tickers(),
        }

    got = ask(shared, everything, venue)
    assert {"BTC/USD", "SOL/USD", "DOGE/USD", "USDT/USD"} <= set(got["markets"])
    assert got["markets"]["BTC/USD"]["taker"] > 0
    assert got["time"] == now
    assert [row[0] for row in got["days"]] == [now // DAY * DAY - n * DAY for n in range(30, -1, -1)]
    assert got["book"]["bids"][0][0] < got["book"]["asks"][0][0]
    assert got["ticker"]["bid"] <= got["ticker"]["last"] <= got["ticker"]["ask"]
    assert got["tickers"]["USDT/USD"]["last"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("venue", VENUES)
def test_prices_differ_from_the_main_venue_by_little(shared: RunningSandbox, venue: str) -> None:
    since = int(shared.now.timestamp() * 1000) // HOUR * HOUR - 200 * HOUR

    def closes(of: str, symbol: str) -> dict[int, float]:
        async def hours(exchange: Any) -> Any:
            return await exchange.fetch_ohlcv(symbol, "1h", since=since, limit=200)

        return {row[0]: row[4] for row in ask(shared, hours, of)}

    main, dollars, other = closes("binance", "BTC/USDT"), closes(venue, "USDT/USD"), closes(venue, "BTC/USD")
    assert len(other) >= 199
    gaps = [other[at] / (main[at] * dollars[at]) - 1 for at in other if at in main and at in dollars]
    assert 0 < max(map(abs, gaps)) < 0.002
    assert abs(sum(gaps) / len(gaps)) < 0.0002


def test_kraken_serves_the_last_720_candles_and_no_more(get: Get) -> None:
    document = get("/0/public/OHLC", pair="XXBTZUSD", interval=60, since=0).json()
    rows = document["result"]["XXBTZUSD"]
    assert len(rows) == 720
    assert document["result"]["last"] == rows[-2][0]
    assert (
        get("/0/public/OHLC", pair="XBTUSD", interval=60, since=rows[-3][0]).json()["result"]["XXBTZUSD"]
        == rows[-2:]
    )


def test_kraken_says_no_with_status_200(get: Get) -> None:
    for path in ("/0/public/OHLC", "/0/public/Depth", "/0/public/Ticker"):
        answer = get(path, pair="NOPEUSD")
        assert (answer.status, answer.json()) == (200, {"error": ["EQuery:Unknown asset pair"]})


def test_coinbase_refuses_more_than_300_candles(get: Get) -> None:
    query = {"granularity": 3600, "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    assert get("/products/BTC-USD/candles", **query).status == 400
    rows = get("/products/BTC-USD/candles", **{**query, "end": "2026-01-05T00:00:00Z"}).json()
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    assert len(rows) == 97
    assert get("/products/NOPE-USD/candles").status == 404
