"""`make serve` on a real Prefect server: everything is registered, and what is scheduled really runs."""

import asyncio
import http.client
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.flow_runs import wait_for_flow_run
from prefect.states import Scheduled

from tasks.settings import load_settings
from tests.flows.deployed.conftest import SECRET, Serving, clean_environment, pause_schedules
from warehouse.home import Home
from warehouse.reader import open_published

ROOT = Path(__file__).resolve().parents[3]
NAMES = {
    deployment["entrypoint"].rsplit(".", 1)[1] + "/" + deployment["name"]
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
}

ANSWERS = (
    "logs", "flow_runs", "task_runs", "artifacts", "deployments", "flows", "work_pools", "variables",
    "block_documents", "block_types", "automations", "events",
)  # fmt: skip

pytestmark = pytest.mark.slow


def registered(client: SyncPrefectClient) -> set[str]:
    flows = {found.id: found.name for found in client.read_flows()}
    return {f"{flows[found.flow_id]}/{found.name}" for found in client.read_deployments()}


def schedule(client: SyncPrefectClient, name: str, **parameters: str) -> FlowRun:
    """Schedule a run of a deployment for this moment."""
    return client.create_flow_run_from_deployment(
        client.read_deployment_by_name(name).id,
        parameters=parameters,
        state=Scheduled(scheduled_time=datetime.now(UTC)),
    )


def only(run: FlowRun) -> FlowRunFilter:
    return FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))


def ended(run: FlowRun) -> FlowRun:
    """The run once it has ended."""
    return asyncio.run(wait_for_flow_run(run.id, timeout=150))


def test_every_deployment_is_registered_and_its_schedule_is_active(serving, client):
    assert registered(client) == NAMES
    for deployment in client.read_deployments():
        assert [schedule.active for schedule in deployment.schedules] == [True]
        assert deployment.work_pool_name == "trimtab"
        assert deployment.pull_steps == [
            {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}
        ]
        assert deployment.job_variables["env"]["PYTHONPATH"] == str(ROOT)
        assert deployment.global_concurrency_limit.limit == 1
    assert f"{len(NAMES)} deployments and 2 automations registered" in serving.text


def test_it_serves_only_after_a_run_that_the_scheduler_made_has_completed(serving, client):
    done = [
        run
        for run in client.read_flow_runs()
        if run.state and run.state.is_completed() and run.auto_scheduled
    ]
    assert any(f"scheduled run {run.name!r} completed" in serving.text for run in done)
    assert serving.text.index("Self-test") < serving.text.index("Serving.")


def test_registering_again_on_a_terminal_asks_nothing_and_brings_back_what_was_lost(serving, client):
    before, automations = registered(client), {one.name for one in client.read_automations()}
    for lost in client.read_deployments()[::2]:
        client.delete_deployment(lost.id)
    for one in client.read_automations():
        client.delete_automation(one.id)
    assert registered(client) < before
    controller, terminal = pty.openpty()
    outcome = subprocess.run(
        [sys.executable, "-m", "flows.prefect_setup", "register"],
        cwd=ROOT,
        env={
            **serving.environment,
            "PREFECT_API_URL": serving.api,
            "PREFECT_HOME": str(serving.home / "prefect"),
        },
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=180,
        check=False,
    )
    os.close(terminal)
    os.close(controller)
    assert outcome.returncode == 0, outcome.stdout.decode()
    assert outcome.stdout.decode().startswith(f"Pool trimtab found, {len(NAMES)} deployments")
    pause_schedules(client)
    assert registered(client) == before
    assert {one.name for one in client.read_automations()} == automations
    assert all(len(deployment.schedules) == 1 for deployment in client.read_deployments())
    assert load_settings(serving.config, serving.home).warehouse.home == serving.home


def test_its_folder_is_private_and_it_listens_on_loopback_only(serving):
    assert (serving.home / "prefect").stat().st_mode & 0o777 == 0o700
    assert (serving.home / "prefect" / "prefect.db").stat().st_mode & 0o077 == 0
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    ours = [address for address in listening if int(address.split(":")[1], 16) == serving.port]
    assert ours == [f"0100007F:{serving.port:04X}"]


def test_a_page_that_points_its_name_at_this_machine_gets_403(serving):
    def asked(host: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=30)
        connection.request("GET", "/api/health", headers={"Host": host})
        status = connection.getresponse().status
        connection.close()
        return status

    assert asked("evil.example") == 403
    assert asked(f"localhost:{serving.port}") == 200


def test_listening_for_others_without_a_login_is_refused():
    outcome = subprocess.run(
        [sys.executable, "-m", "flows.prefect_server", "--host", "0.0.0.0"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode == 2
    assert "PREFECT_SERVER_API_AUTH_STRING" in outcome.stderr


def test_a_second_serve_on_the_same_port_is_refused(serving):
    outcome = subprocess.run(
        [sys.executable, "-m", "flows.serve", "--config", str(serving.config), "--port", str(serving.port)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert outcome.returncode == 2
    assert str(serving.port) in outcome.stderr
    assert "--port" in outcome.stderr


def test_the_main_job_runs_as_scheduled_tasks_alone_and_shows_what_it_decided(serving, client, market):
    as_of = market.now.isoformat()
    runs = [ended(run) for run in [schedule(client, "rebalance/rebalance-daily", as_of=as_of) for _ in "ab"]]

    # two at once: one does the job, the other is cancelled and says why
    assert sorted(run.state.type.value for run in runs) == ["CANCELLED", "COMPLETED"], serving.text[-4000:]
    done = next(run for run in runs if run.state.is_completed())
    assert "core: " in done.state.message

    with open_published(Home(serving.home)) as reader:
        recorded = reader.rows("newest_runs", count=20)
        advice = reader.rows("newest_recommendations")
    assert [row["status"] for row in recorded if row["flow"] == "rebalance"] == ["done"]
    assert [row["portfolio"] for row in advice] == ["core"]

    steps = {run.name for run in client.read_task_runs(flow_run_filter=only(done))}
    assert len(steps) >= 7

    page = {found.key: found.data for found in client.read_artifacts()}
    assert "SIMULATED" in page["recommendation-core"]
    assert advice[0]["recommendation_id"] in page["recommendation-core"]
    assert "candles" in page["freshness"]
    assert "summary-rebalance" in page
    require_no_secret(serving, client)


def test_delivery_is_tried_again_by_its_own_deployment(serving, client):
    run = ended(schedule(client, "deliver/notify-retry"))
    assert run.state.is_completed(), serving.text[-4000:]
    require_no_secret(serving, client)


def test_the_watchdog_looks_and_says_what_is_late(serving, client):
    run = ended(schedule(client, "watch/watch-quarter-hourly"))
    assert run.state.name == "Overdue", serving.text[-4000:]  # the simulated market stands still in the past
    assert run.state.message
    require_no_secret(serving, client)


def require_no_secret(serving: Serving, client: SyncPrefectClient) -> None:
    """Secrets are in the environment of every run, and nowhere in what Prefect keeps, says or answers."""
    files = [path for path in (serving.home / "prefect").rglob("*") if path.is_file()]
    assert any(path.name.startswith("prefect.db") for path in files)
    for path in files:
        assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in serving.text
    for asked in ANSWERS:
        answer = client.request("POST", f"/{asked}/filter", json={})  # raises what is not an answer
        assert SECRET not in answer.text, asked
        assert answer.json() or asked not in {"flow_runs", "deployments", "work_pools", "events"}, asked
    for run in client.read_flow_runs():
        states = client.request("GET", "/flow_run_states/", params={"flow_run_id": str(run.id)})
        assert SECRET not in states.text
