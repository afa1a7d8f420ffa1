"""When macro series appear: by their frequency, and by the release that carries them where that is slower.

FRED dates an observation by its day, a week by its last day (or the Wednesday it counts), a month and a
quarter by its first day. What a period holds is published long after that day: a value counts from 22:00 UTC
of the first federal working day at least so many days after its period is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from tasks.settings_schema import FredSettings
from tasks.sources._daily import Availability, after_day
from tasks.sources._times import DAY_MS, HOUR_MS, Integers
from tasks.sources._us_days import working_day_after

PUBLISHED_AT_MS = 22 * HOUR_MS
DAILY, WEEKLY, MONTHLY, QUARTERLY = "daily", "weekly", "monthly", "quarterly"
# Days after the end of a period. The slowest that are commonly used: banks' assets (H.8, the Friday of the
# week after), job openings and foreign trade (five to six weeks), the financial accounts (Z.1, eleven weeks).
LAG_DAYS = {WEEKLY: 9, MONTHLY: 45, QUARTERLY: 80}
MONTHS = {MONTHLY: 1, QUARTERLY: 3}
# Days between two observations; with weekends and holidays, a day's neighbour is at most four away.
SPACING = {DAILY: (0.5, 4.0), WEEKLY: (5.0, 9.0), MONTHLY: (27.0, 32.0), QUARTERLY: (88.0, 93.0)}
ENOUGH_TO_TELL = 4
# How far back each is read again: what is published once a month is revised for months.
TRAILING = {
    DAILY: timedelta(days=7),
    WEEKLY: timedelta(days=28),
    MONTHLY: timedelta(days=120),
    QUARTERLY: timedelta(days=400),
}
# Exchange rates and dollar indices are daily figures that appear once a week, on Monday (H.10).
ON_MONDAYS = ("DEX", "DTWEX")
MONDAY = 0
EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday


def frequency_of(name: str, stated: FredSettings) -> str:
    """How often a configured series has a value."""
    lists = {WEEKLY: stated.weekly, MONTHLY: stated.monthly, QUARTERLY: stated.quarterly}
    return next((frequency for frequency, names in lists.items() if name in names), DAILY)


def period_end(frequency: str) -> Availability:
    """From the days that observations bear to the midnights at which their periods are over."""
    if frequency not in MONTHS:
        return after_day(0)

    def end(days: Integers) -> Integers:
        months = (days // DAY_MS).astype("datetime64[D]").astype("datetime64[M]") + MONTHS[frequency]
        return months.astype("datetime64[D]").astype(np.int64) * DAY_MS

    return end


def published(name: str, stated: FredSettings) -> Availability:
    """When the observations of a series are published, in milliseconds."""
    frequency = frequency_of(name, stated)
    ends, lag = period_end(frequency), stated.lag_days.get(name, LAG_DAYS.get(frequency))

    def at(days: Integers) -> Integers:
        if lag is not None:
            # The day before the one that is long enough after the period's last.
            return working_day_after(ends(days) + (lag - 2) * DAY_MS, 1) + PUBLISHED_AT_MS
        if name.startswith(ON_MONDAYS):
            return working_day_after(_sundays(days), 1) + PUBLISHED_AT_MS
        return working_day_after(days, 1) + PUBLISHED_AT_MS

    return at


def told_frequency(name: str, days: Sequence[int], frequency: str) -> str:
    """What is wrong with the frequency that is configured, going by the days; empty where nothing is."""
    if len(days) < ENOUGH_TO_TELL:
        return ""
    spacing = float(np.median(np.diff(np.sort(np.asarray(days, dtype=np.int64))))) / DAY_MS
    low, high = SPACING[frequency]
    if low <= spacing <= high:
        return ""
    fitting = next((each for each, (a, b) in SPACING.items() if a <= spacing <= b), "")
    where = "series" if fitting == DAILY else fitting
    remedy = f"name it in sources.fred.{where}" if fitting else "leave it out"
    return f"{name} has a value every {spacing:.0f} days and is configured as {frequency}: {remedy}."


def _sundays(days: Integers) -> Integers:
    """The Sunday that ends each day's week."""
    weekdays = (days // DAY_MS + EPOCH_WEEKDAY - MONDAY) % 7
    return days + (6 - weekdays) * DAY_MS
