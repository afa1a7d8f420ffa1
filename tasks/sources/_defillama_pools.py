"""DefiLlama's yield and lending pools: rates and sizes, one reading a day.

DefiLlama reads a pool every hour and keeps one reading a day, most often that of 23:00 UTC; the last one of a
day is the day's. Rates come in percent and are stored as fractions a year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from tasks.settings_schema import DefiLlamaSettings
from tasks.sleeve_parameters import sleeve_pools
from tasks.sources._daily import DailySeries
from tasks.sources._defillama import NAME, fetch_one, state_of, whole_series
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._json import Json
from tasks.sources._model import Assignment, Failure, SeriesState, Started
from tasks.sources._times import DAY_MS, start_ms

POOLS = "yield_pools"
HOST = "https://yields.llama.fi"
NAMES = ("chain", "project", "symbol")


@dataclass(frozen=True)
class Field:
    """One of our columns: DefiLlama's name in an answer, and what its number is multiplied by."""

    name: str
    factor: float = 1.0


PERCENT = 0.01
DEPOSITS: Mapping[str, Field] = {
    "apy_base": Field("apyBase", PERCENT),
    "apy_reward": Field("apyReward", PERCENT),
    "apy_base_borrow": Field("apyBaseBorrow", PERCENT),
    "tvl_usd": Field("tvlUsd"),
    "total_borrow_usd": Field("totalBorrowUsd"),
}
LENDING: Mapping[str, Field] = {**DEPOSITS, "tvl_usd": Field("totalSupplyUsd")}


def fetch_pools(http: HttpSource, assignment: Assignment, stated: DefiLlamaSettings) -> None:
    """Fetch the history of every pool that is named; what a pool is called comes from the list of pools."""
    pools = (*stated.pools, *sleeve_pools(assignment.settings))
    wanted = dict.fromkeys(pools, DEPOSITS) | dict.fromkeys(stated.lending_pools, LENDING)
    if not wanted:
        return
    assignment.emit(Started(NAME, POOLS, len(wanted)))
    host = stated.base_url or HOST
    try:
        known = _pools(http.json(f"{host}/pools"))
    except SourceError as error:
        assignment.emit(Failure(NAME, POOLS, "*", error.kind, str(error)))
        return
    for pool, fields in wanted.items():
        state = state_of(assignment, POOLS, pool, "")
        path = "chartLendBorrow" if fields is LENDING else "chart"
        address = f"{host}/{path}/{quote(pool, safe='')}"

        def fetch(
            pool: str = pool,
            state: SeriesState = state,
            address: str = address,
            fields: Mapping[str, Field] = fields,
        ) -> DailySeries:
            if pool not in known:
                raise SourceError("refused", f"{NAME}: there is no pool {pool}.")
            days = readings(http.json(address), fields)
            columns = {name: {day: row[name] for day, row in days.items()} for name in fields}
            return whole_series(state, columns, {"pool": pool, **known[pool]})

        fetch_one(http, assignment, state, fetch)


def _pools(body: Json) -> dict[str, dict[str, str]]:
    """Chain, project and symbol by pool id."""
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise SourceError("malformed", f"{NAME}: the list of pools came without data.")
    return {str(row.get("pool")): {name: str(row.get(name) or "") for name in NAMES} for row in rows}


def readings(body: Json, fields: Mapping[str, Field]) -> dict[int, dict[str, float | None]]:
    """The last reading of each day, by midnight in milliseconds.

    Raises:
        SourceError: it is not a pool's chart.
    """
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise SourceError("malformed", f"{NAME}: wanted a pool's chart, found {str(body)[:60]!r}.")
    days: dict[int, dict[str, float | None]] = {}
    for row in sorted(rows, key=_moment):
        day = _day(row)
        days[day] = {name: _number(row, field) for name, field in fields.items()}
    return days


def _moment(row: Mapping[str, Any]) -> str:
    return str(row.get("timestamp", ""))


def _day(row: Mapping[str, Any]) -> int:
    try:
        return start_ms(date.fromisoformat(_moment(row)[:10])) // DAY_MS * DAY_MS
    except ValueError as error:
        text = f"{NAME}: a reading without a readable timestamp: {str(row)[:80]}."
        raise SourceError("malformed", text) from error


def _number(row: Mapping[str, Any], field: Field) -> float | None:
    value = row.get(field.name)
    try:
        return None if value is None else float(value) * field.factor
    except (TypeError, ValueError) as error:
        raise SourceError("malformed", f"{NAME}: {field.name} is {str(value)[:40]!r}, no number.") from error
