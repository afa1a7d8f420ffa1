"""One real `make serve` for all tests that need Prefect: its start is what takes the time."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240


@dataclass
class Serving:
    """A running `python -m flows.serve` and what it has said so far."""

    process: subprocess.Popen[bytes]
    port: int
    home: Path
    config: Path
    environment: dict[str, str]
    said: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        return self.said.decode(errors="replace")

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def wait_for(self, words: str, seconds: float) -> None:
        """Read what it says until the words appear; fail with all of it when they do not."""
        output = self.process.stdout
        assert output is not None
        deadline = time.monotonic() + seconds
        while words.encode() not in self.said:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([output], [], [], left)[0]:
                pytest.fail(f"{words!r} did not come within {seconds} s; it said:\n{self.text}")
            chunk = os.read(output.fileno(), 65536)
            if not chunk:
                pytest.fail(
                    f"it ended with status {self.process.wait()} before {words!r}; it said:\n{self.text}"
                )
            self.said += chunk

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=60)
        self.said += rest
        return self.process.returncode


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment without anything that Prefect or Trimtab would read from this shell."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "TRIMTAB_"))}
    return {**kept, "DO_NOT_TRACK": "1", **extra}


def start_serving(folder: Path, config: Path, **extra: str) -> Serving:
    port, home = free_port(), folder / "home"
    environment = clean_environment(**extra)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "flows.serve",
            "--config",
            str(config),
            "--home",
            str(home),
            "--port",
            str(port),
        ],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return Serving(process, port, home, config, environment)


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Server, pool, deployments and worker, up and proven."""
    folder = tmp_path_factory.mktemp("serve")
    config = folder / "trimtab.toml"
    config.write_text((ROOT / "trimtab.toml").read_text())
    started = start_serving(folder, config)
    try:
        started.wait_for("Serving.", START_SECONDS)
        yield started
    finally:
        if started.process.poll() is None:
            started.stop()


@pytest.fixture
def client(serving: Serving) -> Iterator[SyncPrefectClient]:
    """A client of that server; flows that a test calls itself report to it too."""
    ours = {
        PREFECT_API_URL: serving.api,
        PREFECT_HOME: serving.home / "prefect",
        PREFECT_LOGGING_TO_API_ENABLED: False,  # its sender would outlive the server and wait for it
    }
    with temporary_settings(ours), get_client(sync_client=True) as opened:
        yield opened
