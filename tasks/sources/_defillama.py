"""What DefiLlama's answers share: daily points, the newest still moving, and one series at a time."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tasks.sources._daily import DailySeries, after_day, make_page
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._json import Json
from tasks.sources._model import Advanced, Assignment, Failure, Page, SeriesState
from tasks.sources._times import DAY_MS, HOUR_MS, from_ms

NAME = "defillama"
LAG_MS = HOUR_MS


def fetch_one(
    http: HttpSource, assignment: Assignment, state: SeriesState, fetch: Callable[[], DailySeries]
) -> None:
    """One series; where it fails the others go on."""
    try:
        series = fetch()
        if not series.days_ms:
            assignment.emit(Page(NAME, state.dataset, {}, {}, (_without_days(assignment, state),)))
        else:
            simulated = http.is_simulated
            lag = after_day(LAG_MS)
            page = make_page(NAME, state.dataset, [series], lag, assignment, is_simulated=simulated)
            assignment.emit(page)
    except SourceError as error:
        status = "unsupported" if error.kind == "refused" else "failing"
        told = replace(state, status=status, message=str(error), checked_at=assignment.as_of)
        assignment.emit(Page(NAME, state.dataset, {}, {}, (told,)))
        if status == "failing":
            assignment.emit(Failure(NAME, state.dataset, state.market_id, error.kind, str(error)))
    assignment.emit(Advanced(NAME, state.dataset))


def _without_days(assignment: Assignment, state: SeriesState) -> SeriesState:
    """An empty history: nothing yet for a new series, an incomplete answer for one that had days before."""
    if state.newest_data_at is not None:
        text = f"{NAME}: wanted the days of {state.market_id}, found an empty list although there were some."
        raise SourceError("incomplete", text)
    return replace(state, status="not_listed", message="no day yet", checked_at=assignment.as_of)


def state_of(assignment: Assignment, dataset: str, series: str, asset: str) -> SeriesState:
    fresh = SeriesState(NAME, dataset, "", series, "", asset)
    return assignment.states.get(fresh.key, fresh)


def points(body: Json, field: str) -> dict[int, float | None]:
    """Value by midnight in milliseconds; the first point of a day counts, a later one is still moving."""
    if not isinstance(body, list):
        raise SourceError("malformed", f"{NAME}: wanted a list of days, found {str(body)[:60]!r}.")
    days: dict[int, float | None] = {}
    for row in body:
        value = row.get(field)
        days.setdefault(midnight(row), None if value is None else float(value))
    return days


def midnight(row: Mapping[str, Any]) -> int:
    try:
        return int(row["date"]) * 1000 // DAY_MS * DAY_MS
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            "malformed", f"{NAME}: a point without a readable date: {str(row)[:80]}."
        ) from error


def whole_series(
    state: SeriesState, columns: Mapping[str, Mapping[int, float | None]], names: Mapping[str, str]
) -> DailySeries:
    stamps = sorted(next(iter(columns.values())))
    values = {name: [days[stamp] for stamp in stamps] for name, days in columns.items()}
    # The answer is the whole history, so its first day is the series' first day.
    known = replace(state, first_data_at=from_ms(stamps[0])) if stamps else state
    return DailySeries(known, stamps, values, names)
