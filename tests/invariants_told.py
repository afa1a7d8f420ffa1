"""What people were told: invariants I4, I5 and I9, and what a test hands to the checker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

Rows = list[dict[str, Any]]
OVER = {"delivered", "failed", "superseded", "expired"}
OUTSIDE_THE_OUTBOX = ("watch-", "test-")  # the watchdog and a test message go by themselves


@dataclass(frozen=True)
class Arrival:
    """One request that a receiver got: its key, what it said, and the answer (None: none was given)."""

    key: str
    title: str
    body: str
    answer: int | None = 200


@dataclass
class Evidence:
    """What a test knows besides the home.

    Attributes:
        home: the home.
        config: its configuration; with it the newest decisions are decided again.
        log: the file that `acknowledge` wrote, outside the home.
        sinks: channel → what its receiver got.
        canaries: secrets that must be found nowhere.
        places: further files and folders to look for them; `said` is what processes printed.
        settled: nothing more is to be sent.
        replays: how many decisions are made again.
    """

    home: Path
    config: Path | None = None
    log: Path | None = None
    sinks: Mapping[str, Sequence[Arrival]] = field(default_factory=dict)
    canaries: Sequence[str] = ()
    places: Sequence[Path] = ()
    said: str = ""
    settled: bool = False
    replays: int = 1


def rows(connection: duckdb.DuckDBPyConnection, statement: str, **values: object) -> Rows:
    cursor = connection.execute(statement, values or None)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


# I4 and I5 ------------------------------------------------------------------------------------------------


def undelivered(master: duckdb.DuckDBPyConnection, evidence: Evidence) -> Iterable[str]:
    alerts = {row["alert_id"]: row for row in rows(master, "select * from ops.alerts")}
    attempts: dict[tuple[str, str], Rows] = defaultdict(list)
    for row in rows(master, "select * from ops.deliveries order by attempt"):
        attempts[row["alert_id"], row["channel"]].append(row)
    announced = {
        row["recommendation_id"]
        for row in rows(master, "select recommendation_id from mart.recommendations where is_announced")
    }
    made = {row["recommendation_id"] for row in alerts.values() if row["event"] == "recommendation"}
    for one in sorted(announced ^ made):
        how = "announced and has no alert" if one in announced else "not announced, yet told"
        yield f"I4: {one} is {how}."
    for name, alert in alerts.items():
        if evidence.settled and alert["status"] not in OVER:
            yield f"I4: {name} is still {alert['status']}."
        mine = {channel: tried for (key, channel), tried in attempts.items() if key == name}
        yield from _unexplained(name, alert["status"], mine)
    for channel, arrivals in evidence.sinks.items():
        yield from _strays(channel, arrivals, alerts, attempts)


def _unexplained(name: str, status: str, tried: Mapping[str, Rows]) -> Iterable[str]:
    if status == "delivered":
        for channel, attempts in tried.items():
            if not any(one["status"] == "sent" for one in attempts):
                yield f"I4: {name} is called delivered, and {channel} never confirmed it."
    if status == "failed" and not any(one["detail"] for attempts in tried.values() for one in attempts):
        yield f"I4: {name} failed without a reason."


def _strays(
    channel: str,
    arrivals: Sequence[Arrival],
    alerts: Mapping[str, Any],
    attempts: Mapping[tuple[str, str], Rows],
) -> Iterable[str]:
    ours = {key: tried for (key, name), tried in attempts.items() if name == channel}
    digests = {str(one["detail"]).partition(":")[0]: key for key, tried in ours.items() for one in tried}
    got = {one.key for one in arrivals}
    for key in sorted(got - alerts.keys() - digests.keys()):
        if not key.startswith(OUTSIDE_THE_OUTBOX):
            yield f"I4: {channel} got {key!r}, which is no alert's."
    for key, tried in ours.items():
        names = {key, *(digest for digest, one in digests.items() if one == key)}
        if any(one["status"] == "sent" for one in tried) and not names & got and not _in_digest(tried, got):
            yield f"I4: {key} is called sent, and {channel} never got it."


def _in_digest(tried: Rows, got: set[str]) -> bool:
    return any(str(one["detail"]).partition(":")[0] in got for one in tried)


def told_twice_differently(evidence: Evidence) -> Iterable[str]:
    for channel, arrivals in evidence.sinks.items():
        first: dict[str, Arrival] = {}
        for one in arrivals:
            if one.key.startswith(OUTSIDE_THE_OUTBOX) or one.key not in first:
                first.setdefault(one.key, one)
                continue
            before = first[one.key]
            if _unmarked(one) != _unmarked(before):
                yield f"I5: {channel} got {one.key} twice, and not the same text."
            is_doubtful = before.answer is None or before.answer < 300
            if is_doubtful and not one.title.endswith(" (repeat)"):
                yield f"I5: {channel} got {one.key} again, and it does not say so."
            if not is_doubtful:
                first[one.key] = one


def _unmarked(one: Arrival) -> tuple[str, str]:
    lines = [line for line in one.body.splitlines() if not line.startswith(f"repeat of {one.key}:")]
    return one.title.removesuffix(" (repeat)"), "\n".join(lines)


BIRTHS = """
select r.recommendation_id as k, r.portfolio, r.reason_code, r.reason, r.flags,
  (select min(event) from ops.recommendation_events e
   where e.recommendation_id = r.recommendation_id and event in ('proposed', 'hold', 'blocked')) as born
from mart.recommendations r order by r.rowid
"""


def silent_or_loud(master: duckdb.DuckDBPyConnection) -> Iterable[str]:
    told = {row["alert_id"] for row in rows(master, "select alert_id from ops.alerts")}
    standing: dict[str, str | None] = {}
    for row in rows(master, BIRTHS):
        name, code = row["k"], row["reason_code"]
        if row["born"] is None or not code or not row["reason"]:
            yield f"I9: {name} is {row['born']} without a reason."
        stuck = row["born"] == "hold" and code in {"depeg", "cannot_trade"} and "depeg" in row["flags"]
        is_blocked = row["born"] == "blocked" or stuck
        before = standing.get(row["portfolio"])
        wanted = {f"{name}-blocked"} if is_blocked and before != code else set()
        wanted |= {f"{name}-resolved"} if before and not is_blocked else set()
        found = told & {f"{name}-blocked", f"{name}-resolved"}
        if found != wanted:
            yield f"I9: after {name} ({row['born']}, {code}) people should hear {wanted}, not {found}."
        standing[row["portfolio"]] = code if is_blocked else None
