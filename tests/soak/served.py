"""Slots on a real Prefect server and process worker, which are killed at random and started again.

The supervisor does what systemd would: whatever dies is started again two seconds later. It registers the
deployments, gives `rebalance-daily` an interval of some seconds, and lets the real clock run.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.prefect_setup import wait_for_server
from flows.serve import POOL, make_private_folder, serve_environment
from sandbox.server import RunningSandbox, running_sandbox
from tasks.clock import RealClock
from tasks.settings import load_settings
from tests.flows.deployed.conftest import clean_environment, free_port
from tests.flows.jobs import HOLDINGS, ROOT
from tests.invariants import Evidence, unhealthy
from tests.invariants_told import rows
from tests.soak.slots import CONFIG, UNPLUGGED
from tests.tasks.channels.sink import Sink, arrivals

RESTART_SECONDS = 2.0
MINUTES = CONFIG.replace('"20 * * * *"', '"* * * * *"').replace("2026-04-01", "2026-08-01")


@dataclass
class Supervisor:
    environment: dict[str, str]
    commands: dict[str, list[str]]
    said: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, "subprocess.Popen[bytes]"])
    died_at: dict[str, float] = field(default_factory=dict[str, float])
    restarts: Counter[str] = field(default_factory=Counter[str])
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str) -> None:
        with self.said.open("ab") as said:
            self.running[name] = subprocess.Popen(
                [sys.executable, *self.commands[name]],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def keep(self) -> None:
        """Start again what died; in a thread of its own."""
        while not self.ended.wait(0.5):
            for name, process in list(self.running.items()):
                if process.poll() is None:
                    continue
                died = self.died_at.setdefault(name, time.monotonic())
                if time.monotonic() - died >= RESTART_SECONDS:
                    del self.died_at[name]
                    self.restarts[name] += 1
                    self.start(name)

    def kill(self, name: str) -> None:
        with suppress(ProcessLookupError):
            self.running[name].kill()

    def stop(self) -> None:
        for name in reversed(list(self.running)):
            with suppress(ProcessLookupError):
                os.killpg(self.running[name].pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.running[name].wait(20)
            with suppress(ProcessLookupError):
                os.killpg(self.running[name].pid, signal.SIGKILL)
            self.running[name].wait()


@contextmanager
def supervised(folder: Path, config: Path, **secrets: str) -> Iterator[tuple[Supervisor, SyncPrefectClient]]:
    """A server and a worker with every deployment registered and paused."""
    settings, port = load_settings(config), free_port()
    make_private_folder(settings.warehouse.home)
    wanted = {key: value for key, value in serve_environment(settings, port).items() if key not in os.environ}
    environment = clean_environment(**wanted, **secrets)
    server = ["-m", "flows.prefect_server", "--host", "127.0.0.1", "--port", str(port)]
    worker = ["-m", "flows.prefect_worker", "--pool", POOL]
    supervisor = Supervisor(environment, {"server": server, "worker": worker}, folder / "said.log")
    ours = {
        PREFECT_API_URL: f"http://127.0.0.1:{port}/api",
        PREFECT_HOME: settings.warehouse.home / "prefect",
    }
    supervisor.start("server")
    keeper = threading.Thread(target=supervisor.keep, daemon=True)
    try:
        with temporary_settings(ours), get_client(sync_client=True) as client:
            register = [sys.executable, "-m", "flows.prefect_setup", "register"]
            subprocess.run(register, cwd=ROOT, env=environment, check=True, timeout=480, capture_output=True)
            for deployment in client.read_deployments():
                client.pause_deployment(deployment.id)
            supervisor.start("worker")
            keeper.start()
            yield supervisor, client
    finally:
        supervisor.ended.set()
        if keeper.ident is not None:
            keeper.join()
        supervisor.stop()


def every(client: SyncPrefectClient, seconds: int) -> datetime:
    """Let the main job run at an interval from now on; returns the first slot."""
    deployment = client.read_deployment_by_name("rebalance/rebalance-daily")
    for schedule in deployment.schedules:
        client.delete_deployment_schedule(deployment.id, schedule.id)
    first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=15)
    interval = IntervalSchedule(interval=timedelta(seconds=seconds), anchor_date=first)
    client.create_deployment_schedules(deployment.id, [(interval, True)])
    client.resume_deployment(deployment.id)
    return first


def flow_process(home: Path) -> int | None:
    try:
        held = json.loads((home / "state" / "leases" / "rebalance.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return None if held["is_released"] or held["pid"] == 0 else int(held["pid"])


def disturb(
    supervisor: Supervisor, market: RunningSandbox, sink: Sink, home: Path, chance: random.Random
) -> str:
    kind = chance.choices(["worker", "server", "flow", "receiver", "source", "calm"], [3, 2, 5, 3, 2, 1])[0]
    if kind in {"worker", "server"}:
        supervisor.kill(kind)
    elif kind == "flow":
        pid = flow_process(home)
        if pid is None:
            return "no flow to kill"
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    elif kind == "receiver":
        sink.script = chance.choices([200, 500, 429, "lost"], k=6)
    elif kind == "source":
        market.set_faults([{**rule, "count": 6} for rule in UNPLUGGED])
    return kind


@dataclass
class Served:
    evidence: Evidence
    figures: dict[str, Any]
    began: datetime
    ended: datetime
    recovered: bool
    after: list[str]


def serve_slots(folder: Path, slots: int, interval: int, seed: int) -> Served:
    """Run so many slots under kills; then a calm stretch in which one run must be enough."""
    config, home, sink = folder / "trimtab.toml", folder / "home", Sink().start()
    chance, counts = random.Random(seed), Counter[str]()
    with running_sandbox(seed=7, clock="wall") as market:
        config.write_text(MINUTES.format(base=market.base_url))
        (folder / "holdings.csv").write_text(HOLDINGS)
        with supervised(folder, config, TRIMTAB_CHANNEL_OPS=sink.url) as (supervisor, client):
            began = every(client, interval)
            end = time.monotonic() + 15 + slots * interval
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, chance.uniform(0.3, 1.3) * interval))
                counts[disturb(supervisor, market, sink, home, chance)] += 1
            market.set_faults([])
            sink.script = []
            wait_for_server(client, RealClock(), 240)
            ended = datetime.now(UTC)
            # the wait for the next slot, and that slot's run
            recovered = wait_for_a_good_run(home, ended, 2 * interval)
            took = (datetime.now(UTC) - ended).total_seconds()
            client.pause_deployment(client.read_deployment_by_name("rebalance/rebalance-daily").id)
            wait_until_idle(home, 240)
        after = unhealthy(home)
    sink.stop()
    said = (folder / "said.log").read_text(errors="replace")
    evidence = Evidence(
        home,
        config,
        None,
        {"ops": arrivals(sink)},
        [sink.url.split("//")[1]],
        [folder / "home" / "prefect"],
        said,
    )
    restarts = {f"restarted {name}": count for name, count in supervisor.restarts.items()}
    figures = dict(counts) | restarts | {"seconds until well": round(took)} | served_figures(home, sink)
    return Served(evidence, figures, began, ended, recovered, after)


def lose_the_database(folder: Path) -> tuple[set[str], set[str], int, int]:
    """Make a recommendation while Prefect's database is locked, delete the database, register once more.

    Returns the deployments with an active schedule before and after, and the messages before and after.
    """
    config, sink = folder / "trimtab.toml", Sink().start()
    with running_sandbox(seed=7) as market:
        config.write_text(CONFIG.format(base=market.base_url))
        (folder / "holdings.csv").write_text(HOLDINGS)
        with supervised(folder, config, TRIMTAB_CHANNEL_OPS=sink.url) as (supervisor, client):
            words = [sys.executable, "-m", "flows", "run", "--config", str(config)]
            run = [*words, "--as-of", market.now.isoformat()]
            with closing(sqlite3.connect(folder / "home" / "prefect" / "prefect.db", timeout=60)) as database:
                database.execute("begin exclusive")
                subprocess.run(run, cwd=ROOT, env=supervisor.environment, check=True, capture_output=True)
                database.rollback()
            before, told = scheduled(client), len(sink.received)
            for path in (folder / "home" / "prefect").glob("prefect.db*"):
                path.unlink()
            supervisor.kill("server")
            register = [sys.executable, "-m", "flows.prefect_setup", "register"]
            subprocess.run(register, cwd=ROOT, env=supervisor.environment, check=True, capture_output=True)
            after = scheduled(client)
            subprocess.run(run, cwd=ROOT, env=supervisor.environment, check=True, capture_output=True)
    sink.stop()
    return before, after, told, len(sink.received) - told


def scheduled(client: SyncPrefectClient) -> set[str]:
    return {one.name for one in client.read_deployments() if any(line.active for line in one.schedules)}


def wait_for_a_good_run(home: Path, since: datetime, seconds: float) -> bool:
    """Wait until a run that began after the faults has ended well."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(2)
        good = "select 1 from ops.runs where status = 'done' and started_at > $since"
        if in_published(home, good, since=since.replace(tzinfo=None)):
            return True
    return False


