"""The watchdog: looks from outside at what is published, and says when data, runs or deliveries are overdue.

It runs apart from the scheduler, reads the published snapshot and the manifest only, sends by itself, and
remembers in a small file what it has said: one message per incident, one when it is over.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cronsim import CronSim

from tasks.channel_routes import open_routes
from tasks.channels._heartbeat import beat
from tasks.context import RunContext
from tasks.data_ages import data_ages, span
from tasks.messages import Message, OverdueFacts, render_overdue, render_well
from tasks.settings import heartbeat_url
from tasks.slots import scheduled_flows
from warehouse.errors import WarehouseError
from warehouse.home import write_private
from warehouse.manifest import read_manifest
from warehouse.reader import Reader, open_published

LEAST_DELAY, MOST_DELAY = timedelta(minutes=10), timedelta(hours=3)
# They seldom publish by themselves: what they did is seen when another run publishes.
SELDOM_PUBLISHED = ("guard",)
DELIVERY_LIMIT = timedelta(minutes=30)
FAILED_DELIVERY_SHOWN = timedelta(days=1)
FAILURES_IN_A_ROW = 3
REMIND_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class Finding:
    """One thing that is overdue; code and subject name the incident, the sentence tells it."""

    code: str
    subject: str
    sentence: str


@dataclass(frozen=True)
class WatchSummary:
    """What the watchdog found and told.

    Attributes:
        findings: what is overdue now.
        sent: messages that were confirmed.
        failed: one sentence per message that was not, and for a heartbeat that did not arrive.
        is_over: an incident ended and that was told.
    """

    findings: tuple[Finding, ...]
    sent: int = 0
    failed: tuple[str, ...] = ()
    is_over: bool = False


def watch(context: RunContext) -> WatchSummary:
    """Look, and tell once what is wrong or well again; a heartbeat goes out where all is well.

    Args:
        context: the run; ages are counted from `as_of`, and nothing but the state file is written.
    """
    context.home.prepare()
    findings, is_simulated = _look(context)
    path = context.home.state / "watch.json"
    before = _remembered(path)
    known: set[str] = set(before.get("known", []))
    now = {_name(one) for one in findings}
    told_at = datetime.fromisoformat(before["told_at"]) if before.get("told_at") else None
    is_due = told_at is not None and context.clock.now() - told_at >= REMIND_AFTER
    message: Message | None = None
    if now - known or (now and is_due):
        facts = OverdueFacts(tuple(one.sentence for one in findings), context.as_of, is_simulated)
        message = render_overdue(facts)
    elif known and not now:
        message = render_well(context.as_of, is_simulated=is_simulated)
    sent, failed = _send(context, message, "overdue" if now else "resolved") if message else (0, ())
    if message is not None and (sent or not failed):
        told = context.clock.now().isoformat() if now else None
        write_private(path, json.dumps({"known": sorted(now), "told_at": told}))
    elif now != known and not failed:  # part of an incident ended: nothing to say yet
        write_private(path, json.dumps(before | {"known": sorted(now)}))
    if not findings:
        failed += _heartbeat(context)
    return WatchSummary(findings, sent, failed, is_over=message is not None and not now)


def _look(context: RunContext) -> tuple[tuple[Finding, ...], bool]:
    try:
        read_manifest(context.home)
        with open_published(context.home) as reader:
            found = [
                *_old_data(context, reader),
                *_overdue_runs(context, reader),
                *_undelivered(context, reader),
            ]
            return tuple(found), reader.snapshot.is_simulated
    except WarehouseError as error:
        return (Finding("unreadable", type(error).__name__, str(error)),), False


def _old_data(context: RunContext, reader: Reader) -> list[Finding]:
    ages = data_ages(reader.rows("series_ages", as_of=context.as_of), context.settings, context.as_of)
    return [
        Finding("old_data", f"{age.dataset} {age.source}".strip(), age.sentence())
        for age in ages
        if age.required_by and (age.age_seconds is None or age.age_seconds > age.limit_seconds)
    ]


def _overdue_runs(context: RunContext, reader: Reader) -> list[Finding]:
    crons = scheduled_flows(context.settings.schedule)
    found: list[Finding] = []
    for row in reader.rows("served_slots"):
        cron = crons.get(row["flow"])
        if cron is None:
            continue
        coming = CronSim(cron, row["slot"])
        due, following = next(coming), next(coming)
        seldom = row["flow"] in SELDOM_PUBLISHED
        late = (reader.snapshot.published_at if seldom else context.as_of) - due
        if late > min(max(following - due, LEAST_DELAY), MOST_DELAY):
            found.append(
                Finding(
                    "overdue_run",
                    str(row["flow"]),
                    f"No run of {row['flow']} has ended since the slot {row['slot']:%Y-%m-%d %H:%M} UTC; the "
                    f"next was due {span(late.total_seconds())} ago. Look at the scheduler (trimtab doctor).",
                )
            )
    for row in reader.rows("failing_flows", runs=FAILURES_IN_A_ROW):
        sentence = f"The last {FAILURES_IN_A_ROW} runs of {row['flow']} failed: {row['message']}"
        found.append(Finding("failing_flow", str(row["flow"]), sentence))
    return found


def _undelivered(context: RunContext, reader: Reader) -> list[Finding]:
    now = context.clock.now()
    late = [
        row
        for row in reader.rows("undelivered_alerts")
        if (now - row["created_at"] > DELIVERY_LIMIT and row["status"] != "failed")
        or (row["status"] == "failed" and now - row["created_at"] < FAILED_DELIVERY_SHOWN)
    ]
    return [
        Finding(
            "undelivered",
            str(row["alert_id"]),
            f"The alert {row['alert_id']} of {row['created_at']:%Y-%m-%d %H:%M} UTC is {row['status']}: "
            f"{row['title']}",
        )
        for row in late
    ]


def _send(context: RunContext, message: Message, event: str) -> tuple[int, tuple[str, ...]]:
    routes, _ = open_routes(context.settings, context.reporter.note, context.clock.now())
    text = f"{message.title}\n{message.body}".encode()
    key = f"watch-{hashlib.sha256(text).hexdigest()[:16]}"
    sent, failed = 0, list[str]()
    for route in (route for route in routes if route.wants(None, event)):
        delivery = route.sender.send(message, route.target, idempotency_key=key)
        if delivery.status == "failed":
            failed.append(f"{route.channel}: {delivery.detail}")
        elif not route.is_console:
            sent += 1
    return sent, tuple(failed)


def _heartbeat(context: RunContext) -> tuple[str, ...]:
    url = heartbeat_url(context.settings)
    if url is None:
        return ()
    delivery = beat(
        url,
        allow_private_hosts=context.settings.watch.allow_private_hosts,
        timeout_seconds=context.settings.network.timeout_seconds,
    )
    return () if delivery.status == "sent" else (f"heartbeat: {delivery.detail}",)


def _remembered(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _name(finding: Finding) -> str:
    return f"{finding.code} {finding.subject}"
