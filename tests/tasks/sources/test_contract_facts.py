"""Open interest and mark prices: asked for only where wanted, complete, as far as served."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from sandbox.faces import binance_contracts
from sandbox.server import RunningSandbox, running_sandbox
from tasks.ingest import IngestSummary, ingest
from tasks.settings_schema import Settings
from tasks.sources._times import DAY_MS, HOUR_MS, to_ms
from tests.tasks.support import (
    AS_OF,
    FakeClock,
    failures,
    last_states,
    make_context,
    pages,
    run_source,
    small_settings,
)  # fmt: skip
from warehouse.home import Home
from warehouse.master import open_master

INTEREST = ("open_interest", "perp", "BTCUSDT", "")
MARK = ("mark_candles", "perp", "BTCUSDT", "1h")


@pytest.fixture(scope="module")
def market() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(market: RunningSandbox) -> Iterator[RunningSandbox]:
    market.set_now(AS_OF)
    market.set_faults([])
    yield market
    market.set_faults([])


def settings_of(sandbox: RunningSandbox, home: Path, *datasets: str, **changes: Any) -> Settings:
    venue = {"id": "binance", "base_url": sandbox.base_url, "markets": ["perp"], "datasets": datasets}
    universe = {
        "assets": ["BTC"],
        "timeframes": ["1d", "1h"],
        "history_start": "2026-05-01",
    }
    return small_settings(sandbox.base_url, home, venues=[venue | changes], universe=universe)


def stamps(events: Any, dataset: str, column: str) -> np.ndarray[Any, Any]:
    found = [np.asarray(page.columns[column]) for page in pages(events, dataset) if page.rows]
    return np.concatenate(found).astype("datetime64[ms]").astype(np.int64)


def run(settings: Settings, run_id: str, as_of: datetime = AS_OF) -> IngestSummary:
    return ingest(make_context(settings, run_id=run_id, as_of=as_of))


def read(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse.home / "master.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_nothing_of_it_is_asked_for_unless_the_configuration_says_so(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    events = run_source("venue", settings_of(sandbox, tmp_path))
    assert {page.dataset for page in pages_of(events)} <= {
        "candles", "funding_rates", "instruments", "order_book_depth"
    }  # fmt: skip


def pages_of(events: Any) -> list[Any]:
    return [event for event in events if hasattr(event, "constants")]


def test_open_interest_comes_by_the_hour_for_as_long_as_the_venue_keeps_it(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    events = run_source("venue", settings_of(sandbox, tmp_path, "open_interest"))
    assert failures(events) == []
    at = stamps(events, "open_interest", "observed_at")
    newest = to_ms(AS_OF) // HOUR_MS * HOUR_MS
    oldest = -(-(to_ms(AS_OF) - 30 * DAY_MS + HOUR_MS) // HOUR_MS) * HOUR_MS
    assert list(at) == list(range(oldest, newest + HOUR_MS, HOUR_MS))
    state = last_states(events)[INTEREST]
    assert (state.status, to_ms(state.newest_data_at)) == ("active", newest)  # pyright: ignore[reportArgumentType]
    # A later run asks once, for the trailing hours and what is new.
    later = AS_OF + timedelta(hours=2)
    sandbox.set_now(later)
    again = run_source(
        "venue",
        settings_of(sandbox, tmp_path, "open_interest"),
        as_of=later,
        states=[replace(state, held_from=state.first_data_at)],
    )
    (page,) = pages(again, "open_interest")
    assert page.rows == 5
    assert stamps(again, "open_interest", "observed_at")[-1] == newest + 2 * HOUR_MS


def test_after_a_long_absence_what_is_still_served_is_read_and_nothing_fails(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox, tmp_path, "open_interest")
    state = last_states(run_source("venue", settings))[INTEREST]
    later = AS_OF + timedelta(days=75)
    sandbox.set_now(later)
    events = run_source("venue", settings, as_of=later, states=[state])
    assert failures(events) == []
    at = stamps(events, "open_interest", "observed_at")
    assert at[0] >= to_ms(later) - 30 * DAY_MS
    assert at[-1] == to_ms(later) // HOUR_MS * HOUR_MS
    assert (np.diff(at) == HOUR_MS).all()


def test_an_empty_answer_where_points_must_exist_is_incomplete(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox, tmp_path, "open_interest")
    state = last_states(run_source("venue", settings))[INTEREST]
    sandbox.set_faults([{"kind": "html", "match": "openInterestHist"}])
    later = AS_OF + timedelta(hours=2)
    sandbox.set_now(later)
    events = run_source("venue", settings, as_of=later, states=[state])
    assert [failure.dataset for failure in failures(events)] == ["open_interest"]
    assert last_states(events)[INTEREST].status == "failing"


def test_mark_prices_are_candles_without_volume(sandbox: RunningSandbox, tmp_path: Path) -> None:
    events = run_source("venue", settings_of(sandbox, tmp_path, "mark_candles"))
    assert failures(events) == []
    assert all("base_volume" not in page.columns for page in pages(events, "mark_candles"))
    states = last_states(events)
    assert states[MARK].newest_data_at == datetime(2026, 6, 30, 18, tzinfo=UTC)
    hours = [
        page for page in pages(events, "mark_candles") if page.rows and page.constants["timeframe"] == "1h"
    ]
    assert (
        sum(page.rows for page in hours)
        == (to_ms(AS_OF) - to_ms(datetime(2026, 5, 1, tzinfo=UTC))) // HOUR_MS
    )
    assert all(page.asked_gaps == () for page in hours)


def test_both_reach_their_tables_and_a_second_run_adds_nothing(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox, tmp_path, "open_interest", "mark_candles")
    first = run(settings, "run-1")
    assert first.failures == ()
    counts = "select (select count(*) from core.open_interest), (select count(*) from core.mark_candles)"
    (held,) = read(settings, counts)
    assert held[0] == 719
    assert held[1] > 1_000
    second = run(settings, "run-2")
    assert second.failures == ()
    assert second.rows_new == 0
    assert read(settings, counts) == [held]
    known = "select count(*) from core.open_interest where known_at < observed_at or known_at > $1"
    with duckdb.connect(str(tmp_path / "master.duckdb"), read_only=True) as connection:
        assert connection.execute(known, [AS_OF.replace(tzinfo=None)]).fetchone() == (0,)
        found = connection.execute(
            "select is_reconstructed, count(*) from core.open_interest group by all order by all"
        ).fetchall()
    assert found == [(False, 2), (True, 717)]


def test_every_change_of_a_bracket_is_a_version_and_what_is_gone_is_not_in_force(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(sandbox, tmp_path, "leverage_brackets")
    assert run(settings, "run-1").failures == ()
    in_force = (
        "select bracket, notional_floor, notional_cap, maintenance_margin_rate, max_leverage from "
        "mart.current_leverage_brackets order by bracket"
    )
    first = read(settings, in_force)
    assert len(first) == 6
    assert first[0] == (1, 0.0, 50_000.0, 0.005, 100.0)
    assert run(settings, "run-2").rows_new == 0
    assert read(settings, "select count(*) from raw.leverage_brackets") == [(6,)]
    later = AS_OF + timedelta(hours=1)
    sandbox.set_now(later)
    monkeypatch.setattr(binance_contracts, "_BRACKETS", binance_contracts._BRACKETS[:4])  # pyright: ignore[reportPrivateUsage]
    assert run(settings, "run-3", later).failures == ()
    assert read(settings, in_force) == first[:4]
    assert read(settings, "select count(*), count(distinct known_at) from raw.leverage_brackets") == [(10, 2)]


def test_a_venue_that_wants_a_key_for_its_brackets_is_no_failure(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    sandbox.set_faults([{"kind": "5xx", "status": 401, "match": "leverageBracket"}])
    events = run_source("venue", settings_of(sandbox, tmp_path, "leverage_brackets"))
    assert failures(events) == []
    state = last_states(events)["leverage_brackets", "perp", "BTCUSDT", ""]
    assert state.status == "unsupported"
    assert "without a key" in state.message


def test_tickers_of_all_markets_come_in_one_request(sandbox: RunningSandbox, tmp_path: Path) -> None:
    universe = {"assets": ["BTC", "ETH", "XRP"], "timeframes": ["1d"], "history_start": "2026-06-20"}
    settings = settings_of(sandbox, tmp_path, "tickers", markets=["spot", "perp"])
    settings = settings.model_copy(update={"universe": settings.universe.model_validate(universe)})

    def asked() -> int:
        endpoints = sandbox.stats()["endpoints"].items()
        return sum(one["requests"] for name, one in endpoints if name.endswith("ticker/24hr"))

    before = asked()
    found = pages(run_source("venue", settings), "tickers")
    assert (len(found), asked() - before) == (2, 2)
    assert sorted({str(page.columns["market_type"][0]) for page in found}) == ["perp", "spot"]
    for page in found:
        assert page.rows == 3
        assert (page.columns["bid"] <= page.columns["ask"]).all() or np.isnan(page.columns["bid"]).all()
        assert (page.columns["last"] > 0).all()
        assert (page.columns["base_volume_24h"] >= 0).all()


def test_tickers_are_stored_and_pass_the_gate(sandbox: RunningSandbox, tmp_path: Path) -> None:
    context = make_context(settings_of(sandbox, tmp_path, "tickers"))
    assert ingest(context).failures == ()
    with open_master(Home(tmp_path), FakeClock(), "look") as master:
        rows = master._connection.execute(
            "select base, last > 0, known_at = observed_at from core.tickers"
        ).fetchall()
    assert rows == [("BTC", True, True)]


def test_a_venue_that_tells_no_tickers_is_a_failure_of_that_dataset_only(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    sandbox.set_faults([{"kind": "empty", "match": "ticker/24hr"}])
    events = run_source("venue", settings_of(sandbox, tmp_path, "tickers"))
    assert [failure.dataset for failure in failures(events)] == ["tickers"]
    assert pages(events, "candles")


def test_new_tables_appear_by_themselves_in_an_old_home(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    with open_master(home, FakeClock(), "a new home"):
        pass
    with duckdb.connect(str(tmp_path / "master.duckdb")) as connection:
        connection.execute("drop view mart.current_leverage_brackets")
        for table in ("open_interest", "mark_candles", "leverage_brackets", "implied_volatility"):
            connection.execute(f"drop macro table core.{table}_at")
            connection.execute(f"drop table core.{table}")
            connection.execute(f"drop table raw.{table}")
        connection.execute("update ops.master_state set schema_hash = 'older'")
    with open_master(home, FakeClock(), "the same home later") as master:
        assert master.rows("series_extent") == []
    with duckdb.connect(str(tmp_path / "master.duckdb"), read_only=True) as connection:
        assert connection.execute(
            "select count(*) from core.implied_volatility_at(null, null)"
        ).fetchall() == [(0,)]
