"""One face of a venue during one run: how work is done side by side and what is said about it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tasks.settings_schema import VenueSettings
from tasks.sources._errors import SourceError
from tasks.sources._model import Advanced, Assignment, Event, Failure, Gap, Page, SeriesState
from tasks.sources._session import Market
from tasks.sources._times import to_ms
from tasks.sources._windows import Window, again

# What a series may ask again in one run; the rest waits for the next.
MOST_PAGES_AGAIN = 40

Job = tuple[str, str, Callable[[], Awaitable[None]]]  # dataset, series, work


class Face:
    """What every kind of work on a venue shares.

    Attributes:
        requests: how many were sent.
    """

    def __init__(self, venue: VenueSettings, market_types: tuple[str, ...], assignment: Assignment) -> None:
        self._venue = venue
        self._types = market_types
        self._assignment = assignment
        self._places = asyncio.Semaphore(venue.max_concurrency)
        self.requests = 0

    async def _do(self, job: Job) -> None:
        dataset, series, work = job
        async with self._places:
            try:
                await work()
            except SourceError as error:
                await self._fail(dataset, series, error)
        await self._emit(Advanced(self._venue.id, dataset))

    def _state(self, dataset: str, market: Market, timeframe: str) -> SeriesState:
        fresh = SeriesState(
            self._venue.id, dataset, market.market_type, market.market_id, timeframe, market.base
        )
        return self._assignment.states.get(fresh.key, fresh)

    def _again(self, state: SeriesState, before: int, step: int, size: int) -> list[tuple[Window, list[Gap]]]:
        """The pages that ask again for a series' gaps which end before an instant (ms), a bounded number."""
        gaps = [gap for gap in self._assignment.gaps if gap.series == state.key and to_ms(gap.end) <= before]
        holes = [(to_ms(gap.start), to_ms(gap.end) - step) for gap in gaps]
        found = again(holes, step, size)
        # The gaps come in the order in which they waited.
        found.sort(key=lambda item: min(item[1], default=0))
        found = found[:MOST_PAGES_AGAIN]
        return [(window, [gaps[at] for at in inside]) for window, inside in found]

    async def _settle(self, state: SeriesState) -> None:
        checked = replace(state, checked_at=self._assignment.as_of)
        await self._emit(Page(self._venue.id, state.dataset, {}, {}, (checked,)))

    async def _settle_failure(self, state: SeriesState, error: SourceError) -> None:
        if error.kind != "interrupted":
            await self._settle(replace(state, status="failing", message=str(error)))

    async def _fail(self, dataset: str, series: str, error: SourceError) -> None:
        await self._emit(Failure(self._venue.id, dataset, series, error.kind, str(error)))

    async def _emit(self, event: Event) -> None:
        """Hand on without holding up the other series while the writer is busy."""
        if not self._assignment.offer(event):
            await asyncio.to_thread(self._assignment.emit, event)


def bind(work: Callable[..., Awaitable[None]], *args: object) -> Callable[[], Awaitable[None]]:
    """The work with its arguments, to be started later."""
    return lambda: work(*args)
