"""The stories: what happens in a run, step by step. Each is written once.

The command line carries out the steps directly, a deployment as Prefect tasks; the runner that is passed in
decides. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from flows.exit_status import BLOCKED, DONE, OUTSIDE, worst
from flows.steps import Runner, Step
from tasks.backtest import BacktestRequest, BacktestSummary, backtest
from tasks.canary import canary
from tasks.context import RunContext
from tasks.decide import RecommendSummary, recommend
from tasks.guard import GuardSummary, guard
from tasks.ingest import IngestSummary, ingest
from tasks.lifecycle import Event, LifecycleAnswer, change, lapse, notice_execution
from tasks.notify import NotifySummary, notify
from tasks.positions import import_configured
from tasks.publish import publish, publish_first
from tasks.runs import alive, close_run, give_back, open_run
from tasks.score import keep_score
from tasks.validate import ValidationSummary, validate
from warehouse.errors import LeaseLost, WarehouseError

OPEN = Step("open the run", open_run)
FIRST = Step("publish a new home", publish_first)
INGEST = Step("fetch what is missing", ingest, retries=2, retry_delay_seconds=(60, 300), timeout_seconds=3000)
POSITIONS = Step("read the positions", import_configured)
PUBLISH = Step("publish a snapshot", publish, retries=1, retry_delay_seconds=(30,))
VALIDATE = Step("check what is published", validate)
CANARY = Step("put the gate to the test", canary)
BACKTEST = Step("walk through the past", backtest, timeout_seconds=6 * 3600)
RECOMMEND = Step("decide", recommend, timeout_seconds=900)
NOTIFY = Step("deliver alerts", notify, retries=1, retry_delay_seconds=(60,))
SCORE = Step("keep score", keep_score)
LAPSE = Step("let proposals lapse", lapse)
NOTICE = Step("notice what was carried out", notice_execution)
GUARD = Step("look for risks", guard)
CHANGE = Step("answer a recommendation", change)
CLOSE = Step("close the run", close_run)
GIVE_BACK = Step("give the lease back", give_back)


@dataclass
class Told:
    """What a story has come to so far; a part that did not take place stays None or empty."""

    run_id: str
    as_of: datetime
    ingest: IngestSummary | None = None
    validation: ValidationSummary | None = None
    recommendations: tuple[RecommendSummary, ...] = ()
    notify: NotifySummary | None = None
    answer: LifecycleAnswer | None = None
    guards: tuple[GuardSummary, ...] = ()
    was_asked_for_verdict: bool = False
    remark: str = ""

    @property
    def status(self) -> int:
        """The exit status that the parts amount to."""
        parts = [DONE]
        if self.ingest is not None and self.ingest.required_failed:
            parts.append(OUTSIDE)
        if self.notify is not None and self.notify.failed:
            parts.append(OUTSIDE)
        if any(answer.status == "blocked" for answer in self.recommendations) or self.is_refused:
            parts.append(BLOCKED)
        return worst(*parts)

    @property
    def is_refused(self) -> bool:
        """The gate was asked for its verdict alone, and something does not pass."""
        return self.was_asked_for_verdict and self.validation is not None and not self.validation.passed

    @property
    def verdict(self) -> tuple[str, str, str]:
        """Status, reason code and message for the run's own row."""
        if self.status == DONE:
            return "done", "", self.remark
        blocked = next((answer for answer in self.recommendations if answer.status == "blocked"), None)
        if blocked is not None:
            return "blocked", blocked.reason_code, blocked.reason
        if self.is_refused and self.validation is not None:
            return "blocked", "gate", self.validation.sentences[0]
        if self.ingest is not None and self.ingest.required_failed:
            return "failed", "source_failed", self.ingest.sentence
        return "failed", "channel_failed", "An alert could not be delivered; `trimtab notify` tries again."


def rebalance(run: Runner, context: RunContext, portfolios: tuple[str, ...] = ()) -> Told:
    """The main job: fetch, publish, check, decide, tell."""
    with opened(run, context) as (leased, told):
        told.ingest = run(INGEST, leased)
        _decide(run, leased, told, portfolios)
    return told


def decide_only(run: Runner, context: RunContext, portfolios: tuple[str, ...] = ()) -> Told:
    """Decide on what is stored; fetch nothing."""
    with opened(run, context) as (leased, told):
        _decide(run, leased, told, portfolios)
    return told


