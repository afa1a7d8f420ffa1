"""Who holds the listed futures: weekly counts of contracts by class of trader, tied to price and basis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from sandbox.market import Market
from sandbox.market_defi import at_midnight
from sandbox.market_macro import is_business_day
from sandbox.noise import DAY_MS, START_MS, Floats, stationary

NEW_YORK = ZoneInfo("America/New_York")
_WORKING_DAYS = 3
_CLASSES = ("dealer", "asset_mgr", "lev_money", "other_rept", "nonrept")
# Mean shares of the open interest: leveraged funds are short against a long in the coin itself.
_LONG = (0.04, 0.26, 0.36, 0.18, 0.10)
_SHORT = (0.10, 0.06, 0.66, 0.05, 0.07)


@dataclass(frozen=True, slots=True)
class Future:
    """One listed future: its coin, what one contract holds, and its first year."""

    code: str
    coin: str
    name: str
    units: float
    born: float


FUTURES = {
    future.code: future
    for future in (
        Future("133741", "BTC", "BITCOIN - CHICAGO MERCANTILE EXCHANGE", 5.0, 2018.3),
        Future("146021", "ETH", "ETHER CASH SETTLED - CHICAGO MERCANTILE EXCHANGE", 50.0, 2021.15),
    )
}


def positions(market: Market, future: Future) -> dict[str, Floats]:
    """Contracts on every grid day: the open interest, and both sides of each class."""

    def wander(label: str, deviation: float) -> Floats:
        name = f"{future.code}/{label}"
        return np.exp(
            stationary(market.seed, name, market.last_year, half_life=40, deviation=deviation, step_hours=24)
        )

    price = at_midnight(market.dollars(future.coin))
    years = market.climate.years[::24]
    grown = 1.0 - np.exp(-0.5 * np.maximum(years - future.born, 0.02))
    dollars = 1.1e10 * grown * (1.0 if future.coin == "BTC" else 0.22)
    total = np.maximum(
        np.round(dollars / (price * future.units) * wander("open", 0.2) * (price / price[-1]) ** 0.4), 500
    )
    held = {"open_interest": total}
    for side, shares in (("long", _LONG), ("short", _SHORT)):
        parts = [share * wander(f"{name}/{side}", 0.25) for name, share in zip(_CLASSES, shares, strict=True)]
        scale = np.minimum(1.0, 0.97 / np.sum(parts, axis=0))
        for name, part in zip(_CLASSES, parts, strict=True):
            held[f"{name}_{side}"] = np.floor(total * part * scale)
    return held


def published_at(day: date) -> datetime:
    """When the report on a Tuesday appears: 15:30 in New York on the third working day after."""
    following, left = day, _WORKING_DAYS
    while left:
        following += timedelta(days=1)
        left -= is_business_day(following)
    return datetime.combine(following, time(15, 30), NEW_YORK)


def report_days(future: Future, now: datetime) -> list[date]:
    """The Tuesdays whose reports are out; where Tuesday is a holiday, the Monday before."""
    first = date(2017, 1, 1) + timedelta(days=int((future.born - 2017.0) * 365.25))
    day = first + timedelta(days=(1 - first.weekday()) % 7)
    found: list[date] = []
    while True:
        counted = day if is_business_day(day) else day - timedelta(days=1)
        if published_at(counted) > now:
            return found
        found.append(counted)
        day += timedelta(days=7)


def grid_day(day: date) -> int:
    """The grid day of a date."""
    start = date(1970, 1, 1) + timedelta(milliseconds=START_MS)
    return (day - start) // timedelta(milliseconds=DAY_MS)
