"""The market that benchmarks fetch from, in a process of its own so that its work is not counted as ours."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT.parent / "shared" / "replay" / "replay_exchange.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def market(now: str) -> Iterator[tuple[str, str]]:
    """The recorded market where it stands beside the checkout, else the simulated one: (address, which)."""
    port = free_port()
    if RECORDED.is_file():
        which = "recorded market"
        command = [sys.executable, str(RECORDED), "--port", str(port), "--no-limits", "--warm"]
        command += ["--clock", "fixed", "--now", now]
    else:
        which = "simulated market"
        command = [sys.executable, "-m", "flows", "sandbox", "serve", "--port", str(port), "--no-limits"]
        command += ["--now", now]
    address = f"http://127.0.0.1:{port}"
    with served(command, address):
        yield address, which


@contextmanager
def served(command: list[str], address: str) -> Iterator[None]:
    """A server in a process of its own, from when it answers to the end of the block."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(address + "/api/v3/ping", process)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"the market did not answer at {url}")


def child(code: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run code in a fresh interpreter from the checkout and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"a benchmark's process failed:\n{done.stderr[-3000:]}")
    return done.stdout
