"""A run that nobody carries out any more: found, reported, its slot free again, and started once more."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun, State
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.states import Cancelled, Crashed, Pending, Scheduled

from flows.lost_runs import PATIENCE_SECONDS, LostRuns, runs_with_a_process
from flows.prefect_setup import AUTOMATIONS, register_automations
from flows.prefect_worker import worker_name
from tests.flows.deployed.test_serve import ended, schedule

T = TypeVar("T")
FILES = {file.stem: yaml.safe_load(file.read_text()) for file in sorted(AUTOMATIONS.glob("*.yaml"))}


def process_of(run: UUID, folder: Path) -> None:
    folder.mkdir()
    (folder / "environ").write_bytes(f"HOME=/root\0PREFECT__FLOW_RUN_ID={run}\0".encode())


def test_a_run_has_a_process_when_one_names_it(tmp_path):
    run = uuid4()
    process_of(run, tmp_path / "4711")
    (tmp_path / "sys").mkdir()
    (tmp_path / "12").mkdir()  # ended between the listing and the look
    (tmp_path / "13").mkdir()
    (tmp_path / "13" / "environ").write_bytes(b"PREFECT__FLOW_RUN_ID=not one of Prefect's\0")
    assert runs_with_a_process(tmp_path) == {run}


def test_a_process_of_this_machine_is_seen_until_it_ends():
    run = uuid4()
    waits = [sys.executable, "-c", "print('up', flush=True); input()"]
    pipe, env = subprocess.PIPE, {"PREFECT__FLOW_RUN_ID": str(run)}
    with subprocess.Popen(waits, stdin=pipe, stdout=pipe, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"  # a process that was just made has no environment yet
        assert run in runs_with_a_process()
        process.kill()
        process.wait()
        assert run not in runs_with_a_process()


@pytest.mark.slow
def test_a_run_without_a_process_is_reported_and_its_slot_is_free_again(client: SyncPrefectClient):
    held = taken(client)
    assert state_of(ended(schedule(client, "selftest/selftest"))).is_cancelled()
    lost = LostRuns(client, "trimtab", worker_name())
    assert lost.report(1000.0) == []  # it may be about to start
    assert lost.report(1000.0 + PATIENCE_SECONDS - 1) == []
    lost.report(1000.0 + PATIENCE_SECONDS)  # or the worker's own look was quicker
    after = state_of(client.read_flow_run(held.id))
    assert after.is_crashed()
    assert "No process of this machine" in (after.message or "")
    assert state_of(ended(schedule(client, "selftest/selftest"))).is_completed()


@pytest.mark.slow
def test_nothing_is_judged_while_the_process_may_be_elsewhere_or_is_here(client: SyncPrefectClient):
    held = taken(client)
    elsewhere = LostRuns(client, "trimtab", "trimtab@another-host", alive=set)
    here = LostRuns(client, "trimtab", worker_name(), alive=lambda: {held.id})
    for look in (elsewhere, here):
        assert look.report(0.0) == look.report(10 * PATIENCE_SECONDS) == []
    client.set_flow_run_state(held.id, Cancelled(), force=True)


@pytest.mark.slow
def test_the_automations_are_registered_once_and_stay_off_when_switched_off(client: SyncPrefectClient):
    names = sorted(one["name"] for one in FILES.values())
    assert sorted(one.name for one in client.read_automations()) == names
    first = client.read_automations()[0]
    client.pause_automation(first.id)
    assert register_automations(client) == len(FILES)
    again = {one.name: one for one in client.read_automations()}
    assert sorted(again) == names
    assert not again[first.name].enabled
    client.resume_automation(first.id)


@pytest.mark.slow
def test_a_crashed_run_is_started_once_more_and_only_once(client: SyncPrefectClient):
    weekly = client.read_deployment_by_name("canary/canary-weekly").id
    daily = client.read_deployment_by_name("onchain/onchain-daily").id
    crash(client, weekly)
    assert len(started_again(client, weekly)) == 1
    crash(client, weekly)
    crash(client, daily)  # events are judged in their order: once this one was answered, the one before was
    assert len(started_again(client, daily)) == 1
    assert len(started_again(client, weekly)) == 1


@pytest.mark.slow
def test_the_signs_of_life_of_a_real_run_are_what_the_automation_waits_for(client: SyncPrefectClient):
    # One that ends at once may be gone before its first sign was sent; other tests' runs have no tag of ours.
    runs = [ended(schedule(client, "selftest/selftest")) for _ in range(3)]
    ours = EventResourceFilter(id=[f"prefect.flow-run.{run.id}" for run in runs])
    wanted = EventFilter(event=EventNameFilter(name=["prefect.flow-run.heartbeat"]), resource=ours)
    body = {"filter": wanted.model_dump(mode="json"), "limit": 5}
    seen = poll(lambda: client.request("POST", "/events/filter", json=body).json()["events"])
    trigger = EventTrigger.model_validate(FILES["no-sign-of-life"]["trigger"])
    event = ReceivedEvent.model_validate(seen[0])
    assert trigger.covers(event)
    assert trigger.starts_after(event.event)
    ends = ("Completed", "Failed", "Crashed", "Cancelled", "Skipped", "Blocked")
    assert all(trigger.expects(f"prefect.flow-run.{name}") for name in ends)
    untagged = event.model_copy(
        update={"related": [one for one in event.related if one.id != "prefect.tag.trimtab"]}
    )
    assert not trigger.covers(untagged)  # runs of others on the same server


def taken(client: SyncPrefectClient) -> FlowRun:
    """A run that holds the selftest's only slot, as a killed worker leaves it: about to start, for ever."""
    deployment = client.read_deployment_by_name("selftest/selftest").id
    tomorrow = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=1))  # so that the worker leaves it
    run = client.create_flow_run_from_deployment(deployment, state=tomorrow)
    client.set_flow_run_state(run.id, Pending())
    return run


def state_of(run: FlowRun) -> State[Any]:
    assert run.state is not None
    return run.state


def crash(client: SyncPrefectClient, deployment: UUID) -> None:
    run = client.create_flow_run_from_deployment(deployment, state=Pending())
    client.set_flow_run_state(run.id, Crashed(message="killed"))


def started_again(client: SyncPrefectClient, deployment: UUID) -> list[FlowRun]:
    """The runs that an automation made of a deployment, called off before they cost anything."""
    of_deployment = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))

    def look() -> list[FlowRun]:
        runs = client.read_flow_runs(flow_run_filter=of_deployment)
        return [run for run in runs if run.created_by is not None and run.created_by.type == "AUTOMATION"]

    found = poll(look)
    for run in found:
        client.set_flow_run_state(run.id, Cancelled(), force=True)
    return found


def poll(look: Callable[[], list[T]], seconds: float = 90.0) -> list[T]:
    """What a look finds once it finds something; the server carries things out in its own time."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.5)):
        found = look()
        if found:
            return found
        pause.wait(0.5)
    pytest.fail(f"nothing came within {seconds} s (load {os.getloadavg()})")
