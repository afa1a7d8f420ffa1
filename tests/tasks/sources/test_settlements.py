"""Settlements read at once are what ccxt reads row by row, or are left to ccxt."""

from typing import Any

import pytest

from tasks.settings_schema import VenueSettings
from tasks.sources._ccxt import Untyped, strict_exchange
from tasks.sources._quirks import quirks_of
from tasks.sources._settlements import FEWEST_ROWS, read_settlements
from tests.tasks.support import FakeClock

T0, HOURS_8 = 1_600_000_000_000, 28_800_000
FIELDS = ("fundingTime", "fundingRate")


def raw(rows: int = 60, **changed: Any) -> list[dict[str, Any]]:
    made = [
        {"symbol": "BTCUSDT", "fundingTime": T0 + at * HOURS_8 + at % 3, "fundingRate": f"{at / 7e4:.8f}"}
        for at in range(rows)
    ]
    made[rows // 2] |= changed
    return made


def exchange(venue: str = "binance") -> Untyped:
    return strict_exchange(
        VenueSettings.model_validate({"id": venue}), "perp", quirks_of(venue), object(), FakeClock()
    )  # pyright: ignore[reportArgumentType]


def told(rows: Any) -> list[Any]:
    return [(row["timestamp"], row["fundingRate"], row["info"]) for row in rows]


@pytest.mark.parametrize("since", [None, T0 + 10 * HOURS_8])
def test_a_page_read_at_once_is_what_ccxt_reads(since: int | None) -> None:
    quick, slow = exchange(), exchange()
    slow.funding_row = ()
    page = raw()[::-1]
    found = quick.parse_funding_rate_histories(page, None, since, 100)
    assert "datetime" not in found[0]  # it was not ccxt who read it
    assert told(found) == told(slow.parse_funding_rate_histories(page, None, since, 100))


@pytest.mark.parametrize(
    "changed",
    [
        {"fundingRate": None},
        {"fundingRate": ""},
        {"fundingRate": "NaN"},
        {"fundingRate": "1e999"},
        {"fundingTime": None},
        {"fundingTime": "soon"},
        {"symbol": "ETHUSDT"},
    ],
)
def test_a_page_with_one_odd_row_is_left_to_ccxt(changed: dict[str, Any]) -> None:
    assert read_settlements(raw(), FIELDS, None, 100)
    assert read_settlements(raw(**changed), FIELDS, None, 100) is None


def test_what_is_no_list_of_rows_or_more_than_was_asked_for_is_left_to_ccxt() -> None:
    assert read_settlements({"code": -1}, FIELDS, None, 100) is None
    assert read_settlements([[1, 2]] * 30, FIELDS, None, 100) is None
    assert read_settlements(raw(FEWEST_ROWS - 1), FIELDS, None, 100) is None
    assert read_settlements(raw(60), FIELDS, None, 59) is None
    assert read_settlements(raw(60), (), None, 100) is None


def test_a_venue_whose_rate_ccxt_reads_elsewhere_is_left_to_ccxt() -> None:
    other = exchange()
    other.funding_row = ("fundingTime", "markPrice")
    page = [row | {"markPrice": "3.5"} for row in raw()]
    assert told(other.parse_funding_rate_histories(page, None, None, 100))[5][1] == pytest.approx(
        5 / 7e4, 1e-3
    )
