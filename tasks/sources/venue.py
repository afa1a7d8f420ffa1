"""Exchanges: candles, funding settlements, trading rules and order books of any venue that ccxt knows.

One generic source, driven by what ccxt says that the venue can do. Within a venue several series are
fetched at once, under ccxt's own throttle; a series that fails is reported and the others go on. Only
public data, no key.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.settings_schema import Settings, VenueSettings
from tasks.sources._candles import DATASET as CANDLES
from tasks.sources._candles import MARK, CandleSeries
from tasks.sources._contract_facts import ContractFacts
from tasks.sources._errors import SourceError
from tasks.sources._face import Job, bind
from tasks.sources._funding import FundingSeries
from tasks.sources._listing import Choice, book_page, choose, instruments_page
from tasks.sources._model import (
    Assignment,
    ClockRead,
    Failure,
    Finished,
    SeriesState,
    Source,
    Started,
)
from tasks.sources._quirks import quirks_of
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import HOUR_MS, from_ms

MARKET_FACTS = (CANDLES, MARK, "funding_rates", "open_interest")


def build(settings: Settings) -> list[Source]:
    """The configured exchanges."""
    return [Venue(venue) for venue in settings.venues]


@dataclass(frozen=True)
class Venue:
    """One exchange."""

    settings: VenueSettings
    is_venue: bool = True

    @property
    def name(self) -> str:
        """The exchange's ccxt id."""
        return self.settings.id

    @property
    def datasets(self) -> tuple[str, ...]:
        """What it can fill."""
        perps = ("funding_rates",) if "perp" in self.settings.markets else ()
        return ("candles", *perps, "instruments", "order_book_depth", *self.settings.datasets)

    def run(self, assignment: Assignment) -> None:
        """Fetch what is missing; every failure is emitted, none is raised."""
        runs = [_Face(self.settings, types, assignment) for types in faces(self.settings)]

        async def all_faces() -> None:
            await asyncio.gather(*(face.run() for face in runs))

        try:
            asyncio.run(all_faces())
        finally:
            assignment.emit(Finished(self.name, sum(face.requests for face in runs)))


def faces(venue: VenueSettings) -> list[tuple[str, ...]]:
    """Spot and contracts apart where they are separate services with limits of their own."""
    if not isinstance(venue.base_url, str):
        # Dated contracts are served where perpetuals are, unless an address of their own is stated.
        is_apart = "future" in venue.base_url or not {"perp", "future"} <= set(venue.markets)
        if is_apart:
            return [(kind,) for kind in venue.markets]
        alone: list[tuple[str, ...]] = [(kind,) for kind in venue.markets if kind == "spot"]
        return [*alone, ("perp", "future")]
    if not quirks_of(venue.id).has_separate_limits:
        return [venue.markets]
    parts = (
        tuple(kind for kind in venue.markets if kind == "spot"),
        tuple(kind for kind in venue.markets if kind != "spot"),
    )
    return [part for part in parts if part]


