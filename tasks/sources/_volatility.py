"""Implied volatility: a venue's volatility index by the hour, and its option chains with greeks.

An index value is that of the end of its hour. A chain has no history: it is read at most every six hours
and belongs to the instant of the run. Greeks are computed from the venue's own mark volatility, one way for
every venue (see `_greeks.py`); venues give them only one option per request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from tasks.sources._errors import SourceError
from tasks.sources._greeks import greeks
from tasks.sources._listing import BOOK_TOLERANCE_MS
from tasks.sources._model import Page, SeriesState
from tasks.sources._rows import each_once
from tasks.sources._session import VenueSession
from tasks.sources._times import DAY_MS, HOUR_MS, from_ms, instants, known_at, start_ms, to_ms
from tasks.sources._windows import GRACE_MS, pages

DATASET = "implied_volatility"
INDEX_PAGE = 1000
TRAILING_HOURS = 3
CHAIN_EVERY = timedelta(hours=6)
YEAR_MS = 365 * DAY_MS
FIGURES = ("implied_volatility", "underlying_price", "mark_price", "open_interest")
GREEKS = ("delta", "gamma", "vega", "theta")
QUOTES = {"bid_price": "bidPrice", "ask_price": "askPrice"}


def optioned_assets(session: VenueSession) -> list[str]:
    """The followed coins on which the venue lists options."""
    followed = session.assignment.settings.universe.assets
    listed: Mapping[str, Any] = session.exchange.markets or {}
    found = {str(row["base"]) for row in listed.values() if row.get("option")}
    return [asset for asset in followed if asset in found]


@dataclass
class VolatilityIndex:
    """One index during one run."""

    session: VenueSession
    asset: str
    state: SeriesState

    def windows(self) -> list[tuple[int, int]]:
        """Stretches of whole hours to ask for, by the start of each hour, both ends included."""
        assignment, now = self.session.assignment, self.session.now_ms
        last = (now - GRACE_MS) // HOUR_MS * HOUR_MS - HOUR_MS
        if assignment.until is not None:
            last = min(last, (to_ms(assignment.until) - 1) // HOUR_MS * HOUR_MS)
        first = start_ms(assignment.since or assignment.settings.universe.history_start)
        first = -(-first // HOUR_MS) * HOUR_MS
        if self.state.fetched_until is not None and assignment.since is None:
            trailing = min(to_ms(self.state.fetched_until), last + HOUR_MS) - TRAILING_HOURS * HOUR_MS
            first = max(first, trailing)
        return list(pages(first, last, HOUR_MS, INDEX_PAGE))

    async def page(self, first: int, last: int) -> Page | None:
        """The values of one stretch; None before the index began.

        Raises:
            SourceError: values are missing that must exist, or the answer contradicts itself.
        """
        ask = self.session.quirks.volatility_index
        raw = await self.session.call(ask, self.session.exchange, self.asset, first, last) if ask else []
        name = f"{self.session.venue.id} {self.asset} volatility index"
        try:
            rows = np.array(raw, dtype=np.float64).reshape(len(raw), 5)
        except (TypeError, ValueError) as error:
            raise SourceError("malformed", f"{name}: rows of different shapes: {error}.") from error
        rows = each_once(rows[(rows[:, 0] >= first) & (rows[:, 0] <= last)], name)
        if not rows.size:
            held = self.state.newest_data_at
            if held is not None and last - to_ms(held) >= TRAILING_HOURS * HOUR_MS:
                text = f"{name}: no values since {from_ms(first):%Y-%m-%d %H:%M}. The next run asks again."
                raise SourceError("incomplete", text)
            return None
        ends = rows[:, 0].astype(np.int64) + HOUR_MS
        newest = max(filter(None, (self.state.newest_data_at, from_ms(int(ends[-1])))))
        self.state = replace(
            self.state,
            status="active",
            first_data_at=self.state.first_data_at or from_ms(int(ends[0])),
            newest_data_at=newest,
            fetched_until=newest,
            checked_at=self.session.assignment.as_of,
            message="",
        )
        known, is_reconstructed = known_at(ends, HOUR_MS, self.session.assignment.as_of)
        columns = _columns(len(rows))
        columns["market_id"] = np.full(len(rows), self.state.market_id, dtype=object)
        columns["observed_at"] = instants(ends)
        columns["implied_volatility"] = rows[:, 4] / 100
        columns |= {"known_at": known, "is_reconstructed": is_reconstructed}
        return _page(self.session, "index", self.asset, columns, self.state)


def is_chain_due(session: VenueSession, state: SeriesState) -> bool:
    """Whether a chain is to be read: now is the run's now, and the last one is old enough."""
    as_of = session.assignment.as_of
    is_now = session.server_ms - to_ms(as_of) <= BOOK_TOLERANCE_MS
    return is_now and (state.fetched_until is None or as_of - state.fetched_until >= CHAIN_EVERY)


