"""Two runs at once, and a run that sleeps and wakes up after another took over."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from flows.opening import open_context
from flows.options import INSTANT
from flows.steps import run_directly
from flows.stories import rebalance
from sandbox.server import running_sandbox
from tasks.clock import RealClock
from tests.flows.jobs import NOW, ROOT, answer, receiver, require_whole, write_job

RUNS = "select status, count(*) as runs from ops.runs where flow = 'run' group by all order by all"


@pytest.fixture(scope="module")
def market():
    with running_sandbox(seed=7) as running:
        yield running


STOPPING = """
import os, signal, sys
from dataclasses import replace
from flows import stories
from flows.cli import invoke
validate = stories.VALIDATE.fn
def stopped(context, *arguments):
    os.kill(os.getpid(), signal.SIGSTOP)  # between two steps: nothing is locked
    return validate(context, *arguments)
if sys.argv[1] == "stop":
    stories.VALIDATE = replace(stories.VALIDATE, fn=stopped)
sys.exit(invoke(sys.argv[2:]))
"""


class Later(RealClock):
    """The real clock, ten minutes on: what another process reads after a long pause."""

    def now(self):
        return super().now() + timedelta(minutes=10)


def start(config, how: str = "run") -> subprocess.Popen:
    """Start the job in a process of its own; with "stop" it stops itself before its check."""
    command = [sys.executable, "-c", STOPPING, how, "run", "--quiet", "--config", str(config), "--as-of", NOW]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_of_four_starts_at_once_one_runs_and_the_others_say_so(market, tmp_path, capsys, monkeypatch):
    config = write_job(tmp_path, market.base_url)
    with receiver() as (address, got):
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", address)
        started = [start(config) for _ in range(4)]
        errors = [child.communicate()[1] for child in started]
    ended = sorted(child.returncode for child in started)
    assert ended == [0, 5, 5, 5]
    assert sum(b"This run of rebalance did nothing" in error for error in errors) == 3
    assert {row["status"]: row["runs"] for row in answer(capsys, config, RUNS)} == {
        "done": 1,
        "skipped_overlap": 3,
    }
    assert len(got) == 1
    require_whole(config, got)


def test_a_run_that_slept_while_another_took_over_writes_and_tells_nothing(
    market, tmp_path, capsys, monkeypatch
):
    config = write_job(tmp_path, market.base_url)
    with receiver() as (address, got):
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", address)
        orphan = start(config, "stop")
        os.waitid(os.P_PID, orphan.pid, os.WSTOPPED | os.WNOWAIT)
        context = open_context(config, None, INSTANT.convert(NOW, None, None), "run", clock=Later())
        assert rebalance(run_directly, context).status == 0
        before = answer(capsys, config, EVERYTHING)
        os.kill(orphan.pid, signal.SIGCONT)
        _, error = orphan.communicate()
    assert orphan.returncode == 5
    assert b"its lease went to" in error
    assert answer(capsys, config, EVERYTHING) == before
    assert {row["status"] for row in answer(capsys, config, RUNS)} == {"done", "lost"}
    assert len(got) == 1
    require_whole(config, got)


EVERYTHING = """
select
  (select count(*) from mart.recommendations) as recommendations,
  (select count(*) from ops.alerts) as alerts,
  (select count(*) from ops.validations) as verdicts,
  (select max(snapshot_id) from ops.publications) as snapshot
"""
