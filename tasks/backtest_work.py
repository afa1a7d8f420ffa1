"""The work of a backtest's processes: reading inputs in parts, and walking job after job.

Each process reads or walks for itself and hands back plain values; nothing is written here.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portfolio.decision import LIVE, Bench
from portfolio.lab.baselines import first_target, held, kept
from portfolio.lab.fast import bench
from portfolio.lab.measures import summary
from portfolio.lab.walkforward import Setting, Walk, walk
from portfolio.model import DAYS_PER_YEAR, DecisionInputs
from tasks.backtest_inputs import Past
from tasks.backtest_plan import Job

Array = NDArray[np.float64]
BITCOIN = "spot:BTC"


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What every walk of one backtest shares.

    Attributes:
        instants: decision instants by the calendar's hours.
        engine: production or fast; plain portfolios are always walked on the fast bench.
        draws: of the bootstrap; 0 leaves intervals out.
    """

    past: Past
    instants: Mapping[int, tuple[datetime, ...]]
    engine: str
    seed: int
    draws: int


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A walk and its figures."""

    job: Job
    walk: Walk
    figures: dict[str, float]


_shared: dict[str, Any] = {}  # of this process: the study and its bench, set once when the process starts


def set_study(study: Study) -> None:
    """Give this process the study that its jobs belong to."""
    _shared["study"], _shared["bench"] = study, bench()
    _shared["days"] = {day.as_of: day for day in study.past.days}


def carry_out(job: Job) -> Result:
    """Walk one job of the study that this process was given."""
    study: Study = _shared["study"]
    known: dict[datetime, DecisionInputs] = _shared["days"]
    days = [known[at] for at in study.instants[job.every_hours] if at in known]
    is_fast = study.engine == "fast" or job.is_baseline
    chosen: Bench = _shared["bench"] if is_fast else LIVE
    setting = Setting(seed=study.seed, start=study.past.start, bench=chosen, is_identified=not is_fast)
    found = _walked(job, days, study, setting)
    return Result(job, found, figures_of(found, bitcoin_returns(study.past, found), study.seed, study.draws))


def _walked(job: Job, days: Sequence[DecisionInputs], study: Study, setting: Setting) -> Walk:
    tape = study.past.tape
    if job.kind == "hold":
        return held(days, tape, job.policy, setting)
    if job.kind == "fixed":
        target = job.policy.target_weights or first_target(held(days, tape, job.policy, setting))
        if not target:  # the policy never proposed anything: what it kept is the start
            return held(days, tape, job.policy, setting)
        return kept(days, tape, job.policy, target, setting)
    return walk(days, tape, job.policy, setting)


def bitcoin_returns(past: Past, found: Walk) -> Array:
    """Bitcoin's daily returns on the walk's days; the market's equal-weighted ones where it is not there."""
    valued = past.tape.valued()
    moves = valued[1:] / valued[:-1] - 1.0
    lines = past.tape.lines
    column = lines.index(BITCOIN) if BITCOIN in lines else slice(None)
    chosen = np.nan_to_num(moves[:, column])
    series = chosen if chosen.ndim == 1 else chosen.mean(axis=1)
    return series[-len(found.ends) :]


def figures_of(found: Walk, benchmark: Array, seed: int, draws: int) -> dict[str, float]:
    """The figures of a walk, by name."""
    years = len(found.ends) / DAYS_PER_YEAR
    return {
        **summary(found.returns(), benchmark, seed, draws),
        "turnover_per_year": float(found.turnover.sum()) / years,
        "cost_bps_per_year": float((found.cost_usd / np.maximum(found.value_usd, 1e-9)).sum()) / years * 1e4,
    }


def _begin(initialise: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Prepare a fresh process, which must not outlive the run that a signal may end without a word."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
    if initialise is not None:
        initialise(*arguments)


@contextmanager
def processes(
    count: int,
    initialise: Callable[..., None] | None = None,
    *args: Any,  # noqa: ANN401 - picklable values
) -> Generator[list[Any]]:
    """Fresh processes, each a pool of its own; one alone works in this process, without a pool."""
    if count <= 1:
        if initialise is not None:
            initialise(*args)
        yield []
        return
    fresh = multiprocessing.get_context("spawn")  # a fork would copy DuckDB's threads in mid-step
    started: Any = ProcessPoolExecutor
    pools = [
        started(1, mp_context=fresh, initializer=_begin, initargs=(initialise, args)) for _ in range(count)
    ]
    try:
        yield pools
    finally:
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)


def each(
    pools: Sequence[Any], function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]
) -> Generator[Any]:
    """The answers of a function for each set of arguments, in the order in which they are ready.

    Every process goes through a part of the calls in their order, so that neighbours can share what they
    compute; who is done first takes from the end of the longest part that is left.
    """
    if not pools:
        for arguments in calls:
            yield function(*arguments)
        return
    cuts = [round(i * len(calls) / len(pools)) for i in range(len(pools) + 1)]
    parts = [deque(calls[first:last]) for first, last in pairwise(cuts)]
    running: dict[Future[Any], int] = {}

    def submit(at: int) -> None:
        longest = max(parts, key=len)
        if parts[at] or longest:
            arguments = parts[at].popleft() if parts[at] else longest.pop()
            running[pools[at].submit(function, *arguments)] = at

    for at in (*range(len(pools)), *range(len(pools))):  # two each, so that none waits for this process
        submit(at)
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            submit(running.pop(future))
            yield future.result()
