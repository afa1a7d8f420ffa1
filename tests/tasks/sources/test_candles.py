"""The candle loop against venues with other habits: silence, long outages, wrong units, no first candle."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tasks.settings_schema import VenueSettings
from tasks.sources._candles import CandleSeries
from tasks.sources._errors import SourceError
from tasks.sources._hosts import Hosts
from tasks.sources._model import Assignment, Page, SeriesState
from tasks.sources._received import Received
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import HOUR_MS, to_ms
from tests.tasks.support import AS_OF, FakeClock, failures, last_states, pages, run_source, small_settings

NOW = to_ms(AS_OF)
NEWEST = NOW // HOUR_MS * HOUR_MS - HOUR_MS
Answer = Callable[[int, int | None, int], Sequence[int]]


class Script:
    """Stands in for a strict exchange: `answer` gives the opening instants for since, until and limit."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[tuple[int, int | None, int]]()

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int, limit: int, parameters: Mapping[str, int]
    ) -> list[list[Any]]:
        self.asked.append((since, parameters.get("until"), limit))
        opens = self.answer(since, parameters.get("until"), limit)
        return [[at, 1.0, 2.0, 0.5, 1.5, 10.0, None] for at in opens]


def honest(opens: Sequence[int]) -> Answer:
    def answer(since: int, until: int | None, limit: int) -> Sequence[int]:
        return [at for at in opens if since <= at <= (until if until is not None else NOW)][:limit]

    return answer


def hours(count: int, *, before: int = 0) -> list[int]:
    return [NEWEST - n * HOUR_MS for n in range(before, before + count)][::-1]


def series_of(
    home: Path, answer: Answer, *, venue: str = "binance", size: int = 100, **state: Any
) -> CandleSeries:
    clock = FakeClock()
    assignment = Assignment(
        small_settings("http://127.0.0.1:9", home), AS_OF, None, None, {}, (), home, clock,
        Hosts(home / "held.json", clock), Received(home / "received", "r", 0, clock), lambda _: None,
        threading.Event(),
    )  # fmt: skip
    settings = VenueSettings.model_validate({"id": venue, "markets": ["spot"]})
    session = VenueSession(settings, ("spot",), assignment)
    session.exchange, session.server_ms = Script(answer), NOW
    step = Decimal("0.1")
    market = Market(
        venue, "BTCUSDT", "BTC/USDT", "BTC", "USDT", "spot", True, 1.0, step, step, step, step, 0.0, 0.0
    )
    known = SeriesState(venue, "candles", "spot", "BTCUSDT", "1h", "BTC", **state)
    series = CandleSeries(session, market, "1h", known)
    series.size = size
    return series


def fetch(series: CandleSeries) -> list[Page]:
    async def all_pages() -> list[Page]:
        first = await series.first_open()
        assert first is not None
        return [await series.page(window) for window in series.windows(first)]

    return asyncio.run(all_pages())


def opens_of(found: Sequence[Page]) -> list[int]:
    stamps = np.concatenate([np.asarray(page.columns["open_time"]) for page in found])
    return stamps.astype("datetime64[ms]").astype(int).tolist()


def asked_of(series: CandleSeries) -> list[tuple[int, int | None, int]]:
    return series.session.exchange.asked


