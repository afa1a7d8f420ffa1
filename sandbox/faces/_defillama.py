"""What DefiLlama's faces share: daily points, cut off at *now*, the newest as first stated."""

from __future__ import annotations

from sandbox import market_defi as defi
from sandbox.noise import Floats
from sandbox.wire import Call

Point = tuple[int, float]
"""(grid day, value)"""


def known_points(call: Call, label: str, values: Floats, born: float) -> list[Point]:
    """Return the days up to today that an adapter knows, the newest as first stated."""
    today = defi.day_of(call.now_ms)
    settled = max(0, today - defi.RESTATED_DAYS)
    points = list(enumerate(values[: today + 1].tolist()))
    fresh = [
        (day, defi.as_known(call.market, label, value, day, call.now_ms)) for day, value in points[settled:]
    ]
    return [*points[:settled], *fresh][defi.born_on(born) :]


def sum_points(histories: dict[str, list[Point]]) -> list[Point]:
    """Add histories up day by day."""
    total: dict[int, float] = {}
    for points in histories.values():
        for day, value in points:
            total[day] = total.get(day, 0.0) + value
    return sorted(total.items())
