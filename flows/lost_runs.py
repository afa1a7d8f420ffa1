"""Runs that nobody carries out any more, and that Prefect still takes for running.

A worker reports a run whose process died. When the worker died first, nobody does: Prefect shows the run as
running for good, and its deployment's only slot stays taken until the lease ends, five minutes later
(fixed in Prefect 3.8.8). A worker on the same machine can see that no process has the run in its environment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType, WorkerStatus
from prefect.states import Crashed

PROCESSES = Path("/proc")
MARK = b"PREFECT__FLOW_RUN_ID="
UNDER_WAY = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
PATIENCE_SECONDS = 15.0  # from "pending" to the process; from a process's last report to its end
GONE = (
    "No process of this machine carries this run out any more, and the worker that started it is gone. "
    "Marked by the worker that came after it; the next slot runs as planned."
)

logger = logging.getLogger(__name__)


def runs_with_a_process(processes: Path = PROCESSES) -> set[UUID]:
    """The flow runs that a process of this user on this machine has in its environment.

    Raises:
        FileNotFoundError: this system does not show its processes as files; only Linux does.
    """
    found: set[UUID] = set()
    for folder in processes.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:  # ended meanwhile, or another user's
            continue
        marks = (entry.removeprefix(MARK) for entry in environment.split(b"\0") if entry.startswith(MARK))
        with suppress(ValueError):  # not one of Prefect's
            found.update(UUID(mark.decode()) for mark in marks)
    return found


@dataclass
class LostRuns:
    """Finds the pool's runs that have had no process for a while, and reports them as crashed.

    Attributes:
        client: of the Prefect server.
        pool: the process pool whose runs these are.
        worker: the name of this machine's worker; another one that is online may have the process on its
            own machine, and then nothing is judged here.
        alive: the runs that have a process.
    """

    client: SyncPrefectClient
    pool: str
    worker: str
    alive: Callable[[], set[UUID]] = runs_with_a_process
    _missed: dict[UUID, float] = field(default_factory=dict[UUID, float])

    def report(self, now: float) -> list[str]:
        """Look once; a run is lost when it was missed in every look for `PATIENCE_SECONDS`.

        Args:
            now: of a clock that only goes forward, seconds.

        Returns:
            The names of the runs that were marked crashed by this look.
        """
        if self._others_are_online():
            self._missed.clear()
            return []
        under_way = self._under_way()  # before the processes: a run that starts in between has one
        alive = self.alive()
        missing = {run.id: run for run in under_way if run.id not in alive}
        self._missed = {run: self._missed.get(run, now) for run in missing}
        lost = [missing[run] for run, since in self._missed.items() if now - since >= PATIENCE_SECONDS]
        for run in lost:
            self.client.set_flow_run_state(run.id, Crashed(message=GONE))
            logger.warning("Run %s is lost: %s", run.name, GONE)
        return [run.name for run in lost]

    def _others_are_online(self) -> bool:
        workers = self.client.read_workers_for_work_pool(self.pool)
        return any(one.status == WorkerStatus.ONLINE and one.name != self.worker for one in workers)

    def _under_way(self) -> list[FlowRun]:
        return self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(UNDER_WAY)))
            ),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self.pool])),
        )
