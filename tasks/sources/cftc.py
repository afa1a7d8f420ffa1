"""CFTC: who holds CME bitcoin and ether futures, once a week; no key, public domain.

The report "Traders in Financial Futures, futures only" counts the positions of a Tuesday's close and is
published on Friday at 15:30 in New York, that is on the third working day after. A report that was held up
(government shutdowns, a broken reporting firm) counts from the day it really appeared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tasks.settings_schema import CftcSettings, Settings
from tasks.sources._daily import DailySeries, make_page, read_from
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._json import Json
from tasks.sources._model import Advanced, Assignment, Failure, Finished, Page, SeriesState, Source, Started
from tasks.sources._times import DAY_MS, HOUR_MS, Integers, from_ms, to_ms
from tasks.sources._us_days import working_day_after

NAME = "cftc"
DATASET = "futures_positioning"
PATH = "/resource/gpe5-46if.json"
# 15:30 in New York is 20:30 UTC in winter and 19:30 in summer: the later one holds all year.
PUBLISHED_AT_MS = 20 * HOUR_MS + HOUR_MS // 2
WORKING_DAYS = 3
# More than all reports on two futures since 2017; a full answer may be cut off and is refused.
MOST_ROWS = 5000
# A day of the week before Tuesday's and the week before that: reports are corrected.
TRAILING = timedelta(days=21)
FIELDS = {
    "open_interest": "open_interest_all",
    "dealer_long": "dealer_positions_long_all",
    "dealer_short": "dealer_positions_short_all",
    "asset_manager_long": "asset_mgr_positions_long",
    "asset_manager_short": "asset_mgr_positions_short",
    "leveraged_long": "lev_money_positions_long",
    "leveraged_short": "lev_money_positions_short",
    "other_long": "other_rept_positions_long",
    "other_short": "other_rept_positions_short",
    "small_long": "nonrept_positions_long_all",
    "small_short": "nonrept_positions_short_all",
}
# The CFTC's own catch-up schedules: 2018/19 (one report each Friday and Tuesday) and 2025/26. For early 2023
# (a clearing firm could not report) only an end of the catch-up is used, later than any of its reports.
HELD_UP = {
    "2018-12-24": "2019-02-01", "2018-12-31": "2019-02-05", "2019-01-08": "2019-02-08",
    "2019-01-15": "2019-02-12", "2019-01-22": "2019-02-15", "2019-01-29": "2019-02-19",
    "2019-02-05": "2019-02-22", "2019-02-12": "2019-02-26", "2019-02-19": "2019-03-01",
    "2019-02-26": "2019-03-05", "2023-01-31": "2023-03-24", "2023-02-07": "2023-03-24",
    "2023-02-14": "2023-03-24", "2023-02-21": "2023-03-24", "2023-02-28": "2023-03-24",
    "2023-03-07": "2023-03-24", "2023-03-14": "2023-03-24", "2025-09-30": "2025-11-19",
    "2025-10-07": "2025-11-21", "2025-10-14": "2025-11-25", "2025-10-21": "2025-12-02",
    "2025-10-28": "2025-12-05", "2025-11-04": "2025-12-09", "2025-11-10": "2025-12-12",
    "2025-11-18": "2025-12-16", "2025-11-25": "2025-12-19", "2025-12-02": "2025-12-23",
    "2025-12-09": "2025-12-30", "2025-12-16": "2026-01-06", "2025-12-23": "2026-01-09",
    "2025-12-30": "2026-01-13", "2026-01-06": "2026-01-16", "2026-01-13": "2026-01-20",
}  # fmt: skip


def build(settings: Settings) -> list[Source]:
    """The source, where it is configured."""
    stated = settings.sources.cftc
    return [] if stated is None else [Cftc(stated)]


def published(days: Integers) -> Integers:
    """When the reports on days are published, in milliseconds."""
    usual = working_day_after(days, WORKING_DAYS) + PUBLISHED_AT_MS
    late = {_midnight(day): _midnight(then) + PUBLISHED_AT_MS for day, then in HELD_UP.items()}
    return np.array(
        [late.get(int(day), int(at)) for day, at in zip(days, usual, strict=True)], dtype=np.int64
    )


@dataclass(frozen=True)
class Cftc:
    """The Commodity Futures Trading Commission's public reporting environment."""

    settings: CftcSettings
    name: str = NAME
    datasets: tuple[str, ...] = (DATASET,)
    is_venue: bool = False

    def run(self, assignment: Assignment) -> None:
        """Fetch what is missing; a failure is emitted, none is raised."""
        http = HttpSource(NAME, assignment)
        states = [_state(assignment, asset, code) for asset, code in self.settings.contracts.items()]
        assignment.emit(Started(NAME, DATASET, len(states)))
        try:
            if states:
                self._fetch(http, assignment, states)
        except SourceError as error:
            assignment.emit(Failure(NAME, DATASET, "*", error.kind, str(error)))
        finally:
            http.close()
            assignment.emit(Finished(NAME, http.requests))

    def _fetch(self, http: HttpSource, assignment: Assignment, states: Sequence[SeriesState]) -> None:
        start = min(read_from(assignment, state, TRAILING) for state in states)
        codes = ", ".join(f"'{state.market_id}'" for state in states)
        rows = http.json(
            f"{self.settings.base_url}{PATH}",
            {
                "$select": ", ".join(
                    ("report_date_as_yyyy_mm_dd", "cftc_contract_market_code", *FIELDS.values())
                ),
                "$where": f"cftc_contract_market_code in ({codes}) and "
                f"report_date_as_yyyy_mm_dd >= '{start:%Y-%m-%d}T00:00:00.000'",
                "$order": "report_date_as_yyyy_mm_dd",
                "$limit": str(MOST_ROWS),
            },
        )
        reports = parse(rows)
        present = [state for state in states if state.market_id in reports]
        absent = [_absent(assignment, state) for state in states if state.market_id not in reports]
        if absent:
            assignment.emit(Page(NAME, DATASET, {}, {}, tuple(absent)))
        if present:
            series = [_series(state, reports[state.market_id]) for state in present]
            assignment.emit(
                make_page(
                    NAME,
                    DATASET,
                    series,
                    published,
                    assignment,
                    is_simulated=http.is_simulated,
                    trailing=TRAILING,
                )
            )
        assignment.emit(Advanced(NAME, DATASET, len(states)))


