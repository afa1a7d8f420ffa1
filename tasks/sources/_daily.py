"""What the daily sources share: when a day's value counts, from where to read on, and a page made of days.

A value that is served earlier than the source's documented publication lag says is left for the next run,
so that a live run, a replay and a backtest see the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tasks.sources._model import Assignment, Page, SeriesState
from tasks.sources._times import DAY_MS, Integers, from_ms, instants, known_at, start_ms, to_ms

# Days are revised for about a week after they were first published.
TRAILING = timedelta(days=7)

# From the midnights that begin days to the instants at which their values are published, in milliseconds.
Availability = Callable[[Integers], Integers]


@dataclass(frozen=True)
class DailySeries:
    """The days of one series as received.

    Attributes:
        state: the series as stored before.
        days_ms: the midnights that begin the days, in milliseconds, ascending.
        values: one sequence per value column; None where the source says that there is no value.
        constants: the columns that name the series.
        published: when its own days are published, where that is not as with its neighbours on the page.
        ends: when the periods that its days stand for are over.
    """

    state: SeriesState
    days_ms: Sequence[int]
    values: Mapping[str, Sequence[float | None]]
    constants: Mapping[str, str]
    published: Availability | None = None
    ends: Availability = lambda days: days + DAY_MS


def after_day(lag_ms: int) -> Availability:
    """Published so long after the day is over."""
    return lambda days: days + DAY_MS + lag_ms


def read_from(assignment: Assignment, state: SeriesState, trailing: timedelta = TRAILING) -> datetime:
    """The first day to ask for: where history is wanted to begin, or a while before what is held."""
    wanted = from_ms(start_ms(assignment.since or assignment.settings.universe.history_start))
    held, cursor, first = state.held_from, state.fetched_until, state.first_data_at
    is_deeper = held is not None and held - wanted > trailing and (first is None or first < held)
    if cursor is None or is_deeper or assignment.since is not None:
        return wanted
    return max(cursor - trailing, wanted)


def make_page(
    source: str,
    dataset: str,
    series: Sequence[DailySeries],
    availability: Availability,
    assignment: Assignment,
    *,
    is_simulated: bool,
    trailing: timedelta = TRAILING,
) -> Page:
    """One page of many daily series: the days that are over, published and wanted; and the states then.

    `trailing` is how far back days are read again: revisions older than that are not seen.
    """
    end = to_ms(min(assignment.until or assignment.as_of, assignment.as_of))
    days: list[Integers] = []
    available: list[Integers] = []
    states: list[SeriesState] = []
    columns: dict[str, list[Any]] = {}
    for one in series:
        stamps = np.asarray(one.days_ms, dtype=np.int64)
        ends, at = one.ends(stamps), (one.published or availability)(stamps)
        is_kept = (ends <= end) & (at <= to_ms(assignment.as_of))
        is_kept &= stamps >= to_ms(read_from(assignment, one.state, trailing))
        days.append(stamps[is_kept])
        available.append(at[is_kept])
        for name, values in one.values.items():
            columns.setdefault(name, []).append(np.asarray(values, dtype=np.float64)[is_kept])
        for name, value in one.constants.items():
            columns.setdefault(name, []).append(np.full(len(days[-1]), value, dtype=object))
        states.append(_after(one.state, ends[is_kept], assignment))
    every = np.concatenate([*days, np.empty(0, np.int64)])
    known, is_reconstructed = known_at(
        np.concatenate([*available, np.empty(0, np.int64)]), DAY_MS, assignment.as_of
    )
    made: dict[str, Any] = {name: np.concatenate(parts) for name, parts in columns.items()}
    made.update(period_start=instants(every), known_at=known, is_reconstructed=is_reconstructed)
    return Page(source, dataset, made, {"provider": source}, tuple(states), is_simulated=is_simulated)


def _after(state: SeriesState, ends: Integers, assignment: Assignment) -> SeriesState:
    newest = max((at for at in (state.newest_data_at, _end_of(ends)) if at), default=None)
    return replace(
        state,
        status="active",
        newest_data_at=newest,
        fetched_until=newest,
        checked_at=assignment.as_of,
        message="",
    )


def _end_of(ends: Integers) -> datetime | None:
    return from_ms(int(ends[-1])) if ends.size else None
