"""Holes in candle series: found in SQL between the first and the newest candle, kept as rows, never filled.

A hole that was asked for three times and stays empty is confirmed: the venue's own outage, a legal stored
state.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.sources._model import Gap, SeriesKey
from warehouse.master import Master

CONFIRMED_AFTER = 3

Key = tuple[SeriesKey, datetime]


@dataclass(frozen=True)
class Reconciliation:
    """Rows of `ops.gaps` to store, because something about them changed."""

    rows: tuple[Mapping[str, Any], ...]


def open_gaps(master: Master, venue: str) -> list[Gap]:
    """The gaps of a venue that are worth asking for again."""
    return [_gap(row) for row in master.rows("known_gaps", venue=venue) if row["status"] == "open"]


def settle(master: Master, venue: str, since: datetime, asked: Iterable[Gap], as_of: datetime) -> int:
    """Compare the holes that are there from `since` on with those on record, and store what changed.

    Args:
        master: the open master.
        venue: whose candles.
        since: earliest instant that this run touched.
        asked: stretches asked for in this run, each with how often.
        as_of: data time of the run.

    Returns:
        How many holes are there from `since` on.
    """
    missing = [
        row | {"dataset": "candles"} for row in master.rows("missing_candles", venue=venue, since=since)
    ]
    known = [row for row in master.rows("known_gaps", venue=venue) if row["gap_start"] >= since]
    rows = changes(venue, missing, known, asked, as_of)
    master.upsert("ops.gaps", rows)
    return len(missing)


def changes(
    venue: str,
    missing: Sequence[Mapping[str, Any]],
    known: Sequence[Mapping[str, Any]],
    asked: Iterable[Gap],
    as_of: datetime,
) -> list[dict[str, Any]]:
    """The rows of `ops.gaps` that differ from what is on record: new ones, asked ones, and closed ones."""
    attempts: dict[Key, int] = {}
    for gap in asked:
        key = (gap.series, gap.start)
        attempts[key] = attempts.get(key, 0) + gap.attempts
    before = {(_gap(row).series, row["gap_start"]): row for row in known}
    found: list[dict[str, Any]] = []
    still: set[Key] = set()
    for row in missing:
        key = (_series(row), row["gap_start"])
        still.add(key)
        held = before.get(key)
        if held is not None and held["status"] == "confirmed" and held["gap_end"] == row["gap_end"]:
            continue
        made = (held["attempts"] if held else 0) + attempts.get(key, 0)
        if held is not None and held["attempts"] == made and held["gap_end"] == row["gap_end"]:
            continue
        found.append(
            {
                **dict(row),
                "venue": venue,
                "status": "confirmed" if made >= CONFIRMED_AFTER else "open",
                "attempts": made,
                "first_seen_at": held["first_seen_at"] if held else as_of,
                "closed_at": None,
            }
        )
    closed = [dict(row) for key, row in before.items() if key not in still]
    found.extend({**row, "status": "closed", "closed_at": as_of} for row in closed)
    return found


def _series(row: Mapping[str, Any]) -> SeriesKey:
    return (row["dataset"], row["market_type"], row["market_id"], row["timeframe"])


def _gap(row: Mapping[str, Any]) -> Gap:
    return Gap(*_series(row), start=row["gap_start"], end=row["gap_end"], attempts=int(row["attempts"]))
