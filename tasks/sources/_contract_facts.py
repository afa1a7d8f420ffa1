"""What a venue is asked for only where its section says so: open interest, brackets, volatility, tickers."""

from collections.abc import Sequence
from dataclasses import replace

from tasks.sources._brackets import DATASET as BRACKETS
from tasks.sources._brackets import can_read, read_brackets
from tasks.sources._errors import SourceError
from tasks.sources._face import Face, Job, bind
from tasks.sources._model import SeriesState
from tasks.sources._open_interest import DATASET as INTEREST
from tasks.sources._open_interest import OpenInterestSeries
from tasks.sources._session import Market, VenueSession
from tasks.sources._tickers import DATASET as TICKERS
from tasks.sources._tickers import can_read as can_read_tickers
from tasks.sources._tickers import tickers_page
from tasks.sources._times import HOUR_MS
from tasks.sources._volatility import DATASET as VOLATILITY
from tasks.sources._volatility import VolatilityIndex, chain_page, is_chain_due, optioned_assets

# Without a key, or not at all: neither is a failure of this run.
NOT_TOLD = ("blocked", "refused", "unsupported")


class ContractFacts(Face):
    """The optional datasets of one face."""

    def more_jobs(self, session: VenueSession, markets: Sequence[Market], kind: str) -> list[Job]:
        """The work on the datasets that the venue's section names."""
        wanted = self._venue.datasets
        jobs: list[Job] = []
        if INTEREST in wanted and kind == "perp" and session.can("fetchOpenInterestHistory"):
            jobs.extend((INTEREST, found.symbol, bind(self._interest, session, found)) for found in markets)
        if TICKERS in wanted and markets and can_read_tickers(session):
            jobs.append((TICKERS, kind, bind(self._tickers, session, markets)))
        linear = [market for market in markets if not market.is_inverse]
        if BRACKETS in wanted and kind != "spot" and linear and can_read(session):
            jobs.append((BRACKETS, kind, bind(self._brackets, session, linear)))
        # Options are not a kind of market that is followed: they are asked for once, beside the first kind.
        if VOLATILITY in wanted and kind == self._venue.markets[0]:
            jobs.extend(self._volatility_jobs(session))
        return jobs

    async def tell_expired(self, markets: Sequence[Market], kind: str) -> None:
        """A dated contract that is no longer listed has ended; its series is not late."""
        if kind != "future":
            return
        listed = {market.market_id for market in markets}
        for state in self._assignment.states.values():
            is_over = state.market_type == kind and state.market_id not in listed
            if is_over and state.status in {"active", "failing"}:
                await self._settle(replace(state, status="delisted", message="expired"))

    def _volatility_jobs(self, session: VenueSession) -> list[Job]:
        jobs: list[Job] = []
        for asset in optioned_assets(session):
            if session.quirks.volatility_index is not None:
                jobs.append((VOLATILITY, f"{asset} index", bind(self._index, session, asset)))
            if session.can("fetchOptionChain"):
                jobs.append((VOLATILITY, f"{asset} options", bind(self._chain, session, asset)))
        return jobs

    async def _interest(self, session: VenueSession, market: Market) -> None:
        series = OpenInterestSeries(session, market, self._state(INTEREST, market, ""))
        windows = series.windows()
        if not windows:
            text = "the venue no longer serves so long ago"
            await self._settle(replace(series.state, status="unsupported", message=text))
            return
        try:
            for window in windows:
                page = await series.page(window)
                if page is not None:
                    await self._emit(page)
            if series.state.newest_data_at is None:
                await self._settle(replace(series.state, status="not_listed", message="no point yet"))
            size = session.quirks.interest_page
            for window, gaps in self._again(series.state, windows[0].first, HOUR_MS, size):
                await self._emit(await series.page_again(window, gaps))
        except SourceError as error:
            await self._settle_failure(series.state, error)
            raise

    async def _brackets(self, session: VenueSession, markets: Sequence[Market]) -> None:
        try:
            found = await read_brackets(session, markets)
        except SourceError as error:
            if error.kind not in NOT_TOLD:
                raise
            for market in markets:
                text = f"not told without a key: {error}"
                await self._settle(
                    replace(self._state(BRACKETS, market, ""), status="unsupported", message=text)
                )
            return
        if found.page is not None:
            await self._emit(found.page)
        for market in found.absent:
            text = "the venue tells no brackets of it"
            await self._settle(replace(self._state(BRACKETS, market, ""), status="unsupported", message=text))

    async def _tickers(self, session: VenueSession, markets: Sequence[Market]) -> None:
        page = await tickers_page(session, markets)
        if page is not None:
            await self._emit(page)

    async def _index(self, session: VenueSession, asset: str) -> None:
        series = VolatilityIndex(session, asset, self._volatility_state("index", f"{asset} index", asset))
        try:
            for first, last in series.windows():
                page = await series.page(first, last)
                if page is not None:
                    await self._emit(page)
            if series.state.newest_data_at is None:
                await self._settle(replace(series.state, status="not_listed", message="no value yet"))
        except SourceError as error:
            if error.kind in NOT_TOLD:
                await self._settle(replace(series.state, status="unsupported", message=str(error)))
                return
            await self._settle_failure(series.state, error)
            raise

    async def _chain(self, session: VenueSession, asset: str) -> None:
        state = self._volatility_state("option", f"{asset} options", asset)
        if not is_chain_due(session, state):
            return
        try:
            page = await chain_page(session, asset, state)
        except SourceError as error:
            await self._settle_failure(state, error)
            raise
        if page is not None:
            await self._emit(page)

    def _volatility_state(self, kind: str, name: str, asset: str) -> SeriesState:
        fresh = SeriesState(self._venue.id, VOLATILITY, kind, name, "", asset)
        return self._assignment.states.get(fresh.key, fresh)
