"""The same on recorded market data: one request in three breaks, and the tables are the same row for row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from benchmarks.market import RECORDED, market
from tasks.ingest import IngestSummary, ingest
from tasks.settings_schema import Settings
from tests.faults.kills import after_a_commit, after_requests, contents, finish, kill_at, stored, write_config
from tests.faults.test_chaos import MOST_RUNS, ROWS, TRANSPORT, facts
from tests.tasks.support import FakeClock, make_context, small_settings

NOW = datetime(2020, 7, 20, 18, 20, tzinfo=UTC)

pytestmark = [
    pytest.mark.replay,
    pytest.mark.skipif(not RECORDED.is_file(), reason=f"the recorded market is not at {RECORDED}"),
]


@pytest.fixture(scope="module")
def recorded() -> Iterator[str]:
    with market(f"{NOW:%Y-%m-%dT%H:%M:%SZ}") as (base_url, _):
        yield base_url


def set_faults(base_url: str, rules: Sequence[dict[str, Any]]) -> None:
    open_url = build_opener(ProxyHandler({})).open
    open_url(Request(f"{base_url}/__faults", method="DELETE")).close()
    if rules:
        open_url(Request(f"{base_url}/__faults", json.dumps(rules).encode(), method="POST")).close()


def run(settings: Settings, number: int) -> IngestSummary:
    return ingest(make_context(settings, run_id=f"run-{number}", as_of=NOW, clock=FakeClock(NOW)))


def settings_of(base_url: str, home: Path) -> Settings:
    universe = {"assets": ["BTC", "ETH"], "timeframes": ["1d", "1h"], "history_start": "2019-01-01"}
    return small_settings(base_url, home, universe=universe)


def test_faults_of_every_kind_change_nothing(recorded: str, tmp_path: Path) -> None:
    calm = settings_of(recorded, tmp_path / "calm")
    assert run(calm, 1).failures == ()
    for name, rules in (("transport", TRANSPORT), ("rows", ROWS)):
        rough = settings_of(recorded, tmp_path / name)
        share = {"p": 0.05} if name == "transport" else {}
        set_faults(recorded, [{"match": "klines", **share, **rule} for rule in rules])
        try:
            for number in range(1, MOST_RUNS + 1):
                run(rough, number)
                if facts(rough, "candles") == facts(calm, "candles"):
                    break
        finally:
            set_faults(recorded, [])
        assert facts(rough, "candles") == facts(calm, "candles"), name
        assert facts(rough, "funding_rates") == facts(calm, "funding_rates"), name


def test_kills_during_the_backfill_change_nothing(recorded: str, tmp_path: Path) -> None:
    now = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    calm, torn = (write_config(tmp_path / name, recorded, ["BTC", "ETH"], "2019-06-01") for name in "ct")
    finish(calm, now)
    assert kill_at(torn, now, 12_000, after_requests(recorded, 12))
    assert kill_at(torn, now, 12_000, after_a_commit(torn))
    assert 0 < stored(torn) < stored(calm)
    finish(torn, now)
    assert contents(torn) == contents(calm)
