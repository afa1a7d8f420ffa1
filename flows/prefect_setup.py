"""What `make serve` asks of a Prefect server: register the deployments, prove that a scheduled run completes.

Both are short runs of their own (`python -m flows.prefect_setup register|selftest`) against the server that
PREFECT_API_URL names. A server that answers is not yet one that schedules: with an unlucky pair of versions
Prefect looks healthy and creates no run. So the proof goes the whole way: schedule, scheduler, worker, done.
"""

import subprocess
import sys
from datetime import timedelta
from uuid import UUID

import click
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from flows.checkout import ROOT
from flows.serve import POOL
from tasks.clock import Clock, RealClock

SELFTEST = "selftest/selftest"
AUTOMATIONS = ROOT / "deploy" / "automations"
HEALTH_SECONDS = 180.0
RUN_SECONDS = 150.0
WANTED_SECONDS = 60.0  # a machine that needs more still serves, and is told


class SetupError(Exception):
    """The server could not be set up or does not carry out what is scheduled."""


def wait_for_server(client: SyncPrefectClient, clock: Clock, seconds: float = HEALTH_SECONDS) -> None:
    """Wait until the server answers.

    Raises:
        SetupError: it did not within `seconds`.
    """
    deadline = clock.monotonic() + seconds
    problem = client.api_healthcheck()
    while problem is not None:
        if clock.monotonic() > deadline:
            raise SetupError(
                f"Wanted the Prefect server at {client.api_url} to answer within {seconds:.0f} s, "
                f"found {problem!r}. Look at the server's own lines."
            )
        clock.sleep(0.5)
        problem = client.api_healthcheck()


def create_pool(client: SyncPrefectClient) -> bool:
    """Create the process pool unless it is there; a pool that someone changed is left as it is.

    Returns:
        True when it was created now.
    """
    try:
        client.read_work_pool(POOL)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        return True
    return False


def deploy_all() -> None:
    """Register every deployment of prefect.yaml, as anyone would from the terminal, without a question.

    Raises:
        SetupError: Prefect's command failed; its own words are in the message.
    """
    outcome = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HEALTH_SECONDS,
        check=False,
    )
    if outcome.returncode != 0:
        raise SetupError(
            "Wanted `prefect deploy --all` to register every deployment of prefect.yaml, "
            f"it ended with status {outcome.returncode}: {(outcome.stderr + outcome.stdout).strip()[-2000:]}"
        )


def register_automations(client: SyncPrefectClient) -> int:
    """Create what `deploy/automations` describes, or bring what is there by that name up to the file.

    One that someone has switched off stays off.

    Returns:
        How many there are.
    """
    files = sorted(AUTOMATIONS.glob("*.yaml"))
    for file in files:
        wanted = AutomationCore.model_validate(yaml.safe_load(file.read_text()))
        found = client.read_automations_by_name(wanted.name)
        if found:
            wanted.enabled = found[0].enabled
            client.update_automation(found[0].id, wanted)
        else:
            client.create_automation(wanted)
    return len(files)


def prove_scheduling(client: SyncPrefectClient, clock: Clock, seconds: float = RUN_SECONDS) -> FlowRun:
    """Give the self-test a schedule a few seconds ahead and wait for the run that the scheduler makes of it.

    Returns:
        The completed run.

    Raises:
        SetupError: no run appeared, or it did not complete.
    """
    deployment = client.read_deployment_by_name(SELFTEST)
    # Repeating, because a scheduler that looks later than a single start would make tomorrow's run of it.
    soon = IntervalSchedule(interval=timedelta(seconds=20), anchor_date=clock.now() + timedelta(seconds=6))
    schedule = client.create_deployment_schedules(deployment.id, [(soon, True)], max_scheduled_runs=1)[0]
    try:
        return _wait_for_run(client, clock, deployment.id, schedule.id, seconds)
    finally:
        client.delete_deployment_schedule(deployment.id, schedule.id)


def _wait_for_run(
    client: SyncPrefectClient, clock: Clock, deployment: UUID, schedule: UUID, seconds: float
) -> FlowRun:
    deadline = clock.monotonic() + seconds
    found = "no run at all: the server answers and schedules nothing"
    while clock.monotonic() < deadline:
        run = _first_run(client, deployment, schedule)
        if run is not None and run.state is not None:
            if run.state.is_completed():
                return run
            found = (
                f"run {run.name!r} for {run.expected_start_time} in state {run.state.name} "
                f"({run.state.message or 'no message'})"
            )
            if run.state.is_final():
                raise SetupError(
                    f"Wanted the scheduled self-test to complete, found {found}. Look at the worker's lines."
                )
        clock.sleep(0.5)
    raise SetupError(
        f"Wanted the scheduled self-test to complete within {seconds:.0f} s, found {found}. "
        "Look at the worker's lines; a server and libraries other than the locked ones are the usual cause."
    )


def _first_run(client: SyncPrefectClient, deployment: UUID, schedule: UUID) -> FlowRun | None:
    """The run that the scheduler made of this schedule, and of no other."""
    runs = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
        sort=FlowRunSort.EXPECTED_START_TIME_ASC,
    )
    return next((run for run in runs if run.created_by is not None and run.created_by.id == schedule), None)


@click.group()
def main() -> None:
    """Set up and prove the Prefect server that PREFECT_API_URL names."""


@main.command()
def register() -> None:
    """Create the pool, register every deployment and the automations."""
    with get_client(sync_client=True) as client:
        wait_for_server(client, RealClock())
        created = create_pool(client)
        deploy_all()
        automations = register_automations(client)
        count = len(client.read_deployments())
    done = f"{count} deployments and {automations} automations registered"
    click.echo(f"Pool {POOL} {'created' if created else 'found'}, {done}.")


@main.command()
def selftest() -> None:
    """Wait until a scheduled run has completed."""
    clock = RealClock()
    begun = clock.monotonic()
    with get_client(sync_client=True) as client:
        run = prove_scheduling(client, clock)
    took = clock.monotonic() - begun
    click.echo(f"Self-test: scheduled run {run.name!r} completed after {took:.0f} s.")
    if took > WANTED_SECONDS:
        click.echo(
            f"Wanted it within {WANTED_SECONDS:.0f} s: this machine is slow or busy, and every run will "
            "start late. Give it more CPU, or look what else runs here."
        )


if __name__ == "__main__":
    try:
        main()
    except SetupError as problem:
        click.echo(str(problem), err=True)
        sys.exit(3)
