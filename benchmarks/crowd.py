"""A market of many coins in Binance's spot dialect, as small as can be: what an hourly run over it costs.

The sandbox has a dozen coins with a history worth looking at; here only the number of markets matters.
"""

import argparse
import json
import math
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

STEPS_MS = {"1h": 3_600_000, "1d": 86_400_000}
FIRST_MS = 1_767_225_600_000  # 2026-01-01: every coin was listed then
NOW_MS = 1_893_456_000_000  # 2030-01-01: the venue is never behind the run that asks


def coins(count: int) -> list[str]:
    """C00, C01, ..."""
    return [f"C{at:02d}" for at in range(count)]


class Crowd(ThreadingHTTPServer):
    """The market; `asked` counts requests for candles by (market, timeframe)."""

    daemon_threads = True

    def __init__(self, count: int, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.coins = coins(count)
        self.asked: Counter[tuple[str, str]] = Counter()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Crowd

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = json.dumps(self._answer(url.path.rsplit("/", 1)[-1], query), separators=(",", ":")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, name: str, query: dict[str, str]) -> object:
        if name == "exchangeInfo":
            return {"symbols": [_listed(coin) for coin in self.server.coins]}
        if name == "depth":
            levels = [[str(100 - at / 100), "5"] for at in range(20)]
            return {
                "lastUpdateId": 1,
                "bids": levels,
                "asks": [[str(101 + at / 100), "5"] for at in range(20)],
            }
        if name == "klines":
            return self._candles(query)
        return {"serverTime": NOW_MS}

    def _candles(self, query: dict[str, str]) -> list[list[object]]:
        symbol, step = query["symbol"], STEPS_MS[query["interval"]]
        self.server.asked[symbol, query["interval"]] += 1
        first = max(-(-int(query.get("startTime", 0)) // step) * step, FIRST_MS)
        last = min(int(query.get("endTime", NOW_MS)), NOW_MS)
        opens = range(first, last + 1, step)[: int(query.get("limit", 500))]
        return [_candle(at, step, int(symbol[1:3])) for at in opens]


def _candle(at: int, step: int, number: int) -> list[object]:
    price = 100 + number + math.sin(at / 3.6e7)
    texts = [f"{value:.4f}" for value in (price, price * 1.01, price * 0.99, price, 10.0)]
    return [at, *texts, at + step - 1, f"{price * 10:.4f}", 7, "5.0", "500.0", "0"]


def _listed(coin: str) -> dict[str, object]:
    return {
        "symbol": f"{coin}USDT",
        "status": "TRADING",
        "baseAsset": coin,
        "quoteAsset": "USDT",
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "100000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"},
            {"filterType": "NOTIONAL", "minNotional": "5"},
        ],
    }


@contextmanager
def crowd(count: int) -> Generator[Crowd]:
    """The market in a thread of this process."""
    with Crowd(count) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=50)
    chosen = parser.parse_args()
    Crowd(chosen.count, chosen.port).serve_forever()


if __name__ == "__main__":
    main()
