"""What orchestration costs: the main job as a process worker starts it, beside the same job from the terminal."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.prefect_setup import wait_for_server
from flows.serve import LOOPBACK, make_private_folder, serve_environment
from sandbox.server import running_sandbox
from tasks.clock import RealClock
from tasks.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
WANTED_SECONDS = 9.0


def cpu_of(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """CPU seconds, user and system, of a process and of what it started."""
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=dict(environment),
        check=False,
        capture_output=True,
        timeout=900,
    )
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before


def configuration(folder: Path, base_url: str) -> Path:
    """The shipped configuration of the simulated market, with positions."""
    text = (ROOT / "examples" / "sandbox.toml").read_text().replace("http://127.0.0.1:8900", base_url)
    config = folder / "trimtab.toml"
    config.write_text(re.sub(r"(?m)^history_start = .*$", "history_start = 2026-01-01", text))
    (folder / "holdings.csv").write_text((ROOT / "examples" / "holdings.csv").read_text())
    return config


def main() -> None:
    with running_sandbox(seed=7) as market, tempfile.TemporaryDirectory() as folder:
        config = configuration(Path(folder), market.base_url)
        settings = load_settings(config)
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = probe.getsockname()[1]
        make_private_folder(settings.warehouse.home)
        environment = {**os.environ, **serve_environment(settings, port)}
        server = subprocess.Popen(
            [sys.executable, "-m", "flows.prefect_server", "--host", LOOPBACK, "--port", str(port)],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            compare(environment, config, market.now.isoformat())
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def compare(environment: Mapping[str, str], config: Path, now: str) -> None:
    ours = {PREFECT_API_URL: environment["PREFECT_API_URL"], PREFECT_HOME: environment["PREFECT_HOME"]}
    terminal, scheduled = [], []
    words = ["-m", "flows", "run", "--quiet", "--config", str(config), "--as-of", now]
    with temporary_settings(ours), get_client(sync_client=True) as client:
        wait_for_server(client, RealClock())
        subprocess.run(
            [sys.executable, "-m", "flows.prefect_setup", "register"],
            cwd=ROOT, env=dict(environment), check=True, capture_output=True,
        )  # fmt: skip
        deployment = client.read_deployment_by_name("rebalance/rebalance-daily")
        cpu_of(words, environment)  # the first one fetches the whole past
        for number in range(ROUNDS):
            run = client.create_flow_run_from_deployment(deployment.id, parameters={"as_of": now})
            # what the process worker starts, with the pool's environment
            execute = ["-m", "prefect", "flow-run", "execute", str(run.id)]
            both = [
                (terminal, words, environment),
                (scheduled, execute, {**environment, "PYTHONPATH": str(ROOT)}),
            ]
            for spent, command, where in both[:: 1 if number % 2 else -1]:
                spent.append(cpu_of(command, where))
            state = client.read_flow_run(run.id).state
            assert state is not None
            assert state.is_final(), state
            assert not state.is_crashed(), state
    more = median(ours - theirs for ours, theirs in zip(scheduled, terminal, strict=True))
    print(
        f"the main job, nothing new to fetch: terminal {median(terminal):.1f}, scheduled {median(scheduled):.1f} CPU s; "
        f"orchestration adds {more:.1f} (wanted <= {WANTED_SECONDS:.0f})"
    )


if __name__ == "__main__":
    main()
