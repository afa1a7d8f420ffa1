"""FRED's graph download: macro series as CSV, no key. A value is missing where it says `.` or nothing.

Most daily series appear on the next working day; the slowest that is commonly used, Treasury yields, at
16:15 in New York (federalreserve.gov/releases/h15). So a day counts from 22:00 UTC of the next working
day; federal holidays are no working days. What appears once a week, a month or a quarter counts later:
`_macro_releases.py`.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.settings_schema import FredSettings, Settings
from tasks.sources._daily import DailySeries, after_day, make_page, read_from
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._macro_releases import (
    SPACING,
    TRAILING,
    frequency_of,
    period_end,
    published,
    told_frequency,
)
from tasks.sources._model import Advanced, Assignment, Failure, Finished, Page, SeriesState, Source, Started
from tasks.sources._times import to_ms

NAME = "fred"
DATASET = "macro_series"
MISSING = frozenset({"", "."})

Days = Mapping[int, float | None]
Columns = dict[str, dict[int, float | None]]


def build(settings: Settings) -> list[Source]:
    """The source, where it is configured."""
    stated = settings.sources.fred
    return [] if stated is None else [Fred(stated)]


@dataclass(frozen=True)
class Fred:
    """The Federal Reserve Bank of St. Louis' data service."""

    settings: FredSettings
    name: str = NAME
    datasets: tuple[str, ...] = (DATASET,)
    is_venue: bool = False

    def run(self, assignment: Assignment) -> None:
        """Fetch what is missing; a failure is emitted, none is raised."""
        http = HttpSource(NAME, assignment)
        assignment.emit(Started(NAME, DATASET, len(self.settings.every)))
        try:
            self._fetch(http, assignment)
        finally:
            http.close()
            assignment.emit(Finished(NAME, http.requests))

    def _fetch(self, http: HttpSource, assignment: Assignment) -> None:
        """All series of one frequency in one request; each alone where one of them makes it fail."""
        for frequency in SPACING:
            names = [name for name in self.settings.every if frequency_of(name, self.settings) == frequency]
            states = [_state(assignment, name) for name in names]
            try:
                if states:
                    self._fetch_some(http, assignment, states)
            except SourceError as error:
                if error.kind != "refused" or len(states) == 1:
                    self._fail(assignment, states, error)
                    continue
                for state in states:
                    self._fetch_alone(http, assignment, state)

    def _fetch_alone(self, http: HttpSource, assignment: Assignment, state: SeriesState) -> None:
        try:
            self._fetch_some(http, assignment, [state])
        except SourceError as error:
            self._fail(assignment, [state], error)

    def _fail(self, assignment: Assignment, states: list[SeriesState], error: SourceError) -> None:
        if error.kind == "refused":
            text = f"{NAME} does not serve it"
            gone = tuple(
                replace(s, status="unsupported", message=text, checked_at=assignment.as_of) for s in states
            )
            assignment.emit(Page(NAME, DATASET, {}, {}, gone))
        names = " ".join(state.market_id for state in states)
        assignment.emit(Failure(NAME, DATASET, names, error.kind, str(error)))
        assignment.emit(Advanced(NAME, DATASET, len(states)))

    def _fetch_some(self, http: HttpSource, assignment: Assignment, states: list[SeriesState]) -> None:
        trailing = TRAILING[frequency_of(states[0].market_id, self.settings)]
        start = min(read_from(assignment, state, trailing) for state in states)
        names = [state.market_id for state in states]
        text = http.text(
            f"{self.settings.base_url}/graph/fredgraph.csv",
            {"id": ",".join(names), "cosd": f"{start:%Y-%m-%d}", "coed": f"{assignment.as_of:%Y-%m-%d}"},
        )
        columns = parse(text, names)
        series = [
            self._series(state, columns[state.market_id])
            for state in states
            if self._is_as_stated(assignment, state, columns[state.market_id])
        ]
        if series:
            page = make_page(
                NAME,
                DATASET,
                series,
                after_day(0),
                assignment,
                is_simulated=http.is_simulated,
                trailing=trailing,
            )
            assignment.emit(page)
        assignment.emit(Advanced(NAME, DATASET, len(states)))

    def _is_as_stated(self, assignment: Assignment, state: SeriesState, days: Days) -> bool:
        """A month taken for a day would be known weeks before it was published: it is not stored."""
        name = state.market_id
        valued = [day for day, value in days.items() if value is not None]
        text = told_frequency(name, valued, frequency_of(name, self.settings))
        if text:
            assignment.emit(Failure(NAME, DATASET, name, "malformed", f"{NAME}: {text}"))
        return not text

    def _series(self, state: SeriesState, days: Days) -> DailySeries:
        name, stamps = state.market_id, sorted(days)
        return DailySeries(
            state,
            stamps,
            {"value": [days[stamp] for stamp in stamps]},
            {"series_id": name},
            published(name, self.settings),
            period_end(frequency_of(name, self.settings)),
        )


def parse(text: str, names: list[str]) -> Columns:
    """Read the CSV: value or None by day, for every series that was asked for.

    Raises:
        SourceError: it is not that CSV; an HTML page, for instance.
    """
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0][1:] != names:
        found = text[:60]
        raise SourceError(
            "unavailable", f"{NAME}: wanted a CSV of {', '.join(names)}, found {found!r}.", is_transient=True
        )
    columns: Columns = {name: {} for name in names}
    for row in rows[1:]:
        try:
            day = to_ms(datetime.fromisoformat(row[0] + "T00:00:00+00:00"))
            values = [None if cell in MISSING else float(cell) for cell in row[1:]]
        except (ValueError, IndexError) as error:
            raise SourceError("malformed", f"{NAME}: a line of the CSV is unreadable: {row!r}.") from error
        if len(values) != len(names):
            raise SourceError("malformed", f"{NAME}: a line of the CSV has {len(values)} values: {row!r}.")
        for name, value in zip(names, values, strict=True):
            columns[name][day] = value
    return columns


def _state(assignment: Assignment, name: str) -> SeriesState:
    fresh = SeriesState(NAME, DATASET, "", name, "", "")
    return assignment.states.get(fresh.key, fresh)
