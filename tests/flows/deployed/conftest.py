"""One real `make serve` for all tests that need Prefect: its start is what takes the time."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from sandbox.server import RunningSandbox, running_sandbox

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 240
SECRET = "canary-7f3a91"  # in the environment of everything that runs; it must stay there


@dataclass
class Serving:
    """A running `python -m flows.serve` and what it has said so far."""

    process: subprocess.Popen[str]
    port: int
    home: Path
    config: Path
    environment: dict[str, str]
    said: list[str] = field(default_factory=list[str])
    news: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        # always read: a full pipe would stop everything that writes to it
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.news:
                self.said.append(line)
                self.news.notify_all()

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def wait_for(self, words: str, seconds: float) -> None:
        """Wait until it has said the words; fail with all that it said when it does not."""
        with self.news:
            came = self.news.wait_for(lambda: words in self.text or self.process.poll() is not None, seconds)
        if not came or words not in self.text:
            pytest.fail(f"{words!r} did not come within {seconds} s; it said:\n{self.text}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


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
        text=True,
    )
    return Serving(process, port, home, config, environment)


def small_market(base_url: str) -> str:
    """The shipped configuration of the simulated market, with three coins and half a year of them."""
    text = (ROOT / "examples" / "sandbox.toml").read_text()
    text = text.replace("http://127.0.0.1:8900", base_url)
    text = re.sub(r"(?m)^assets = .*$", 'assets = ["BTC", "ETH", "SOL"]', text)
    text = re.sub(r"(?m)^history_start = .*$", "history_start = 2026-01-01", text)
    return re.sub(r"(?m)^lookback_days = .*$", "lookback_days = 120", text)


@pytest.fixture(scope="session")
def market() -> Iterator[RunningSandbox]:
    """A simulated market whose time stands still."""
    with running_sandbox(seed=7, limits=False) as running:
        yield running


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory, market: RunningSandbox) -> Iterator[Serving]:
    """Server, pool, deployments and worker, up and proven."""
    folder = tmp_path_factory.mktemp("serve")
    config = folder / "trimtab.toml"
    config.write_text(small_market(market.base_url))
    shutil.copy(ROOT / "examples" / "holdings.csv", folder / "holdings.csv")
    private = folder / ".env"
    private.touch(0o600)
    private.write_text(f"TRIMTAB_CHANNEL_HOOK_KEY=key-{SECRET}\n")
    started = start_serving(
        folder,
        config,
        TRIMTAB_CHANNEL_OPS=f"json://{SECRET}.invalid/hook",
        TRIMTAB_KEY_BINANCE=f"public-{SECRET}",
        TRIMTAB_SECRET_BINANCE=f"private-{SECRET}",
        TRIMTAB_HEARTBEAT=f"https://{SECRET}.invalid/beat",
        HTTPS_PROXY=f"http://user:{SECRET}@127.0.0.1:9",
        NO_PROXY="127.0.0.1,localhost",
    )
    try:
        started.wait_for("Serving.", START_SECONDS)
        with connected(started) as opened:
            pause_schedules(opened)
        yield started
        # it was asked to stop: it ends well, and takes its server and its worker along
        assert started.stop() == 0, started.text[-4000:]
        assert started.text.rstrip().endswith("Stopped.")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", started.port)) != 0
    finally:
        if started.process.poll() is None:
            started.stop()


@pytest.fixture
def client(serving: Serving) -> Iterator[SyncPrefectClient]:
    """A client of that server; flows that a test calls itself report to it too."""
    with connected(serving) as opened:
        yield opened


def pause_schedules(client: SyncPrefectClient) -> None:
    """No run but those that a test asks for: the tests may well be running at seven past."""
    for deployment in client.read_deployments():
        client.pause_deployment(deployment.id)


@contextmanager
def connected(serving: Serving) -> Iterator[SyncPrefectClient]:
    ours = {
        PREFECT_API_URL: serving.api,
        PREFECT_HOME: serving.home / "prefect",
        PREFECT_LOGGING_TO_API_ENABLED: False,  # its sender would outlive the server and wait for it
    }
    with temporary_settings(ours), get_client(sync_client=True) as opened:
        yield opened