class _Face(ContractFacts):
    """One face of a venue during one run."""

    async def run(self) -> None:
        try:
            session = VenueSession(self._venue, self._types, self._assignment)
        except SourceError as error:
            await self._fail("*", "/".join(self._types), error)
            return
        try:
            await session.prepare()
            if session.skew_seconds is not None:
                told_at = from_ms(session.server_ms)
                await self._emit(ClockRead(self._venue.id, told_at, session.skew_seconds))
            for kind in self._types:
                await self._fetch(session, kind)
        except SourceError as error:
            await self._fail("*", "/".join(self._types), error)
        finally:
            self.requests = session.transport.requests
            await session.close()

    async def _fetch(self, session: VenueSession, kind: str) -> None:
        choice = choose(session, kind)
        choice = replace(choice, markets=await self._still_themselves(choice.markets))
        await self._tell_absent(choice, kind)
        await self.tell_expired(choice.markets, kind)
        rules = instruments_page(session, choice.markets)
        if rules is not None:
            await self._emit(rules)
        jobs = self._jobs(session, choice, kind)
        for dataset in dict.fromkeys(job[0] for job in jobs):
            await self._emit(Started(self._venue.id, dataset, sum(job[0] == dataset for job in jobs)))
        await asyncio.gather(*(self._do(job) for job in jobs))

    def _jobs(self, session: VenueSession, choice: Choice, kind: str) -> list[Job]:
        jobs: list[Job] = []
        wanted, timeframes = self._venue.datasets, self._assignment.settings.universe.timeframes
        for market in choice.markets:
            kinds = [CANDLES] if session.can("fetchOHLCV") else []
            if kind == "perp" and MARK in wanted and session.can("fetchMarkOHLCV"):
                kinds.append(MARK)
            jobs.extend(
                (
                    dataset,
                    f"{market.symbol} {timeframe}",
                    bind(self._candles, session, market, timeframe, dataset),
                )
                for dataset in kinds
                for timeframe in timeframes
            )
            if kind == "perp" and session.can("fetchFundingRateHistory"):
                jobs.append(("funding_rates", market.symbol, bind(self._funding, session, market)))
            if session.can("fetchOrderBook") and not market.is_inverse:
                jobs.append(("order_book_depth", market.symbol, bind(self._book, session, market)))
        return [*jobs, *self.more_jobs(session, choice.markets, kind)]

    async def _candles(self, session: VenueSession, market: Market, timeframe: str, dataset: str) -> None:
        state = self._state(dataset, market, timeframe)
        if timeframe not in session.exchange.timeframes:
            text = f"{self._venue.id} has no candles of {timeframe}"
            await self._settle(replace(state, status="unsupported", message=text))
            return
        series = CandleSeries(session, market, timeframe, state, dataset)
        try:
            first = await series.first_open()
            if first is None or first > series.newest:
                await self._settle(replace(state, status="not_listed", message="no closed candle yet"))
                return
            windows = series.windows(first)
            for window in windows:
                await self._emit(await series.page(window))
            before = windows[0].first if windows else 0
            for window, gaps in self._again(state, before, series.step, series.size):
                await self._emit(await series.page_again(window, gaps))
        except SourceError as error:
            await self._settle_failure(series.state, error)
            raise

    async def _funding(self, session: VenueSession, market: Market) -> None:
        state = self._state("funding_rates", market, "")
        series = FundingSeries(session, market, state)
        try:
            first = await series.first_settlement()
            if first is None or first > series.newest:
                await self._settle(replace(state, status="not_listed", message="no settlement yet"))
                return
            at = begins = series.start(first)
            while at <= series.newest:
                page, at = await series.page(at, first)
                if page is not None:
                    await self._emit(page)
            if series.state.newest_data_at is None:
                await self._settle(replace(state, status="not_listed", message="no settlement yet"))
            for window, gaps in self._again(state, begins, HOUR_MS, series.hours_a_page):
                await self._emit(await series.page_again(window, gaps))
        except SourceError as error:
            await self._settle_failure(series.state, error)
            raise

    async def _book(self, session: VenueSession, market: Market) -> None:
        page = await book_page(session, market)
        if page is not None:
            await self._emit(page)

    async def _tell_absent(self, choice: Choice, kind: str) -> None:
        for asset, symbol in choice.absent:
            if await self._tell_delisted(asset, kind):
                continue
            fresh = SeriesState(self._venue.id, "candles", kind, symbol, "", asset)
            text = f"{self._venue.id} lists no such market"
            await self._settle(replace(fresh, status="not_listed", message=text))
        for asset, symbol in choice.ambiguous:
            text = f"{self._venue.id}: two markets are called {symbol}; leave {asset} out until it is clear."
            await self._emit(Failure(self._venue.id, "candles", symbol, "malformed", text))

    async def _still_themselves(self, markets: Sequence[Market]) -> tuple[Market, ...]:
        """The markets but for those whose id was another coin's so far: ccxt renamed it, or the venue did."""
        aliases = self._assignment.settings.universe.aliases
        joined = {(row.former, row.asset) for row in aliases if row.former}
        same: list[Market] = []
        for market in markets:
            kind, of_market = market.market_type, (market.market_type, market.market_id)
            before = {
                state.asset
                for state in self._assignment.states.values()
                if (state.market_type, state.market_id) == of_market and state.dataset in MARKET_FACTS
            }
            others = sorted(asset for asset in before - {market.base} if (asset, market.base) not in joined)
            if not others:
                same.append(market)
                continue
            name, former, asset = f"{self._venue.id} {kind} {market.market_id}", others[0], market.base
            text = (
                f"{name} was {former} in the stored data and is {asset} now; nothing of it is fetched. If "
                "ccxt was upgraded, go back to the locked version; if the venue renamed the coin, add "
                f'[[universe.aliases]] with asset = "{asset}", former = "{former}" and the day as since.'
            )
            await self._emit(Failure(self._venue.id, "candles", market.symbol, "malformed", text))
        return tuple(same)

    async def _tell_delisted(self, asset: str, kind: str) -> bool:
        """A market that had candles and is listed no longer: its series end, and nobody waits for more."""
        followed = [
            state
            for state in self._assignment.states.values()
            if (state.dataset, state.market_type, state.asset) == ("candles", kind, asset) and state.timeframe
        ]
        for state in followed:
            text = f"{self._venue.id} lists {state.market_id} no longer; its last data are kept"
            await self._settle(replace(state, status="delisted", message=text))
        return bool(followed)
