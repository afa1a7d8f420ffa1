"""As the present moves on, the past stays as it was, but for what its provider really revises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tests.sandbox.conftest import fetch

DAY_S = 86_400
NOW = datetime(2024, 12, 30, 20, 30, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(now=NOW) as running:
        yield running


def closed(sandbox: RunningSandbox) -> dict[str, bytes]:
    end = int(NOW.timestamp() * 1000) - 3_600_000
    span = {"symbol": "BTCUSDT", "startTime": end - 10**9, "endTime": end}
    days = {"start_time": "2024-11-01", "end_time": "2024-12-22", "page_size": 1000}
    paths: dict[str, dict[str, Any]] = {
        "/api/v3/klines": {**span, "interval": "1h"},
        "/fapi/v1/klines": {**span, "interval": "1h"},
        "/fapi/v1/markPriceKlines": {**span, "interval": "1h"},
        "/fapi/v1/fundingRate": {**span, "limit": 1000},
        "/graph/fredgraph.csv": {"id": "DGS10,VIXCLS", "cosd": "2024-11-01", "coed": "2024-12-16"},
        "/v4/timeseries/asset-metrics": {**days, "assets": "btc", "metrics": "PriceUSD,TxTfrValAdjUSD"},
    }
    return {path: fetch(sandbox.base_url + path, **query).body for path, query in paths.items()}


def test_the_past_is_stable_across_hours_and_years(sandbox: RunningSandbox) -> None:
    before = closed(sandbox)
    assert all(len(body) > 500 for body in before.values())
    for seconds in (3 * 3600, 2 * DAY_S, 400 * DAY_S):
        sandbox.advance(seconds)
        assert closed(sandbox) == before


def metric(sandbox: RunningSandbox, day: str, name: str) -> str | None:
    query = {"assets": "btc", "metrics": name, "start_time": day, "end_time": day}
    rows = fetch(sandbox.base_url + "/v4/timeseries/asset-metrics", **query).json()["data"]
    return rows[0][name] if rows else None


def test_an_on_chain_day_appears_late_and_is_revised_once(sandbox: RunningSandbox) -> None:
    sandbox.set_now(datetime(2024, 12, 30, 0, 5, tzinfo=UTC))
    seen: list[str | None] = []
    for _ in range(24 * 5):
        seen.append(metric(sandbox, "2024-12-29", "TxTfrValAdjUSD"))
        sandbox.advance(3600)
    assert seen[0] is None
    first_hour = next(hour for hour, value in enumerate(seen) if value is not None)
    assert 1 <= first_hour <= 6
    values = list(dict.fromkeys(value for value in seen if value is not None))
    assert len(values) == 2
    revised_hour = seen.index(values[1])
    assert 20 <= revised_hour - first_hour <= 60
    assert float(values[0]) == pytest.approx(float(values[1]), rel=0.15)


def test_prices_are_not_revised(sandbox: RunningSandbox) -> None:
    first = metric(sandbox, "2024-12-28", "PriceUSD")
    sandbox.advance(10 * DAY_S)
    assert first is not None
    assert metric(sandbox, "2024-12-28", "PriceUSD") == first


def test_value_locked_is_restated_for_a_short_while(sandbox: RunningSandbox) -> None:
    def history() -> dict[int, float]:
        rows = fetch(sandbox.base_url + "/v2/historicalChainTvl/Ethereum").json()
        return {row["date"]: row["tvl"] for row in rows}

    before = history()
    sandbox.advance(3 * DAY_S)
    after = history()
    changed = [day for day in before if before[day] != after[day]]
    assert changed == sorted(before)[-2:]
    assert all(after[day] == pytest.approx(before[day], rel=0.01) for day in changed)


def control(sandbox: RunningSandbox, path: str, method: str, body: bytes = b"") -> Any:
    request = Request(sandbox.base_url + path, data=body or None, method=method)
    with urlopen(request, timeout=10) as response:
        return response.status


def test_the_clock_is_moved_over_http(sandbox: RunningSandbox) -> None:
    control(sandbox, "/__clock", "POST", b'{"now": "2025-01-02T03:04:05Z"}')
    assert sandbox.now == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    control(sandbox, "/__clock", "POST", b'{"advance_s": 60}')
    assert fetch(sandbox.base_url + "/api/v3/time").json()["serverTime"] == sandbox.now.timestamp() * 1000
    assert fetch(sandbox.base_url + "/__clock").json()["iso"] == "2025-01-02T03:05:05Z"


def test_control_requests_are_not_counted(sandbox: RunningSandbox) -> None:
    fetch(sandbox.base_url + "/__stats")
    fetch(sandbox.base_url + "/__clock")
    assert sandbox.stats()["total"] == 0
    fetch(sandbox.base_url + "/api/v3/ping")
    assert fetch(sandbox.base_url + "/__stats").json()["endpoints"] == {
        "/api/v3/ping": {"requests": 1, "bytes": 2, "status": {"200": 1}}
    }


def test_a_wall_clock_follows_the_time_it_is_given() -> None:
    instants = iter([1_750_000_000.0 + 60 * step for step in range(1000)])
    with running_sandbox(clock="wall", wall=lambda: next(instants)) as running:
        first = fetch(running.base_url + "/api/v3/time").json()["serverTime"]
        assert fetch(running.base_url + "/api/v3/time").json()["serverTime"] > first >= 1_750_000_000_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"clock": "sun"}, "'fixed' or 'wall'"),
        ({"now": datetime(2025, 1, 1)}, "time zone"),
        ({"now": datetime(2016, 1, 1, tzinfo=UTC)}, "from 2018"),
    ],
)
def test_an_impossible_clock_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        running_sandbox(**arguments)