def ingest_only(
    run: Runner,
    context: RunContext,
    sources: tuple[str, ...] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Told:
    """Fetch, publish and check; decide nothing and tell nobody."""
    with opened(run, context) as (leased, told):
        told.ingest = run(INGEST, leased, sources, since, until)
        run(PUBLISH, leased)
        told.validation = run(VALIDATE, leased)
    return told


def backtest_only(run: Runner, context: RunContext, request: BacktestRequest) -> BacktestSummary:
    """Try a policy on what is published; decide nothing and tell nobody."""
    with opened(run, context) as (leased, _):
        return run(BACKTEST, leased, request)


def validate_only(run: Runner, context: RunContext, tables: tuple[str, ...] = ()) -> Told:
    """Run the gate on what is published."""
    with opened(run, context) as (leased, told):
        told.was_asked_for_verdict = True
        told.validation = run(VALIDATE, leased, tables)
    return told


def prove_gate(run: Runner, context: RunContext) -> Told:
    """Put known-bad batches to the gate; if it lets one through, tell people at once."""
    with opened(run, context) as (leased, told):
        told.was_asked_for_verdict = True
        told.validation = run(CANARY, leased)
        if not told.validation.passed:
            told.notify = run(NOTIFY, leased)
    return told


def deliver(run: Runner, context: RunContext, *, test: bool = False) -> Told:
    """Deliver what is pending, or a harmless test message."""
    with opened(run, context) as (leased, told):
        run(LAPSE, leased)
        told.notify = run(NOTIFY, leased, test=test)
    return told


def keep_guard(run: Runner, context: RunContext, portfolios: tuple[str, ...] = ()) -> Told:
    """Look for risks that need no optimiser; only news is published and told."""
    with opened(run, context, publishes=False) as (leased, told):
        names = portfolios or tuple(leased.settings.portfolios)
        told.guards = tuple(run(GUARD, leased, name) for name in names)
        if any(one.is_news for one in told.guards):
            run(PUBLISH, leased)
            told.notify = run(NOTIFY, leased)
            run(PUBLISH, leased)
    return told


def answer(
    run: Runner,
    context: RunContext,
    recommendation_id: str,
    event: Event,
    actor: str,
    note: str = "",
    until: datetime | None = None,
) -> Told:
    """Somebody answers a recommendation; what that has to tell others is delivered at once."""
    with opened(run, context) as (leased, told):
        told.answer = run(CHANGE, leased, recommendation_id, event, actor, note, until)
        if event == "retracted":
            run(PUBLISH, leased)
            told.notify = run(NOTIFY, leased)
    return told


def _decide(run: Runner, context: RunContext, told: Told, portfolios: tuple[str, ...]) -> None:
    """From positions to alerts: the decision reads the snapshot that was published and checked before it."""
    names = portfolios or tuple(context.settings.portfolios)
    for name in names:
        run(POSITIONS, context, name)
        run(NOTICE, context, name)
    run(LAPSE, context)
    run(PUBLISH, context)
    told.validation = run(VALIDATE, context)
    checked = told.validation.snapshot_id
    told.recommendations = tuple(run(RECOMMEND, context, name, checked) for name in names)
    if any(answer.is_new for answer in told.recommendations):
        run(PUBLISH, context)  # readers see the recommendation before its alert reaches anybody
    told.notify = run(NOTIFY, context)
    if told.validation.passed:  # what is measured stays measured: not on data that the gate doubts
        run(SCORE, context)


@contextmanager
def opened(run: Runner, context: RunContext, *, publishes: bool = True) -> Generator[tuple[RunContext, Told]]:
    """Open the run's row, and close it whatever happens; what the run left is published last.

    A run that comes often and seldom has news does not publish by itself: the next one does.

    Yields the context with the run's hold on its flow's lease, and what the story comes to.
    """
    context = replace(context, fence=run(OPEN, context).fence)
    told = Told(context.run_id, context.as_of)
    with alive(context):
        try:
            run(FIRST, context)
            yield context, told
            run(CLOSE, context, *told.verdict)
            if publishes:
                run(PUBLISH, context)
        except LeaseLost:
            raise  # another run does the work, and has closed this one's row
        except Exception as error:
            run(CLOSE, context, "failed", type(error).__name__, str(error)[:500])
            raise
        finally:
            # Whoever comes next must not wait for a run that has ended, whatever kept its end from the books.
            with suppress(WarehouseError):
                run(GIVE_BACK, context)
