"""The whole ingest on recorded market data: every closed row of the recording, none more, none twice."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import duckdb
import numpy as np
import pytest

from tasks.ingest import IngestSummary, ingest
from tasks.settings_schema import Settings
from tests.tasks.support import FakeClock, make_context

REPLAY = Path(__file__).resolve().parents[3] / "shared" / "replay"
THEN = datetime(2020, 7, 20, 18, 20, tzinfo=UTC)
NEWEST = datetime(2026, 5, 16, 18, 20, tzinfo=UTC)
START = datetime(2019, 1, 1, tzinfo=UTC)
COINS = ("BTC", "ETH", "LTC", "XRP", "ADA", "LINK", "DOGE")
STEPS = {"1h": 3_600_000, "1d": 86_400_000}

pytestmark = [
    pytest.mark.replay,
    pytest.mark.skipif(not REPLAY.is_dir(), reason=f"the recorded market is not at {REPLAY}"),
]


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


class Replay:
    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.open = build_opener(ProxyHandler({})).open

    def freeze(self, now: datetime) -> None:
        body = json.dumps({"now": f"{now:%Y-%m-%dT%H:%M:%SZ}"}).encode()
        self.open(Request(f"{self.base_url}/__clock", body, method="POST")).close()

    def asked(self, path: str) -> int:
        with self.open(f"{self.base_url}/__stats") as answer:
            return int(json.load(answer)["endpoints"].get(path, {"n": 0})["n"])


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(REPLAY / "replay_exchange.py"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            _wait_until_it_listens(port)
            yield Replay(port)
        finally:
            process.terminate()


def _wait_until_it_listens(port: int) -> None:
    turn = threading.Event()
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            turn.wait(0.05)
        else:
            return
    pytest.fail("the replay did not start within 30 s")


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REPLAY / "data" / "manifest.json").read_text())
    return found


def settings_for(replay: Replay, home: Path, **universe: Any) -> Settings:
    base = replay.base_url
    followed = {
        "quote": "USDT",
        "assets": list(COINS),
        "timeframes": ["1d", "1h"],
        "history_start": "2019-01-01",
    }
    return Settings.model_validate(
        {
            "config_path": home / "trimtab.toml",
            "warehouse": {"home": home},
            "venues": [{"id": "binance", "base_url": base}],
            "sources": {
                "coinmetrics": {"base_url": base, "metrics": ["PriceUSD", "TxCnt", "CapMVRVCur"]},
                "defillama": {"base_url": base, "chains": ["Ethereum", "BSC"]},
                "fred": {"base_url": base},
            },
            "universe": followed | universe,
        }
    )


def recorded_opens(
    manifest: dict[str, Any], market: str, symbol: str, timeframe: str
) -> np.ndarray[Any, Any]:
    """Opening instants of the candles closed by THEN, in the wanted history, from the files."""
    for entry in manifest["klines"]:
        if (entry["market"], entry["symbol"], entry["interval"]) == (market, symbol, timeframe):
            raw = np.fromfile(REPLAY / "data" / entry["file"], dtype="<i8", count=entry["rows"])
            return raw[(raw >= ms(START)) & (raw + STEPS[timeframe] <= ms(THEN))]
    return np.empty(0, np.int64)


def recorded_funding(manifest: dict[str, Any], symbol: str) -> dict[int, float]:
    for entry in manifest["funding"]:
        if entry["symbol"] == symbol:
            path = REPLAY / "data" / entry["file"]
            stamps = np.fromfile(path, dtype="<i8", count=entry["rows"])
            rates = np.fromfile(path, dtype="<f8", offset=8 * entry["rows"])
            pairs = zip(stamps.tolist(), rates.tolist(), strict=True)
            return {t: rate for t, rate in pairs if ms(START) <= t <= ms(THEN)}
    return {}


@pytest.fixture(scope="module")
def fetched(replay: Replay, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, IngestSummary]:
    home = tmp_path_factory.mktemp("replayed")
    settings = settings_for(replay, home)
    replay.freeze(THEN)
    return settings, ingest(make_context(settings, as_of=THEN, clock=FakeClock(THEN)))


def read(settings: Settings, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse.home / "master.duckdb"), read_only=True) as connection:
        return connection.execute(sql, list(values)).fetchall()


def test_every_closed_candle_and_none_twice(
    fetched: tuple[Settings, IngestSummary], manifest: dict[str, Any]
) -> None:
    settings, summary = fetched
    assert summary.failures == ()
    found: dict[tuple[str, str, str], list[int]] = {}
    query = "select market_type, market_id, timeframe, epoch_ms(open_time) from core.candles order by all"
    for kind, market_id, timeframe, at in read(settings, query):
        found.setdefault((kind, market_id, timeframe), []).append(at)
    expected = {
        (kind, f"{coin}USDT", timeframe): recorded_opens(manifest, market, f"{coin}USDT", timeframe).tolist()
        for kind, market in (("spot", "spot"), ("perp", "um"))
        for coin in COINS
        for timeframe in STEPS
    }
    assert {key: len(opens) for key, opens in found.items()} == {
        key: len(opens) for key, opens in expected.items() if opens
    }
    assert found == {key: opens for key, opens in expected.items() if opens}
    assert sum(map(len, found.values())) > 120_000


def test_every_funding_settlement_with_its_interval(
    fetched: tuple[Settings, IngestSummary], manifest: dict[str, Any]
) -> None:
    settings, _ = fetched
    query = "select market_id, epoch_ms(settled_at), funding_rate, interval_hours from core.funding_rates"
    rows = read(settings, query)
    found: dict[str, dict[int, float]] = {}
    for market_id, at, rate, _hours in rows:
        found.setdefault(market_id, {})[at] = rate
    expected = {f"{coin}USDT": recorded_funding(manifest, f"{coin}USDT") for coin in COINS}
    expected = {market: rates for market, rates in expected.items() if rates}
    assert found.keys() == expected.keys()
    assert len(rows) == sum(map(len, expected.values()))
    for market, rates in expected.items():
        assert found[market].keys() == rates.keys()
        assert all(abs(found[market][at] - rate) < 1e-8 for at, rate in rates.items())
    assert {hours for *_, hours in rows} == {8.0}


def test_nothing_is_known_before_it_closed_or_after_the_run(fetched: tuple[Settings, IngestSummary]) -> None:
    settings, _ = fetched
    close = "open_time + case timeframe when '1h' then interval 1 hour else interval 1 day end"
    early, late, live = read(
        settings,
        f"select count(*) filter (known_at < {close}), count(*) filter (known_at > $1), "
        "count(*) filter (not is_reconstructed) from core.candles",
        THEN.replace(tzinfo=None),
    )[0]
    assert (early, late) == (0, 0)
    assert 0 < live < 100
    assert read(settings, "select max(period_start)::varchar from core.onchain_metrics") == [
        ("2020-07-19 00:00:00",)
    ]


def test_a_perpetual_without_rows_is_not_listed_yet(fetched: tuple[Settings, IngestSummary]) -> None:
    settings, summary = fetched
    perps = {name for name in summary.not_listed if name.startswith("binance")}
    assert {name.split()[3] for name in perps} == {"LINKUSDT", "DOGEUSDT"}
    assert not summary.required_failed
    query = "select distinct market_id from ops.series where market_type = 'perp' and status = 'not_listed'"
    assert {row[0] for row in read(settings, query)} == {"LINKUSDT", "DOGEUSDT"}


def test_a_second_ingest_adds_nothing_and_asks_once_per_series(
    fetched: tuple[Settings, IngestSummary], replay: Replay
) -> None:
    settings, _ = fetched
    replay.freeze(THEN)
    spot, perp = replay.asked("/api/v3/klines"), replay.asked("/fapi/v1/klines")
    gaps = read(settings, "select * from ops.gaps order by all")
    proven = "select distinct dataset, timeframe, status, attempts, evidence from ops.gaps"
    assert read(settings, proven) == [("candles", "1h", "confirmed", 3, "outage")]
    started = time.process_time()
    summary = ingest(make_context(settings, run_id="run-2", as_of=THEN, clock=FakeClock(THEN)))
    spent = time.process_time() - started
    assert summary.failures == ()
    assert summary.rows_new == 0
    assert all(part.rows_revised == 0 for part in summary.datasets)
    assert replay.asked("/api/v3/klines") - spot == 14
    assert replay.asked("/fapi/v1/klines") - perp == 14  # ten series and the proof that four have no rows
    assert read(settings, "select * from ops.gaps order by all") == gaps
    assert spent < 10


def test_the_real_gaps_of_eight_years_are_rows_and_not_candles(
    replay: Replay, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    replay.freeze(NEWEST)
    universe = {"assets": ["BTC"], "history_start": "2018-01-01"}
    settings = settings_for(replay, tmp_path, **universe)
    venue = {"id": "binance", "base_url": replay.base_url, "markets": ["spot"]}
    settings = Settings.model_validate(settings.model_dump() | {"venues": [venue], "sources": {}})
    summary = ingest(make_context(settings, as_of=NEWEST, clock=FakeClock(NEWEST)))
    assert summary.failures == ()
    (hours,) = [
        k
        for k in manifest["klines"]
        if (k["market"], k["symbol"], k["interval"]) == ("spot", "BTCUSDT", "1h")
    ]
    raw = np.fromfile(REPLAY / "data" / hours["file"], dtype="<i8", count=hours["rows"])
    closed = raw[raw + STEPS["1h"] <= ms(NEWEST)]
    assert read(settings, "select count(*) from core.candles where timeframe = '1h'") == [(len(closed),)]
    told = "select timeframe, status, attempts, evidence, gap_end - gap_start from ops.gaps"
    gaps = read(settings, told)
    assert len(gaps) == 27
    assert {gap[:4] for gap in gaps} == {("1h", "open", 3, "")}  # one market, one run: nothing is proven
    assert max(gap[4] for gap in gaps).total_seconds() == 33 * 3600
    clock = FakeClock(NEWEST + timedelta(hours=1))
    ingest(make_context(settings, run_id="run-2", as_of=NEWEST, clock=clock))
    assert {gap[:4] for gap in read(settings, told)} == {("1h", "confirmed", 4, "asked")}
