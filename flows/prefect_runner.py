"""How a deployment carries out a story: each step becomes a Prefect task, and the end becomes a state.

The story and its steps know nothing of this. Nothing that a step is given is recorded by Prefect: the task
takes no parameters, so that neither a path nor a setting, and never a secret, ends in Prefect's database.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import Task, get_run_logger
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging.loggers import LoggingAdapter
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from rich.console import Console

from flows.artifacts import publish_artifacts
from flows.checkout import require_own_rooms
from flows.exit_status import BLOCKED, BUSY, DONE, OUTSIDE, status_of
from flows.opening import open_context
from flows.options import INSTANT
from flows.progress import LineReporter
from flows.steps import Step
from flows.stories import Told
from tasks.context import RunContext
from tasks.settings import quiet_libraries
from warehouse.errors import LeaseHeld

P = ParamSpec("P")
T = TypeVar("T")

JITTER = 0.3  # of the delay: sources that fail together are not asked again together


class RunLogReporter(LineReporter):
    """Progress as lines of the flow run's log, from any thread."""

    def __init__(self, logger: logging.Logger | LoggingAdapter) -> None:
        super().__init__(Console(quiet=True))
        self._logger = logger

    def _line(self, text: str) -> None:
        self._logger.info("%s", text)


def run_as_task(step: Step[P, T], context: RunContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Carry out a step as a Prefect task with its retries and its time limit.

    A failure of the outside world, another writer and a time limit are worth another try; a defect of ours
    and a wrong setting are not. The time limit is an alarm signal: it interrupts a blocked call, but only as
    the outermost one in the main thread (Prefect 3.8.8), so a flow of steps must have no limit of its own.
    """

    def carry_out() -> T:
        return step.fn(context, *args, **kwargs)

    task: Task[[], T] = Task(
        fn=carry_out,
        name=step.name,
        retries=step.retries,
        retry_delay_seconds=list(step.retry_delay_seconds) or None,
        retry_jitter_factor=JITTER if step.retries else None,
        retry_condition_fn=_is_worth_a_retry,
        timeout_seconds=step.timeout_seconds,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    return task()


def open_scheduled(flow: str, config: str | None, home: str | None, as_of: str | None) -> RunContext:
    """Build the context of a run that Prefect started; its slot is the instant it was scheduled for.

    Args:
        flow: the name that `ops.runs` and `trimtab status` show.
        config: the configuration file; None means TRIMTAB_CONFIG or trimtab.toml in the checkout.
        home: the warehouse's home; None means TRIMTAB_HOME or what the configuration says.
        as_of: data time as ISO text, UTC; None means the real now.
    """
    quiet_libraries()
    os.umask(0o077)
    require_own_rooms()
    moment = INSTANT.convert(as_of, None, None) if as_of else None
    context = open_context(
        Path(config) if config else None,
        Path(home) if home else None,
        moment,
        flow,
        reporter=RunLogReporter(get_run_logger()),
    )
    scheduled = flow_run.scheduled_start_time
    if scheduled is None or moment is not None:
        return context
    return replace(context, slot=scheduled, is_scheduled=True)


def carried_out(context: RunContext, story: Callable[..., Told], *arguments: object) -> State[Any]:
    """Carry a story out with its steps as Prefect tasks, and conclude.

    Returns:
        What `concluded` says, or Completed under the name `Skipped` where another run of the flow is alive.
    """
    try:
        told = story(run_as_task, context, *arguments)
    except LeaseHeld as held:
        get_run_logger().info("%s", held)
        return Completed(name="Skipped", message=str(held))
    return concluded(context, told)


def concluded(context: RunContext, told: Told) -> State[Any]:
    """Publish the artifacts of a run and say in one sentence how it ended.

    Returns:
        Completed, or Failed under the name `Blocked` or `Failed`: a run that the gate blocked must be seen.
    """
    publish_artifacts(context, told)
    sentence = _sentence(told)
    get_run_logger().info("%s", sentence)
    if told.status == DONE:
        return Completed(message=sentence)
    return Failed(name="Blocked" if told.status == BLOCKED else "Failed", message=sentence)


def _is_worth_a_retry(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    failure = state.result(raise_on_failure=False)
    if isinstance(failure, TimeoutError):
        return True
    return isinstance(failure, BaseException) and status_of(failure) in {OUTSIDE, BUSY}


def _sentence(told: Told) -> str:
    decided = [f"{answer.portfolio}: {answer.status}. {answer.reason}" for answer in told.recommendations]
    if told.status == DONE:
        parts = decided or ([told.ingest.sentence] if told.ingest is not None else [])
    else:
        parts = [told.verdict[2], *decided]
    return " ".join(dict.fromkeys(parts)) or "Done."
