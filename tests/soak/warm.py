"""A process that has imported everything and forks a child per command, which a test clocks and kills.

Run as `python -m tests.soak.warm`: one JSON object per line comes in (arguments, now, jump, kill_at), one
goes out when it has ended (status; negative: the signal). The child's clock starts at `now` and may jump
while it runs. `kill_at` counts what the process does to the outside (locks taken, files replaced, messages
sent): it is killed before that one, which is as far into the work on a slow machine as on a fast one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import warehouse.home
import warehouse.lease
import warehouse.manifest
from flows.cli import invoke
from tasks.channels import apprise_url
from tasks.clock import RealClock
from warehouse.home import Home
from warehouse.points import listen

LIBRARIES = """
flows.commands.run flows.commands.notify flows.commands.watch flows.commands.ingest tasks.sources.venue
tasks.sources.coinmetrics tasks.sources.defillama tasks.channels.apprise_url ccxt pypfopt great_expectations
apprise requests cvxpy pyarrow scipy.stats statsmodels.api
"""


def inject_clock(now: datetime, jump: timedelta, after: int) -> Callable[[], None]:
    """Let the real clock say `now` and go on with every deed, however slow the machine; it jumps at one."""
    done = [0]

    def told(_self: RealClock) -> datetime:
        skew = jump if done[0] >= after else timedelta(0)
        return now + skew + timedelta(milliseconds=20 * done[0])

    RealClock.now = told

    def count() -> None:
        done[0] += 1

    return count


def on_every_deed(count: Callable[[], None]) -> None:
    """Call `count` before each lock, replaced file and message, and at the named moments of a commit."""
    prepare, write, send = Home.prepare, warehouse.home.write_private, apprise_url.send

    def prepared(home: Home) -> None:
        count()
        prepare(home)

    def written(*arguments: Any, **named: Any) -> None:
        count()
        write(*arguments, **named)

    def sent(*arguments: Any, **named: Any) -> Any:
        count()
        answer = send(*arguments, **named)
        count()
        return answer

    Home.prepare = prepared
    for module in (warehouse.home, warehouse.lease, warehouse.manifest):
        module.write_private = written
    apprise_url.send = sent
    listen(lambda _point: count())


def carry_out(job: dict[str, Any]) -> int:
    """In the child: run one command to its end, or to the deed at which it is killed."""
    now = datetime.fromisoformat(job["now"]).astimezone(UTC)
    half = job.get("jump_at") or 10**9
    moved = inject_clock(now, timedelta(seconds=job.get("jump") or 0), half)
    deeds, kill_at = [0], job.get("kill_at")

    def count() -> None:
        moved()
        deeds[0] += 1
        if kill_at is not None and deeds[0] >= kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    on_every_deed(count)
    status = invoke(job["arguments"])
    os.write(job["pipe"], str(deeds[0]).encode())
    return status


def fork(job: dict[str, Any]) -> tuple[int, int]:
    """Exit status and number of deeds, 0 where it was killed."""
    reading, job["pipe"] = os.pipe()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            sink = os.open(
                os.devnull if not job.get("log") else job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND
            )
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            status = carry_out(job)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
    os.close(job["pipe"])
    with os.fdopen(reading, "rb") as pipe:
        deeds = int(pipe.read() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), deeds


def main() -> None:
    for name in LIBRARIES.split():
        import_module(name)
    print("ready", flush=True)
    for line in sys.stdin:
        status, deeds = fork(json.loads(line))
        print(json.dumps({"status": status, "deeds": deeds}), flush=True)


if __name__ == "__main__":
    main()
