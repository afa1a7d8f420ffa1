"""Which of a venue's markets are followed, and the two facts about each without a history: rules and book."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.settings_schema import UniverseSettings
from tasks.sources._errors import SourceError
from tasks.sources._model import Page
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import HOUR_MS, to_ms

DOLLAR = "USD"
# A book or a rule book read so much later than the run's as_of would be knowledge from the future.
BOOK_TOLERANCE_MS = HOUR_MS // 4
RULES_TOLERANCE_MS = 24 * HOUR_MS
DEPTHS_BPS = (10, 50, 100)

Levels = NDArray[np.float64]


Wanted = tuple[str, tuple[str, ...], bool]


def wanted_symbols(universe: UniverseSettings, market_type: str) -> list[Wanted]:
    """The markets to look for: (asset, symbols in order of preference, whether its absence is worth a word).

    Coins are followed against the quote currency, else against the dollar; stablecoins against the
    dollar, which prices the quote, and against the quote, which is how cash changes hands.
    """
    quote = universe.quote
    if market_type == "perp":
        return [
            (asset, tuple(f"{asset}/{unit}:{unit}" for unit in dict.fromkeys((quote, DOLLAR, "USDC"))), True)
            for asset in universe.assets
        ]
    found: list[Wanted] = [
        (asset, (f"{asset}/{quote}", f"{asset}/{DOLLAR}"), True) for asset in universe.assets
    ]
    # A former ticker has a history worth joining, and no market to be missed.
    formers = dict.fromkeys(row.former for row in universe.aliases if row.former not in (None, row.asset))
    found += [(name, (f"{name}/{quote}", f"{name}/{DOLLAR}"), False) for name in formers if name]
    for coin in dict.fromkeys((quote, *universe.cash)):
        found.append((coin, (f"{coin}/{DOLLAR}",), False))
        if coin != quote:
            found.append((coin, (f"{coin}/{quote}",), False))
    return found


@dataclass(frozen=True)
class Choice:
    """The followed markets of a face; what it does not list, and what it lists twice, as (asset, symbol)."""

    markets: tuple[Market, ...]
    absent: tuple[tuple[str, str], ...]
    ambiguous: tuple[tuple[str, str], ...]


def choose(session: VenueSession, market_type: str) -> Choice:
    """Find the wanted markets; where two ids share a symbol, a price could be another coin's: neither."""
    if market_type == "future":
        return _dated(session)
    markets: list[Market] = []
    absent: list[tuple[str, str]] = []
    ambiguous: list[tuple[str, str]] = []
    for asset, symbols, is_wanted in wanted_symbols(session.assignment.settings.universe, market_type):
        found = next((session.markets[name] for name in symbols if name in session.markets), None)
        if found is None:
            absent.extend([(asset, symbols[0])] if is_wanted else [])
        elif found.symbol in session.ambiguous:
            ambiguous.append((asset, found.symbol))
        else:
            markets.append(found)
    return Choice(tuple(markets), tuple(absent), tuple(ambiguous))


def _dated(session: VenueSession) -> Choice:
    """Every listed dated contract of a followed coin, nearest first: together they are the term structure."""
    universe = session.assignment.settings.universe
    found = [
        market
        for market in session.markets.values()
        if market.market_type == "future"
        and market.base in universe.assets
        and market.quote in (universe.quote, DOLLAR, "USDC")
    ]
    found.sort(key=lambda market: (market.base, str(market.expires_at), market.market_id))
    clear = tuple(market for market in found if market.symbol not in session.ambiguous)
    unclear = tuple((market.base, market.symbol) for market in found if market.symbol in session.ambiguous)
    return Choice(clear, (), tuple(dict.fromkeys(unclear)))


