"""DefiLlama's list of hacks: what was hit, how, and what was lost.

The list has a day for each incident and no instant at which it was added. On the first reading an incident
counts from two days after it happened (marked as reconstructed); later, from the reading that first had it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tasks.settings_schema import DefiLlamaSettings
from tasks.sources._defillama import NAME, midnight, state_of
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._json import Json
from tasks.sources._model import Advanced, Assignment, Failure, Page, Started
from tasks.sources._times import DAY_MS, Integers, from_ms, instants, known_at, start_ms, to_ms

INCIDENTS = "incidents"
HOST = "https://api.llama.fi"
LISTED_AFTER_MS = 2 * DAY_MS
LONGEST_TEXT = 200
TEXTS = {"entity": "name", "entity_id": "defillamaId", "classification": "classification"}
AMOUNTS = {"amount_usd": "amount", "returned_usd": "returnedFunds"}


def fetch_incidents(http: HttpSource, assignment: Assignment, stated: DefiLlamaSettings) -> None:
    """Fetch the whole list, where it is asked for; what is in it already changes nothing."""
    if not stated.incidents:
        return
    assignment.emit(Started(NAME, INCIDENTS, 1))
    try:
        rows = listed(http.json(f"{stated.base_url or HOST}/hacks"))
        assignment.emit(_page(rows, assignment, is_simulated=http.is_simulated))
    except SourceError as error:
        assignment.emit(Failure(NAME, INCIDENTS, "*", error.kind, str(error)))
    assignment.emit(Advanced(NAME, INCIDENTS))


def listed(body: Json) -> list[Mapping[str, Any]]:
    if not isinstance(body, list) or not body:
        text = f"{NAME}: wanted the list of incidents, found {str(body)[:60]!r}."
        raise SourceError("malformed" if body else "incomplete", text)
    return body


def _page(rows: Sequence[Mapping[str, Any]], assignment: Assignment, *, is_simulated: bool) -> Page:
    begin, end = start_ms(assignment.settings.universe.history_start), to_ms(assignment.as_of)
    state = state_of(assignment, INCIDENTS, "hacks", "")
    dated = [(midnight(row), row) for row in rows]
    delay = LISTED_AFTER_MS if state.checked_at is None else 0
    kept = sorted(
        ((day, row) for day, row in dated if begin <= day and day + delay <= end), key=lambda item: item[0]
    )
    days = np.array([day for day, _ in kept], dtype=np.int64)
    columns = {name: _objects([_text(row.get(theirs)) for _, row in kept]) for name, theirs in TEXTS.items()}
    columns["chains"] = _objects([_chains(row.get("chain")) for _, row in kept])
    columns["technique"] = _objects([_text(row.get("technique")) for _, row in kept])
    for name, theirs in AMOUNTS.items():
        columns[name] = np.array([_amount(row.get(theirs)) for _, row in kept], dtype=np.float64)
    columns["is_bridge"] = np.array([bool(row.get("bridgeHack")) for _, row in kept], dtype=bool)
    columns["incident_id"] = _objects(identities(days, columns["entity"], columns["entity_id"]))
    known, is_reconstructed = _known(days, assignment, is_first=state.checked_at is None)
    columns |= {"occurred_at": instants(days), "known_at": known, "is_reconstructed": is_reconstructed}
    newest = from_ms(int(days[-1])) if days.size else state.newest_data_at
    told = replace(
        state,
        status="active",
        newest_data_at=newest,
        fetched_until=assignment.as_of,
        checked_at=assignment.as_of,
        message="",
    )
    return Page(NAME, INCIDENTS, columns, {"provider": NAME}, (told,), is_simulated=is_simulated)


def _known(days: Integers, assignment: Assignment, *, is_first: bool) -> tuple[Any, Any]:
    if is_first:
        return known_at(days + LISTED_AFTER_MS, DAY_MS, assignment.as_of)
    stamp = np.datetime64(assignment.as_of.replace(tzinfo=None), "us")
    return np.full(len(days), stamp), np.zeros(len(days), dtype=bool)


def identities(days: Integers, names: Any, numbers: Any) -> list[str]:  # noqa: ANN401 - arrays of text
    """Name and number; a second incident of the same name on one day is told apart by a count."""
    seen: dict[tuple[int, str], int] = {}
    found: list[str] = []
    for day, name, number in zip(days, names, numbers, strict=True):
        own = f"{name} ({number})" if number else str(name)
        count = seen[int(day), own] = seen.get((int(day), own), 0) + 1
        found.append(own if count == 1 else f"{own} #{count}")
    return found


def _objects(values: Sequence[str]) -> Any:  # noqa: ANN401 - an array of text
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()[:LONGEST_TEXT]


def _chains(value: object) -> str:
    names = value if isinstance(value, list) else [value]
    return ",".join(text for name in names if (text := _text(name)))  # pyright: ignore[reportUnknownVariableType] - JSON


def _amount(value: object) -> float:
    """Dollars; missing where the list says nothing readable."""
    return float(value) if isinstance(value, int | float) else float("nan")
