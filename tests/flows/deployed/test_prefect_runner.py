"""A story carried out as Prefect tasks: retries, time limits, what is recorded, and how a run ends."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from prefect import flow
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import State

from flows.artifacts import escaped
from flows.opening import open_context
from flows.prefect_runner import concluded, run_as_task
from flows.steps import Step
from flows.stories import Told
from tasks.context import RunContext
from tasks.decide import RecommendSummary
from tasks.settings import load_settings
from tests.flows.deployed.conftest import Serving

NOW = datetime(2026, 6, 1, 3, 31, tzinfo=UTC)
SECRET = "canary-7f3a"


class SourceDownError(Exception):
    exit_status = 3


@pytest.fixture
def context(serving: Serving) -> RunContext:
    settings = load_settings(serving.config, serving.home)
    return open_context(None, None, NOW, "story", settings=settings)


def told_as_flow(story: Callable[[], Any]) -> State[Any]:
    return flow(story, name="story", persist_result=False)(return_state=True)


slow = pytest.mark.slow


class TestRunAsTask:
    pytestmark = slow

    def test_a_source_that_is_down_is_tried_again(self, client, context):
        calls = []

        def fetch(_context: RunContext, amount: int) -> int:
            calls.append(amount)
            if len(calls) == 1:
                raise SourceDownError("the venue refuses")
            return amount

        step = Step("fetch", fetch, retries=2, retry_delay_seconds=(0.01,))
        answers = []
        state = told_as_flow(lambda: answers.append(run_as_task(step, context, 5)))
        assert state.is_completed()
        assert (calls, answers) == ([5, 5], [5])

    def test_a_defect_is_not_repeated_and_its_message_reaches_the_page(self, client, context):
        calls = []

        def fetch(_context: RunContext) -> None:
            calls.append(1)
            raise KeyError("a defect of ours")

        step = Step("fetch", fetch, retries=2, retry_delay_seconds=(0.01,))
        state = told_as_flow(lambda: run_as_task(step, context))
        assert state.is_failed()
        assert "a defect of ours" in state.message
        assert calls == [1]

    def test_a_step_that_hangs_is_given_up(self, client, context):
        calls = []

        def hang(_context: RunContext) -> None:
            calls.append(1)
            threading.Event().wait(100)

        step = Step("hang", hang, retries=1, retry_delay_seconds=(0.01,), timeout_seconds=0.5)
        begun = time.monotonic()
        state = told_as_flow(lambda: run_as_task(step, context))
        assert state.is_failed()
        assert "0.5 second" in state.message
        assert calls == [1, 1]  # another try is worth it
        assert time.monotonic() - begun < 30

    def test_nothing_that_a_step_is_given_is_recorded(self, client, context):
        step = Step("tell", lambda _context, *words, **named: None)
        state = told_as_flow(lambda: run_as_task(step, context, SECRET, word=SECRET))
        run_id = state.state_details.flow_run_id
        only = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
        recorded = client.read_flow_runs(flow_run_filter=only)
        assert len(recorded) == 1
        assert SECRET not in recorded[0].model_dump_json()
        for run in client.read_task_runs(flow_run_filter=only):
            assert SECRET not in run.model_dump_json()


class TestConcluded:
    pytestmark = slow

    def test_a_blocked_run_is_seen_as_failed_with_its_sentence(self, client, context):
        answer = RecommendSummary("core", "r1", "blocked", "stale", "PriceUSD is 3 years old.", True, True)
        told = Told("run-1", NOW, recommendations=(answer,))
        state = told_as_flow(lambda: concluded(context, told))
        assert (state.type.value, state.name) == ("FAILED", "Blocked")
        assert "PriceUSD is 3 years old." in state.message

    def test_a_hold_is_done(self, client, context):
        answer = RecommendSummary("core", "r1", "hold", "benefit", "No trade is worth its cost.", True, False)
        told = Told("run-1", NOW, recommendations=(answer,))
        state = told_as_flow(lambda: concluded(replace(context, flow="holding"), told))
        assert state.is_completed()
        assert "No trade is worth its cost." in state.message
        artifacts = {found.key: found.data for found in client.read_artifacts()}
        assert "No trade is worth its cost" in artifacts["summary-holding"]


def test_outside_text_can_not_become_markup():
    hostile = "<img src=x onerror=1>[here](https://evil.example)|\n# title `code`"
    shown = escaped(hostile)
    assert "\n" not in shown
    for mark in "<>[]()|#`":
        assert shown.count(mark) == shown.count("\\" + mark)
    assert "://" not in shown
