"""Holes of funding, mark prices and open interest: rows like those of candles, asked for again, closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tasks.ingest import ingest
from tasks.settings_schema import Settings
from tests.tasks.support import AS_OF, FakeClock, make_context, small_settings

AT = datetime(2026, 6, 20, 8, tzinfo=UTC)
PARTS = {
    "funding_rates": "fundingRate",
    "mark_candles": "markPriceKlines",
    "open_interest": "openInterestHist",
}
COLUMNS = "dataset, market_type, timeframe, gap_start, gap_end, status, evidence, rounds"
GAPS = f"select {COLUMNS} from ops.gaps order by all"
FACTS = "select * exclude (known_at, is_reconstructed, load_id) from core.{} order by all"
CURSORS = "select fetched_until, newest_data_at from ops.series where dataset = '{}' order by all"


@pytest.fixture(scope="module")
def market() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(market: RunningSandbox) -> Iterator[RunningSandbox]:
    yield market
    market.set_faults([])
    market.set_now(AS_OF)


def settings_of(sandbox: RunningSandbox, home: Path) -> Settings:
    datasets = ["open_interest", "mark_candles"]
    venue = {"id": "binance", "base_url": sandbox.base_url, "markets": ["perp"], "datasets": datasets}
    universe = {"assets": ["BTC"], "timeframes": ["1d", "1h"], "history_start": "2026-06-15"}
    return small_settings(sandbox.base_url, home, venues=[venue], universe=universe)


def run(settings: Settings, number: int, hours: float = 0, as_of: datetime = AS_OF) -> None:
    clock = FakeClock(as_of + timedelta(hours=hours))
    summary = ingest(make_context(settings, run_id=f"run-{number}", as_of=as_of, clock=clock))
    assert summary.failures == ()


def read(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse.home / "master.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def holes(*hours: int) -> list[dict[str, Any]]:
    stamps = [int((AT + timedelta(hours=hour)).timestamp() * 1000) for hour in hours]
    return [{"kind": "missing", "match": path, "ts": stamps} for path in PARTS.values()]


def test_they_are_noticed_confirmed_over_runs_and_closed_when_they_fill(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    calm, rough = settings_of(sandbox, tmp_path / "calm"), settings_of(sandbox, tmp_path / "rough")
    run(calm, 1)
    assert read(calm, GAPS) == []
    sandbox.set_faults(holes(0, 1))
    run(rough, 1)
    start, end = AT.replace(tzinfo=None), AT.replace(tzinfo=None) + timedelta(hours=2)
    of = {
        "funding_rates": ("perp", "", start, start + timedelta(hours=8)),
        "mark_candles": ("perp", "1h", start, end),
        "open_interest": ("perp", "", start, end),
    }
    assert read(rough, GAPS) == [(name, *edges, "open", "", 1) for name, edges in of.items()]
    sent = sandbox.stats()["total"]
    run(rough, 2, hours=1)
    found = {row[0]: row[5:] for row in read(rough, GAPS)}
    assert found == {
        "funding_rates": ("open", "", 2),  # asked for once a run
        "mark_candles": ("confirmed", "asked", 2),
        "open_interest": ("confirmed", "asked", 2),
    }
    asked_again = sandbox.stats()["total"] - sent
    run(rough, 3, hours=2)
    assert {row[5:] for row in read(rough, GAPS)} == {("confirmed", "asked", 2), ("confirmed", "asked", 3)}
    sent = sandbox.stats()["total"]
    run(rough, 4, hours=3)
    assert sandbox.stats()["total"] - sent == asked_again - 3
    sandbox.set_faults([])
    run(rough, 5, hours=24 * 8)
    assert {row[5] for row in read(rough, GAPS)} == {"closed"}
    for dataset in PARTS:
        for statement in (FACTS, CURSORS):
            assert read(rough, statement.format(dataset)) == read(calm, statement.format(dataset))


def test_what_the_venue_serves_no_longer_is_lost_and_not_asked_for(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox, tmp_path)
    sandbox.set_faults(holes(0))
    run(settings, 1)
    later = AS_OF + timedelta(days=25)  # 35 days after the hole; the venue serves 30
    sandbox.set_now(later)
    sandbox.set_faults([])
    run(settings, 2, as_of=later)
    status = {row[0]: row[5:7] for row in read(settings, GAPS)}
    assert status == {
        "funding_rates": ("closed", ""),
        "mark_candles": ("closed", ""),
        "open_interest": ("confirmed", "unserved"),
    }
