"""When the markets of a line close, where a venue or the owner has announced it.

Comes in: the rules of markets as last read, and `[[universe.exits]]`. Goes out: line → closing instant. A
coin is left when the last market that sells it closes; a hedged line when any of its legs does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from portfolio.model import SleeveTerms, asset_of, sleeve_of
from tasks.context import RunContext
from tasks.policy import execution_venues
from tasks.settings_schema import Settings
from warehouse.reader import Reader


def announced_exits(
    reader: Reader, context: RunContext, lines: Sequence[str], terms: Mapping[str, SleeveTerms]
) -> dict[str, datetime]:
    """Return when each line's market closes; a line whose market stays is not named.

    Args:
        reader: point in time.
        context: the run.
        lines: of the portfolio.
        terms: of the lines that are neither coins nor cash.
    """
    settings = context.settings
    venues = {*execution_venues(settings), *(leg.venue for one in terms.values() for leg in one.legs)}
    rows = reader.rows("execution_instruments", venues=sorted(venues - {""}), market_types=["spot", "perp"])
    ends = {(r["venue"], r["market_type"], r["market_id"]): _end(r, settings) for r in rows if r["is_active"]}
    spot: dict[str, list[datetime | None]] = {}
    for row in rows:
        if row["market_type"] == "spot" and row["is_active"] and row["venue"] in execution_venues(settings):
            spot.setdefault(row["base"], []).append(_end(row, settings))
    coins = {asset: max(x for x in found if x) for asset, found in spot.items() if all(found)}
    found: dict[str, datetime] = {}
    for line in {*lines, *terms}:
        end = _line_end(line, terms.get(line), coins, ends)
        if end is not None:
            found[line] = end
    return dict(sorted(found.items()))


def _line_end(
    line: str,
    terms: SleeveTerms | None,
    coins: Mapping[str, datetime],
    ends: Mapping[tuple[str, str, str], datetime | None],
) -> datetime | None:
    if sleeve_of(line) == "cash":
        return None
    known = [coins.get(asset_of(line))]
    if terms is not None:
        known += [ends.get((leg.venue, leg.market_type, leg.market_id)) for leg in terms.legs]
    # What is staked has to be asked back before it can be sold.
    early = timedelta(days=terms.exit_days) if terms is not None and terms.protocol else timedelta()
    return min((end - early for end in known if end is not None), default=None)


def _end(row: Mapping[str, Any], settings: Settings) -> datetime | None:
    """The earlier of what the venue says of one market and what the owner says of its coin there."""
    told = [
        one.closes_at
        for one in settings.universe.exits
        if one.asset == row["base"] and one.venue in (None, row["venue"])
    ]
    if row["expires_at"] is not None:
        told.append(row["expires_at"])
    return min(told, default=None)
