"""Hourly open interest of one perpetual market, as far back as the venue still serves it.

A point is what was open at the instant it is stamped with; it is available from then on. Venues keep few
of them (Binance 30 days), so history that was not read in time can not be had later: the series says from
where on it is served.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from tasks.sources._errors import SourceError
from tasks.sources._model import Gap, Page, SeriesState
from tasks.sources._rows import Rows, each_once
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import DAY_MS, HOUR_MS, from_ms, instants, known_at, start_ms, to_ms
from tasks.sources._windows import GRACE_MS, Window, missing, plan

DATASET = "open_interest"
# The venue's clock moves on while pages are asked for; a start at its very limit would be refused.
MARGIN_MS = HOUR_MS
REPEATS = 2


@dataclass
class OpenInterestSeries:
    """One series during one run."""

    session: VenueSession
    market: Market
    state: SeriesState

    def __post_init__(self) -> None:
        until = self.session.assignment.until
        newest = (self.session.now_ms - GRACE_MS) // HOUR_MS * HOUR_MS
        self.served = 0
        self.newest = newest if until is None else min(newest, (to_ms(until) - 1) // HOUR_MS * HOUR_MS)

    def windows(self) -> list[Window]:
        """The pages to ask for in this run: from the wanted history, or from where the venue begins."""
        assignment, quirks = self.session.assignment, self.session.quirks
        wanted = start_ms(assignment.since or assignment.settings.universe.history_start)
        served = 0
        if quirks.interest_days is not None:
            served = self.session.server_ms - quirks.interest_days * DAY_MS + MARGIN_MS
        self.served = served
        first = -(-max(wanted, served) // HOUR_MS) * HOUR_MS
        held, cursor = self.state.held_from, self.state.fetched_until
        # Older points than those held exist only where somebody asks for an earlier start.
        is_older = held is not None and assignment.since is not None and to_ms(held) > first
        return plan(
            wanted=first,
            held_from=to_ms(held) if held is not None and is_older else None,
            cursor=None if cursor is None else max(to_ms(cursor), first),
            newest=self.newest,
            step=HOUR_MS,
            size=quirks.interest_page,
        )

    async def page(self, window: Window) -> Page | None:
        """The points of one window; None before the first one the venue has.

        Raises:
            SourceError: points are missing that must exist, or the answer contradicts itself.
        """
        rows = await self._ask(window)
        asked = 1
        while asked <= REPEATS and missing(window, rows[:, 0].astype(np.int64), HOUR_MS):
            asked += 1
            rows = each_once(np.concatenate((rows, await self._ask(window))), self._name)
        if not rows.size:
            held = self.state.newest_data_at
            is_late = held is not None and window.first > to_ms(held) - DAY_MS
            if is_late and self.market.is_active and window.last - window.first >= 3 * HOUR_MS:
                raise SourceError(
                    "incomplete",
                    f"{self._name}: no open interest since {from_ms(window.first):%Y-%m-%d %H:%M}, although "
                    "there was some before. The next run asks again.",
                )
            return None
        stretch = Gap(*self.state.key, from_ms(window.first), from_ms(window.last + HOUR_MS), attempts=asked)
        return replace(self._made(rows, window), asked_gaps=(stretch,))

    async def page_again(self, window: Window, gaps: Sequence[Gap]) -> Page:
        """Ask once more for stretches without points; what the venue serves no longer is lost."""
        if window.first < self.served:
            lost = tuple(replace(gap, attempts=0, is_lost=True) for gap in gaps)
            return Page(self.market.venue, DATASET, {}, {}, (self.state,), asked_gaps=lost)
        asked = tuple(replace(gap, attempts=1) for gap in gaps)
        rows = await self._ask(window)
        if not rows.size:
            return Page(self.market.venue, DATASET, {}, {}, (self.state,), asked_gaps=asked)
        return replace(self._made(rows, window), asked_gaps=asked)

    async def _ask(self, window: Window) -> Rows:
        """One request, as an array of [observed at, open interest in base, in quote]."""
        raw: list[Mapping[str, Any]] = await self.session.call(
            self.session.exchange.fetch_open_interest_history,
            self.market.symbol,
            "1h",
            window.first,
            (window.last - window.first) // HOUR_MS + 1,
            {"until": window.last},
        )
        is_counted = self.session.quirks.interest_unit == "contracts"
        per_unit = self.market.contract_size if is_counted else 1.0
        rows = np.empty((len(raw), 3))
        for at, row in enumerate(raw):
            if row.get("timestamp") is None:
                raise SourceError("malformed", f"{self._name}: a point of open interest without an instant.")
            amount, value = row.get("openInterestAmount"), row.get("openInterestValue")
            rows[at] = (
                row["timestamp"],
                np.nan if amount is None else float(amount) * per_unit,
                np.nan if value is None else float(value),
            )
        inside = (rows[:, 0] >= window.first) & (rows[:, 0] <= window.last)
        return each_once(rows[inside], self._name)

    def _made(self, rows: Rows, window: Window) -> Page:
        stamps = rows[:, 0].astype(np.int64)
        known, is_reconstructed = known_at(stamps, HOUR_MS, self.session.assignment.as_of)
        newest = max(filter(None, (self.state.newest_data_at, from_ms(int(stamps[-1])))))
        first = min(filter(None, (self.state.first_data_at, from_ms(int(stamps[0])))))
        cursor = self.state.fetched_until
        reached = from_ms(int(stamps[-1]) if window.is_newest else window.last) + timedelta(hours=1)
        self.state = replace(
            self.state,
            status="active",
            first_data_at=first,
            newest_data_at=newest,
            fetched_until=max(filter(None, (cursor, reached))) if window.moves_cursor else cursor,
            checked_at=self.session.assignment.as_of,
            message="",
        )
        return Page(
            source=self.market.venue,
            dataset=DATASET,
            columns={
                "observed_at": instants(stamps),
                "open_interest": rows[:, 1],
                "open_interest_quote": rows[:, 2],
                "known_at": known,
                "is_reconstructed": is_reconstructed,
            },
            constants=self.market.constants,
            series=(self.state,),
            is_simulated=self.session.transport.is_simulated,
        )

    @property
    def _name(self) -> str:
        return f"{self.market.venue} {self.market.symbol}"
