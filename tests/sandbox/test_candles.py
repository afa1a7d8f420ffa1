"""Candles over HTTP: exact sums, a last one that grows, windows as the venue cuts them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tests.sandbox.conftest import Get, fetch

HOUR, DAY = 3_600_000, 86_400_000
SPOT, PERP = "/api/v3/klines", "/fapi/v1/klines"


def summed(rows: list[list[Any]]) -> list[Any]:
    return [
        rows[0][0],
        rows[0][1],
        max(rows, key=lambda row: Decimal(row[2]))[2],
        min(rows, key=lambda row: Decimal(row[3]))[3],
        rows[-1][4],
        str(sum((Decimal(row[5]) for row in rows), Decimal(0))),
        rows[-1][6],
        str(sum((Decimal(row[7]) for row in rows), Decimal(0))),
    ]


@pytest.mark.parametrize("path", [SPOT, PERP])
@pytest.mark.parametrize("interval", ["4h", "1d", "1w"])
def test_longer_candles_are_exact_sums_of_the_hours(get: Get, path: str, interval: str) -> None:
    longer = get(path, symbol="ADAUSDT", interval=interval, limit=4).json()
    for candle in longer[-3:]:
        hours = get(
            path, symbol="ADAUSDT", interval="1h", startTime=candle[0], endTime=candle[6], limit=1000
        ).json()
        wanted = summed(hours)
        assert wanted[:5] + wanted[7:8] == candle[:5] + candle[7:8]
        assert Decimal(wanted[5]) == Decimal(candle[5])


def test_weeks_open_on_monday_and_days_at_midnight(get: Get) -> None:
    weeks = get(SPOT, symbol="BTCUSDT", interval="1w", limit=5).json()
    days = get(SPOT, symbol="BTCUSDT", interval="1d", limit=5).json()
    assert {datetime.fromtimestamp(row[0] / 1000, tz=UTC).strftime("%a %H") for row in weeks} == {"Mon 00"}
    assert {row[0] % DAY for row in days} == {0}


def test_candles_join_without_gaps_and_closes_become_opens(get: Get) -> None:
    rows = get(SPOT, symbol="XRPUSDT", interval="1h", startTime=1_546_300_800_000, limit=1000).json()
    assert [row[0] for row in rows] == [1_546_300_800_000 + n * HOUR for n in range(1000)]
    assert [row[1] for row in rows[1:]] == [row[4] for row in rows[:-1]]


def test_without_a_start_the_newest_are_served_with_one_the_oldest(get: Get) -> None:
    newest = get(SPOT, symbol="LTCUSDT", interval="1d", limit=3).json()
    assert newest[-1][0] == get("/api/v3/time").json()["serverTime"] // DAY * DAY
    assert get(SPOT, symbol="LTCUSDT", interval="1d", startTime=newest[0][0], limit=2).json() == newest[:2]
    assert get(SPOT, symbol="LTCUSDT", interval="1d", endTime=newest[1][0], limit=2).json()[-1] == newest[1]
    assert len(get(SPOT, symbol="LTCUSDT", interval="1h", limit=5000).json()) == 1000


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"symbol": "NOPEUSDT", "interval": "1h"}, -1121),
        ({"symbol": "BTCUSDT", "interval": "1m"}, -1120),
        ({"symbol": "BTCUSDT", "interval": "1h", "limit": 0}, -1130),
        ({"symbol": "BTCUSDT", "interval": "1h", "startTime": "soon"}, -1100),
        ({"interval": "1h"}, -1102),
    ],
)
def test_refusals_are_the_venues(get: Get, query: dict[str, object], code: int) -> None:
    answer = get(PERP, **query)
    assert (answer.status, answer.json()["code"]) == (400, code)


@pytest.fixture
def moving() -> Iterator[RunningSandbox]:
    with running_sandbox(now=datetime(2025, 3, 14, 9, 0, 0, tzinfo=UTC)) as sandbox:
        yield sandbox


@pytest.mark.parametrize("interval", ["1h", "1d"])
def test_the_last_candle_grows_into_its_final_value(moving: RunningSandbox, interval: str) -> None:
    def last() -> list[Any]:
        rows = fetch(moving.base_url + SPOT, symbol="ETHUSDT", interval=interval, limit=2).json()
        return rows[-1]

    opened = last()
    seen = [opened]
    for _ in range(12):
        moving.advance(295)
        seen.append(last())
    assert {row[0] for row in seen} == {opened[0]}
    highs, lows, volumes = ([float(row[at]) for row in seen] for at in (2, 3, 5))
    assert highs == sorted(highs)
    assert lows == sorted(lows, reverse=True)
    assert volumes == sorted(volumes)
    assert len({row[4] for row in seen}) > 8
    moving.advance(60)
    hours = fetch(
        moving.base_url + SPOT, symbol="ETHUSDT", interval="1h", startTime=opened[0], limit=24
    ).json()
    closed_hour = next(row for row in hours if row[0] % DAY == 9 * HOUR)
    assert closed_hour[4] == hours[-1][1]
    assert float(closed_hour[2]) >= max(highs if interval == "1h" else [0.0])
    moving.advance(86_400)
    final = fetch(
        moving.base_url + SPOT, symbol="ETHUSDT", interval=interval, startTime=opened[0], limit=1
    ).json()[0]
    assert float(final[2]) >= highs[-1]
    assert float(final[3]) <= lows[-1]
    assert float(final[5]) > volumes[-1]


def test_one_millisecond_before_its_end_the_hour_is_all_but_final(moving: RunningSandbox) -> None:
    moving.set_now(datetime(2025, 3, 14, 9, 59, 59, 999_000, tzinfo=UTC))
    nearly = fetch(moving.base_url + SPOT, symbol="BTCUSDT", interval="1h", limit=1).json()[0]
    moving.advance(0.001)
    final = fetch(moving.base_url + SPOT, symbol="BTCUSDT", interval="1h", limit=2).json()[0]
    assert nearly[:4] == final[:4]
    assert float(nearly[4]) == pytest.approx(float(final[4]), rel=1e-6)
    assert float(nearly[5]) == pytest.approx(float(final[5]), rel=1e-5)
