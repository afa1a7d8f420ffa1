"""The arithmetic under the candle loop: windows without holes, and when a datum was known."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.sources._times import DAY_MS, HOUR_MS, from_ms, known_at, timeframe_ms, to_ms
from tasks.sources._windows import TRAILING_CANDLES, Window, last_closed_open, missing, pages, plan

T0 = to_ms(datetime(2026, 1, 1, tzinfo=UTC))


@given(st.integers(0, 5000), st.integers(1, 1000), st.sampled_from([HOUR_MS, DAY_MS]))
def test_pages_cover_a_stretch_once_and_in_order(count: int, size: int, step: int) -> None:
    covered = [
        a
        for first, last in pages(T0, T0 + (count - 1) * step, step, size)
        for a in range(first, last + 1, step)
    ]
    assert covered == [T0 + n * step for n in range(count)]
    assert all((b - a) // step < size for a, b in pages(T0, T0 + (count - 1) * step, step, size))


@given(
    held=st.integers(0, 400),
    cursor=st.integers(0, 400),
    newest=st.integers(401, 900),
    size=st.integers(1, 300),
)
def test_a_plan_leaves_no_hole_between_what_is_held_and_the_newest(
    held: int, cursor: int, newest: int, size: int
) -> None:
    held, cursor = min(held, cursor), max(held, cursor)
    at = lambda n: T0 + n * HOUR_MS  # noqa: E731 - shorter than a function here
    windows = plan(
        wanted=T0, held_from=at(held), cursor=at(cursor), newest=at(newest), step=HOUR_MS, size=size
    )
    asked = {a for w in windows for a in range(w.first, w.last + 1, HOUR_MS)}
    stored = {at(n) for n in range(held, cursor)}
    assert asked | stored == {at(n) for n in range(newest + 1)}
    assert [w.is_newest for w in windows].count(True) == 1
    older = [w for w in windows if not w.moves_cursor]
    assert all(a.first > b.first for a, b in pairwise(older))


def test_an_incremental_run_rereads_three_candles_in_one_page() -> None:
    newest = T0 + 100 * HOUR_MS
    (window,) = plan(wanted=T0, held_from=T0, cursor=newest, newest=newest, step=HOUR_MS, size=1000)
    assert window == Window(newest - TRAILING_CANDLES * HOUR_MS, newest, is_newest=True)


@pytest.mark.parametrize(("seconds_after_close", "closed"), [(0, False), (1, False), (2, True), (3599, True)])
def test_a_candle_is_closed_two_seconds_after_its_end(seconds_after_close: int, closed: bool) -> None:
    now = T0 + HOUR_MS + seconds_after_close * 1000
    assert (last_closed_open(now, HOUR_MS) == T0) is closed


def test_missing_stretches_are_inclusive_and_off_grid_rows_do_not_fill_them() -> None:
    opens = np.array([T0, T0 + HOUR_MS + 1234, T0 + 4 * HOUR_MS])
    window = Window(T0, T0 + 5 * HOUR_MS)
    assert missing(window, opens, HOUR_MS) == [
        (T0 + HOUR_MS, T0 + 3 * HOUR_MS),
        (T0 + 5 * HOUR_MS, T0 + 5 * HOUR_MS),
    ]


def test_milliseconds_and_back() -> None:
    at = datetime(2020, 2, 29, 23, 59, 59, 999000, tzinfo=UTC)
    assert from_ms(to_ms(at)) == at
    assert [timeframe_ms(name) for name in ("15m", "1h", "1d")] == [900_000, HOUR_MS, DAY_MS]


def test_what_this_run_learns_is_known_now_and_the_rest_when_it_was_published() -> None:
    as_of = datetime(2026, 1, 10, 12, 30, tzinfo=UTC)
    ends = np.array([to_ms(as_of - timedelta(minutes=m)) for m in (30, 120, 121, 60 * 24)])
    known, is_reconstructed = known_at(ends, HOUR_MS, as_of)
    assert list(is_reconstructed) == [False, False, True, True]
    now = np.datetime64("2026-01-10T12:30")
    assert list(known == now) == [True, True, False, False]
    assert known[2] == np.datetime64("2026-01-10T10:29")


@given(st.lists(st.integers(0, 4000), min_size=1), st.sampled_from([HOUR_MS, DAY_MS]))
def test_nothing_is_known_before_its_end_or_after_the_run(ages: list[int], step: int) -> None:
    as_of = datetime(2026, 1, 10, 12, 30, tzinfo=UTC)
    ends = np.array([to_ms(as_of) - age * 60_000 for age in ages])
    known, _ = known_at(ends, step, as_of)
    stamps = known.astype("datetime64[ms]").astype(np.int64)
    assert (stamps >= ends).all()
    assert (stamps <= to_ms(as_of)).all()
