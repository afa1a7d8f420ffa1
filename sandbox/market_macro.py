"""Macro series by business day, week, month or quarter: rates, the dollar, equity; published with a lag."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np

from sandbox.market import Market
from sandbox.noise import FIRST_YEAR, Floats, autoregress, keep_for, normals, stationary

# What the level reverts to, at the start of the years named.
_YEARS = (2017.0, 2019.0, 2020.5, 2022.0, 2023.5, 2026.0, 2030.0)


@dataclass(frozen=True, slots=True)
class Series:
    """One series: anchors at _YEARS, noise, and how it moves with the crypto market factor.

    `daily_noise` is the standard deviation of a day's change, relative when `relative`; `loading` multiplies
    the factor's daily log return. `published` is the hour (UTC) of the next business day at which it appears.
    One that is not daily has a value `every` "week" (Wednesday), "month" or "quarter" (the first day), which
    appears `delay` days after that.
    """

    anchors: tuple[float, ...]
    daily_noise: float
    loading: float
    decimals: int
    published: float
    relative: bool = False
    weekends: bool = False
    weekly: bool = False
    every: str = "day"
    delay: int = 0

    def has(self, day: date) -> bool:
        """Return whether there is an observation of that day."""
        if self.every == "week":
            return day.weekday() == 2
        if self.every == "day":
            return self.weekends or day.weekday() < 5
        return day.day == 1 and (self.every == "month" or day.month % 3 == 1)


SERIES = {
    "DGS10": Series((2.45, 2.65, 0.75, 1.60, 4.00, 4.15, 3.90), 0.055, 0.25, 2, 20.25),
    "DGS2": Series((1.20, 2.45, 0.20, 0.75, 4.75, 3.70, 3.40), 0.055, 0.20, 2, 20.25),
    "DGS3MO": Series((0.55, 2.40, 0.12, 0.08, 5.30, 3.75, 3.30), 0.020, 0.0, 2, 20.25),
    "DFF": Series((0.66, 2.40, 0.08, 0.08, 5.10, 3.70, 3.20), 0.004, 0.0, 2, 13.0, weekends=True),
    "SOFR": Series((0.70, 2.45, 0.08, 0.05, 5.08, 3.72, 3.20), 0.015, 0.0, 2, 12.0),
    "T10YIE": Series((2.00, 1.75, 1.20, 2.55, 2.30, 2.28, 2.25), 0.025, 0.15, 2, 20.25),
    "DTWEXBGS": Series(
        (126.0, 116.0, 121.0, 115.5, 120.0, 121.5, 120.0), 0.0028, -0.02, 4, 20.5, relative=True, weekly=True
    ),
    "SP500": Series(
        (2260.0, 2600.0, 3100.0, 4600.0, 4400.0, 6800.0, 9200.0), 0.008, 0.09, 2, 13.0, relative=True
    ),
    "VIXCLS": Series((13.0, 17.0, 27.0, 19.0, 16.0, 17.0, 18.0), 0.055, -0.85, 2, 13.5, relative=True),
    "BAMLH0A0HYM2": Series((4.0, 4.4, 6.2, 3.1, 4.1, 3.1, 3.4), 0.018, -0.22, 2, 13.0, relative=True),
    "WALCL": Series(
        (4.45e6, 4.0e6, 7.0e6, 8.8e6, 8.3e6, 6.6e6, 7.0e6),
        0.001,
        0.0,
        0,
        20.5,
        relative=True,
        every="week",
        delay=1,
    ),
    "CPIAUCSL": Series(
        (242.0, 252.5, 257.5, 281.0, 304.0, 326.0, 360.0),
        0.0002,
        0.0,
        3,
        12.5,
        relative=True,
        every="month",
        delay=42,
    ),
    "GDP": Series(
        (19.2e3, 21.0e3, 19.9e3, 25.0e3, 27.2e3, 31.0e3, 36.0e3),
        0.0005,
        0.0,
        3,
        12.5,
        relative=True,
        every="quarter",
        delay=118,
    ),
}


def build_series(market: Market, name: str) -> Floats:
    """Values for every calendar day of the grid; weekends are drawn too and left out where there are none."""
    series = SERIES[name]
    years = market.climate.years[23::24]
    factor_moves = np.diff(market.climate.factor[23::24], prepend=0.0)
    stress = np.sqrt(np.clip(market.climate.stress[23::24], 0.4, 4.0))
    shocks = series.daily_noise * stress * normals(market.seed, name, market.last_year, step_hours=24)
    wander = autoregress(shocks + series.loading * factor_moves, keep_for(110.0))
    anchor = np.interp(years, _YEARS, series.anchors)
    if series.relative:
        flicker = stationary(
            market.seed, name + "/level", market.last_year, half_life=20, deviation=0.004, step_hours=24
        )
        values = anchor * np.exp(wander + flicker)
    else:
        values = np.maximum(anchor + wander, 0.04)
    return np.round(values, series.decimals)


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _observed(day: date) -> date:
    """A holiday on Saturday is kept on Friday, one on Sunday on Monday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


@cache
def holidays(year: int) -> frozenset[date]:
    """Return the days on which US markets are closed besides weekends."""
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    fixed += [date(year, 6, 19)] if year >= 2021 else []
    last_may = (
        max(_nth(year, 5, 0, 4), _nth(year, 5, 0, 5))
        if _nth(year, 5, 0, 5).month == 5
        else _nth(year, 5, 0, 4)
    )
    floating = [
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        last_may,
        _nth(year, 9, 0, 1),
        _nth(year, 10, 0, 2),
        _nth(year, 11, 3, 4),
    ]
    return frozenset([*(_observed(day) for day in fixed), *floating])


def is_business_day(day: date) -> bool:
    """Return whether US markets are open."""
    return day.weekday() < 5 and day not in holidays(day.year)


def published_at(name: str, day: date) -> datetime:
    """Return when the day's value appears: the next business day, for a weekly release the next Monday."""
    series = SERIES[name]
    if series.every != "day":
        then = day + timedelta(days=series.delay)
        return datetime(then.year, then.month, then.day, tzinfo=UTC) + timedelta(hours=series.published)
    following = day + timedelta(days=1)
    while not is_business_day(following) or (series.weekly and following.weekday() not in {0, 1}):
        following += timedelta(days=1)
    midnight = datetime(following.year, following.month, following.day, tzinfo=UTC)
    return midnight + timedelta(hours=series.published)


def first_day() -> date:
    """Return the grid's first day."""
    return date(FIRST_YEAR, 1, 1)
