"""A venue that misbehaves: nothing wrong is stored, nothing is lost, and it heals by itself."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tasks.settings_schema import Settings
from tasks.sources._model import Event
from tests.tasks.support import AS_OF, FakeClock, failures, last_states, pages, run_source, small_settings

HOURS = ("candles", "spot", "BTCUSDT", "1h")
ONE_SPOT = {
    "quote": "USDT",
    "assets": ["BTC"],
    "timeframes": ["1d", "1h"],
    "history_start": "2026-05-01",
}


@pytest.fixture(scope="module")
def market() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as sandbox:
        yield sandbox


@pytest.fixture
def calm(market: RunningSandbox) -> Iterator[RunningSandbox]:
    market.set_faults([])
    yield market
    market.set_faults([])


def settings_of(sandbox: RunningSandbox, home: Path, **changes: Any) -> Settings:
    venue = {"id": "binance", "base_url": sandbox.base_url, "markets": ["spot"]}
    return small_settings(sandbox.base_url, home, universe=ONE_SPOT, **({"venues": [venue]} | changes))


def hourly(events: list[Event]) -> np.ndarray[Any, Any]:
    """[open_time, open, high, low, close, base_volume, quote_volume] of the hourly series, in order."""
    found = [page for page in pages(events, "candles") if page.rows and page.constants["timeframe"] == "1h"]
    names = ("open_time", "open", "high", "low", "close", "base_volume", "quote_volume")
    return np.concatenate(
        [np.column_stack([np.asarray(p.columns[n]).astype("float64") for n in names]) for p in found]
        or [np.empty((0, 7))]
    )


def test_every_closed_hour_and_nothing_unfinished(calm: RunningSandbox, tmp_path: Path) -> None:
    events = run_source("venue", settings_of(calm, tmp_path))
    rows = hourly(events)
    assert not failures(events)
    opens = rows[:, 0].astype("datetime64[us]")
    wanted = np.arange("2026-05-01T00", "2026-06-30T18", dtype="datetime64[h]").astype("datetime64[us]")
    assert list(opens) == list(wanted)
    state = last_states(events)[HOURS]
    assert state.newest_data_at == state.fetched_until == AS_OF.replace(hour=18, minute=0)
    assert all(page.is_simulated for page in pages(events, "candles") if page.rows)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html"},
        {"kind": "html", "status": 200},
        {"kind": "truncate"},
        {"kind": "truncate", "keep": 0.97},
        {"kind": "truncate", "wire": True},
        {"kind": "empty"},
        {"kind": "badjson"},
        {"kind": "reset"},
        {"kind": "5xx"},
        {"kind": "429", "retry_after": 7},
        {"kind": "dup", "rate": 0.05},
        {"kind": "shuffle", "rate": 0.2},
        {"kind": "missing", "rate": 0.02},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_a_passing_fault_changes_nothing(calm: RunningSandbox, tmp_path: Path, fault: dict[str, Any]) -> None:
    calm_rows = hourly(run_source("venue", settings_of(calm, tmp_path / "calm")))
    calm.set_faults([{"match": "/api/v3/klines.*1h", "count": 2} | fault])
    events = run_source("venue", settings_of(calm, tmp_path / "rough"))
    assert not failures(events)
    assert np.array_equal(hourly(events), calm_rows)
    assert sum(calm.stats()["injected"].values()) >= 1


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ({"kind": "html", "status": 200}, "unavailable", "non-JSON 200"),
        ({"kind": "truncate"}, "unavailable", "non-JSON 200"),
        ({"kind": "empty"}, "unavailable", "non-JSON 200"),
        ({"kind": "reset"}, "unavailable", "broke off"),
        ({"kind": "5xx"}, "unavailable", "503"),
        ({"kind": "429", "retry_after": 3000}, "deferred", "429"),
        ({"kind": "418", "retry_after": 3000}, "deferred", "banned"),
        ({"kind": "html", "status": 451}, "blocked", "blocked from this location"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(str(v) for v in value.values()),
)
def test_a_lasting_fault_stores_nothing_and_names_the_venue(
    calm: RunningSandbox, tmp_path: Path, fault: dict[str, Any], kind: str, said: str
) -> None:
    calm.set_faults([{"match": "/api/v3/klines.*1h"} | fault])
    events = run_source("venue", settings_of(calm, tmp_path))
    found = next(failure for failure in failures(events) if failure.series == "BTC/USDT 1h")
    assert (found.source, found.dataset, found.kind) == ("binance", "candles", kind)
    assert said in found.message
    assert "binance" in found.message
    assert not hourly(events).size
    state = last_states(events)[HOURS]
    assert (state.status, state.fetched_until) == ("failing", None)


def test_the_third_page_fails_and_the_next_run_resumes_there(calm: RunningSandbox, tmp_path: Path) -> None:
    whole = hourly(run_source("venue", settings_of(calm, tmp_path / "whole")))
    calm.set_faults([{"kind": "5xx", "match": "/api/v3/klines.*1h", "after": 2}])
    first = run_source("venue", settings_of(calm, tmp_path))
    state = last_states(first)[HOURS]
    assert state.fetched_until == AS_OF.replace(month=5, day=1, hour=0, minute=0) + timedelta(hours=1000)
    calm.set_faults([])
    second = run_source("venue", settings_of(calm, tmp_path), states=last_states(first).values())
    assert not failures(second)
    assert np.array_equal(np.unique(np.concatenate((hourly(first), hourly(second))), axis=0), whole)


def test_a_second_run_asks_once_per_series(calm: RunningSandbox, tmp_path: Path) -> None:
    states = last_states(run_source("venue", settings_of(calm, tmp_path)))
    before = calm.stats()["total"]
    events = run_source("venue", settings_of(calm, tmp_path), states=states.values())
    assert calm.stats()["total"] - before == 5  # time, markets, two timeframes, book
    assert len(hourly(events)) == 3
    assert last_states(events)[HOURS].fetched_until == states[HOURS].fetched_until


def test_a_real_hole_is_asked_for_three_times_and_reported(calm: RunningSandbox, tmp_path: Path) -> None:
    hole = np.arange("2026-05-10T03", "2026-05-10T07", dtype="datetime64[h]").astype("datetime64[ms]")
    stamps = [int(at.astype("int64")) for at in hole]
    calm.set_faults([{"kind": "missing", "match": "/api/v3/klines.*1h", "ts": stamps}])
    events = run_source("venue", settings_of(calm, tmp_path))
    assert not failures(events)
    (gap,) = [gap for page in pages(events, "candles") for gap in page.asked_gaps]
    assert (gap.start.isoformat()[:16], gap.end.isoformat()[:16], gap.attempts) == (
        "2026-05-10T03:00",
        "2026-05-10T07:00",
        3,
    )


def test_a_retry_after_is_waited_for_and_no_longer_than_the_budget(
    calm: RunningSandbox, tmp_path: Path
) -> None:
    calm.set_faults([{"kind": "429", "retry_after": 40, "match": "/api/v3/klines.*1h", "count": 1}])
    clock = FakeClock()
    assert not failures(run_source("venue", settings_of(calm, tmp_path), clock=clock))
    assert max(clock.slept) >= 39


def test_a_ban_outlives_the_process(calm: RunningSandbox, tmp_path: Path) -> None:
    calm.set_faults([{"kind": "418", "retry_after": 3000, "match": "/api/v3/klines"}])
    run_source("venue", settings_of(calm, tmp_path))
    sent = calm.stats()["total"]
    again = run_source("venue", settings_of(calm, tmp_path), clock=FakeClock(AS_OF + timedelta(minutes=10)))
    assert {failure.kind for failure in failures(again)} == {"deferred"}
    assert calm.stats()["total"] == sent
    calm.set_faults([])
    later = run_source("venue", settings_of(calm, tmp_path), clock=FakeClock(AS_OF + timedelta(hours=2)))
    assert not failures(later)


def test_a_series_that_fails_leaves_the_others_alone(calm: RunningSandbox, tmp_path: Path) -> None:
    calm.set_faults([{"kind": "html", "match": "/api/v3/klines.*interval=1h"}])
    events = run_source("venue", settings_of(calm, tmp_path))
    assert {failure.series for failure in failures(events)} == {"BTC/USDT 1h"}
    assert last_states(events)["candles", "spot", "BTCUSDT", "1d"].status == "active"


def test_a_venue_that_can_not_be_reached_is_named(tmp_path: Path) -> None:
    settings = small_settings("http://127.0.0.1:9", tmp_path)
    found = failures(run_source("venue", settings))
    assert {failure.series for failure in found} == {"spot", "perp"}
    assert all(
        "binance" in failure.message and "could not be reached" in failure.message for failure in found
    )
