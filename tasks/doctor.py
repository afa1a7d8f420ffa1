"""Is everything within reach? Sources, clocks, channels, disk and the scheduler, one finding each.

Comes in: the run's context. Goes out: plain findings. Every source is asked once, all at the same time, and
nobody is waited for longer than the network's deadline; nothing is written to the warehouse.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasks.channel_routes import open_routes
from tasks.context import RunContext
from tasks.data_ages import span
from tasks.settings import venue_secrets
from tasks.sources._errors import SourceError
from tasks.sources._hosts import Hosts
from tasks.sources._licences import licence_of
from tasks.sources._model import Assignment
from tasks.sources._probe import Reached, probe_provider, probe_venue
from tasks.sources._received import Received
from warehouse.errors import WarehouseError
from warehouse.reader import open_published

OK, WARNING, FAILED = "ok", "warning", "failed"
LARGEST_SKEW_SECONDS = 30.0
PRESENT_SECONDS = 3600.0
# Publishing needs room for one more copy of the master, and then some.
COPIES_WANTED, LEAST_FREE_BYTES = 3, 1 << 30
QUIET_FOR = timedelta(hours=26)
# Schemes whose receiver's address stands in the URL itself.
PLAIN_SCHEMES = {
    "http": 80,
    "https": 443,
    "json": 80,
    "jsons": 443,
    "xml": 80,
    "xmls": 443,
    "form": 80,
    "forms": 443,
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        kind: source, channel, keys, home, disk or scheduler.
        status: ok, warning or failed.
        is_required: a failure of it means that the job can not do its work: exit status 3.
        message: one sentence for a person; facts: the figures in it.
    """

    kind: str
    name: str
    status: str
    is_required: bool
    message: str
    facts: Row = field(default_factory=dict[str, Any])


def examine(context: RunContext) -> list[Finding]:
    """Look at everything once."""
    rows, runs = _stored(context)
    return [
        *_sources(context, rows),
        *_channels(context),
        _keys(context),
        *_home(context),
        _scheduler(context, runs),
    ]


def _keys(context: RunContext) -> Finding:
    names = sorted(venue_secrets(context.settings))
    text = "no keys configured: only public data are read."
    if names:
        text = f"{', '.join(names)}: for `trimtab positions fetch`, which asks first what the key may do."
    return Finding("keys", "keys", OK, False, text)


def _stored(context: RunContext) -> tuple[list[Row] | None, list[Row]]:
    try:
        with open_published(context.home) as reader:
            return reader.rows("freshness"), reader.rows("newest_runs", count=1)
    except (WarehouseError, OSError):
        return None, []


def _sources(context: RunContext, rows: list[Row] | None) -> list[Finding]:
    settings = context.settings
    needed = {name for portfolio in settings.portfolios.values() for name in portfolio.requires}
    feeds = {row["source"] for row in rows or () if row["dataset"] in needed}
    with tempfile.TemporaryDirectory(prefix="trimtab-doctor-") as spare:
        assignment = _assignment(context, Path(spare))
        work: dict[str, Callable[[], Reached]] = {
            venue.id: _later(probe_venue, venue, assignment) for venue in settings.venues
        }
        for name in type(settings.sources).model_fields:
            if getattr(settings.sources, name) is not None:
                work[name] = _later(probe_provider, name, settings, assignment)
        answers = at_once(work, settings.network.deadline_seconds)
    venues = {venue.id for venue in settings.venues}
    return [
        _source(context, name, answer, rows, is_required=name in venues or name in feeds)
        for name, answer in answers.items()
    ]


def _later(ask: Callable[..., Reached], *given: object) -> Callable[[], Reached]:
    return lambda: ask(*given)


def at_once(work: dict[str, Callable[[], Reached]], seconds: float) -> dict[str, Reached | str]:
    """Ask all at the same time; who has not answered within so many seconds counts as unreachable."""
    answers: dict[str, Reached | str] = {
        name: f"{name} did not answer within {seconds:.0f} s (network.deadline_seconds)." for name in work
    }
    done = threading.Semaphore(0)
    over = threading.Event()

    def ask(name: str, question: Callable[[], Reached]) -> None:
        try:
            answer: Reached | str = question()
        except (SourceError, OSError, ValueError) as error:
            answer = str(error)
        if not over.is_set():
            answers[name] = answer
        done.release()

    for item in work.items():
        threading.Thread(target=ask, args=item, name=f"doctor {item[0]}", daemon=True).start()
    timer = threading.Timer(seconds, lambda: [over.set(), *(done.release() for _ in work)])
    timer.daemon = True
    timer.start()
    for _ in work:
        done.acquire()
    timer.cancel()
    over.set()
    return dict(answers)


def _assignment(context: RunContext, spare: Path) -> Assignment:
    """One attempt, no patience; pauses that a host asked for are kept to."""
    settings, home = context.settings, context.home
    network = settings.network.model_copy(update={"attempts": 1, "retry_budget_seconds": 0.0})
    state = home.state if home.state.is_dir() else spare
    return Assignment(
        settings=settings.model_copy(update={"network": network}),
        as_of=context.as_of,
        since=None,
        until=None,
        states={},
        gaps=(),
        home=spare,
        clock=context.clock,
        hosts=Hosts(state / "held_hosts.json", context.clock),
        received=Received(spare, context.run_id, 0, context.clock),
        emit=lambda _event: None,
        stop=threading.Event(),
    )


