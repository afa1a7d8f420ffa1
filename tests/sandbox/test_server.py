"""The server around the market: labelled, on loopback, ready at once, gone when told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.market_defi import POOLS
from sandbox.server import RunningSandbox, running_sandbox
from sandbox.service import load_faces
from tests.sandbox.conftest import Get, fetch

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v3/ping", 200),
        ("/api/v3/klines", 400),
        ("/nowhere", 404),
        ("/graph/fredgraph.csv?id=DGS10&cosd=2026-06-01", 200),
        ("/v4/timeseries/asset-metrics?assets=nope&metrics=PriceUSD", 400),
        ("/0/public/Time", 200),
        ("/products", 200),
        ("/__stats", 200),
        ("/__nowhere", 404),
    ],
)
def test_every_answer_is_labelled_simulated(get: Get, path: str, status: int) -> None:
    answer = get(path)
    assert answer.status == status
    assert answer.headers["X-Trimtab-Simulated"] == "1"


def test_faulted_answers_are_labelled_too(shared: RunningSandbox) -> None:
    shared.set_faults([{"kind": "html"}])
    try:
        assert fetch(shared.base_url + "/api/v3/ping").headers["X-Trimtab-Simulated"] == "1"
    finally:
        shared.set_faults([])


def test_it_listens_on_loopback_only(shared: RunningSandbox) -> None:
    assert shared.base_url.startswith("http://127.0.0.1:")


def test_two_sandboxes_do_not_disturb_each_other() -> None:
    with running_sandbox(seed=7) as one, running_sandbox(seed=8) as other:
        query = {"symbol": "BTCUSDT", "interval": "1d", "limit": 3}
        assert (
            fetch(one.base_url + "/api/v3/klines", **query).body
            != fetch(other.base_url + "/api/v3/klines", **query).body
        )
        one.advance(3600)
        assert one.now > other.now
        assert other.stats()["total"] == 1


def test_the_same_seed_gives_the_same_bytes(shared: RunningSandbox) -> None:
    with running_sandbox() as again:
        for path in (
            "/api/v3/exchangeInfo",
            "/fapi/v1/premiumIndex",
            "/api/v3/depth?symbol=BTCUSDT",
            "/pools",
            "/v2/chains",
        ):
            assert fetch(again.base_url + path).body == fetch(shared.base_url + path).body


def test_no_path_is_answered_by_two_faces() -> None:
    faces = load_faces()
    paths = [path for face in faces for path in [*face.paths, *face.prefixes]]
    assert len(paths) == len(set(paths))
    assert len(faces) >= 9


PERPETUAL = "instrument_name=BTC-PERPETUAL"
SPAN = "start_timestamp=1560000000000&end_timestamp=1560040000000"
QUERIES = {
    "/api/v3/klines": "?symbol=BTCUSDT&interval=1w",
    "/api/v3/depth": "?symbol=SOLUSDT",
    "/fapi/v1/klines": "?symbol=SOLUSDT&interval=3d",
    "/fapi/v1/markPriceKlines": "?symbol=BTCUSDT&interval=1d",
    "/fapi/v1/depth": "?symbol=BTCUSDT&limit=5",
    "/fapi/v1/openInterest": "?symbol=SOLUSDT",
    "/futures/data/openInterestHist": "?symbol=BTCUSDT&period=1h",
    "/v4/timeseries/asset-metrics": "?assets=*&metrics=PriceUSD,HashRate&page_size=100",
    "/graph/fredgraph.csv": "?id=DGS10,DTWEXBGS,DFF&cosd=2018-01-01",
    "/0/public/OHLC": "?pair=SOLUSD",
    "/0/public/Depth": "?pair=XXBTZUSD",
    "/v2/historicalChainTvl/": "Base",
    "/protocol/": "aave-v3",
    "/stablecoincharts/": "all?stablecoin=5",
    "/stablecoin/": "5",
    "/summary/fees/": "aave-v3",
    "/chart/": next(iter(POOLS)),
    "/chartLendBorrow/": next(iter(POOLS)),
    "/products/": "BTC-USD/candles",
    "/api/v2/public/get_instruments": "?currency=BTC",
    "/api/v2/public/get_tradingview_chart_data": f"?{PERPETUAL}&{SPAN}&resolution=60",
    "/api/v2/public/get_funding_rate_history": f"?{PERPETUAL}&{SPAN}",
    "/api/v2/public/get_order_book": f"?{PERPETUAL}",
    "/api/v2/public/get_book_summary_by_currency": "?currency=BTC&kind=option",
    "/api/v2/public/get_volatility_index_data": f"?currency=BTC&resolution=3600&{SPAN}",
}
TICKER = "/api/v2/public/ticker"


@pytest.mark.parametrize(
    "now",
    [
        datetime(2018, 1, 1, tzinfo=UTC),
        datetime(2019, 9, 9, 3, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    ],
)
def test_every_endpoint_answers_at_every_time(now: datetime) -> None:
    with running_sandbox(now=now) as sandbox:
        for face in load_faces():
            for path in [*face.paths, *face.prefixes]:
                query = QUERIES.get(path, "?symbol=BTCUSDT&interval=1h")
                if path == TICKER:  # an option's name depends on the moment
                    summary = "/api/v2/public/get_book_summary_by_currency"
                    listed = json.loads(fetch(sandbox.base_url + summary + QUERIES[summary]).body)["result"]
                    query = f"?instrument_name={listed[0]['instrument_name']}"
                url = sandbox.base_url + path + query
                answer = fetch(url)
                told = (b"-1121", b"instrument not found")
                not_listed_yet = now.year < 2020 and any(word in answer.body for word in told)
                assert answer.status == 200 or not_listed_yet, url
                assert not re.search(rb"\b(NaN|nan|Infinity|inf)\b", answer.body), url


def test_a_served_sandbox_stops_cleanly_when_terminated() -> None:
    code = "from sandbox.server import serve; serve(on_ready=lambda port: print(port, flush=True))"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert fetch(f"http://127.0.0.1:{port}/api/v3/ping").status == 200
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_taken_port_is_an_error() -> None:
    with running_sandbox() as running:
        port = running.base_url.rpartition(":")[2]
        code = f"from sandbox.server import serve; serve(port={port}, on_ready=print)"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
        )
    assert done.returncode != 0
    assert "address already in use" in done.stderr
