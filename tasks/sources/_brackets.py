"""Leverage brackets: how much leverage and margin a venue wants at which size of a position.

There is no history: what is read counts from now on, and a bracket that changed is a new version. Every row
says how many brackets its market has, so that one that no longer exists can be told from one that does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.sources._errors import SourceError
from tasks.sources._listing import RULES_TOLERANCE_MS
from tasks.sources._model import Page
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import to_ms

DATASET = "leverage_brackets"
FIGURES = {
    "notional_floor": "minNotional",
    "notional_cap": "maxNotional",
    "maintenance_margin_rate": "maintenanceMarginRate",
    "max_leverage": "maxLeverage",
}
Tiers = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Brackets:
    """What was read: one page, and the markets the venue says nothing of."""

    page: Page | None
    absent: tuple[Market, ...]


def can_read(session: VenueSession) -> bool:
    """Whether the venue tells its brackets."""
    abilities = ("fetchLeverageTiers", "fetchMarketLeverageTiers")
    return session.quirks.read_brackets is not None or any(session.can(name) for name in abilities)


async def read_brackets(session: VenueSession, markets: Sequence[Market]) -> Brackets:
    """The brackets of the given markets; nothing when they are of a later day than the run.

    Raises:
        SourceError: the venue does not answer usefully, or wants a key (`refused`).
    """
    assignment = session.assignment
    if session.server_ms - to_ms(assignment.as_of) > RULES_TOLERANCE_MS or not markets:
        return Brackets(None, ())
    tiers = await _ask(session, [market.symbol for market in markets])
    told = [market for market in markets if tiers.get(market.symbol)]
    absent = tuple(market for market in markets if market not in told)
    if not told:
        return Brackets(None, absent)
    rows = [(market, tier) for market in told for tier in _ordered(market, tiers[market.symbol])]
    names = ("venue", "market_id", "symbol", "base", "market_type")
    columns: dict[str, Any] = {
        name: np.array([getattr(market, name) for market, _ in rows], dtype=object) for name in names
    }
    columns["bracket"] = np.concatenate(
        [np.arange(1, len(tiers[market.symbol]) + 1, dtype=np.int64) for market in told]
    )
    columns["brackets"] = np.array([len(tiers[market.symbol]) for market, _ in rows], dtype=np.int64)
    for column, field in FIGURES.items():
        columns[column] = np.array([_number(tier.get(field)) for _, tier in rows])
    stamp = np.datetime64(assignment.as_of.replace(tzinfo=None), "us")
    columns["known_at"] = np.full(len(rows), stamp)
    page = Page(
        source=session.venue.id,
        dataset=DATASET,
        columns=columns,
        constants={},
        series=(),
        is_simulated=session.transport.is_simulated,
    )
    return Brackets(page, absent)


async def _ask(session: VenueSession, symbols: list[str]) -> Tiers:
    own = session.quirks.read_brackets
    if own is not None:
        return await session.call(own, session.exchange, symbols)
    if session.can("fetchLeverageTiers"):
        return await session.call(session.exchange.fetch_leverage_tiers, symbols)
    return {
        symbol: await session.call(session.exchange.fetch_market_leverage_tiers, symbol) for symbol in symbols
    }


def _ordered(market: Market, tiers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    floors = [tier.get("minNotional") for tier in tiers]
    if any(floor is None for floor in floors):
        text = f"{market.venue} {market.symbol}: a leverage bracket without its smallest notional."
        raise SourceError("malformed", text)
    return sorted(tiers, key=lambda tier: float(tier["minNotional"]))


def _number(value: object) -> float:
    return float("nan") if value is None else float(str(value))
