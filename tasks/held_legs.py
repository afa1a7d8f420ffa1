"""The legs of a portfolio's newest statement at today's prices, for the guard and for the stress tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portfolio.guarded import HeldLeg
from tasks.sources._quirks import venues_that_count_by_part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warehouse.reader import Reader


def held_legs(reader: Reader, portfolio: str, as_of: datetime) -> tuple[HeldLeg, ...]:
    """Read the legs; a venue's own way of counting brackets goes with them.

    Args:
        reader: of one published state.
        portfolio: its name.
        as_of: funding of the days before it counts.
    """
    by_part = list(venues_that_count_by_part())
    rows = reader.rows("guard_legs", portfolio=portfolio, as_of=as_of, counted_by_part=by_part)
    return tuple(_leg(row) for row in rows)


def _leg(row: Mapping[str, Any]) -> HeldLeg:
    """A row's list of [notional, rate] pairs becomes what a frozen value may hold."""
    values = dict(row)
    values["maintenance_steps"] = tuple((floor, rate) for floor, rate in row["maintenance_steps"])
    return HeldLeg(**values)
