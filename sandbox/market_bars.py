"""Candles of one market: rounded to the venue's steps, added up to longer timeframes, cut off at *now*."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from sandbox.noise import HOUR_MS, START_MS, Floats, Ints, chance

TIMEFRAME_HOURS = {"1h": 1, "2h": 2, "4h": 4, "6h": 6, "8h": 8, "12h": 12, "1d": 24, "3d": 72, "1w": 168}
_WEEK_OFFSET_HOURS = 96
"""The Unix epoch was a Thursday; weeks open on Monday."""


def hour_index(at_ms: int) -> int:
    """Return the index of the hour that contains the instant."""
    return (at_ms - START_MS) // HOUR_MS


def hour_opens_ms(index: int) -> int:
    """Return the instant at which the hour opens."""
    return START_MS + index * HOUR_MS


def decimals_of(step: str) -> int:
    """Return how many decimals a step has: 0.001 → 3."""
    return max(0, -int(Decimal(step).normalize().as_tuple().exponent))


def _added(column: Floats, starts: Ints, decimals: int) -> Floats:
    sums: Floats = np.add.reduceat(column, starts)
    return np.round(sums, decimals)


class Row(NamedTuple):
    """One candle; prices in the quote currency, volumes in base and in quote."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    base_volume: float
    quote_volume: float


@dataclass(frozen=True)
class Table:
    """Candles of one timeframe as columns, in time order; `hours` indexes each candle's first hour."""

    hours: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    base_volume: Floats
    quote_volume: Floats

    def rows(self, start: int, stop: int) -> list[Row]:
        """Return the candles from `start` to before `stop` as rows."""
        cut = slice(start, stop)
        opens = (START_MS + self.hours[cut] * HOUR_MS).tolist()
        columns = (self.open, self.high, self.low, self.close, self.base_volume, self.quote_volume)
        return list(map(Row, opens, *(column[cut].tolist() for column in columns)))


