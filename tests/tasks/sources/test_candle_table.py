"""Reading a page as columns gives what the ordinary way gives, or leaves it to the ordinary way."""

import json
from typing import Any

import numpy as np
import pytest

from tasks.sources._candle_table import read_table
from tasks.sources._json import parse_strictly

ROW: list[Any] = [0, "1.5", "2.25", "0.10000000000000001", "1e0", "7.0", 0, "3.3", 12, "1.0", "2.0", "0"]


def body(rows: int = 100, **changed: Any) -> str:
    made = []
    for at in range(rows):
        row = [1_600_000_000_000 + at * 3_600_000, "10290.06000000", "10342.84", "0.1", "3.3", "2489.8212610"]
        made.append([*row, row[0] + 3_599_999, str(at / 7)[:9], at, "1.0", "2.0", "0"])
    for name, value in changed.items():
        made[rows // 2][int(name[1:])] = value
    return json.dumps(made, separators=(",", ":"))


def slowly(text: str) -> Any:
    return np.array([[*map(float, row[:6]), float(row[7])] for row in parse_strictly(text)])


def test_columns_equal_what_the_strict_reader_reads() -> None:
    table = read_table(body(), 7)
    assert table is not None
    assert np.array_equal(table.rows, slowly(body()))
    assert [end[0] for end in table.ends] == [1_600_000_000_000, 1_600_000_000_000 + 99 * 3_600_000]


@pytest.mark.parametrize(
    "value", [None, "", "abc", "NaN", "Infinity", "1-2", "1.2.3", "--1", [1], {"a": 1}, True, "1\\u0030"]
)
def test_what_is_no_plain_number_is_left_to_the_strict_reader(value: Any) -> None:
    assert read_table(body(c3=value), 7) is None


def test_no_cut_body_is_read() -> None:
    whole = body()
    for at in range(1, len(whole), 50):
        assert read_table(whole[:at], 7) is None


def test_rows_of_different_lengths_or_quotes_are_left_to_the_strict_reader() -> None:
    whole = body()
    assert read_table(whole.replace('"0"],[', '"0","0"],[', 1), 7) is None
    assert read_table(whole.replace('"10290.06000000"', "10290.06", 1), 7) is None
    assert read_table(whole.replace("[[", "[", 1), 7) is None
    assert read_table("<html>" + whole, 7) is None
    assert read_table(json.dumps([ROW]), 7) is None