def parse(rows: Json) -> dict[str, dict[int, tuple[float, ...]]]:
    """The counts of every report by contract code and midnight, in the order of `FIELDS`.

    Raises:
        SourceError: it is not that list of reports, it may be cut off, or it contradicts itself.
    """
    if not isinstance(rows, list):
        raise SourceError("malformed", f"{NAME}: wanted a list of reports, found {str(rows)[:80]!r}.")
    if len(rows) >= MOST_ROWS:
        text = f"{NAME}: {len(rows)} reports came at once and there may be more."
        raise SourceError("incomplete", f"{text} Ask for fewer contracts in sources.cftc.contracts.")
    reports: dict[str, dict[int, tuple[float, ...]]] = {}
    for row in rows:
        code, day, counts = _report(row)
        if reports.setdefault(code, {}).setdefault(day, counts) != counts:
            raise SourceError("malformed", f"{NAME}: two reports on {code} for {from_ms(day):%Y-%m-%d}.")
    return reports


def _report(row: Mapping[str, Any]) -> tuple[str, int, tuple[float, ...]]:
    try:
        day = _midnight(str(row["report_date_as_yyyy_mm_dd"])[:10])
        return str(row["cftc_contract_market_code"]), day, tuple(float(row[name]) for name in FIELDS.values())
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError("malformed", f"{NAME}: a report is unreadable: {str(row)[:120]}.") from error


def _midnight(day: str) -> int:
    return to_ms(datetime.fromisoformat(day).replace(tzinfo=UTC)) // DAY_MS * DAY_MS


def _state(assignment: Assignment, asset: str, code: str) -> SeriesState:
    fresh = SeriesState(NAME, DATASET, "", code, "", asset)
    return assignment.states.get(fresh.key, fresh)


def _absent(assignment: Assignment, state: SeriesState) -> SeriesState:
    """No report at all: the code is wrong, or nothing was published for weeks; the age tells which."""
    held = state.newest_data_at is not None
    text = "no report in three weeks" if held else "the CFTC has no report on this contract code"
    status = state.status if held else "unsupported"
    return replace(state, status=status, message=text, checked_at=assignment.as_of)


def _series(state: SeriesState, reports: Mapping[int, tuple[float, ...]]) -> DailySeries:
    days = sorted(reports)
    values = {name: [reports[day][at] for day in days] for at, name in enumerate(FIELDS)}
    return DailySeries(state, days, values, {"market_id": state.market_id, "asset": state.asset})
