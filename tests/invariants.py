"""The ten invariants that hold whatever was killed, cut, lost or late; one checker for every fault test.

It reads a home as a stranger would: the master's file, the snapshots, the receiver's own log. Nothing of the
product decides what is right here, but for the replay of a decision (I3) and the names of the audits (I2).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from flows.opening import open_context
from tasks.replay import replay
from tests.invariants_told import (
    Arrival,
    Evidence,
    rows,
    silent_or_loud,
    told_twice_differently,
    undelivered,
)
from warehouse.queries import all_queries

__all__ = [
    "Arrival",
    "Evidence",
    "acknowledge",
    "broken_in_master",
    "broken_invariants",
    "require_invariants",
]


def require_invariants(evidence: Evidence) -> None:
    """Fail with one sentence for each invariant that is broken and the rows that break it."""
    found = broken_invariants(evidence)
    assert not found, "\n".join(found)


def broken_invariants(evidence: Evidence) -> list[str]:
    """Every broken invariant as a sentence that begins with its number."""
    if not (evidence.home / "master.duckdb").exists():
        return []
    with duckdb.connect(str(evidence.home / "master.duckdb"), read_only=True) as master:
        found = broken_in_master(master, evidence)
    return [
        *found,
        *_torn(evidence),
        *told_twice_differently(evidence),
        *_leaked(evidence),
        *_decided_otherwise(evidence),
    ]


def broken_in_master(master: duckdb.DuckDBPyConnection, evidence: Evidence) -> list[str]:
    """What the open master alone shows."""
    return [
        *_vanished(master, evidence),
        *_unaudited(master),
        *undelivered(master, evidence),
        *_doubled(master),
        *silent_or_loud(master),
    ]


# I1 -------------------------------------------------------------------------------------------------------


def acknowledge(home: Path, log: Path) -> None:
    """Append to a log outside the home what the master holds now: its caller was told that it is done."""
    with duckdb.connect(str(home / "master.duckdb"), read_only=True) as master:
        line = {"rows": _ledger(master), "snapshot": _current(home)}
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _ledger(master: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Name → rows: each load in each raw table, each recommendation, alert and slot."""
    tables = rows(
        master, "select table_name as t from duckdb_tables() where schema_name = 'raw' order by all"
    )
    counted: dict[str, int] = {}
    for table in (row["t"] for row in tables):
        for row in rows(master, f"select load_id, count(*) as n from raw.{table} group by all"):
            counted[f"load {row['load_id']} in raw.{table}"] = row["n"]
    for what, statement in {
        "recommendation": "select recommendation_id as k from mart.recommendations",
        "alert": "select alert_id as k from ops.alerts",
        "slot": "select flow || ' ' || slot as k from ops.expected_runs",
    }.items():
        counted |= {f"{what} {row['k']}": 1 for row in rows(master, statement)}
    return counted


def _vanished(master: duckdb.DuckDBPyConnection, evidence: Evidence) -> Iterable[str]:
    manifest = json.loads((evidence.home / "manifest.json").read_text())
    for table, wanted in manifest["rows"].items():
        found = rows(master, f"select count(*) as n from {table}")[0]["n"]
        if found < wanted and not rows(master, "select 1 from ops.archives"):
            yield f"I1: {table} has {found} rows, and the manifest acknowledged {wanted}."
    if evidence.log is None or not evidence.log.exists():
        return
    now = _ledger(master)
    for line in map(json.loads, evidence.log.read_text().splitlines()):
        lost = [name for name, count in line["rows"].items() if now.get(name, 0) < count]
        if lost:
            yield f"I1: acknowledged and not there any more: {', '.join(lost[:5])}."
            return


# I2 -------------------------------------------------------------------------------------------------------

JUDGED = """
with judged as (
  select *, case when suite = 'freshness' then '' else dataset end as part
  from ops.validations where suite in ('audit', 'freshness') and as_of = $as_of and load_ceiling <= $ceiling
)
select suite, dataset, expectation, severity, success, message from judged
qualify rank() over (partition by suite, part order by load_ceiling desc, validated_at desc) = 1
"""
PROPOSED = """
select recommendation_id, as_of, input_snapshot, toml, portfolio
from mart.recommendations inner join ops.policies using (config_hash)
where status <> 'blocked' order by mart.recommendations.rowid
"""


def _unaudited(master: duckdb.DuckDBPyConnection) -> Iterable[str]:
    wanted = {name.removeprefix("audit.") for name in all_queries() if name.startswith("audit.")}
    if rows(master, "select 1 from ops.archives where table_name = 'ops.validations'"):
        return
    for row in rows(master, PROPOSED):
        ceiling = int(row["input_snapshot"].partition("@")[2])
        verdicts = rows(master, JUDGED, as_of=row["as_of"], ceiling=ceiling)
        audits = [one for one in verdicts if one["suite"] == "audit"]
        missing = sorted(wanted - {one["dataset"] for one in audits})
        if missing:
            yield f"I2: {row['recommendation_id']} rests on no audit of {', '.join(missing)}."
        policy = tomllib.loads(row["toml"])["portfolios"][row["portfolio"]]
        tables = {re.sub(r"^candles_.*", "candles", name) for name in policy["requires"]}
        for one in audits:
            if one["severity"] == "critical" and not one["success"] and one["dataset"] in tables:
                yield f"I2: {row['recommendation_id']} was published although: {one['message']}"
        fresh = {one["dataset"] for one in verdicts if one["suite"] == "freshness" and one["success"]}
        stale = sorted(set(policy["requires"]) - fresh)
        if stale and policy["on_stale"] == "block":
            yield f"I2: {row['recommendation_id']} rests on {', '.join(stale)}, which was not found fresh."


