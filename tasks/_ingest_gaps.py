"""Holes in a venue's series: found in SQL between the first and the newest row, kept as rows, never filled.

A hole is asked for again in every run until it is confirmed: by three asks in at least two runs with an
hour between them, or by the venue's own outage, when no other market has rows at these instants either. A
confirmed hole is asked for again once a week for five weeks, because venues do fill theirs late.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tasks.sources._model import Gap, Page, SeriesKey
from tasks.sources._times import from_instant
from warehouse.master import Master

CONFIRMED_AFTER = 3
ROUNDS = 2
# Two asks count as two runs when a venue had time to mend something between them.
BETWEEN_ROUNDS = timedelta(minutes=50)
# So many other markets of the same kind must be silent too before a hole is the venue's outage.
WITNESSES = 2
AGAIN_EVERY = timedelta(days=7)
AGAIN_FOR = timedelta(days=35)
# Rows that a run touched may begin, end or part a hole that began a while before them.
MARGIN = timedelta(days=1)
# Before the first missing instant lies a row: a candle of a day at most, or a settlement.
LONGEST_STEP = timedelta(days=2)
# Before all data: for a look at whole histories.
EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
# The datasets whose rows have a grid, and the column that holds it.
INSTANTS = {
    "candles": "open_time",
    "mark_candles": "open_time",
    "open_interest": "observed_at",
    "funding_rates": "settled_at",
}

Key = tuple[SeriesKey, datetime]
Row = Mapping[str, Any]


def gaps_to_ask(master: Master, venue: str, as_of: datetime, now: datetime) -> list[Gap]:
    """The gaps of a venue that are worth asking for again, those that waited longest first.

    Args:
        master: the open master.
        venue: whose series.
        as_of: data time of the run.
        now: the real time.
    """
    rows = [row for row in master.rows("known_gaps", venue=venue) if _is_due(row, as_of, now)]
    rows.sort(key=lambda row: (row["asked_at"] is not None, row["asked_at"] or now))
    return [_gap(row) for row in rows]


def earliest_in(page: Page) -> datetime | None:
    """The earliest instant that a page has rows of or asked for; None where its dataset has no grid."""
    if page.dataset not in INSTANTS:
        return None
    starts = [gap.start for gap in page.asked_gaps]
    starts += [from_instant(np.asarray(page.columns[INSTANTS[page.dataset]])[0])] if page.rows else []
    return min(starts, default=None)


def settle(
    master: Master, venue: str, touched: datetime, asked: Iterable[Gap], as_of: datetime, now: datetime
) -> int:
    """Compare the holes that are there with those on record, and store what changed.

    Args:
        master: the open master.
        venue: whose series.
        touched: earliest instant that this run touched.
        asked: stretches asked for in this run, each with how often.
        as_of: data time of the run.
        now: the real time.

    Returns:
        How many holes there are from there on.
    """
    since = touched - MARGIN
    found = master.rows("missing_rows", venue=venue, since=since - LONGEST_STEP)
    missing = [row for row in found if row["gap_start"] >= since]
    known = [row for row in master.rows("known_gaps", venue=venue) if row["gap_start"] >= since]
    master.upsert("ops.gaps", changes(venue, missing, known, asked, as_of, now))
    _confirm_outages(master, venue)
    return len(missing)


def changes(
    venue: str,
    missing: Sequence[Row],
    known: Sequence[Row],
    asked: Iterable[Gap],
    as_of: datetime,
    now: datetime,
) -> list[dict[str, Any]]:
    """The rows of `ops.gaps` that differ from what is on record: new ones, asked ones, and closed ones."""
    stretches: dict[SeriesKey, list[Gap]] = {}
    for gap in asked:
        stretches.setdefault(gap.series, []).append(gap)
    before = {(_series(row), row["gap_start"]): row for row in known}
    found: list[dict[str, Any]] = []
    still: set[Key] = set()
    for row in missing:
        key = (_series(row), row["gap_start"])
        still.add(key)
        asks = [gap for gap in stretches.get(key[0], ()) if gap.start <= key[1] < gap.end]
        held = before.get(key)
        if held is None or asks or held["gap_end"] != row["gap_end"]:
            found.append({**row, "venue": venue, **_after(held or _noticed(as_of), asks, row, now)})
    closed = [dict(row) for key, row in before.items() if key not in still]
    found.extend({**row, "status": "closed", "closed_at": as_of} for row in closed)
    return found


def _noticed(as_of: datetime) -> Row:
    return {
        "status": "open",
        "attempts": 0,
        "rounds": 0,
        "asked_at": None,
        "first_seen_at": as_of,
        "evidence": "",
    }


def _after(held: Row, asks: Sequence[Gap], row: Row, now: datetime) -> dict[str, Any]:
    """What is on record of a hole that is still there, after it was asked for so often."""
    is_same = held.get("gap_end", row["gap_end"]) == row["gap_end"]
    attempts = held["attempts"] + sum(gap.attempts for gap in asks)
    last = held["asked_at"]
    is_round = bool(asks) and (last is None or now - last >= BETWEEN_ROUNDS)
    rounds = held["rounds"] + is_round
    evidence = held["evidence"] if is_same else ""
    if any(gap.is_lost for gap in asks):
        evidence = "unserved"
    elif not evidence and attempts >= CONFIRMED_AFTER and rounds >= ROUNDS:
        evidence = "asked"
    was_confirmed = is_same and held["status"] == "confirmed"
    return {
        "status": "confirmed" if evidence or was_confirmed else "open",
        "attempts": attempts,
        "rounds": rounds,
        "asked_at": now if is_round else last,
        "first_seen_at": held["first_seen_at"],
        "evidence": evidence,
        "closed_at": None,
    }


def _confirm_outages(master: Master, venue: str) -> None:
    outages = master.rows("venue_outages", venue=venue, attempts=CONFIRMED_AFTER, witnesses=WITNESSES)
    if not outages:
        return
    keys = {(_series(row), row["gap_start"]) for row in outages}
    known = master.rows("known_gaps", venue=venue)
    master.upsert(
        "ops.gaps",
        [
            {**row, "status": "confirmed", "evidence": "outage", "closed_at": None}
            for row in known
            if (_series(row), row["gap_start"]) in keys
        ],
    )


def _is_due(row: Row, as_of: datetime, now: datetime) -> bool:
    if row["status"] == "open":
        return True
    if row["evidence"] == "unserved" or as_of - row["first_seen_at"] > AGAIN_FOR:
        return False
    return row["asked_at"] is None or now - row["asked_at"] >= AGAIN_EVERY


def _series(row: Row) -> SeriesKey:
    return (row["dataset"], row["market_type"], row["market_id"], row["timeframe"])


def _gap(row: Row) -> Gap:
    return Gap(*_series(row), start=row["gap_start"], end=row["gap_end"], attempts=int(row["attempts"]))
