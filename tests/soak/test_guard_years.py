"""The guard over every recorded hour of 2019 to 2025: `make soak`; `make test` has the crises."""

import pytest

from tests.portfolio.recorded_hours import BOOKS, DATA, replay, years_of

pytestmark = [
    pytest.mark.soak,
    pytest.mark.replay,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded market is not at {DATA}"),
]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)
def test_every_breach_is_told_at_once_and_false_alarms_are_rarer_than_monthly(book):
    record = replay(book, *years_of(book))
    assert record.onsets
    assert record.late == []
    assert all(alerted is not None and alerted <= visible for *_, visible, alerted in record.onsets)
    assert [one for one in record.false if one[1] != "within a day of its end"] == []
    assert len(record.false) < record.hours / 730.5