def wait_until_idle(home: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while flow_process(home) is not None and time.monotonic() < deadline:
        time.sleep(1)


def in_published(home: Path, statement: str, **values: object) -> list[dict[str, Any]]:
    path = home / "published" / "current.duckdb"
    if not path.exists():
        return []
    with duckdb.connect(str(path.resolve()), read_only=True) as snapshot:
        return rows(snapshot, statement, **values)


def served_figures(home: Path, sink: Sink) -> dict[str, Any]:
    kinds = {
        "runs": "select status as k, count(*) as n from ops.runs group by all",
        "slots": "select status as k, count(*) as n from ops.expected_runs group by all",
        "alerts": "select event || ' ' || status as k, count(*) as n from ops.alerts group by all",
    }
    with duckdb.connect(str(home / "master.duckdb"), read_only=True) as master:
        told = {f"{kind} {row['k']}": row["n"] for kind, sql in kinds.items() for row in rows(master, sql)}
        gaps = "select max(epoch(finished_at) - epoch(before)) as gap from (select finished_at, "
        gaps += "lag(finished_at) over (order by finished_at) as before from ops.runs where status = 'done')"
        longest = rows(master, gaps)[0]["gap"] or 0
    got = arrivals(sink)
    repeats = sum(one.title.endswith("(repeat)") for one in got)
    return told | {"arrivals": len(got), "repeats": repeats, "longest without a good run, s": round(longest)}


def minutes_without_a_row(served: Served) -> list[datetime]:
    """Slots in the product's own book, between the first run and the last, of which nothing is known."""
    with duckdb.connect(str(served.evidence.home / "master.duckdb"), read_only=True) as master:
        found = [row["slot"] for row in rows(master, "select slot from ops.expected_runs order by slot")]
    last = found[-1]
    wanted = [
        found[0] + timedelta(minutes=k) for k in range(int((last - found[0]).total_seconds() // 60) + 1)
    ]
    return sorted(set(wanted) - set(found))
