"""Contract facts on recorded data: mark prices to the last digit, brackets, chains, greeks as recorded."""

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tasks.ingest import ingest
from tasks.settings_schema import Settings
from tasks.sources._greeks import greeks
from tests.tasks.support import FakeClock, make_context
from tests.tasks.test_ingest_replay import REPLAY, THEN, Replay, ms, replay

__all__ = ["replay"]  # the fixture is used by its name
pytestmark = [
    pytest.mark.replay,
    pytest.mark.skipif(not REPLAY.is_dir(), reason=f"the recorded market is not at {REPLAY}"),
]
START = "2020-06-01"


def settings_of(base_url: str, home: Path) -> Settings:
    wanted = ["open_interest", "mark_candles", "leverage_brackets"]
    return Settings.model_validate(
        {
            "config_path": home / "trimtab.toml",
            "warehouse": {"home": home, "keep_received_days": 0},
            "venues": [
                {"id": "binance", "base_url": base_url, "markets": ["perp"], "datasets": wanted},
                {
                    "id": "deribit",
                    "base_url": base_url,
                    "markets": ["perp"],
                    "datasets": ["implied_volatility"],
                },
            ],
            "universe": {
                "quote": "USDT", "assets": ["BTC", "ETH"], "timeframes": ["1d", "1h"], "history_start": START
            },
        }
    )  # fmt: skip


def recorded_marks(symbol: str) -> list[tuple[int, float]]:
    held = json.loads((REPLAY / "data" / "manifest.json").read_text())["klines"]
    (series,) = [
        row for row in held if (row["market"], row["symbol"], row["interval"]) == ("mark", symbol, "1h")
    ]
    raw = (REPLAY / "data" / series["file"]).read_bytes()
    count = series["rows"]
    opens = np.frombuffer(raw, np.int64, count)
    closes = np.frombuffer(raw, np.float64, count, offset=8 * count * 4)
    first = int(np.datetime64(START, "ms").astype(np.int64))
    kept = (opens >= first) & (opens + 3_600_000 <= ms(THEN))
    return list(zip(opens[kept].tolist(), closes[kept].tolist(), strict=True))


def test_marks_brackets_interest_and_chains_of_the_recording(replay: Replay, tmp_path: Path) -> None:
    replay.freeze(THEN)
    settings = settings_of(replay.base_url, tmp_path)
    summary = ingest(make_context(settings, as_of=THEN, clock=FakeClock(THEN)))
    failed = {(failure.source, failure.dataset) for failure in summary.failures}
    # The recording speaks only a part of Deribit: its volatility index is not among it.
    assert failed <= {("deribit", "implied_volatility")}

    def read(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(tmp_path / "master.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    for symbol in ("BTCUSDT", "ETHUSDT"):
        found = read(
            "select epoch_ms(open_time), close from core.mark_candles "
            f"where market_id = '{symbol}' and timeframe = '1h' order by 1"
        )
        assert found == recorded_marks(symbol)
    assert read("select market_id, count(*) from core.open_interest group by all order by all") == [
        ("BTCUSDT", 719),
        ("ETHUSDT", 719),
    ]
    tiers = {row["symbol"]: row["brackets"] for row in json.loads(_unpacked("leverage_tiers"))}
    assert read(
        "select market_id, count(*) from mart.current_leverage_brackets group by all order by all"
    ) == [(symbol, len(tiers[symbol])) for symbol in ("BTCUSDT", "ETHUSDT")]
    options, alive = read(
        "select count(*), count(*) filter (where expires_at > observed_at) from core.implied_volatility "
        "where kind = 'option' and base = 'BTC'"
    )[0]
    assert options == alive > 50


def test_greeks_agree_with_those_that_deribit_recorded() -> None:
    rows = [row for row in json.loads(_unpacked("deribit"))["btc_ticker_2020-05-21"] if row["mark_iv"]]

    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([row[name] for row in rows], dtype=np.float64)

    found = greeks(
        is_call=np.array([row["option_type"] == "call" for row in rows]),
        forward=column("underlying_price"),
        strike=column("strike"),
        years=(column("expiration_timestamp") - column("timestamp")) / (365 * 86_400_000),
        volatility=column("mark_iv") / 100,
    )
    recorded = [np.array([row["greeks"][name] for row in rows]) for name in ("delta", "gamma", "vega")]
    assert len(rows) > 300
    for ours, theirs, within in zip(found, recorded, (2e-4, 1e-5, 2e-3), strict=False):
        assert np.abs(ours - theirs).max() < within


def _unpacked(name: str) -> bytes:
    return gzip.decompress((REPLAY / "data" / f"{name}.json.gz").read_bytes())
