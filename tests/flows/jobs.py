"""What the stories of the main job share: a configuration for a market, a command, a webhook receiver."""

import http.server
import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.cli import invoke
from tasks.clock import RealClock
from tests.invariants import Arrival, Evidence, require_invariants
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """\
[warehouse]
home = "home"

[[venues]]
id = "binance"
base_url = "{base}"

[sources.coinmetrics]
base_url = "{base}"
metrics = ["PriceUSD", "CapMrktCurUSD"]

[sources.defillama]
base_url = "{base}"
chains = ["Ethereum"]

[universe]
cash = ["USDC"]
assets = ["BTC", "ETH", "XRP"]
history_start = 2026-01-01

[portfolios.core]
objective = "min_volatility"
lookback_days = 150
requires = ["candles_1d"]
class_bounds = {{ cash = [0.05, 1.0] }}
[portfolios.core.holdings]
file = "holdings.csv"

[channels.ops]
allow_private_hosts = true
"""
HOLDINGS = "asset,venue,quantity\nBTC,binance,1\nETH,binance,30\nXRP,binance,90000\nUSDT,binance,50000\n"
NOW = "2026-06-30T18:20:00Z"


def write_job(folder: Path, base: str, extra: str = "", holdings: str | None = HOLDINGS) -> Path:
    """A configuration for the market at `base`, with positions beside it."""
    config = folder / "trimtab.toml"
    config.write_text(CONFIG.format(base=base) + extra)
    if holdings is not None:
        (folder / "holdings.csv").write_text(holdings)
    return config


def edit_by_hand(config: Path, statement: str) -> None:
    """What no command of ours would do: change the master, and publish it."""
    home, clock = Home(config.parent / "home"), RealClock()
    with open_master(home, clock, "a test") as master:
        master._connection.execute(statement)
    with open_master(home, clock, "a test") as master:
        master.append("ops.quarantine", [])
    publish(home, clock, as_of=datetime(2026, 7, 1, tzinfo=UTC), keep=2)


def trimtab(config: Path, *arguments: str, as_of: str | None = NOW) -> int:
    """Run one command quietly and return its exit status."""
    moment = ["--as-of", as_of] if as_of else []
    return invoke([*arguments, "--config", str(config), "--quiet", *moment])


def answer(capsys: Any, config: Path, statement: str) -> list[dict[str, Any]]:
    """What `trimtab sql` answers."""
    capsys.readouterr()
    assert invoke(["sql", statement, "--format", "json", "--config", str(config)]) == 0
    return json.loads(capsys.readouterr().out)


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook receiver on loopback: its address in apprise's notation, and what it got."""
    got: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got.append({**json.loads(body), "key": self.headers.get("Idempotency-Key", "")})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_address[1]}/hook", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def require_whole(config: Path, got: list[dict[str, Any]] | None = None, *, home: Path | None = None) -> None:
    """The ten invariants, with what the receiver of the channel `ops` got."""
    sinks = {} if got is None else {"ops": [Arrival(one["key"], one["title"], one["message"]) for one in got]}
    require_invariants(Evidence(home or config.parent / "home", config, sinks=sinks))


def kill_runs(config: Path, times: int, seed: int) -> list[int]:
    """Start the job `times` times and end each with SIGKILL at a random moment, unless it was faster.

    Returns the exit statuses of those that were.
    """
    moments = random.Random(seed)
    ended: list[int] = []
    command = [sys.executable, "-m", "flows", "run", "--quiet", "--config", str(config), "--as-of", NOW]
    for _ in range(times):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            ended.append(process.wait(timeout=moments.uniform(0.5, 9)))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return ended