def test_an_outage_longer_than_a_page_is_passed_over(tmp_path: Path) -> None:
    there = [*hours(150, before=450), *hours(100)]
    series = series_of(tmp_path, honest(there))
    found = fetch(series)
    assert opens_of(found) == there
    assert series.state.fetched_until is not None
    assert to_ms(series.state.fetched_until) == NEWEST + HOUR_MS
    assert (
        sum((gap.end - gap.start) // timedelta(hours=1) for page in found for gap in page.asked_gaps) == 350
    )


def test_an_empty_page_where_candles_must_exist_is_incomplete(tmp_path: Path) -> None:
    there = hours(300)
    silent_from = there[150]

    def answer(since: int, until: int | None, limit: int) -> Sequence[int]:
        return [at for at in honest(there)(since, until, limit) if at < silent_from]

    series = series_of(tmp_path, answer)
    with pytest.raises(SourceError, match="no candles") as caught:
        fetch(series)
    assert caught.value.kind == "incomplete"
    assert series.state.fetched_until is not None
    assert to_ms(series.state.fetched_until) == there[0] + 200 * HOUR_MS


def test_a_venue_that_ignores_since_is_unsupported_after_three_requests(tmp_path: Path) -> None:
    ignorant: Answer = lambda since, until, limit: hours(100)  # noqa: E731 - shorter than a function here
    series = series_of(tmp_path, ignorant, venue="okx", first_data_at=AS_OF - timedelta(days=30))
    with pytest.raises(SourceError, match="outside the window") as caught:
        fetch(series)
    assert caught.value.kind == "unsupported"
    assert len(asked_of(series)) <= 3


def test_since_and_until_are_always_sent_and_the_loop_ends_at_the_newest_closed(tmp_path: Path) -> None:
    series = series_of(tmp_path, honest([*hours(250), NEWEST + HOUR_MS]))
    assert opens_of(fetch(series)) == hours(250)
    assert all(until is not None for since, until, _ in asked_of(series) if since)


def test_rows_in_seconds_and_from_the_future_are_handed_to_the_gate(tmp_path: Path) -> None:
    there = hours(50)
    future = to_ms(datetime(2099, 1, 1, tzinfo=UTC))

    def answer(since: int, until: int | None, limit: int) -> Sequence[int]:
        return (
            [there[0] // 1000, *honest(there)(since, until, limit), future]
            if until
            else honest(there)(since, until, limit)
        )

    series = series_of(tmp_path, answer, first_data_at=datetime.fromtimestamp(there[0] / 1000, UTC))
    found = fetch(series)
    assert set(opens_of(found)) == {*there, there[0] // 1000, future}
    assert series.state.newest_data_at is not None
    assert to_ms(series.state.newest_data_at) == NEWEST + HOUR_MS


def test_two_values_for_one_candle_are_refused(tmp_path: Path) -> None:
    series = series_of(tmp_path, honest(hours(50)))
    rows = np.array([[NEWEST, 1, 2, 0.5, 1.5, 10, np.nan], [NEWEST, 1, 2, 0.5, 1.6, 10, np.nan]])
    with pytest.raises(SourceError, match="two different rows for 2026-06-30 17:00"):
        series._merged(rows[:0], rows)
    assert len(series._merged(rows[:1], rows[:1])) == 1


def test_a_venue_that_is_a_little_late_with_its_newest_candle_is_no_failure(tmp_path: Path) -> None:
    there = hours(40, before=1)
    newest = datetime.fromtimestamp(there[-1] / 1000, UTC) + timedelta(hours=1)
    first = datetime.fromtimestamp(there[0] / 1000, UTC)
    series = series_of(
        tmp_path,
        honest(there),
        first_data_at=first,
        held_from=first,
        newest_data_at=newest,
        fetched_until=newest,
    )
    found = fetch(series)
    assert opens_of(found) == there[-3:]
    assert series.state.fetched_until == newest
    assert not [gap for page in found for gap in page.asked_gaps]


@pytest.mark.parametrize("listed", [1, 99, 100, 101, 250, 999, 1000])
def test_a_listing_is_found_by_halving_where_a_venue_can_not_be_asked(tmp_path: Path, listed: int) -> None:
    series = series_of(tmp_path, honest(hours(listed)), venue="okx")
    found = fetch(series)
    start = to_ms(datetime(2026, 5, 20, tzinfo=UTC))
    wanted = [at for at in hours(listed) if at >= start]
    assert opens_of(found) == wanted
    assert (series.state.first_data_at is not None) is (wanted[0] > start)
    again = series_of(
        tmp_path, honest(hours(listed)), venue="okx", first_data_at=series.state.first_data_at,
        held_from=datetime.fromtimestamp(wanted[0] / 1000, UTC), newest_data_at=series.state.newest_data_at,
        fetched_until=series.state.fetched_until,
    )  # fmt: skip
    fetch(again)
    assert len(asked_of(again)) == 1


def test_a_market_without_candles_is_proven_twice(tmp_path: Path) -> None:
    for venue in ("binance", "okx"):
        series = series_of(tmp_path, honest([]), venue=venue)
        assert asyncio.run(series.first_open()) is None
        assert len(asked_of(series)) == 2


@pytest.fixture(scope="module")
def market() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as sandbox:
        yield sandbox


@pytest.mark.parametrize(("venue", "wanted_hours"), [("kraken", 719), ("coinbaseexchange", 41 * 24 + 18)])
def test_other_venues_deliver_every_closed_hour_they_serve(
    market: RunningSandbox, tmp_path: Path, venue: str, wanted_hours: int
) -> None:
    stated = {"id": venue, "base_url": market.base_url, "markets": ["spot"]}
    settings = small_settings(market.base_url, tmp_path, venues=[stated])
    events = run_source("venue", settings)
    assert failures(events) == []
    hourly = [p for p in pages(events, "candles") if p.rows and p.constants["timeframe"] == "1h"]
    bases = {str(page.constants["base"]) for page in hourly}
    assert {"BTC", "ETH"} <= bases
    for base in bases:
        found = sorted(opens_of([page for page in hourly if page.constants["base"] == base]))
        assert found == hours(wanted_hours)
    before = market.stats()["total"]
    again = run_source("venue", settings, states=last_states(events).values())
    assert failures(again) == []
    assert market.stats()["total"] - before < 20