def instruments_page(session: VenueSession, markets: Sequence[Market]) -> Page | None:
    """The trading rules of the followed markets; None when they are of a later day than the run."""
    assignment = session.assignment
    if session.server_ms - to_ms(assignment.as_of) > RULES_TOLERANCE_MS or not markets:
        return None
    stamp = np.datetime64(assignment.as_of.replace(tzinfo=None), "us")
    texts = ("venue", "market_id", "symbol", "base", "quote", "market_type")
    decimals = ("amount_step", "price_step", "min_amount", "min_cost")
    kinds = dict.fromkeys((*texts, *decimals), object) | dict.fromkeys(
        ("contract_size", "maker_fee", "taker_fee"), float
    )
    columns: dict[str, Any] = {
        name: np.array([getattr(market, name) for market in markets], dtype=kind)
        for name, kind in (kinds | {"is_active": bool}).items()
    }
    # An inverse contract is counted in quote: how much base that is depends on the price.
    columns["contract_size"][[market.is_inverse for market in markets]] = np.nan
    columns["expires_at"] = np.array([_naive(market.expires_at) for market in markets], "datetime64[us]")
    columns["known_at"] = np.full(len(markets), stamp)
    return Page(
        source=session.venue.id,
        dataset="instruments",
        columns=columns,
        constants={},
        series=(),
        is_simulated=session.transport.is_simulated,
    )


async def book_page(session: VenueSession, market: Market) -> Page | None:
    """Spread and depth of a market's book now; None when now is later than the run's as_of.

    Raises:
        SourceError: a side of the book is empty, or it can not be had.
    """
    assignment = session.assignment
    if session.server_ms - to_ms(assignment.as_of) > BOOK_TOLERANCE_MS:
        return None
    book: dict[str, Any] = await session.call(
        session.exchange.fetch_order_book, market.symbol, session.quirks.book_levels
    )
    bids, asks = _levels(book.get("bids")), _levels(book.get("asks"))
    # A crossed or locked book goes on to the gate, which keeps it with its reason.
    if not bids.size or not asks.size:
        text = f"{market.venue} {market.symbol}: one side of the order book is empty or unreadable."
        raise SourceError("incomplete", text)
    bid, ask = float(bids[0, 0]), float(asks[0, 0])
    mid = (bid + ask) / 2
    figures: dict[str, float] = {"bid": bid, "ask": ask, "mid": mid, "spread_bps": (ask - bid) / mid * 1e4}
    for bps in DEPTHS_BPS:
        figures[f"bid_depth_{bps}bps"] = depth(bids, mid, bps) * market.contract_size
        figures[f"ask_depth_{bps}bps"] = depth(asks, mid, bps) * market.contract_size
    stamp = np.array([np.datetime64(assignment.as_of.replace(tzinfo=None), "us")])
    return Page(
        source=market.venue,
        dataset="order_book_depth",
        columns={
            "observed_at": stamp,
            **{name: np.array([value]) for name, value in figures.items()},
            "known_at": stamp,
        },
        constants=market.constants,
        series=(),
        is_simulated=session.transport.is_simulated,
    )


def depth(levels: Levels, mid: float, bps: float) -> float:
    """Notional in quote within `bps` of mid on one side; NaN when the levels read end before.

    Args:
        levels: shape (n, 2), price and quantity, best first.
        mid: the mid price.
        bps: distance from mid in basis points.
    """
    distance = np.abs(levels[:, 0] / mid - 1) * 1e4
    if distance[-1] < bps:
        return float("nan")
    inside = distance <= bps
    return float((levels[inside, 0] * levels[inside, 1]).sum())


def _naive(at: datetime | None) -> np.datetime64:
    return np.datetime64("NaT", "us") if at is None else np.datetime64(at.replace(tzinfo=None), "us")


def _levels(side: object) -> Levels:
    try:
        rows = [level[:2] for level in side] if isinstance(side, list) else []  # pyright: ignore[reportUnknownVariableType]
        levels = np.array(rows, dtype=np.float64).reshape(len(rows), 2)  # pyright: ignore[reportUnknownArgumentType]
    except (TypeError, ValueError):
        return np.empty((0, 2))
    return levels if np.isfinite(levels).all() and (levels > 0).all() else np.empty((0, 2))