class Bars:
    """All candles of one market, hourly at the base and longer ones added up from them.

    Args:
        key: names the market in seeded details.
        path_key: names the coin: markets of one coin move through an unfinished hour alike.
        seed: the market's seed.
        tick: price step.
        lot: amount step.
        first_hour: index of the first listed hour.
        close: unrounded closes for every hour of the grid.
        above: log distance from the body up to the high.
        below: log distance from the body down to the low.
        turnover: quote currency traded per hour.
    """

    def __init__(  # noqa: PLR0913 — the parts of a market; they have no smaller grouping
        self, *, key: str, path_key: str, seed: int, tick: str, lot: str, first_hour: int,
        close: Floats, above: Floats, below: Floats, turnover: Floats,
    ) -> None:  # fmt: skip
        self.key, self.tick, self.lot, self.first_hour = key, tick, lot, max(first_hour, 1)
        self.price_decimals, self.amount_decimals = decimals_of(tick), decimals_of(lot)
        self._path_key, self._seed = path_key, seed
        self._tables: dict[str, Table] = {}
        listed = slice(self.first_hour, None)
        opens = close[self.first_hour - 1 : -1]
        closes = close[listed]
        base = np.round(turnover[listed] / closes, self.amount_decimals)
        rounded = [
            np.round(prices, self.price_decimals)
            for prices in (
                opens,
                np.maximum(opens, closes) * np.exp(above[listed]),
                np.minimum(opens, closes) * np.exp(-below[listed]),
                closes,
            )
        ]
        quote = np.round(base * sum(rounded) / 4.0, 4)
        hours = np.arange(self.first_hour, self.first_hour + len(closes), dtype=np.int64)
        self._tables["1h"] = Table(hours, rounded[0], rounded[1], rounded[2], rounded[3], base, quote)

    @property
    def hourly(self) -> Table:
        """The base table."""
        return self._tables["1h"]

    def table(self, timeframe: str) -> Table:
        """Return the whole table of a timeframe, future included; callers cut it at *now*."""
        if timeframe not in self._tables:
            self._tables[timeframe] = self._added_up(timeframe)
        return self._tables[timeframe]

    def _added_up(self, timeframe: str) -> Table:
        if not len(self.hourly.hours):
            return self.hourly
        hourly, starts = self.hourly, self._starts(timeframe)
        ends = np.append(starts[1:], len(hourly.hours)) - 1
        size = TIMEFRAME_HOURS[timeframe]
        offset = self._offset(timeframe)
        return Table(
            (hourly.hours[starts] - offset) // size * size + offset,
            hourly.open[starts],
            np.maximum.reduceat(hourly.high, starts),
            np.minimum.reduceat(hourly.low, starts),
            hourly.close[ends],
            _added(hourly.base_volume, starts, self.amount_decimals),
            _added(hourly.quote_volume, starts, 4),
        )

    @staticmethod
    def _offset(timeframe: str) -> int:
        """Grid hour, modulo the timeframe, at which its candles open: aligned to the Unix epoch."""
        anchor = _WEEK_OFFSET_HOURS if timeframe == "1w" else 0
        return (anchor - START_MS // HOUR_MS) % TIMEFRAME_HOURS[timeframe]

    def _starts(self, timeframe: str) -> Ints:
        size = TIMEFRAME_HOURS[timeframe]
        group = (self.hourly.hours - self._offset(timeframe)) // size
        return np.concatenate([[0], np.flatnonzero(np.diff(group)) + 1]).astype(np.int64)

    def window(
        self, timeframe: str, span: tuple[int | None, int | None], limit: int, now_ms: int
    ) -> list[Row]:
        """Return at most `limit` candles that open within `span`, none after *now*, the last one unfinished.

        Args:
            timeframe: one of TIMEFRAME_HOURS.
            span: first and last opening instant in ms, both inclusive; None leaves a side open.
            limit: with a first instant the oldest are returned, without one the newest.
            now_ms: the market's present.
        """
        table = self.table(timeframe)
        opens = START_MS + table.hours * HOUR_MS
        first_ms, last_ms = span
        stop = int(np.searchsorted(opens, now_ms if last_ms is None else min(last_ms, now_ms), side="right"))
        if first_ms is None:
            start = max(0, stop - limit)
        else:
            start = int(np.searchsorted(opens, first_ms, side="left"))
            stop = min(stop, start + limit)
        if start >= stop:
            return []
        rows = table.rows(start, stop)
        if rows[-1].open_ms + TIMEFRAME_HOURS[timeframe] * HOUR_MS > now_ms:
            rows[-1] = self.unfinished(timeframe, rows[-1].open_ms, now_ms)
        return rows

    def unfinished(self, timeframe: str, open_ms: int, now_ms: int) -> Row:
        """Return the candle that opened at `open_ms` as it stands at *now*; it grows into its final value."""
        current = self.current_hour(now_ms)
        first = max(hour_index(open_ms), self.first_hour) - self.first_hour
        closed = self.hourly.rows(first, hour_index(now_ms) - self.first_hour) if timeframe != "1h" else []
        parts = [*closed, current]
        return Row(
            open_ms,
            parts[0].open,
            max(part.high for part in parts),
            min(part.low for part in parts),
            current.close,
            round(sum(part.base_volume for part in parts), self.amount_decimals),
            round(sum(part.quote_volume for part in parts), 4),
        )

    def current_hour(self, now_ms: int) -> Row:
        """Return the running hour as it stands at *now*.

        The hour walks in straight lines from its open over its high and low to its close, so that the running
        high and low end exactly at the final ones.
        """
        index = hour_index(now_ms)
        final = self.hourly.rows(index - self.first_hour, index - self.first_hour + 1)[0]
        done = (now_ms - final.open_ms) / HOUR_MS
        early = 0.15 + 0.30 * chance(self._seed, self._path_key, index, "early")
        late = 0.55 + 0.30 * chance(self._seed, self._path_key, index, "late")
        falls_first = chance(self._seed, self._path_key, index, "order") < (
            0.7 if final.close >= final.open else 0.3
        )
        turns = [final.low, final.high] if falls_first else [final.high, final.low]
        knots = [(0.0, final.open), (early, turns[0]), (late, turns[1]), (1.0, final.close)]
        price = round(
            float(np.interp(done, [at for at, _ in knots], [value for _, value in knots])),
            self.price_decimals,
        )
        seen = [value for at, value in knots if at <= done] + [price]
        base = round(final.base_volume * done, self.amount_decimals)
        quote = round(final.quote_volume * done, 4)
        return Row(final.open_ms, final.open, max(seen), min(seen), price, base, quote)

    def last_price(self, now_ms: int) -> float:
        """Return the price of the last trade at *now*."""
        return self.current_hour(now_ms).close

    def last_day(self, now_ms: int) -> Row:
        """Return the last 24 hours as one candle: 23 closed hours and the running one."""
        start = max(hour_index(now_ms) - 23, self.first_hour)
        return self.unfinished("24h", hour_opens_ms(start), now_ms)
