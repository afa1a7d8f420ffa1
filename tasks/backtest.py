"""The step that tries a policy on the past: read what was known, walk, store, compare, report.

A walk that is stored already, by the same rules on the same inputs with the same code, is not made again: a
backtest that was stopped goes on where it was. Each walk is stored with all its days in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from portfolio.model import DecisionInputs
from tasks.backtest_inputs import Assumed, Past, assumptions_of, read_days, start_of
from tasks.backtest_page import write_page
from tasks.backtest_plan import BacktestError, Job, instants_of, plan_jobs, vary_settings
from tasks.backtest_report import Report, report_of
from tasks.backtest_rows import backtest_id, backtest_row, day_rows
from tasks.backtest_tape import read_tape
from tasks.backtest_work import Result, Study, carry_out, each, processes, set_study
from tasks.context import RunContext
from tasks.version import code_version
from warehouse.master import open_master

READING, WALKING = "read what was known", "walk"
FEW = 20  # up to so many variations have bootstrap intervals of their own, unless asked otherwise
DRAWS = 500
BATCH = 8  # walks stored at once; as many are lost at most when the run is stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """What is asked for.

    Attributes:
        first: instant of the first decision, aware UTC; `last`: no close after it is looked at.
        every_hours: between decisions; None takes the portfolio's own period.
        vary: setting → values as text; every combination is walked.
        is_fast: the fast bench for the policy too.
        draws: of the bootstrap; None takes 500, or none where there are many variations.
        processes: how many work at the same time.
        page: where the tear sheet goes; None puts it beside the published snapshot.
    """

    portfolio: str
    first: datetime
    last: datetime
    every_hours: int | None = None
    vary: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    is_fast: bool = False
    draws: int | None = None
    processes: int = 1
    assumed: Assumed = field(default_factory=Assumed)
    page: Path | None = None


@dataclass(frozen=True, slots=True)
class BacktestSummary:
    """What came of it.

    Attributes:
        report: the table, the comparisons and what they are worth.
        walked: number of walks made now; `reused`: stored before.
        page: the tear sheet.
    """

    report: Report
    walked: int
    reused: int
    page: Path


def backtest(context: RunContext, request: BacktestRequest) -> BacktestSummary:
    """Walk a portfolio's policy, its variations and the plain portfolios through the past.

    Raises:
        BacktestError: it can not be made as asked.
        NothingPublished: there is nothing to read.
    """
    settings, name = context.settings, request.portfolio
    hours = request.every_hours or settings.portfolios[name].rebalance.period_hours
    jobs = plan_jobs(settings, name, hours, request.vary)
    instants = instants_of(request.first, request.last, jobs)
    past = _read(context, request, jobs, sorted({at for row in instants.values() for at in row}))
    draws = request.draws if request.draws is not None else (DRAWS if len(jobs) <= FEW + 7 else 0)
    engine = "fast" if request.is_fast else "production"
    study = Study(past, instants, engine, settings.seed, draws)
    hashes = past.content_hash(), code_version()
    ids = {backtest_id(name, job, study, *hashes): job for job in jobs}
    home = context.home
    with open_master(home, context.clock, purpose="look for stored backtests") as master:
        known = {str(row["backtest_id"]) for row in master.rows("backtests_known", ids=list(ids))}
    missing = {identity: job for identity, job in ids.items() if identity not in known}
    _walk(context, request, study, missing, hashes)
    with open_master(home, context.clock, purpose="read backtests") as master:
        report = report_of(master, list(ids), settings.seed)
    page = write_page(request.page or home.published / f"backtest-{name}.html", report)
    return BacktestSummary(report, len(missing), len(known), page)


def _read(
    context: RunContext, request: BacktestRequest, jobs: Sequence[Job], instants: Sequence[datetime]
) -> Past:
    """Read the inputs of every date, in as many parts as there are processes, and the closes."""
    name, longest = request.portfolio, max(job.policy.lookback_days for job in jobs)
    settings = context.settings
    if longest > settings.portfolios[name].lookback_days:
        settings = vary_settings(settings, name, {"lookback_days": str(longest)})
    tape = read_tape(context, name, request.first, request.last)
    if tape.after(instants[0]) >= len(tape.ends):
        raise BacktestError(
            f"Prices up to {request.last:%Y-%m-%d} were wanted; there are none after {instants[0]:%Y-%m-%d}. "
            "Fetch them first (trimtab backfill), or choose other dates."
        )
    within = [at for at in instants if at < tape.ends[-1]]
    size = max(1, min(len(within), 40))
    parts = [within[i : i + size] for i in range(0, len(within), size)]
    context.reporter.start(READING, len(within))
    days: list[DecisionInputs] = []
    with processes(min(request.processes, len(parts))) as pools:
        for read in each(pools, read_days, [(settings, name, part, request.assumed) for part in parts]):
            days += read
            context.reporter.advance(READING, len(read))
    days.sort(key=lambda day: day.as_of)
    is_known = bool(days[0].positions)
    return Past(
        days=tuple(days),
        tape=tape,
        start=start_of(days[0], settings, request.assumed),
        assumptions=assumptions_of(days, settings.portfolios[name].sleeves, is_start_known=is_known),
    )


def _walk(
    context: RunContext,
    request: BacktestRequest,
    study: Study,
    missing: Mapping[str, Job],
    hashes: tuple[str, str],
) -> None:
    """Carry out the jobs that are not stored yet, and store them as they are ready."""
    if not missing:
        return
    context.reporter.start(WALKING, len(missing))
    names = {(job.name, job.variation): identity for identity, job in missing.items()}
    same: dict[str, list[Job]] = {}  # a variation that is what another job is already is walked with it
    for job in sorted(missing.values(), key=lambda job: job.estimates()):
        same.setdefault(job.rules(), []).append(job)
    ready: list[tuple[str, Result]] = []
    with processes(min(request.processes, len(same)), set_study, study) as pools:
        for result in each(pools, carry_out, [(jobs[0],) for jobs in same.values()]):
            for job in same[result.job.rules()]:
                ready.append((names[job.name, job.variation], replace(result, job=job)))
                context.reporter.advance(WALKING)
            if len(ready) >= BATCH:
                _store(context, request.portfolio, study, hashes, ready)
                ready = []
    _store(context, request.portfolio, study, hashes, ready)


def _store(
    context: RunContext,
    portfolio: str,
    study: Study,
    hashes: tuple[str, str],
    ready: Sequence[tuple[str, Result]],
) -> None:
    if not ready:
        return
    with open_master(context.home, context.clock, purpose="store backtests") as master:
        known = {str(row["backtest_id"]) for row in master.rows("backtests_known", ids=[x for x, _ in ready])}
        for identity, result in ready:
            if identity in known:  # another run was faster
                continue
            rows: list[dict[str, Any]] = day_rows(identity, result)
            with master.transaction():
                master.append("mart.backtests", [backtest_row(identity, portfolio, result, study, hashes)])
                master.append("mart.backtest_days", rows)
