"""The venues' limits, on a clock that the test moves."""

from __future__ import annotations

import pytest

from sandbox.limits import Limits, weight_of
from sandbox.wire import RefusalError


class Wall:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0 // 300 * 300

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def refused(limits: Limits, path: str, **query: str) -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        limits.charge(path, query)
    return caught.value


def test_weight_runs_out_and_comes_back_with_the_next_minute(wall: Wall) -> None:
    limits = Limits(wall)
    for _ in range(3000):
        headers = limits.charge("/api/v3/klines", {"limit": "1000"})
    assert headers["X-MBX-USED-WEIGHT-1M"] == "6000"
    wall.now += 20
    refusal = refused(limits, "/api/v3/klines")
    assert (refusal.reply.status, refusal.reply.headers["Retry-After"]) == (429, "40")
    limits.charge("/fapi/v1/klines", {"limit": "499"})
    wall.now += 40
    assert limits.charge("/api/v3/klines", {})["X-MBX-USED-WEIGHT-1M"] == "2"


def test_who_goes_on_asking_is_banned(wall: Wall) -> None:
    limits = Limits(wall)
    for _ in range(2400):
        limits.charge("/fapi/v1/time", {})
    assert [refused(limits, "/fapi/v1/time").reply.status for _ in range(13)] == [429] * 11 + [418] * 2
    wall.now += 61
    assert refused(limits, "/fapi/v1/time").reply.status == 418
    wall.now += 60
    limits.charge("/fapi/v1/time", {})


def test_funding_has_its_own_five_minutes(wall: Wall) -> None:
    limits = Limits(wall)
    for _ in range(500):
        limits.charge("/fapi/v1/fundingRate", {})
    assert refused(limits, "/fapi/v1/fundingRate").reply.headers["Retry-After"] == "300"
    limits.charge("/fapi/v1/premiumIndex", {})


def test_metrics_take_ten_requests_in_six_seconds(wall: Wall) -> None:
    limits = Limits(wall)
    left = []
    for _ in range(10):
        left.append(limits.charge("/v4/timeseries/asset-metrics", {})["X-RateLimit-Remaining"])
        wall.now += 0.125
    assert left == [str(count) for count in range(9, -1, -1)]
    refusal = refused(limits, "/v4/timeseries/asset-metrics")
    assert (refusal.reply.status, refusal.reply.headers["Retry-After"]) == (429, "5")
    wall.now += 4.8
    limits.charge("/v4/timeseries/asset-metrics", {})


def test_lifted_limits_still_count(wall: Wall) -> None:
    limits = Limits(wall, enforced=False)
    for _ in range(200):
        limits.charge("/api/v3/ticker/24hr", {})
        limits.charge("/v4/timeseries/asset-metrics", {})
    assert limits.used() == {"spot": 16_000}


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("/api/v3/klines", {"limit": "1000"}, 2),
        ("/fapi/v1/klines", {"limit": "99"}, 1),
        ("/fapi/v1/klines", {"limit": "499"}, 2),
        ("/fapi/v1/klines", {"limit": "1000"}, 5),
        ("/fapi/v1/markPriceKlines", {"limit": "1500"}, 10),
        ("/api/v3/depth", {}, 5),
        ("/api/v3/depth", {"limit": "5000"}, 250),
        ("/fapi/v1/depth", {"limit": "50"}, 2),
        ("/fapi/v1/depth", {}, 10),
        ("/api/v3/ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        ("/api/v3/ticker/24hr", {}, 80),
        ("/fapi/v1/premiumIndex", {}, 10),
        ("/api/v3/exchangeInfo", {}, 20),
        ("/api/v3/time", {}, 1),
    ],
)
def test_weights_are_the_venues(path: str, query: dict[str, str], weight: int) -> None:
    assert weight_of(path, query) == weight