async def chain_page(session: VenueSession, asset: str, state: SeriesState) -> Page | None:
    """All options on a coin that have a volatility and are not expired, as of the run; None without any.

    Raises:
        SourceError: the venue does not answer usefully.
    """
    chain: Mapping[str, Mapping[str, Any]] = await session.call(session.exchange.fetch_option_chain, asset)
    as_of = session.assignment.as_of
    now = to_ms(as_of)
    listed: Mapping[str, Any] = session.exchange.markets
    told = [
        (listed[symbol], row, volatility)
        for symbol, row in chain.items()
        if symbol in listed and (volatility := _volatility(session, row)) is not None
    ]
    told = [found for found in told if _number(found[0].get("expiry")) > now]
    if not told:
        return None
    stamp = np.datetime64(as_of.replace(tzinfo=None), "us")
    columns = _columns(len(told))
    expiry = np.array([int(market["expiry"]) for market, _, _ in told])
    columns["market_id"] = np.array([str(market["id"]) for market, _, _ in told], dtype=object)
    columns["option_type"] = np.array([str(market["optionType"]) for market, _, _ in told], dtype=object)
    columns["expires_at"] = instants(expiry)
    columns["strike"] = np.array([_number(market.get("strike")) for market, _, _ in told])
    columns["implied_volatility"] = np.array([volatility for _, _, volatility in told])
    for name, field in zip(FIGURES[1:], ("underlyingPrice", "markPrice", "openInterest"), strict=True):
        columns[name] = np.array([_number(row.get(field)) for _, row, _ in told])
    for name, field in QUOTES.items():  # a venue says 0 where nobody quotes
        quoted = np.array([_number(row.get(field)) for _, row, _ in told])
        columns[name] = np.where(quoted > 0, quoted, np.nan)
    found = greeks(
        is_call=columns["option_type"] == "call",
        forward=columns["underlying_price"],
        strike=columns["strike"],
        years=(expiry - now) / YEAR_MS,
        volatility=columns["implied_volatility"],
    )
    columns |= dict(zip(GREEKS, found, strict=True))
    columns |= {"observed_at": np.full(len(told), stamp), "known_at": np.full(len(told), stamp)}
    columns["is_reconstructed"] = np.zeros(len(told), dtype=bool)
    read = replace(state, newest_data_at=as_of, fetched_until=as_of, checked_at=as_of, status="active")
    return _page(session, "option", asset, columns, replace(read, message=""))


def _volatility(session: VenueSession, row: Mapping[str, Any]) -> float | None:
    """The mark volatility as a fraction a year; None where there is none."""
    field, info = session.quirks.chain_volatility, row.get("info") or {}
    value = info.get(field) if field else row.get("impliedVolatility")
    number = _number(value) / (100 if field else 1)
    return number if np.isfinite(number) and number > 0 else None


def _number(value: object) -> float:
    return float("nan") if value is None else float(str(value))


def _columns(count: int) -> dict[str, Any]:
    """Every column empty."""
    columns: dict[str, Any] = {
        name: np.full(count, np.nan) for name in ("strike", *FIGURES, *GREEKS, *QUOTES)
    }
    columns["expires_at"] = np.full(count, np.datetime64("NaT", "us"))
    columns["option_type"] = np.full(count, "", dtype=object)
    return columns


def _page(
    session: VenueSession, kind: str, asset: str, columns: Mapping[str, Any], state: SeriesState
) -> Page:
    names: Sequence[str] = (
        "market_id", "observed_at", "option_type", "expires_at", "strike", *FIGURES, *GREEKS, *QUOTES,
        "known_at", "is_reconstructed",
    )  # fmt: skip
    return Page(
        source=session.venue.id,
        dataset=DATASET,
        columns={name: columns[name] for name in names},
        constants={"venue": session.venue.id, "kind": kind, "base": asset},
        series=(state,),
        is_simulated=session.transport.is_simulated,
    )
