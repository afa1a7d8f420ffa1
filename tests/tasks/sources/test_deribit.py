"""Deribit: dated futures, hourly funding that is not counted eight times, the volatility index and chains."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import numpy as np
import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tasks.ingest import IngestSummary, ingest
from tasks.settings_schema import Settings
from tasks.sources._greeks import greeks
from tasks.sources._times import HOUR_MS, to_ms
from tests.tasks.support import (
    AS_OF,
    failures,
    last_states,
    make_context,
    pages,
    run_source,
    small_settings,
)  # fmt: skip

START = datetime(2026, 6, 1, tzinfo=UTC)


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


def settings_of(sandbox: RunningSandbox, home: Path, *markets: str, **changes: Any) -> Settings:
    venue = {"id": "deribit", "base_url": sandbox.base_url, "markets": markets or ("perp", "future")}
    universe = {"assets": ["BTC", "SOL"], "timeframes": ["1d", "1h"], "history_start": START.date()}
    return small_settings(sandbox.base_url, home, venues=[venue | changes], universe=universe)


def run(settings: Settings, run_id: str, as_of: datetime = AS_OF) -> IngestSummary:
    return ingest(make_context(settings, run_id=run_id, as_of=as_of))


def read(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse.home / "master.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def ask(sandbox: RunningSandbox, name: str, **query: Any) -> Any:
    return httpx.get(f"{sandbox.base_url}/api/v2/public/{name}", params=query).json()["result"]


def test_dated_futures_come_with_their_expiry_and_every_closed_candle(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox, tmp_path, "future")
    assert run(settings, "run-1").failures == ()
    found = read(
        settings,
        "select market_id, symbol, expires_at, contract_size from core.instruments order by expires_at",
    )
    assert [(row[0], row[2]) for row in found] == [
        ("BTC-25SEP26", datetime(2026, 9, 25, 8)),
        ("BTC-25DEC26", datetime(2026, 12, 25, 8)),
    ]
    assert all(row[3] is None for row in found)  # inverse: its size is in dollars, not in coins
    hours = (to_ms(AS_OF) - to_ms(START)) // HOUR_MS
    assert read(
        settings,
        "select market_type, timeframe, count(*), max(open_time) from core.candles group by all order by all",
    ) == [
        ("future", "1d", 2 * 29, datetime(2026, 6, 29)),
        ("future", "1h", 2 * hours, datetime(2026, 6, 30, 17)),
    ]
    # A later expiry trades higher: the term structure is there.
    near, far = (
        row[0]
        for row in read(
            settings,
            "select arg_max(close, open_time) from core.candles group by market_id order by market_id desc",
        )
    )
    assert far > near
    assert run(settings, "run-2").rows_new == 0


def test_an_expired_contract_is_over_and_not_late(sandbox: RunningSandbox, tmp_path: Path) -> None:
    settings = settings_of(sandbox, tmp_path, "future")
    states = last_states(run_source("venue", settings)).values()
    later = datetime(2026, 9, 25, 9, 20, tzinfo=UTC)
    sandbox.set_now(later)
    events = run_source("venue", settings, as_of=later, states=states)
    assert failures(events) == []
    after = last_states(events)
    assert after["candles", "future", "BTC-25SEP26", "1h"].status == "delisted"
    assert after["candles", "future", "BTC-25DEC26", "1h"].status == "active"
    assert after["candles", "future", "BTC-26MAR27", "1h"].status == "active"


def test_a_day_of_hourly_funding_adds_up_to_a_day(sandbox: RunningSandbox, tmp_path: Path) -> None:
    settings = settings_of(sandbox, tmp_path, "perp")
    assert run(settings, "run-1").failures == ()
    hours, total, intervals = read(
        settings,
        "select count(*), sum(funding_rate), list(distinct interval_hours) from core.funding_rates "
        "where settled_at > '2026-06-10 00:00' and settled_at <= '2026-06-11 00:00'",
    )[0]
    assert (hours, intervals) == (24, [1.0])
    begin, end = to_ms(datetime(2026, 6, 10, 1, tzinfo=UTC)), to_ms(datetime(2026, 6, 11, tzinfo=UTC))
    rows = ask(
        sandbox, "get_funding_rate_history", instrument_name="BTC_USDC-PERPETUAL",
        start_timestamp=begin, end_timestamp=end,
    )  # fmt: skip
    assert total == pytest.approx(sum(row["interest_1h"] for row in rows), rel=1e-12)
    # The field that ccxt reads is eight hours long: a day of it is eight times too much.
    assert sum(row["interest_8h"] for row in rows) == pytest.approx(8 * total, rel=0.5)
    assert read(settings, "select count(*) from core.funding_rates") == [
        ((to_ms(AS_OF) - to_ms(START)) // HOUR_MS + 1,)
    ]


def test_the_volatility_index_comes_by_the_hour_as_a_fraction(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox, tmp_path, "perp", datasets=["implied_volatility"])
    first = run(settings, "run-1")
    assert first.failures == ()
    hours = (to_ms(AS_OF) - to_ms(START)) // HOUR_MS
    (row,) = read(
        settings,
        "select count(*), min(observed_at), max(observed_at), min(implied_volatility), "
        "max(implied_volatility), min(known_at - observed_at) from core.implied_volatility "
        "where kind = 'index'",
    )
    assert row[:3] == (hours, datetime(2026, 6, 1, 1), datetime(2026, 6, 30, 18))
    assert 0.2 < row[3] <= row[4] < 2
    assert row[5] == timedelta(0)
    assert run(settings, "run-2").rows_new == 0


def test_a_chain_is_read_every_six_hours_and_its_greeks_are_the_venues(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox, tmp_path, "perp", datasets=["implied_volatility"])
    assert run(settings, "run-1").failures == ()
    options = read(
        settings,
        "select market_id, option_type, delta, gamma, vega, theta, implied_volatility "
        "from core.implied_volatility where kind = 'option' order by market_id",
    )
    assert len(options) == 28
    for name, kind, *numbers, volatility in options[::9]:
        told = ask(sandbox, "ticker", instrument_name=name)
        wanted = [told["greeks"][greek] for greek in ("delta", "gamma", "vega", "theta")]
        assert numbers == pytest.approx(wanted, rel=2e-3, abs=1e-9)
        assert volatility == pytest.approx(told["mark_iv"] / 100)
        assert kind == {"C": "call", "P": "put"}[name[-1]]
    for hours, count in ((2, 28), (6, 56)):
        later = AS_OF + timedelta(hours=hours)
        sandbox.set_now(later)
        assert run(settings, f"run-{hours}", later).failures == ()
        assert read(settings, "select count(*) from core.implied_volatility where kind = 'option'") == [
            (count,)
        ]


def test_a_chain_of_now_is_not_knowledge_of_the_past(sandbox: RunningSandbox, tmp_path: Path) -> None:
    settings = settings_of(sandbox, tmp_path, "perp", datasets=["implied_volatility"])
    events = run_source("venue", settings, as_of=AS_OF - timedelta(days=2))
    assert failures(events) == []
    found = pages(events, "implied_volatility")
    assert {page.constants["kind"] for page in found if page.rows} == {"index"}
    newest = max(np.asarray(page.columns["observed_at"]).max() for page in found if page.rows)
    assert newest <= np.datetime64((AS_OF - timedelta(days=2)).replace(tzinfo=None))


def test_greeks_of_an_option_at_the_money() -> None:
    # F = K = 100, σ = 20 %, T = 0.25: d = 0.05, N(d) = 0.519939, n(d) = 0.398444.
    one = np.ones(2)
    delta, gamma, vega, theta = greeks(
        is_call=np.array([True, False]), forward=100 * one, strike=100 * one, years=0.25 * one,
        volatility=0.2 * one,
    )  # fmt: skip
    assert delta == pytest.approx([0.519939, -0.480061], abs=1e-6)
    assert gamma == pytest.approx([0.0398444] * 2, abs=1e-7)
    assert vega == pytest.approx([0.199222] * 2, abs=1e-6)
    assert theta == pytest.approx([-100 * 0.398444 * 0.2 / (2 * 0.5) / 365] * 2, abs=1e-6)
