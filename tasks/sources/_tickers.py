"""Tickers: best prices, last trade and a day's volume of the followed markets, in one request if it goes.

There is no history: what is read counts at the run's moment. A field that the venue does not tell is NaN.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.sources._errors import SourceError
from tasks.sources._listing import BOOK_TOLERANCE_MS
from tasks.sources._model import Page
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import to_ms

DATASET = "tickers"
FIGURES = {
    "bid": "bid",
    "ask": "ask",
    "last": "last",
    "base_volume_24h": "baseVolume",
    "quote_volume_24h": "quoteVolume",
}


def can_read(session: VenueSession) -> bool:
    """Whether the venue tells tickers."""
    return session.can("fetchTickers") or session.can("fetchTicker")


async def tickers_page(session: VenueSession, markets: Sequence[Market]) -> Page | None:
    """The tickers of the given markets now; None when now is later than the run's as_of.

    Raises:
        SourceError: the venue does not answer usefully, or tells of none of the markets.
    """
    assignment = session.assignment
    if session.server_ms - to_ms(assignment.as_of) > BOOK_TOLERANCE_MS or not markets:
        return None
    found = await _ask(session, [market.symbol for market in markets])
    told = [market for market in markets if _says_something(found.get(market.symbol))]
    if not told:
        text = f"{session.venue.id}: tickers of {len(markets)} markets were wanted; none came."
        raise SourceError("incomplete", text)
    names = ("venue", "market_id", "symbol", "base", "quote", "market_type")
    columns: dict[str, Any] = {
        name: np.array([getattr(market, name) for market in told], dtype=object) for name in names
    }
    for column, field in FIGURES.items():
        columns[column] = np.array([_number(found[market.symbol].get(field)) for market in told])
    columns["base_volume_24h"] *= [_base_per_unit(session, market) for market in told]
    stamp = np.full(len(told), np.datetime64(assignment.as_of.replace(tzinfo=None), "us"))
    columns["observed_at"] = columns["known_at"] = stamp
    return Page(
        source=session.venue.id,
        dataset=DATASET,
        columns=columns,
        constants={},
        series=(),
        is_simulated=session.transport.is_simulated,
    )


async def _ask(session: VenueSession, symbols: list[str]) -> Mapping[str, Mapping[str, Any]]:
    if session.can("fetchTickers"):
        return await session.call(session.exchange.fetch_tickers, symbols)
    return {symbol: await session.call(session.exchange.fetch_ticker, symbol) for symbol in symbols}


def _base_per_unit(session: VenueSession, market: Market) -> float:
    """How much base one unit of a market's volume is; NaN where it depends on the price."""
    if market.market_type == "spot" or session.quirks.volume_unit == "base":
        return 1.0
    return float("nan") if market.is_inverse else market.contract_size


def _says_something(ticker: Mapping[str, Any] | None) -> bool:
    return ticker is not None and any(ticker.get(name) is not None for name in ("bid", "ask", "last"))


def _number(value: object) -> float:
    return float("nan") if value is None else float(str(value))
