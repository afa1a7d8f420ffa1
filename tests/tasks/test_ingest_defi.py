"""Protocols, pools, incidents, positions, macro: both clocks, through the gate, and what is kept out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.market_defi import POOLS
from sandbox.server import RunningSandbox, running_sandbox
from tasks.data_ages import data_ages
from tasks.ingest import IngestSummary, ingest
from tasks.settings_schema import Settings
from tasks.sources._http import HttpSource
from tests.tasks.support import AS_OF, make_context, small_settings
from warehouse.home import Home
from warehouse.master import open_master

POOL, LENDING = list(POOLS)[:2]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def market() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(market: RunningSandbox) -> RunningSandbox:
    market.set_now(AS_OF)
    return market


def settings_of(base: str, home: Path) -> Settings:
    llama = {
        "base_url": base, "chains": ["Ethereum"], "protocols": ["aave-v3"], "pools": [POOL],
        "lending_pools": [LENDING], "incidents": True,
    }  # fmt: skip
    sources = {
        "defillama": llama,
        "cftc": {"base_url": base},
        "fred": {"base_url": base, "series": ["DGS10"]},
    }
    universe = {"assets": ["BTC"], "timeframes": ["1d"], "history_start": "2026-01-01"}
    return small_settings(base, home, sources=sources, universe=universe)


def run(settings: Settings, as_of: datetime, *sources: str) -> IngestSummary:
    return ingest(make_context(settings, run_id=f"run-{as_of:%d%H%M}", as_of=as_of), sources)


def read(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse.home / "master.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_everything_arrives_once_and_what_is_restated_is_a_new_vintage(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox.base_url, tmp_path)
    first = run(settings, AS_OF, "defillama", "cftc")
    assert first.failures == ()
    tables = ("protocol_metrics", "stablecoins", "yield_pools", "futures_positioning")
    counts = {table: read(settings, f"select count(*) from core.{table}")[0][0] for table in tables}
    assert counts["yield_pools"] == 2 * 180
    assert counts["futures_positioning"] == 2 * 25
    assert all(counts.values()), counts
    again = run(settings, AS_OF, "defillama", "cftc")
    assert again.rows_new == sum(part.rows_revised for part in again.datasets) == 0
    before = read(settings, "select max(period_start) from core.protocol_metrics where entity = 'Ethereum'")
    later = AS_OF + 2 * DAY
    sandbox.set_now(later)
    assert sum(part.rows_revised for part in run(settings, later, "defillama", "cftc").datasets) > 0
    (newest,) = before[0]
    versions = read(
        settings,
        "select known_at, is_reconstructed, value from raw.protocol_metrics where entity = 'Ethereum' "
        f"and period_start = timestamp '{newest}' order by known_at",
    )
    assert [known for known, _, _ in versions] == [at.replace(tzinfo=None) for at in (AS_OF, later)]
    assert [rebuilt for _, rebuilt, _ in versions] == [False, False]
    assert versions[0][2] != versions[1][2]


def test_incidents_are_rows_and_new_ones_are_learnt_when_they_are_listed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = settings_of("https://llama.test", tmp_path)
    old, late = ({"date": int((AS_OF - n * DAY).timestamp()), "name": f"Bridge {n}"} for n in (30, 20))
    facts = {"amount": 5_000_000, "chain": ["Ethereum", "Base"], "bridgeHack": True, "returnedFunds": None}
    lists = iter(([{**old, **facts}], [{**old, **facts, "returnedFunds": 1e6}, {**late, **facts}]))

    def answer(_: HttpSource, url: str, parameters: Mapping[str, str] | None = None) -> Any:
        del parameters
        return next(lists) if url.endswith("/hacks") else {}

    monkeypatch.setattr(HttpSource, "json", answer)
    run(settings, AS_OF, "defillama")
    later = AS_OF + DAY
    run(settings, later, "defillama")
    learnt = (
        "select incident_id, known_at, is_reconstructed, returned_usd from raw.incidents order by known_at"
    )
    happened = (AS_OF - 30 * DAY).replace(hour=0, minute=0, tzinfo=None)
    then = later.replace(tzinfo=None)
    assert read(settings, learnt)[0] == ("Bridge 30", happened + 2 * DAY, True, None)
    assert sorted(read(settings, learnt)[1:]) == [
        ("Bridge 20", then, False, None),
        ("Bridge 30", then, False, 1e6),
    ]
    assert read(settings, "select distinct chains, is_bridge from core.incidents") == [
        ("Ethereum,Base", True)
    ]


def test_ages_name_the_new_datasets(sandbox: RunningSandbox, tmp_path: Path) -> None:
    settings = settings_of(sandbox.base_url, tmp_path)
    context = make_context(settings)
    run(settings, AS_OF, "defillama", "cftc")
    with open_master(Home(tmp_path), context.clock, "look") as master:
        rows = master.rows("series_ages", as_of=AS_OF)
    ages = {age.dataset: age for age in data_ages(rows, settings, AS_OF)}
    assert ages["futures_positioning"].newest_data_at == datetime(2026, 6, 24, tzinfo=UTC)
    assert ages["yield_pools"].newest_data_at == datetime(2026, 6, 30, tzinfo=UTC)
    unasked = settings_of(sandbox.base_url, tmp_path).model_copy(
        update={"sources": settings.sources.model_copy(update={"cftc": None})}
    )
    assert "futures_positioning" not in {age.dataset for age in data_ages(rows, unasked, AS_OF)}


def test_a_value_of_nothing_is_null_and_a_later_reading_is_a_vintage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = settings_of("https://fred.test", tmp_path)
    texts = iter(
        (
            "observation_date,DGS10\n2026-06-24,4.10\n2026-06-25,.\n2026-06-26,\n",
            "observation_date,DGS10\n2026-06-24,4.12\n2026-06-25,.\n2026-06-26,4.20\n",
        )
    )

    def answer(_: HttpSource, url: str, parameters: Mapping[str, str] | None = None) -> str:
        del url, parameters
        return next(texts)

    monkeypatch.setattr(HttpSource, "text", answer)
    first, second = AS_OF, AS_OF + DAY
    assert run(settings, first, "fred").failures == ()
    assert read(settings, "select count(*), count(value) from core.macro_series") == [(3, 1)]
    assert sum(part.rows_revised for part in run(settings, second, "fred").datasets) == 2
    then = "select period_start::date::varchar, value from core.macro_series_at({}, null) order by all"
    known = [f"timestamp '{at:%Y-%m-%d %H:%M}'" for at in (first, second)]
    assert read(settings, then.format(known[0])) == [
        ("2026-06-24", 4.10),
        ("2026-06-25", None),
        ("2026-06-26", None),
    ]
    assert read(settings, then.format(known[1])) == [
        ("2026-06-24", 4.12),
        ("2026-06-25", None),
        ("2026-06-26", 4.20),
    ]


def points(*values: float) -> list[dict[str, float]]:
    start = datetime(2026, 6, 20, tzinfo=UTC)
    return [{"date": int((start + n * DAY).timestamp()), "tvl": value} for n, value in enumerate(values)]


def test_a_broken_adapter_is_kept_out_and_a_double_count_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = settings_of("https://llama.test", tmp_path)
    llama = settings.sources.defillama
    assert llama is not None
    only = llama.model_copy(
        update={"protocols": (), "pools": (), "lending_pools": (), "incidents": False, "chains": ("Base",)}
    )
    settings = settings.model_copy(
        update={"sources": settings.sources.model_copy(update={"defillama": only})}
    )

    def answer(_: HttpSource, url: str, parameters: Mapping[str, str] | None = None) -> Any:
        del parameters
        if "historicalChainTvl" not in url:
            return {"peggedAssets": []}
        return points(5e9, 5.1e9, 0.0, 5.2e9) if url.endswith("/Base") else points(5e9, 5.1e9, 11e9, 5.2e9)

    monkeypatch.setattr(HttpSource, "json", answer)
    run(settings, AS_OF, "defillama")
    held = read(settings, "select entity, value from core.protocol_metrics order by period_start, entity")
    assert ("Base", 0.0) not in held
    assert len(held) == 7
    assert read(settings, "select reason_code from ops.quarantine") == [("zero_after_value",)]
    told = read(
        settings, "select expectation from ops.validations where not success and severity = 'warning'"
    )
    assert ("no_sudden_doubling",) in told