def _source(
    context: RunContext, name: str, answer: Reached | str, rows: list[Row] | None, *, is_required: bool
) -> Finding:
    licence, newest = licence_of(name), _newest(name, rows)
    facts: Row = {"licence": licence, "newest_data_at": newest, "is_reachable": isinstance(answer, Reached)}
    if isinstance(answer, str):
        return Finding("source", name, FAILED, is_required, f"not reached: {answer}", facts)
    skew = _skew(context, answer)
    facts |= {"skew_seconds": skew, "limit_used": answer.limit_used, "is_simulated": answer.is_simulated}
    said = ["reached" + (" (simulated)" if answer.is_simulated else "")]
    status = OK
    if skew is not None:
        said.append(f"clock {skew:+.1f} s")
        if abs(skew) > LARGEST_SKEW_SECONDS:
            status = FAILED if _offset(context) == 0.0 else WARNING
            said.append(f"more than {LARGEST_SKEW_SECONDS:.0f} s apart: correct this machine's clock")
    said.append("nothing stored yet" if newest is None else f"newest data {newest:%Y-%m-%d %H:%M} UTC")
    said += [answer.limit_used] if answer.limit_used else []
    return Finding("source", name, status, is_required, f"{'; '.join(said)}. Licence: {licence}.", facts)


def _skew(context: RunContext, answer: Reached) -> float | None:
    """How far a source's clock is from this machine's; one that keeps another time may keep as_of."""
    skew = answer.skew_seconds
    if skew is None or abs(skew) <= LARGEST_SKEW_SECONDS:
        return skew
    return skew + _offset(context)


def _offset(context: RunContext) -> float:
    """Only a run of the present can tell a wrong clock; else the source is compared with the run's as_of."""
    apart = (context.clock.now() - context.as_of).total_seconds()
    return apart if abs(apart) > PRESENT_SECONDS else 0.0


def _newest(source: str, rows: list[Row] | None) -> datetime | None:
    found = [row["newest_data_at"] for row in rows or () if row["source"] == source and row["newest_data_at"]]
    return max(found, default=None)


def _channels(context: RunContext) -> list[Finding]:
    routes, closed = open_routes(context.settings, lambda _text: None, context.clock.now())
    found = [
        Finding("channel", name, WARNING, False, f"disabled: TRIMTAB_CHANNEL_{name.upper()} is not set.")
        for name in closed
    ]
    for route in routes:
        problem = route.sender.check(route.target)
        if problem is not None:
            found.append(Finding("channel", route.channel, FAILED, True, str(problem)))
        elif route.is_console:
            found.append(Finding("channel", route.channel, OK, False, "the terminal."))
        else:
            found.append(_receiver(route.channel, route.target.secret, route.target.timeout_seconds))
    return found


def _receiver(channel: str, secret: str, seconds: float) -> Finding:
    """Whether somebody listens at the receiver's address; nothing is sent, and the URL is not shown."""
    hint = "`trimtab notify --test` sends a harmless message"
    try:
        url = urlsplit(secret)
        host, port = url.hostname, url.port or PLAIN_SCHEMES.get(url.scheme.lower())
    except ValueError:
        host, port = None, None
    if host is None or port is None or urlsplit(secret).scheme.lower() not in PLAIN_SCHEMES:
        return Finding("channel", channel, OK, False, f"configured; not asked: {hint}.")
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError as error:
        text = f"nobody answers at its address ({type(error).__name__}); correct the URL, then {hint}."
        return Finding("channel", channel, FAILED, True, text)
    return Finding("channel", channel, OK, False, f"its receiver listens; {hint}.")


def _home(context: RunContext) -> Sequence[Finding]:
    home = context.home
    there = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    is_writable = os.access(there, os.W_OK | os.X_OK)
    text = f"{home.root} can be written." if there == home.root else f"{home.root} is not there yet."
    if not is_writable:
        text = f"{there} can not be written by this user: change its owner or warehouse.home."
    free = shutil.disk_usage(there).free
    master = home.master.stat().st_size if home.master.exists() else 0
    wanted = max(COPIES_WANTED * master, LEAST_FREE_BYTES)
    is_roomy = free >= wanted
    room = f"{free / 1e9:.1f} GB free; {wanted / 1e9:.1f} GB wanted"
    return (
        Finding("home", "home", OK if is_writable else FAILED, True, text, {"path": str(home.root)}),
        Finding(
            "disk",
            "disk",
            OK if is_roomy else WARNING,
            False,
            f"{room}." if is_roomy else f"{room}: make room, or publishing will refuse.",
            {"free_bytes": free, "wanted_bytes": wanted},
        ),
    )


def _scheduler(context: RunContext, runs: list[Row]) -> Finding:
    if not runs:
        text = "no run is on record: `trimtab run` makes one, `trimtab serve` or a timer repeats it."
        return Finding("scheduler", "scheduler", WARNING, False, text)
    age = context.as_of - runs[0]["started_at"]
    text = f"the newest run ({runs[0]['flow']}) began {span(max(0.0, age.total_seconds()))} ago"
    facts = {"newest_run_at": runs[0]["started_at"], "age_seconds": age.total_seconds()}
    if age > QUIET_FOR:
        return Finding("scheduler", "scheduler", WARNING, False, f"{text}: is the scheduler alive?", facts)
    return Finding("scheduler", "scheduler", OK, False, f"{text}.", facts)
