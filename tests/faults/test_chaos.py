"""Everything at once: a market that breaks one request in three ends in the same tables, row for row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tasks.ingest import IngestSummary, ingest
from tasks.settings_schema import Settings
from tests.tasks.support import AS_OF, make_context, small_settings

KLINES = "klines"
TRANSPORT: list[dict[str, Any]] = [
    {"kind": "429", "retry_after": 2},
    {"kind": "5xx"},
    {"kind": "truncate", "keep": 0.7},
    {"kind": "html", "status": 200},
    {"kind": "slow", "seconds": 0.01},
    {"kind": "reset"},
]
# Rows that are missing in two answers and come back in the third, in every hourly series.
ROWS: list[dict[str, Any]] = [
    {"kind": "dup", "rate": 0.02},
    {"kind": "shuffle", "rate": 0.1},
    *(
        {
            "kind": "missing",
            "rate": 0.005,
            "after": 1,
            "count": 2,
            "match": rf"{face}/klines(?=.*{coin}USDT)(?=.*1h)",
        }
        for face in ("/api/v3", "/fapi/v1")
        for coin in ("BTC", "ETH")
    ),
]
MOST_RUNS = 3


@pytest.fixture(scope="module")
def market() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as sandbox:
        yield sandbox


def settings_of(base_url: str, home: Path) -> Settings:
    universe = {"assets": ["BTC", "ETH"], "timeframes": ["1d", "1h"], "history_start": "2025-10-01"}
    return small_settings(base_url, home, universe=universe)


def run(settings: Settings, number: int) -> IngestSummary:
    return ingest(make_context(settings, run_id=f"run-{number}"))


def facts(settings: Settings, table: str) -> list[tuple[Any, ...]]:
    path = str(settings.warehouse.home / "master.duckdb")
    with duckdb.connect(path, read_only=True) as connection:
        sql = f"select * exclude (known_at, is_reconstructed, load_id) from core.{table} order by all"
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def calm(market: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    market.set_faults([])
    settings = settings_of(market.base_url, tmp_path_factory.mktemp("calm"))
    assert run(settings, 1).failures == ()
    return settings


@pytest.mark.parametrize("rules", [TRANSPORT, ROWS], ids=["transport", "rows"])
def test_after_at_most_three_runs_nothing_shows(
    market: RunningSandbox, calm: Settings, tmp_path: Path, rules: list[dict[str, Any]]
) -> None:
    rough = settings_of(market.base_url, tmp_path)
    share = {"p": 0.05} if rules is TRANSPORT else {}
    before = sum(market.stats()["injected"].values())
    market.set_faults([{"match": KLINES, **share, **rule} for rule in rules])
    try:
        for number in range(1, MOST_RUNS + 1):
            run(rough, number)
            if facts(rough, "candles") == facts(calm, "candles"):
                break
    finally:
        market.set_faults([])
    assert sum(market.stats()["injected"].values()) - before >= 10
    assert facts(rough, "candles") == facts(calm, "candles")
    assert facts(rough, "funding_rates") == facts(calm, "funding_rates")
