"""Funding intervals are measured, markets chosen without guessing, and a book says what it does not show."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.server import running_sandbox
from tasks.settings_schema import UniverseSettings, VenueSettings
from tasks.sources._errors import SourceError
from tasks.sources._funding import FundingSeries
from tasks.sources._hosts import Hosts
from tasks.sources._listing import book_page, choose, depth, instruments_page, wanted_symbols
from tasks.sources._model import Assignment, SeriesState
from tasks.sources._received import Received
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import HOUR_MS, from_ms, to_ms
from tests.tasks.support import AS_OF, FakeClock, last_states, pages, run_source, small_settings

NOW = to_ms(AS_OF)


def assignment(home: Path) -> Assignment:
    clock = FakeClock()
    return Assignment(
        small_settings("http://127.0.0.1:9", home), AS_OF, None, None, {}, (), home, clock,
        Hosts(home / "held.json", clock), Received(home / "received", "r", 0, clock), lambda _: None,
        threading.Event(),
    )  # fmt: skip


def market(market_type: str = "perp", symbol: str = "BTC/USDT:USDT", **changes: Any) -> Market:
    made = Market(
        "binance", "BTCUSDT", symbol, "BTC", "USDT", market_type, True, 1.0, Decimal("0.001"), Decimal("0.1"),
        Decimal("0.001"), Decimal(5), 0.0002, 0.0004,
    )  # fmt: skip
    return replace(made, **changes)


class Script:
    """Stands in for a strict exchange: settlements from a list, as the venue would page them."""

    def __init__(self, rows: Mapping[int, float]) -> None:
        self.rows, self.asked = rows, list[tuple[int, int | None, int]]()

    async def fetch_funding_rate_history(
        self, symbol: str, since: int, limit: int, parameters: Mapping[str, int]
    ) -> list[dict[str, Any]]:
        until = parameters.get("until", NOW)
        self.asked.append((since, parameters.get("until"), limit))
        stamps = [at for at in sorted(self.rows) if since <= at <= until][:limit]
        return [
            {"timestamp": at, "fundingRate": self.rows[at], "info": {"markPrice": "64000.5"}} for at in stamps
        ]


def session_of(home: Path, exchange: Any) -> VenueSession:
    settings = VenueSettings.model_validate({"id": "binance", "markets": ["perp"]})
    session = VenueSession(settings, ("perp",), assignment(home))
    session.exchange, session.server_ms = exchange, NOW
    return session


def fetch(series: FundingSeries) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    async def all_pages() -> list[Any]:
        first = await series.first_settlement()
        assert first is not None
        at, found = series.start(first), list[Any]()
        while at <= series.newest:
            page, at = await series.page(at, first)
            found.extend([page] if page else [])
        return found

    found = asyncio.run(all_pages())
    stamps = np.concatenate([np.asarray(page.columns["settled_at"]) for page in found])
    return stamps, np.concatenate([np.asarray(page.columns["interval_hours"]) for page in found])


def fresh(session: VenueSession) -> FundingSeries:
    state = SeriesState("binance", "funding_rates", "perp", "BTCUSDT", "", "BTC")
    return FundingSeries(session, market(), state)


def settlements(*intervals: int) -> dict[int, float]:
    """Settlements that far apart in hours, the last one at 16:00 before now; some stamps jitter."""
    at = NOW // (8 * HOUR_MS) * 8 * HOUR_MS - sum(intervals) * HOUR_MS
    rows = {at: -0.0001}
    for number, hours in enumerate(intervals):
        at += hours * HOUR_MS
        rows[at + (7 if number % 3 == 0 else 0)] = 0.0001 * number
    return rows


def test_the_interval_is_the_measured_one_when_the_venue_changes_it(tmp_path: Path) -> None:
    rows = settlements(8, 8, 8, 4, 4, 4, 1, 1, 1, 1)
    stamps, hours = fetch(fresh(session_of(tmp_path, Script(rows))))
    assert list(hours) == [8, 8, 8, 8, 4, 4, 4, 1, 1, 1, 1]
    assert len(stamps) == len(rows)
    assert (stamps.astype("datetime64[ms]").astype(int) % 1000 == 0).all()


def test_a_missing_settlement_does_not_stretch_the_interval(tmp_path: Path) -> None:
    rows = settlements(8, 16, 8, 8)
    _, hours = fetch(fresh(session_of(tmp_path, Script(rows))))
    assert list(hours) == [8, 8, 8, 8, 8]


def test_a_later_run_measures_the_same_intervals(tmp_path: Path) -> None:
    rows = settlements(*([8] * 20), 4, 4, 4, 4, 4, 4)
    session = session_of(tmp_path, Script(rows))
    series = fresh(session)
    stamps, hours = fetch(series)
    again = FundingSeries(session, market(), series.state)
    later_stamps, later_hours = fetch(again)
    assert 1 <= len(later_stamps) <= 6
    known = dict(zip(stamps.tolist(), hours.tolist(), strict=True))
    assert all(known[at] == h for at, h in zip(later_stamps.tolist(), later_hours.tolist(), strict=True))
    assert again.state.fetched_until == series.state.fetched_until


def test_pages_that_are_full_leave_no_hole(tmp_path: Path) -> None:
    rows = settlements(*([1] * 700))
    series = fresh(session_of(tmp_path, Script(rows)))
    series.size = 100
    stamps, hours = fetch(series)
    assert len(stamps) == len(set(stamps.tolist())) == 701
    assert set(hours) == {1.0}


def test_settlements_that_stop_are_incomplete_and_those_that_never_began_are_not_listed(
    tmp_path: Path,
) -> None:
    rows = {at: rate for at, rate in settlements(*([8] * 30)).items() if at < NOW - 72 * HOUR_MS}
    series = fresh(session_of(tmp_path, Script(rows)))
    fetch(series)
    listed = replace(series.state, first_data_at=from_ms(min(rows)))
    later = FundingSeries(series.session, market(), listed)
    series.session.exchange = Script({})
    with pytest.raises(SourceError, match="no funding settlement since"):
        fetch(later)
    script = Script({})
    none = fresh(session_of(tmp_path, script))
    assert asyncio.run(none.first_settlement()) is None
    assert len(script.asked) == 2


def test_two_rates_for_one_settlement_are_refused(tmp_path: Path) -> None:
    at = NOW // (8 * HOUR_MS) * 8 * HOUR_MS
    series = fresh(session_of(tmp_path, Script({at: 0.1, at + 3: 0.2})))
    with pytest.raises(SourceError, match="two different rows"):
        fetch(series)


def test_coins_against_the_quote_and_stablecoins_against_the_dollar() -> None:
    universe = UniverseSettings(assets=("BTC",), cash=("USDC",))
    spot = wanted_symbols(universe, "spot")
    assert spot[0] == ("BTC", ("BTC/USDT", "BTC/USD"), True)
    assert {symbols for _, symbols, is_wanted in spot if not is_wanted} == {
        ("USDT/USD",),
        ("USDC/USD",),
        ("USDC/USDT",),
    }
    assert wanted_symbols(universe, "perp")[0][1][0] == "BTC/USDT:USDT"


def test_a_symbol_with_two_ids_is_followed_under_neither(tmp_path: Path) -> None:
    session = session_of(tmp_path, Script({}))
    session.markets = {"BTC/USDT:USDT": market(), "ETH/USDT:USDT": market(base="ETH", symbol="ETH/USDT:USDT")}
    session.ambiguous = frozenset({"BTC/USDT:USDT"})
    choice = choose(session, "perp")
    assert [found.base for found in choice.markets] == ["ETH"]
    assert choice.ambiguous == (("BTC", "BTC/USDT:USDT"),)


def test_rules_of_a_later_day_are_not_knowledge_of_an_earlier_one(tmp_path: Path) -> None:
    session = session_of(tmp_path, Script({}))
    page = instruments_page(session, [market()])
    assert page is not None
    assert list(page.columns["amount_step"]) == [Decimal("0.001")]
    session.server_ms = NOW + 49 * HOUR_MS
    assert instruments_page(session, [market()]) is None
    assert asyncio.run(book_page(session, market())) is None


def test_depth_is_null_beyond_what_was_read() -> None:
    bids = np.array([[99.95, 1.0], [99.9, 2.0], [99.0, 4.0]])
    assert depth(bids, 100.0, 10) == pytest.approx(99.95 + 99.9 * 2)
    assert depth(bids, 100.0, 50) == pytest.approx(99.95 + 99.9 * 2)
    assert np.isnan(depth(bids, 100.0, 101))


def test_the_sandbox_lists_rules_and_books_for_every_market(tmp_path: Path) -> None:
    with running_sandbox(now=AS_OF) as sandbox:
        events = run_source("venue", small_settings(sandbox.base_url, tmp_path))
    rules = pages(events, "instruments")
    assert sum(page.rows for page in rules) == 4
    assert all(step > 0 for page in rules for step in page.columns["amount_step"])
    books = [page for page in pages(events, "order_book_depth") if page.rows]
    assert len(books) == 4
    assert all(float(page.columns["spread_bps"][0]) > 0 for page in books)
    assert ("funding_rates", "perp", "BTCUSDT", "") in last_states(events)


def test_an_announced_delisting_is_the_end_of_a_perpetual_and_a_day_of_2100_is_none(tmp_path: Path) -> None:
    class Listing:
        precisionMode = 4  # noqa: N815 - ccxt's name

    session = session_of(tmp_path, Listing())
    row: dict[str, Any] = {"symbol": "XMR/USDT:USDT", "id": "XMRUSDT", "base": "XMR", "quote": "USDT"}
    row |= {"swap": True, "linear": True}
    for told, end in (("4133404800000", None), (1_790_000_000_000, from_ms(1_790_000_000_000)), ("0", None)):
        session._list({**row, "info": {"deliveryDate": told}})  # pyright: ignore[reportPrivateUsage]
        assert session.markets["XMR/USDT:USDT"].expires_at == end
    session._list(row)  # pyright: ignore[reportPrivateUsage]
    assert session.markets["XMR/USDT:USDT"].expires_at is None