# I3, I6, I7, I8 ---------------------------------------------------------------------------------------


def _decided_otherwise(evidence: Evidence) -> Iterable[str]:
    """I3: the newest decisions come out the same again."""
    if evidence.config is None or not (evidence.home / "published" / "current.duckdb").exists():
        return
    with duckdb.connect(str(evidence.home / "published" / "current.duckdb"), read_only=True) as published:
        kept = rows(
            published,
            "select recommendation_id as k from mart.recommendations inner join ops.decision_facts "
            "using (recommendation_id) order by as_of desc limit $most",
            most=evidence.replays,
        )
    context = open_context(evidence.config, evidence.home, datetime(2100, 1, 1, tzinfo=UTC), "replay")
    for row in kept:
        again = replay(context, row["k"])
        if not again.agrees:
            yield f"I3: {row['k']} comes out otherwise now: {again.differences[0]}"


def _doubled(master: duckdb.DuckDBPyConnection) -> Iterable[str]:
    key = "portfolio, as_of, config_hash"
    for extra, but in (("inputs_hash", "true"), ("'one'", "status in ('proposed', 'hold', 'accepted')")):
        statement = (
            f"select {key}, list(recommendation_id) as ids from mart.recommendations where {but} "
            f"group by {key}, {extra} having count(*) > 1"
        )
        for row in rows(master, statement):
            yield f"I6: {row['portfolio']} as of {row['as_of']} has {' and '.join(row['ids'])}."
    for table, column in (("mart.recommendations", "recommendation_id"), ("ops.alerts", "alert_id")):
        for row in rows(master, f"select {column} as k from {table} group by all having count(*) > 1"):
            yield f"I6: the id {row['k']} stands twice in {table}."


def _current(home: Path) -> int:
    link = home / "published" / "current.duckdb"
    return int(link.readlink().stem.rpartition("-")[2]) if link.is_symlink() else 0


def _torn(evidence: Evidence) -> Iterable[str]:
    current = _current(evidence.home)
    for path in sorted((evidence.home / "published").glob("snapshot-*.duckdb")):
        number = int(path.stem.rpartition("-")[2])
        with duckdb.connect(str(path), read_only=True) as snapshot:
            known = rows(
                snapshot,
                "select snapshot_id, load_id from ops.publications order by snapshot_id desc limit 1",
            )
            newest = rows(snapshot, "select coalesce(max(load_id), 0) as load_id from ops.loads")[0]
        if known != [{"snapshot_id": number, **newest}]:
            yield f"I7: {path.name} says of itself {known}, and its newest load is {newest['load_id']}."
    seen = [0]
    if evidence.log is not None and evidence.log.exists():
        seen += [json.loads(line)["snapshot"] for line in evidence.log.read_text().splitlines()]
    if max(seen) > current:
        yield f"I7: readers saw snapshot {max(seen)} and now see {current}."


def _leaked(evidence: Evidence) -> Iterable[str]:
    if not evidence.canaries:
        return
    folders = [path for path in (evidence.home, *evidence.places) if path.is_dir()]
    files = [path for path in evidence.places if path.is_file()]
    files += [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    said = [one.title + one.body for arrivals in evidence.sinks.values() for one in arrivals]
    for secret in evidence.canaries:
        for path in files:
            if secret.encode() in path.read_bytes():
                yield f"I8: a secret is in {path.name}."
        if secret in evidence.said or any(secret in text for text in said):
            yield "I8: a secret was printed or sent."


# I10 ------------------------------------------------------------------------------------------------------


def unhealthy(home: Path) -> list[str]:
    """I10: what is not as it should be one cycle after the faults ended."""
    with duckdb.connect(str(home / "master.duckdb"), read_only=True) as master:
        return unhealthy_in_master(master, _current(home))


def unhealthy_in_master(master: duckdb.DuckDBPyConnection, current: int) -> list[str]:
    """The same of an open master, whose readers see one snapshot."""
    newest = "select flow, status, message from ops.runs where status <> 'skipped_overlap'"
    newest += " qualify row_number() over (partition by flow order by rowid desc) = 1"
    found = [
        f"I10: the last run of {row['flow']} is {row['status']}: {row['message']}"
        for row in rows(master, newest)
        if row["status"] != "done"
    ]
    for row in rows(master, "select alert_id, status from ops.alerts where status in ('pending', 'partial')"):
        found.append(f"I10: {row['alert_id']} is {row['status']}.")
    slots = "select flow, slot from ops.expected_runs where status in ('missed', 'skipped_overlap')"
    slots += " and slot < (select max(slot) from ops.expected_runs x where x.flow = expected_runs.flow)"
    for row in rows(master, slots):
        found.append(f"I10: nobody accounted for {row['flow']} of {row['slot']}.")
    behind = rows(master, "select max(snapshot_id) as k from ops.publications")[0]["k"]
    if behind != current:
        found.append(f"I10: readers see snapshot {current}, the newest is {behind}.")
    return found
