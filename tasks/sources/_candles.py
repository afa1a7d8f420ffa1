"""Closed candles of one market and timeframe, page by page, without holes that are not the venue's own.

ccxt's own pagination skips history silently, so the window loop is ours: since and until are always sent,
and it advances by window, not by the last row. An empty or short page is asked again before it is
believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from tasks.sources._candle_table import CandleTable
from tasks.sources._errors import SourceError
from tasks.sources._model import Gap, Page, SeriesState
from tasks.sources._rows import Rows, each_once
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import (
    DAY_MS,
    EARLIEST_MS,
    from_ms,
    instants,
    known_at,
    start_ms,
    timeframe_ms,
    to_ms,
)
from tasks.sources._windows import TRAILING_CANDLES, Window, last_closed_open, missing, pages, plan

DATASET = "candles"
MARK = "mark_candles"
NAMES = ("open", "high", "low", "close", "base_volume", "quote_volume")
# A hole that is old is asked for again at once so that a later run need not; a recent one may still fill
# itself.
REPEATS = 2
SINGLE_HOLES = 5


@dataclass
class CandleSeries:
    """One series during one run."""

    session: VenueSession
    market: Market
    timeframe: str
    state: SeriesState
    dataset: str = DATASET

    def __post_init__(self) -> None:
        self.step = timeframe_ms(self.timeframe)
        quirks = self.session.quirks
        self.size = quirks.spot_page if self.market.market_type == "spot" else quirks.perp_page
        if self.dataset == MARK:
            self.size = quirks.mark_page
        newest = last_closed_open(self.session.now_ms, self.step)
        until = self.session.assignment.until
        end = newest if until is None else to_ms(until) // self.step * self.step - self.step
        expiry = self.market.expires_at
        if expiry is not None:  # the candle in which a dated contract expires is its last
            end = min(end, (to_ms(expiry) - 1) // self.step * self.step)
        self.newest = min(newest, end)

    async def first_open(self) -> int | None:
        """The opening instant of the venue's first candle; None where it proves that there is none yet.

        What was found once is kept in the series' state, so that a later run need not ask.
        """
        if self.state.first_data_at is not None:
            return to_ms(self.state.first_data_at)
        if self.session.quirks.serves_first:
            first = await self._ask_first()
        elif self.state.fetched_until is not None:
            return self.wanted_from(0)
        else:
            first = await self._search_first()
        is_listing = first is not None and (self.session.quirks.serves_first or first > self.wanted_from(0))
        if first is not None and is_listing and first <= self.newest:
            self.state = replace(self.state, first_data_at=from_ms(first))
        return first

    async def _ask_first(self) -> int | None:
        """An empty answer to "the first candle since 1970" is the proof; a new series is asked twice."""
        for _ in range(1 if self.state.status == "not_listed" else 2):
            rows = await self._ask(0, None, 1)
            if rows.size:
                return int(rows[0, 0])
        return None

    async def _search_first(self) -> int | None:
        """Halve the wanted history down to the first page with candles; two empty newest pages: none."""
        spans = [Window(a, b) for a, b in pages(self.wanted_from(0), self.newest, self.step, self.size)]
        low, high, found = 0, len(spans) - 1, None
        for at in range(high, max(high - 2, -1), -1):
            found = await self._first_in(spans[at])
            if found is not None:
                high = at
                break
        while found is not None and low < high:
            middle = (low + high) // 2
            earlier = await self._first_in(spans[middle])
            low, high = (low, middle) if earlier is not None else (middle + 1, high)
            found = found if earlier is None else earlier
        return found

    async def _first_in(self, window: Window) -> int | None:
        rows = self._inside(await self._ask(window.first, window.last, self._count(window)), window)
        return int(rows[0, 0]) if rows.size else None

    def wanted_from(self, first: int) -> int:
        """The opening instant from which history is wanted and can be had."""
        assignment = self.session.assignment
        start = assignment.since or assignment.settings.universe.history_start
        wanted = max(-(-start_ms(start) // self.step) * self.step, first)
        kept = self.session.quirks.candle_history
        return wanted if kept is None else max(wanted, self.newest - (kept - 1) * self.step)

    def windows(self, first: int) -> list[Window]:
        """The pages to ask for in this run."""
        held, cursor = self.state.held_from, self.state.fetched_until
        return plan(
            wanted=self.wanted_from(first),
            held_from=None if held is None else to_ms(held),
            cursor=None if cursor is None else to_ms(cursor),
            newest=self.newest,
            step=self.step,
            size=self.size,
        )

    async def page(self, window: Window) -> Page:
        """Ask for one window until it is complete or proven to have holes.

        Raises:
            SourceError: rows are missing that must exist, or the answer contradicts itself.
        """
        rows = await self._ask(window.first, window.last, self._count(window))
        asked = 1
        # Rows that are all from another time: asking again would only bring them again.
        is_elsewhere = bool(rows.size) and not self._inside(rows, window).size
        while not is_elsewhere and asked <= REPEATS and (holes := self._doubtful(window, rows)):
            asked += 1
            again = holes if len(holes) <= SINGLE_HOLES else [(window.first, window.last)]
            for first, last in again:
                more = await self._ask(first, last, (last - first) // self.step + 1)
                rows = self._merged(rows, more)
        if not self._inside(rows, window).size:
            await self._prove_outage(window)
        return self._made(window, rows, asked)

    async def page_again(self, window: Window, gaps: Sequence[Gap]) -> Page:
        """Ask once more for stretches without rows; whatever comes is stored, the cursor stays."""
        rows = await self._ask(window.first, window.last, self._count(window))
        return replace(
            self._made(window, rows, 0), asked_gaps=tuple(replace(gap, attempts=1) for gap in gaps)
        )

    async def _ask(self, since: int, until: int | None, limit: int) -> Rows:
        """One request, as an array of [open time, open, high, low, close, volume, volume in quote]."""
        parameters = {} if until is None else {"until": until + self.step - 1}
        exchange = self.session.exchange
        fetch = exchange.fetch_mark_ohlcv if self.dataset == MARK else exchange.fetch_ohlcv
        raw: list[list[Any]] | CandleTable = await self.session.call(
            fetch, self.market.symbol, self.timeframe, since, limit, parameters
        )
        if isinstance(raw, CandleTable):
            return self._merged(raw.rows[:0], self._in_base(raw.rows))
        try:
            rows = np.array(raw, dtype=np.float64).reshape(len(raw), 7)
        except (TypeError, ValueError) as error:
            text = f"{self._name}: a page of candles has rows of different shapes: {error}."
            raise SourceError("malformed", text) from error
        return self._merged(rows[:0], self._in_base(rows))

    def _in_base(self, rows: Rows) -> Rows:
        """The volume in base, also where the venue counts contracts."""
        market = self.market
        if market.market_type != "spot" and self.session.quirks.volume_unit == "contracts":
            # How much base a contract in quote is depends on the price: unknown.
            rows[:, 5] *= np.nan if market.is_inverse else market.contract_size
        return rows

    def _merged(self, rows: Rows, more: Rows) -> Rows:
        return each_once(np.concatenate((rows, more)), self._name)

    def _inside(self, rows: Rows, window: Window) -> Rows:
        return rows[(rows[:, 0] >= window.first) & (rows[:, 0] < window.last + self.step)]

    def _impossible(self, rows: Rows) -> Rows:
        """Rows from before there were coins (seconds for milliseconds?) or from the future: to quarantine."""
        latest = max(self.session.server_ms, self.session.now_ms) + self.step
        return rows[((rows[:, 0] < EARLIEST_MS) & (rows[:, 0] > 0)) | (rows[:, 0] > latest)]

    def _holes(self, window: Window, rows: Rows) -> list[tuple[int, int]]:
        inside = self._inside(rows, window)
        return missing(window, inside[:, 0].astype(np.int64), self.step)

    def _doubtful(self, window: Window, rows: Rows) -> list[tuple[int, int]]:
        """Holes to ask for again now: old ones, and long ones at the newest end.

        The venue may be late with its last few candles, and a recent hole may still fill itself by the next
        run.
        """
        lately = TRAILING_CANDLES * self.step
        return [
            (a, b)
            for a, b in self._holes(window, rows)
            if self.session.now_ms - a > DAY_MS or (b - a >= lately and window.is_newest)
        ]

    async def _prove_outage(self, window: Window) -> None:
        """An empty page is believed only if the venue itself says that its next candle is later."""
        held = self.state.newest_data_at
        is_new = window.is_newest and held is not None and window.first >= to_ms(held)
        if is_new and window.last - window.first < TRAILING_CANDLES * self.step:
            return
        end = self.newest
        if self.session.quirks.serves_first:
            after = await self._ask(window.first, None, 1)
        elif (beyond := window.last + self.step) <= self.newest:
            end = min(beyond + (self.size - 1) * self.step, self.newest)
            after = await self._ask(beyond, end, self.size)
        else:
            after = np.empty((0, 7))
        later = after[(after[:, 0] > window.last) & (after[:, 0] <= end)]
        if later.size or not self.market.is_active:
            return
        kind = "unsupported" if after.size else "incomplete"
        what = "only candles outside the window" if after.size else "no candles"
        raise SourceError(
            kind,
            f"{self._name}: wanted {self._count(window)} candles from {from_ms(window.first):%Y-%m-%d %H:%M} "
            f"on, got {what}. Nothing is stored from there on; the next run asks again.",
        )

    def _count(self, window: Window) -> int:
        return (window.last - window.first) // self.step + 1

    def _made(self, window: Window, rows: Rows, asked: int) -> Page:
        inside, odd = self._inside(rows, window), self._impossible(rows)
        kept = np.concatenate((inside, odd))
        # At the newest end nothing is missing yet.
        holes = [(a, b) for a, b in self._holes(window, rows) if not (window.is_newest and b == window.last)]
        opens = kept[:, 0].astype(np.int64)
        self.state = self._state_after(window, inside)
        known, is_reconstructed = known_at(opens + self.step, self.step, self.session.assignment.as_of)
        columns: dict[str, Any] = {"open_time": instants(opens)}
        names = NAMES[:4] if self.dataset == MARK else NAMES  # nothing is traded at a mark price
        columns.update({name: kept[:, at] for at, name in enumerate(names, start=1)})
        columns.update(known_at=known, is_reconstructed=is_reconstructed)
        return Page(
            source=self.market.venue,
            dataset=self.dataset,
            columns=columns,
            constants={**self.market.constants, "timeframe": self.timeframe},
            series=(self.state,),
            asked_gaps=tuple(self._gap(a, b, asked) for a, b in holes),
            is_simulated=self.session.transport.is_simulated,
        )

    def _state_after(self, window: Window, inside: Rows) -> SeriesState:
        state = self.state
        last = int(inside[-1, 0]) // self.step * self.step + self.step if inside.size else None
        reached = last if window.is_newest else window.last + self.step
        newest = [at for at in (state.newest_data_at, last and from_ms(last)) if at]
        cursor = [at for at in (state.fetched_until, reached and from_ms(reached)) if at]
        is_delisted = not self.market.is_active and window.is_newest and not inside.size
        return replace(
            state,
            status="delisted" if is_delisted else "active",
            newest_data_at=max(newest) if newest else None,
            fetched_until=max(cursor) if window.moves_cursor and cursor else state.fetched_until,
            checked_at=self.session.assignment.as_of,
            message="",
        )

    def _gap(self, first: int, last: int, asked: int) -> Gap:
        end = from_ms(last) + timedelta(milliseconds=self.step)
        return Gap(
            dataset=self.dataset,
            market_type=self.market.market_type,
            market_id=self.market.market_id,
            timeframe=self.timeframe,
            start=from_ms(first),
            end=end,
            attempts=asked,
        )

    @property
    def _name(self) -> str:
        mark = " mark price" if self.dataset == MARK else ""
        return f"{self.market.venue} {self.market.symbol} {self.timeframe}{mark}"
