"""Recorded crises, hour by hour: what is visible is told in that hour, and what is told is true.

The years 2019 to 2025 are in `tests/soak/test_guard_years.py`.
"""

from dataclasses import replace

import pytest

from tests.portfolio import recorded_hours
from tests.portfolio.recorded_hours import BOOKS, DATA, EPISODES, Record, replay

pytestmark = [
    pytest.mark.replay,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded market is not at {DATA}"),
]


def crisis(name: str) -> dict[str, Record]:
    return {book.name: replay(book, *EPISODES[name]) for book in BOOKS}


@pytest.mark.parametrize("name", EPISODES)
def test_every_breach_is_told_in_the_first_hour_in_which_it_is_visible(name):
    found = crisis(name)
    onsets = [onset for record in found.values() for onset in record.onsets]
    # In October 2025 no book's deltas left their bounds: BTC and ETH fell by little beside other coins.
    assert {kind for kind, *_ in onsets} == {"margin", "delta"} - (
        {"delta"} if name == "October 2025" else set()
    )
    assert [late for record in found.values() for late in record.late] == []
    assert all(alerted is not None and alerted <= visible for *_, visible, alerted in onsets)
    untrue = [one for record in found.values() for one in record.false if one[1] != "within a day of its end"]
    assert untrue == []


def test_a_guard_that_sleeps_is_found_out(monkeypatch):
    monkeypatch.setattr(recorded_hours, "look", lambda *_: ((), []))
    book = next(book for book in BOOKS if book.name == "carry ETH 3x")
    record = replay(book, *EPISODES["October 2025"])
    assert record.late
    assert not record.told


def test_an_alert_that_the_rows_do_not_show_is_found_out(monkeypatch):
    awake = recorded_hours.look
    book = next(book for book in BOOKS if book.name == "carry ETH 3x")
    strict = replace(book.rules, min_liquidation_distance=0.30)  # its own limit is 20 %
    monkeypatch.setattr(recorded_hours, "look", lambda inputs, _, known: awake(inputs, strict, known))
    assert "the rows do not show it" in {why for _, why in replay(book, *EPISODES["October 2025"]).false}
