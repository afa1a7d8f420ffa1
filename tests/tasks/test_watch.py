from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.context import RunContext, SilentReporter
from tasks.settings import load_settings
from tasks.watch import watch
from tests.tasks.channels.sink import Sink
from tests.tasks.support import FakeClock
from warehouse.master import open_master
from warehouse.publish import publish

NOW = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
CONFIG = """
[warehouse]
home = "data"
[[venues]]
id = "binance"
[universe]
assets = ["BTC"]
[watch]
allow_private_hosts = true
[channels.ops]
kind = "webhook"
allow_private_hosts = true
events = ["recommendation"]
[channels.second]
kind = "webhook"
allow_private_hosts = true
events = ["overdue", "resolved"]
"""


@pytest.fixture
def sinks():
    running = {name: Sink().start() for name in ("OPS", "SECOND")}
    yield running
    for sink in running.values():
        sink.stop()


@pytest.fixture
def at(tmp_path: Path, monkeypatch, sinks):
    """Make a look at an instant; the home is published with the given rows first."""
    monkeypatch.delenv("TRIMTAB_HEARTBEAT", raising=False)
    (tmp_path / "trimtab.toml").write_text(CONFIG)
    for name, sink in sinks.items():
        monkeypatch.setenv(f"TRIMTAB_CHANNEL_{name}", sink.url.replace("json:", "http:"))
    settings = load_settings(tmp_path / "trimtab.toml", None)

    def build(moment: datetime, **rows: list[dict]) -> RunContext:
        context = RunContext(
            settings, moment, "watch-1", "watch", moment, FakeClock(moment), SilentReporter()
        )
        if rows:
            with open_master(context.home, context.clock, "prepare") as master:
                for table, given in rows.items():
                    master.upsert(f"ops.{table}", given)
            publish(context.home, context.clock, as_of=moment, keep=2)
        return context

    return build


def slot(flow: str, moment: datetime, status: str = "on_time") -> dict:
    return {"flow": flow, "slot": moment, "status": status, "run_id": "r", "noticed_at": moment}


def run(flow: str, number: int, status: str) -> dict:
    moment = NOW - timedelta(hours=number)
    return {
        "run_id": f"{flow}-{number}",
        "flow": flow,
        "slot": moment,
        "started_at": moment,
        "finished_at": moment,
        "status": status,
        "reason_code": None,
        "message": "the disk is full",
    }


def alert(name: str, status: str, age: timedelta) -> dict:
    return {
        "alert_id": name,
        "episode_id": name,
        "recommendation_id": None,
        "portfolio": "core",
        "event": "blocked",
        "severity": "warning",
        "title": "core: BLOCKED",
        "body": "text",
        "created_at": NOW - age,
        "valid_until": None,
        "send_until": None,
        "status": status,
        "is_simulated": False,
    }


def test_all_is_well_and_the_heartbeat_says_so(at, sinks, monkeypatch):
    monkeypatch.setenv(
        "TRIMTAB_HEARTBEAT", sinks["OPS"].url.replace("json:", "http:").replace("/hook", "/beat")
    )
    found = watch(at(NOW, expected_runs=[slot("market", NOW.replace(hour=11, minute=7))]))
    assert (found.findings, found.failed, found.sent) == ((), (), 0)
    assert [one.path for one in sinks["OPS"].received] == ["/beat"]


@pytest.mark.parametrize(
    ("flow", "last", "late"),
    [
        ("market", NOW.replace(hour=10, minute=7), False),  # 11:07 may still be at work
        ("market", NOW.replace(hour=9, minute=7), True),
        ("rebalance", NOW.replace(day=29, hour=3, minute=31), True),  # due at 03:31 today
        ("canary", NOW.replace(day=28, hour=5, minute=11), False),
    ],
)
def test_a_flow_that_stopped_is_noticed(at, sinks, flow, last, late):
    found = watch(at(NOW, expected_runs=[slot(flow, last), slot(flow, NOW, "missed")]))
    assert [one.code for one in found.findings] == (["overdue_run"] if late else [])
    assert len(sinks["SECOND"].received) == int(late)
    assert not sinks["OPS"].received


def test_what_publishes_seldom_is_judged_by_the_snapshot_that_could_show_it(at):
    rows = [slot("market", NOW.replace(hour=11, minute=7)), slot("guard", NOW)]
    assert watch(at(NOW, expected_runs=rows)).findings == ()
    assert watch(at(NOW + timedelta(minutes=55))).findings == ()  # nothing was published since
    later = NOW + timedelta(minutes=58)
    found = watch(at(later, expected_runs=[slot("market", NOW.replace(minute=7) + timedelta(hours=0))]))
    assert [one.subject for one in found.findings] == ["guard"]


def test_one_message_per_incident_a_reminder_a_day_later_and_one_when_it_is_over(at, sinks):
    stopped = [slot("market", NOW - timedelta(hours=5, minutes=53))]
    assert watch(at(NOW, expected_runs=stopped)).sent == 1
    assert watch(at(NOW + timedelta(minutes=15))).sent == 0
    assert watch(at(NOW + timedelta(hours=24))).sent == 1
    after = NOW + timedelta(hours=25)
    over = watch(at(after, expected_runs=[slot("market", after - timedelta(minutes=53))]))
    assert (over.findings, over.sent, over.is_over) == ((), 1, True)
    assert watch(at(after)).sent == 0
    titles = [one.json["title"] for one in sinks["SECOND"].received]
    assert titles == ["Trimtab OVERDUE", "Trimtab OVERDUE", "Trimtab on time again"]


def test_what_was_not_confirmed_is_told_again(at, sinks):
    sinks["SECOND"].script = [500]
    stopped = [slot("market", NOW - timedelta(hours=5, minutes=53))]
    first = watch(at(NOW, expected_runs=stopped))
    assert first.failed
    assert watch(at(NOW + timedelta(minutes=15))).sent == 1


def test_alerts_that_do_not_arrive_are_noticed(at):
    rows = [
        alert("young", "pending", timedelta(minutes=5)),
        alert("stuck", "partial", timedelta(hours=1)),
        alert("lost", "failed", timedelta(minutes=1)),
        alert("old", "failed", timedelta(days=3)),
        alert("fine", "delivered", timedelta(hours=1)),
    ]
    found = watch(at(NOW, alerts=rows))
    assert sorted(one.subject for one in found.findings) == ["lost", "stuck"]


def test_three_failures_in_a_row_are_noticed_and_a_skip_between_does_not_hide_them(at):
    rows = [
        run("market", 1, "failed"),
        run("market", 2, "skipped_overlap"),
        run("market", 3, "lost"),
        run("market", 4, "failed"),
        run("rebalance", 1, "failed"),
        run("rebalance", 2, "done"),
        run("rebalance", 3, "failed"),
    ]
    found = watch(at(NOW, runs=rows))
    assert [(one.code, one.subject) for one in found.findings] == [("failing_flow", "market")]
    assert "the disk is full" in found.findings[0].sentence


def test_a_home_without_anything_published_is_a_finding_not_a_crash(at):
    found = watch(at(NOW))
    assert [one.code for one in found.findings] == ["unreadable"]


def test_a_damaged_manifest_is_a_finding(at):
    context = at(NOW, expected_runs=[slot("market", NOW)])
    context.home.manifest.write_text("{")
    assert [one.code for one in watch(context).findings] == ["unreadable"]
