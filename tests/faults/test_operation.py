"""Faults of operating the main job: it is told to end, dies inside a transaction, runs in another zone."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import running_sandbox
from tasks.clock import RealClock
from tasks.settings_operation import ScheduleSettings
from tasks.slots import slots_between
from tests.flows.jobs import NOW, ROOT, answer, receiver, require_whole, trimtab, write_job
from tests.flows.killing import FACTS
from warehouse.home import Home
from warehouse.master import open_master

COUNTS = """
select
  (select count(*) from mart.recommendations) as recommendations,
  (select count(*) from ops.alerts) as alerts
"""
ENDING = """
import os, resource, signal, sys
from dataclasses import replace
from flows import stories
from flows.cli import invoke
from warehouse.master import Master
how = sys.argv[1]
if how == "alert":
    append = Master.append
    def dying(self, table, rows, *arguments, **named):
        if table == "ops.alerts":
            os.kill(os.getpid(), signal.SIGKILL)  # the recommendation is written, its alert is not
        return append(self, table, rows, *arguments, **named)
    Master.append = dying
elif how == "memory":
    step = stories.VALIDATE
    def starved(context, *arguments, **named):
        held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + 2**24, held + 2**24))
        return step.fn(context, *arguments, **named)
    stories.VALIDATE = replace(step, fn=starved)
else:
    step = getattr(stories, how)
    def ended(context, *arguments, **named):
        os.kill(os.getpid(), signal.SIGTERM)
        return step.fn(context, *arguments, **named)
    setattr(stories, how, replace(step, fn=ended))
sys.exit(invoke(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def market():
    with running_sandbox(seed=7) as running:
        yield running


def job(config, how: str, **environment: str) -> int:
    """Run the job in a process of its own that ends as `how` says, and return its exit status."""
    command = [sys.executable, "-c", ENDING, how, "run", "--quiet", "--config", str(config), "--as-of", NOW]
    process = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, timeout=300, check=False
    )
    return process.returncode


@dataclass
class Story:
    """What became of a job that was ended three times, in three zones."""

    config: Path
    ended: list[int] = field(default_factory=list)
    starved: int = 0
    half: tuple[int, int] = (-1, -1)
    told: list[dict[str, Any]] = field(default_factory=list)
    told_early: int = 0


def counted(config: Path) -> tuple[int, int]:
    """Recommendations and alerts in the master itself: a run that died has published nothing."""
    with open_master(Home(config.parent / "home"), RealClock(), "test") as master:
        return master._connection.execute(COUNTS).fetchone()


@pytest.fixture(scope="module")
def story(market, tmp_path_factory):
    """Ended while it fetches, out of memory, killed inside its decision, ended before it tells; then told."""
    folder = tmp_path_factory.mktemp("troubled")
    done = Story(write_job(folder, market.base_url))
    with receiver() as (address, got), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CHANNEL_OPS", address)
        done.ended.append(job(done.config, "INGEST", TZ="Europe/Berlin"))
        done.starved = job(done.config, "memory")
        done.ended.append(job(done.config, "alert", TZ="Asia/Kolkata"))
        done.half = counted(done.config)
        done.ended.append(job(done.config, "NOTIFY", TZ="America/New_York"))
        done.told_early = len(got)
        assert trimtab(done.config, "notify") == 0
        done.told = list(got)
    return done


def test_a_run_asked_to_end_in_any_phase_is_taken_up_by_the_next(story):
    assert story.ended == [-signal.SIGTERM, -signal.SIGKILL, -signal.SIGTERM]
    assert story.told_early == 0
    assert len(story.told) == 1
    assert "repeat" not in story.told[0]["title"]
    assert counted(story.config) == (1, 1)


def test_the_invariants_hold_after_all_that(story):
    require_whole(story.config, story.told)


def test_a_run_without_memory_fails_and_the_next_one_takes_up_its_work(story):
    assert story.starved != 0
    with open_master(Home(story.config.parent / "home"), RealClock(), "test") as master:
        [(limit,)] = master._connection.execute("select current_setting('memory_limit')").fetchall()
    assert limit == "1.8 GiB"


def test_a_recommendation_and_its_alert_are_stored_together_or_not_at_all(story):
    assert story.half == (0, 0)


def test_the_zone_of_the_machine_changes_nothing(story, market, tmp_path, capsys):
    calm = write_job(tmp_path, market.base_url)
    assert trimtab(calm, "run") == 0
    for statement in FACTS:
        assert answer(capsys, story.config, statement) == answer(capsys, calm, statement)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin"])
def test_slots_are_utc_through_the_days_on_which_clocks_change(zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for day in (datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC)):
            found = slots_between(ScheduleSettings().market, day, day.replace(day=day.day + 1))
            assert [(slot.hour, slot.minute) for slot in found] == [(hour, 7) for hour in range(24)]
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "requirements-bootstrap.lock"]
)
def test_every_locked_package_has_its_hashes(name):
    text = (ROOT / name).read_text().replace("\\\n", " ")
    pinned = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "-"))]
    assert pinned
    assert [line for line in pinned if not re.search(r"==\S+.*--hash=sha256:[0-9a-f]{64}", line)] == []
