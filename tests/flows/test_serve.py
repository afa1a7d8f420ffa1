"""`make serve` on a real Prefect server: everything is registered, and what is scheduled really runs."""

import asyncio
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.flow_runs import wait_for_flow_run
from prefect.states import Scheduled

from tasks.settings import load_settings
from tests.flows.conftest import clean_environment

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    deployment["entrypoint"].rsplit(".", 1)[1] + "/" + deployment["name"]
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]


def registered(client: SyncPrefectClient) -> set[str]:
    flows = {found.id: found.name for found in client.read_flows()}
    return {f"{flows[found.flow_id]}/{found.name}" for found in client.read_deployments()}


def run_now(client: SyncPrefectClient, name: str) -> FlowRun:
    """Schedule a run of a deployment for this moment and wait for its end."""
    deployment = client.read_deployment_by_name(name)
    run = client.create_flow_run_from_deployment(
        deployment.id, state=Scheduled(scheduled_time=datetime.now(UTC))
    )
    return asyncio.run(wait_for_flow_run(run.id, timeout=150, poll_interval=1))


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
    assert f"{len(NAMES)} deployments registered" in serving.text


def test_it_serves_only_after_a_run_that_the_scheduler_made_has_completed(serving, client):
    done = [
        run
        for run in client.read_flow_runs()
        if run.state and run.state.is_completed() and run.auto_scheduled
    ]
    assert any(f"scheduled run {run.name!r} completed" in serving.text for run in done)
    assert serving.text.index("Self-test") < serving.text.index("Serving.")


def test_deploying_again_on_a_terminal_asks_nothing_and_changes_nothing(serving, client):
    before = registered(client)
    settings = load_settings(serving.config, serving.home)
    controller, terminal = pty.openpty()
    outcome = subprocess.run(
        [sys.executable, "-m", "prefect", "deploy", "--all"],
        cwd=ROOT,
        env={
            **serving.environment,
            "PREFECT_API_URL": serving.api,
            "PREFECT_HOME": str(serving.home / "prefect"),
        },
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=90,
        check=False,
    )
    os.close(terminal)
    os.close(controller)
    assert outcome.returncode == 0, outcome.stdout.decode()
    assert outcome.stdout.decode().count("successfully created") == len(NAMES)
    assert registered(client) == before
    assert all(len(deployment.schedules) == 1 for deployment in client.read_deployments())
    assert settings.warehouse.home == serving.home


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
