"""The Prefect worker as Trimtab starts it: Prefect's own, and beside it a look for runs that were lost.

`prefect worker start` does the work. What it can not do is to report what its dead predecessor left behind:
see `flows.lost_runs`.
"""

from __future__ import annotations

import logging
import os
import runpy
import socket
import sys
import threading
from pathlib import Path

import click

from flows.checkout import require_own_rooms
from flows.serve import POOL
from tasks.clock import Clock, RealClock
from tasks.settings import quiet_libraries

LOOK_SECONDS = 5.0

logger = logging.getLogger(__name__)


def worker_name() -> str:
    """One name for each machine, so that a worker that comes back is not taken for a second one."""
    return f"trimtab@{socket.gethostname()}"


@click.command()
@click.option("--pool", default=POOL, show_default=True, help="The process pool to work for.")
@click.option("--name", default=worker_name, help="The worker's name; by default trimtab@<host>.")
@click.option("--with-healthcheck", is_flag=True, help="Answer on port 8080 whether it still works.")
def main(pool: str, name: str, *, with_healthcheck: bool) -> None:
    """Run a process worker, and report the runs that a dead worker left.

    Example: python -m flows.prefect_worker
    """
    os.umask(0o077)
    require_own_rooms()
    quiet_libraries()
    if Path("/proc/self/environ").exists():
        threading.Thread(target=_look_for_ever, args=(pool, name, RealClock()), daemon=True).start()
    sys.argv = ["prefect", "worker", "start", "--pool", pool, "--type", "process", "--name", name]
    sys.argv += ["--with-healthcheck"] if with_healthcheck else []
    runpy.run_module("prefect", run_name="__main__")


def _look_for_ever(pool: str, name: str, clock: Clock) -> None:
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - after telemetry is off

    from flows.lost_runs import LostRuns  # noqa: PLC0415 - likewise

    with get_client(sync_client=True) as client:
        lost = LostRuns(client, pool, name)
        while True:
            clock.sleep(LOOK_SECONDS)
            try:
                lost.report(clock.monotonic())
            except Exception as problem:  # a server that is away comes back; the worker goes on
                logger.debug("No look for lost runs: %s", problem)


if __name__ == "__main__":
    main()
