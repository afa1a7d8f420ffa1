"""Trading rules for the time before anybody stored them: plain ones, of the markets that traded then.

A hedged line needs its contract's market. Without rules of the time its candles say that it traded, and no
more is taken from later: no lot sizes, no minimums, the stated fee.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tasks.policy import execution_venues
from tasks.settings import Settings
from warehouse.home import Home
from warehouse.reader import open_published

HEDGED = {"carry", "basis"}
ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PlainMarkets:
    """Rows of core.instruments that stand in for unknown rules, and the instant at which rules are known."""

    rows: tuple[dict[str, Any], ...]
    until: datetime


def plain_markets(
    settings: Settings, portfolio: str, instants: Sequence[datetime], taker_fee: float
) -> PlainMarkets | None:
    """Return what stands in for the rules of markets, or None where it is not needed.

    Args:
        settings: the configuration.
        portfolio: without hedged sleeves nothing has to stand in: coins are known by their prices.
        instants: of the decisions, in order.
        taker_fee: of every market, a fraction.
    """
    if not HEDGED & set(settings.portfolios[portfolio].sleeves):
        return None
    venues = execution_venues(settings)
    with open_published(Home(settings.warehouse.home)) as reader:
        known = [row["known_at"] for row in reader.rows("rules_known_since", venues=venues)]
        until = min(known, default=ALWAYS)
        if instants[0] >= until:
            return None
        traded = reader.rows("traded_markets", venues=venues, assets=list(settings.universe.assets))
    fees = {"maker_fee": taker_fee, "taker_fee": taker_fee}
    plain = {"contract_size": 1.0, "is_active": True, "known_at": until, "load_id": 0, **fees}
    return PlainMarkets(tuple(row | plain for row in traded), until)
