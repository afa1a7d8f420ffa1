"""Working days of the United States' federal government, which publishes macro series and positions."""

from datetime import date, timedelta
from functools import cache
from typing import cast

import numpy as np

from tasks.sources._times import DAY_MS, Integers

MONDAY, THURSDAY = 0, 3
JUNETEENTH_SINCE, KING_SINCE, MONDAYS_SINCE = 2021, 1986, 1971


def working_day_after(days_ms: Integers, count: int) -> Integers:
    """The count-th working day after each day, both as midnights in milliseconds."""
    if not days_ms.size:
        return days_ms
    days = (days_ms // DAY_MS).astype("datetime64[D]")
    years = range(_year(days.min()), _year(days.max()) + 2)
    closed = np.array(sorted(day for year in years for day in holidays(year)), dtype="datetime64[D]")
    found = np.busday_offset(days + 1, count - 1, roll="forward", holidays=closed)
    return found.astype(np.int64) * DAY_MS


@cache
def holidays(year: int) -> frozenset[date]:
    """Federal holidays as they are observed (5 U.S.C. 6103): Saturday's on Friday, Sunday's on Monday."""
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    fixed += [date(year + 1, 1, 1)]  # where it falls on a Saturday it is kept on 31 December
    fixed += [date(year, 6, 19)] if year >= JUNETEENTH_SINCE else []
    moving = [_nth(year, 9, MONDAY, 1), _nth(year, 11, THURSDAY, 4)]
    if year >= MONDAYS_SINCE:
        last_of_may = _nth(year, 6, MONDAY, 1) - timedelta(days=7)
        moving += [_nth(year, 2, MONDAY, 3), last_of_may, _nth(year, 10, MONDAY, 2)]
    moving += [_nth(year, 1, MONDAY, 3)] if year >= KING_SINCE else []
    kept = [day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0)) for day in fixed]
    return frozenset(day for day in (*kept, *moving) if day.year == year)


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _year(day: np.datetime64) -> int:
    return cast("date", day.astype(object)).year
