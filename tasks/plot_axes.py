"""Where a value stands in a plot over time, and which values and days are written beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

WIDTH, HEIGHT = 760, 250
LEFT, RIGHT, BOTTOM = 78, 16, 22
MOST_TICKS = 5
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
DAYS_APART = (1, 2, 7, 14)
MONTHS_APART = (1, 2, 3, 6, 12, 24, 60, 120)
SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Axes:
    """The rectangle that is drawn in, and what its edges stand for.

    Attributes:
        days: first and last, as ordinals with fractions.
        values: lowest and highest, or their logarithms.
        top, right: of the rectangle, in units of the drawing.
        is_log: equal steps are equal ratios.
    """

    days: tuple[float, float]
    values: tuple[float, float]
    top: float
    right: float = WIDTH - RIGHT
    is_log: bool = False

    def x(self, day: float) -> float:
        """Place a day."""
        first, last = self.days
        return LEFT + (self.right - LEFT) * ((day - first) / (last - first) if last > first else 0.5)

    def y(self, value: float) -> float:
        """Place a value; downwards is less."""
        low, high = self.values
        at = math.log10(value) if self.is_log else value
        share = (at - low) / (high - low) if high > low else 0.5
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - self.top) * share


def axes_over(
    days: Sequence[date], shown: Sequence[float], top: float, *, is_log: bool = False, right: float = 0.0
) -> Axes:
    """Return axes that have room for all finite values.

    Args:
        days: of the plot; instants keep their hour.
        shown: every value that is drawn; on a logarithmic axis those above 0 count.
        top: what is left for the legend.
        is_log: equal steps are equal ratios.
        right: what is left for a second axis.
    """
    finite = [v for v in shown if math.isfinite(v) and (v > 0.0 or not is_log)] or [1.0]
    placed = [math.log10(v) for v in finite] if is_log else finite
    instants = [ordinal(day) for day in days]
    span = (min(instants), max(instants))
    return Axes(span, (min(placed), max(placed)), top, WIDTH - RIGHT - right, is_log)


def ordinal(day: date) -> float:
    """Return a day as a number; an instant keeps its hour."""
    if isinstance(day, datetime):
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
        return day.toordinal() + (day - midnight).total_seconds() / SECONDS_PER_DAY
    return float(day.toordinal())


def value_ticks(axes: Axes) -> list[float]:
    """Return round values within the axis, at least the two ends where no round one lies between them."""
    low, high = axes.values
    if axes.is_log:
        decades = range(math.floor(low), math.ceil(high) + 1)
        ticks = [m * 10.0**d for d in decades for m in (1.0, 2.0, 5.0) if low <= math.log10(m) + d <= high]
        if 2 <= len(ticks) <= 2 * MOST_TICKS:
            return ticks
        low, high = 10.0**low, 10.0**high
    if not high > low:
        return [low]
    wanted = (high - low) / MOST_TICKS
    unit = 10.0 ** math.floor(math.log10(wanted))
    step = next(unit * nice for nice in NICE if unit * nice >= wanted * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def day_ticks(axes: Axes, most: int = 8) -> list[tuple[float, str]]:
    """Return days to be written under the plot, evenly by the calendar, with their words."""
    first, last = axes.days
    begin, end = date.fromordinal(math.ceil(first)), date.fromordinal(math.floor(last))
    for apart in DAYS_APART:
        if (last - first) / apart <= most:
            days = [begin + timedelta(days=i) for i in range(0, (end - begin).days + 1, apart)]
            return [(ordinal(day), f"{day:%m-%d}") for day in days]
    months = (end.year - begin.year) * 12 + end.month - begin.month
    apart = next((m for m in MONTHS_APART if months / m <= most), MONTHS_APART[-1])
    firsts = [date(n // 12, n % 12 + 1, 1) for n in range(begin.year * 12, end.year * 12 + 12, apart)]
    form: Callable[[date], str] = (lambda d: f"{d:%Y}") if apart % 12 == 0 else (lambda d: f"{d:%Y-%m}")
    return [(ordinal(day), form(day)) for day in firsts if begin <= day <= end]
