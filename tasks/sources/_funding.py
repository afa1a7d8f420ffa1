"""Funding settlements of one perpetual market.

The interval of a settlement is measured: the hours since the settlement before it. Venues change it from
8 to 4 to 1 hour, so it is a fact of each row and never assumed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.sources._errors import SourceError
from tasks.sources._model import Gap, Page, SeriesState
from tasks.sources._rows import Rows, each_once
from tasks.sources._session import Market, VenueSession
from tasks.sources._times import DAY_MS, HOUR_MS, from_ms, instants, known_at, start_ms, to_ms
from tasks.sources._windows import Window

DATASET = "funding_rates"
# Two settlements at the longest interval, and one more whose only use is to measure the interval of the next.
TRAILING_MS = 24 * HOUR_MS
LONGEST_INTERVAL_MS = 8 * HOUR_MS
INTERVALS_HOURS = (1.0, 2.0, 4.0, 6.0, 8.0)
USUAL_HOURS = 8.0
# Stamps jitter by milliseconds: the next page begins a second after the last settlement, not on it again.
SECOND_MS = 1000


@dataclass
class FundingSeries:
    """One series during one run."""

    session: VenueSession
    market: Market
    state: SeriesState

    def __post_init__(self) -> None:
        self.size = self.session.quirks.funding_page
        self.longest = int(self.session.quirks.funding_hours * HOUR_MS)
        until = self.session.assignment.until
        now = self.session.now_ms
        self.newest = now if until is None else min(now, to_ms(until) - 1)
        self.wanted = 0
        self.before: tuple[float, float] | None = None  # settlement and interval before the next page

    async def first_settlement(self) -> int | None:
        """The first settlement the venue has; None where it proves that there is none yet.

        Where a venue can not be asked for its first one, the beginning of the wanted history stands in
        for it.
        """
        if self.state.first_data_at is not None:
            return to_ms(self.state.first_data_at)
        if not self.session.quirks.serves_first:
            assignment = self.session.assignment
            return start_ms(assignment.since or assignment.settings.universe.history_start)
        for _ in range(1 if self.state.status == "not_listed" else 2):
            rows = await self._ask(0, None, 1)
            if rows.size:
                first = int(rows[0, 0])
                if first <= self.newest:
                    self.state = replace(self.state, first_data_at=from_ms(first))
                return first
        return None

    def start(self, first: int) -> int:
        """The instant from which to ask; a day earlier than needed, to measure the first interval."""
        assignment = self.session.assignment
        self.wanted = max(start_ms(assignment.since or assignment.settings.universe.history_start), first)
        at = self.wanted
        held, cursor = self.state.held_from, self.state.fetched_until
        if cursor is not None and (held is None or to_ms(held) - self.wanted < DAY_MS):
            at = min(to_ms(cursor), self.newest)
        return max(at - TRAILING_MS, first)

    async def page(self, since: int, first: int) -> tuple[Page | None, int]:
        """The settlements from `since` on, and where to go on; past the newest when done.

        Raises:
            SourceError: settlements are missing that must exist, or the answer contradicts itself.
        """
        until = min(since + self.size * self.longest, self.newest)
        rows = await self._ask(since, until, self.size)
        if not rows.size:
            rows = await self._ask(since, until, self.size)
        if not rows.size:
            return await self._after_nothing(since, until)
        is_full = len(rows) >= self.size
        next_since = int(rows[-1, 0]) + SECOND_MS if is_full else until + 1
        page = self._made(rows, starts_series=since <= first)
        return replace(page, asked_gaps=(self._asked(since, next_since),)), next_since

    @property
    def hours_a_page(self) -> int:
        """How many hours one request covers, whatever the interval, less what it needs to measure it."""
        return max(self.size - 2 * TRAILING_MS // HOUR_MS, 1)

    async def page_again(self, window: Window, gaps: Sequence[Gap]) -> Page:
        """Ask once more for stretches without settlements; whatever comes is stored, the cursor stays.

        The days on both sides come with it: an interval is measured from the settlement before.
        """
        before, after = window.first - TRAILING_MS, min(window.last + TRAILING_MS, self.newest)
        asked = tuple(replace(gap, attempts=1) for gap in gaps)
        rows = await self._ask(before, after, self.size)
        if not rows.size:
            return Page(self.market.venue, DATASET, {}, {}, (self.state,), asked_gaps=asked)
        state, self.before = self.state, None
        page = self._made(rows, starts_series=False)
        self.state = state
        return replace(page, series=(state,), asked_gaps=asked)

    def _asked(self, since: int, until: int) -> Gap:
        return Gap(*self.state.key, start=from_ms(since), end=from_ms(until), attempts=1)

    async def _after_nothing(self, since: int, until: int) -> tuple[Page | None, int]:
        if not self.session.quirks.serves_first and self.state.newest_data_at is None:
            return None, until + 1  # before the listing, wherever that is
        later = await self._ask(since, None, 1)
        later = later[later[:, 0] <= self.newest] if later.size else later
        if later.size and int(later[0, 0]) > until:
            return None, int(later[0, 0])
        if later.size or (until - since > TRAILING_MS / 2 and self.market.is_active):
            raise SourceError(
                "incomplete",
                f"{self.market.venue} {self.market.symbol}: no funding settlement since "
                f"{from_ms(since):%Y-%m-%d %H:%M}, although there were some before. The next run asks again.",
            )
        return None, until + 1

    async def _ask(self, since: int, until: int | None, limit: int) -> Rows:
        """One request, as an array of [settled at, rate, mark price], settlements rounded to the second."""
        parameters = {} if until is None else {"until": until}
        raw: list[Mapping[str, Any]] = await self.session.call(
            self.session.exchange.fetch_funding_rate_history, self.market.symbol, since, limit, parameters
        )
        rows = np.empty((len(raw), 3))
        for at, row in enumerate(raw):
            stamp, rate = row.get("timestamp"), self._rate(row)
            if stamp is None:
                text = f"{self.market.venue} {self.market.symbol}: a funding row without an instant."
                raise SourceError("malformed", text)
            # The stamp jitters by some milliseconds; the second is the key.
            rows[at] = (round(stamp / 1000) * 1000, np.nan if rate is None else rate, _mark(row))
        return self._checked(rows, since, until)

    def _rate(self, row: Mapping[str, Any]) -> float | None:
        """The rate of the settlement's own interval; ccxt reads another field on some venues."""
        name, info = self.session.quirks.funding_field, row.get("info")
        if not name:
            return row.get("fundingRate")
        value = info.get(name) if isinstance(info, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return None if value is None else float(value)  # pyright: ignore[reportUnknownArgumentType]

    def _checked(self, rows: Rows, since: int, until: int | None) -> Rows:
        last = self.newest if until is None else until
        inside = (rows[:, 0] >= since - 1000) & (rows[:, 0] <= last)
        return each_once(rows[inside], f"{self.market.venue} {self.market.symbol}")

    def _made(self, rows: Rows, *, starts_series: bool) -> Page:
        intervals = self._intervals(rows)
        # Without the settlement before it, the first row only serves to measure the second.
        skip = 1 if self.before is None and not starts_series else 0
        self.before = (float(rows[-1, 0]), float(intervals[-1]))
        is_kept = (np.arange(len(rows)) >= skip) & (rows[:, 0] >= self.wanted)
        kept, hours = rows[is_kept], intervals[is_kept]
        settled = kept[:, 0].astype(np.int64)
        known, is_reconstructed = known_at(settled, LONGEST_INTERVAL_MS, self.session.assignment.as_of)
        reached = from_ms(int(rows[-1, 0]))
        held = [at for at in (self.state.fetched_until, reached) if at]
        self.state = replace(
            self.state,
            status="active",
            newest_data_at=max(held),
            fetched_until=max(held),
            checked_at=self.session.assignment.as_of,
            message="",
        )
        named = self.market.constants
        return Page(
            source=self.market.venue,
            dataset=DATASET,
            columns={
                "settled_at": instants(settled),
                "funding_rate": kept[:, 1],
                "interval_hours": hours,
                "mark_price": kept[:, 2],
                "known_at": known,
                "is_reconstructed": is_reconstructed,
            },
            constants={name: named[name] for name in ("venue", "market_id", "symbol", "base")},
            series=(self.state,),
            is_simulated=self.session.transport.is_simulated,
        )

    def _intervals(self, rows: Rows) -> NDArray[np.float64]:
        """Hours since the settlement before; a settlement that is missing does not stretch the interval."""
        stamps = rows[:, 0]
        hours = np.round(np.diff(stamps) / HOUR_MS)
        if self.before is not None:
            first = round((stamps[0] - self.before[0]) / HOUR_MS)
        else:
            first = hours[0] if hours.size else USUAL_HOURS
        found = np.concatenate(([first], hours))
        last = self.before[1] if self.before is not None else USUAL_HOURS
        for at, value in enumerate(found):
            last = found[at] = value if value in INTERVALS_HOURS else last
        return found


def _mark(row: Mapping[str, Any]) -> float:
    """The mark price of the settlement where the venue's own row has one, else NaN."""
    info = row.get("info")
    stated = info.get("markPrice") if isinstance(info, Mapping) else None  # pyright: ignore[reportUnknownMemberType]
    try:
        return float(stated) if stated else np.nan
    except (TypeError, ValueError):
        return np.nan
