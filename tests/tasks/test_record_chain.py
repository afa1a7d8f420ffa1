"""A chain of rows names the first one that is not what was written."""

from datetime import UTC, date, datetime

import pytest

from tasks.record_chain import START, broken_link, row_hash


def chain(count: int = 4) -> list[dict]:
    rows, before = [], START
    for entry in range(1, count + 1):
        row = {
            "entry": entry,
            "recommendation_id": f"R-{entry}",
            "as_of": datetime(2026, 6, entry, 18, tzinfo=UTC),
            "last_date": date(2026, 7, entry),
            "hold_return": 0.1 * entry if entry != 3 else None,
            "missing": [],
            "previous_hash": before,
        }
        before = row_hash(row)
        rows.append({**row, "row_hash": before})
    return rows


def test_a_chain_as_written_is_whole():
    assert broken_link(chain()) == ""
    assert broken_link([]) == ""


@pytest.mark.parametrize(
    ("column", "value"),
    [("hold_return", 0.2000001), ("as_of", datetime(2026, 6, 2, 19, tzinfo=UTC)), ("missing", ["spot:BTC"])],
)
def test_an_edited_row_is_named(column, value):
    rows = chain()
    rows[1][column] = value
    assert "broken at entry 2 (R-2): its values" in broken_link(rows)


def test_a_row_whose_hash_was_written_anew_breaks_the_next_one():
    rows = chain()
    rows[1]["hold_return"] = 9.0
    rows[1]["row_hash"] = row_hash(rows[1])
    assert "broken at entry 3 (R-3): it does not follow" in broken_link(rows)


def test_a_row_that_was_taken_out_is_missed():
    rows = chain()
    del rows[0]
    assert "rows are missing" in broken_link(rows)
