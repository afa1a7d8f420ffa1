from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tasks.context import RunContext, SilentReporter
from tasks.runs import close_run, open_run
from tasks.settings_operation import ScheduleSettings
from tasks.slots import grace_of, newest_slot, slots_between
from tests.tasks.support import FakeClock, small_settings
from warehouse.errors import LeaseHeld
from warehouse.master import open_master

ROOT = Path(__file__).resolve().parents[2]
MONDAY = datetime(2026, 6, 29, 3, 31, tzinfo=UTC)


@pytest.fixture
def at(tmp_path):
    """Make a scheduled run of a flow at an instant."""
    settings = small_settings("http://127.0.0.1:1", tmp_path / "home")

    def build(flow: str, moment: datetime) -> RunContext:
        return RunContext(
            settings=settings,
            as_of=moment,
            run_id=f"{flow}-{moment:%dT%H%M}",
            flow=flow,
            slot=moment,
            clock=FakeClock(moment),
            reporter=SilentReporter(),
            is_scheduled=True,
        )

    return build


def serve(context: RunContext, status: str = "done") -> None:
    row = open_run(context)
    close_run(replace(context, fence=row.fence), status)


def book(context: RunContext) -> list[tuple[str, str, str]]:
    with open_master(context.home, context.clock, "look") as master:
        rows = master._connection.execute(
            "select flow, strftime(slot, '%d %H:%M'), status from ops.expected_runs order by slot, flow"
        ).fetchall()
    return [(str(a), str(b), str(c)) for a, b, c in rows]


def test_the_slots_of_a_schedule():
    assert newest_slot("31 3 * * *", MONDAY) == MONDAY
    assert newest_slot("31 3 * * *", MONDAY - timedelta(seconds=1)) == MONDAY - timedelta(days=1)
    hours = slots_between("7 * * * *", MONDAY, MONDAY + timedelta(hours=3))
    assert [slot.hour for slot in hours] == [4, 5, 6]
    assert grace_of("*/15 * * * *", MONDAY - timedelta(minutes=1)) == timedelta(minutes=7, seconds=30)
    assert grace_of("31 3 * * *", MONDAY) == timedelta(minutes=10)


def test_a_run_on_its_slot_is_on_time_and_one_much_later_is_late(at):
    serve(at("rebalance", MONDAY + timedelta(minutes=2)))
    serve(at("rebalance", MONDAY + timedelta(days=1, hours=2)))
    assert book(at("rebalance", MONDAY)) == [
        ("rebalance", "29 03:31", "on_time"),
        ("rebalance", "30 03:31", "late"),
    ]


def test_after_downtime_old_decisions_are_superseded_and_old_fetches_caught_up(at):
    for flow in ("market", "rebalance"):
        serve(at(flow, MONDAY))
    later = MONDAY + timedelta(days=3)
    serve(at("market", later))
    serve(at("rebalance", later))
    found = book(at("rebalance", later))
    rebalances = [status for flow, _, status in found if flow == "rebalance"]
    markets = [status for flow, _, status in found if flow == "market"]
    assert rebalances == ["on_time", "superseded", "superseded", "on_time"]
    assert markets == ["late", *["caught_up"] * 71, "late"]


def test_a_hundred_late_slots_need_one_run(at):
    serve(at("rebalance", MONDAY))
    serve(at("rebalance", MONDAY + timedelta(days=101)))
    statuses = [status for _, _, status in book(at("rebalance", MONDAY))]
    assert statuses == ["on_time", *["superseded"] * 100, "on_time"]


def test_what_another_flow_owes_is_missed_until_it_comes(at):
    serve(at("rebalance", MONDAY))
    after = MONDAY + timedelta(days=1, hours=1)
    serve(at("market", after))
    assert ("rebalance", "30 03:31", "missed") in book(at("market", after))
    serve(at("rebalance", after + timedelta(hours=1)))
    assert ("rebalance", "30 03:31", "late") in book(at("market", after))


def test_a_failed_run_catches_nothing_up(at):
    serve(at("market", MONDAY))
    serve(at("market", MONDAY + timedelta(hours=3)), status="failed")
    found = [status for _, _, status in book(at("market", MONDAY))]
    assert found == ["late", "missed", "missed", "late"]
    serve(at("market", MONDAY + timedelta(hours=4)))
    found = [status for _, _, status in book(at("market", MONDAY))]
    assert found == ["late", "caught_up", "caught_up", "late", "late"]


def test_a_second_run_is_skipped_and_says_so(at):
    first = at("rebalance", MONDAY)
    open_run(first)
    second = replace(at("rebalance", MONDAY + timedelta(minutes=1)), run_id="second")
    with pytest.raises(LeaseHeld):
        open_run(second)
    with open_master(second.home, second.clock, "look") as master:
        rows = master._connection.execute("select run_id, status from ops.runs order by run_id").fetchall()
    assert rows == [(first.run_id, "running"), ("second", "skipped_overlap")]
    assert book(second) == [("rebalance", "29 03:31", "skipped_overlap")]


@pytest.mark.parametrize("flow", ["rebalance", "notify", "guard"])
def test_a_run_that_died_is_found_lost(at, flow):
    first = at(flow, MONDAY)
    open_run(first)
    later = replace(at(flow, MONDAY + timedelta(minutes=5)), run_id="second")
    serve(later)
    with open_master(later.home, later.clock, "look") as master:
        rows = master._connection.execute("select run_id, status from ops.runs order by run_id").fetchall()
    assert rows == [(first.run_id, "lost"), ("second", "done")]


def test_a_run_by_hand_is_nobodys_slot(at):
    serve(replace(at("rebalance", MONDAY), is_scheduled=False))
    assert book(at("rebalance", MONDAY)) == []


def test_the_book_counts_by_the_deployments_own_lines():
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    lines = {
        one["entrypoint"].rsplit(".", 1)[-1]: one["schedules"][0]["cron"]
        for one in deployments
        if one.get("schedules")
    }
    kept = ScheduleSettings().model_dump(exclude={"terminal"})
    assert {name: lines[name] for name in kept} == kept
