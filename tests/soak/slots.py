"""Slots through the command line under everything at once; what the soak and its sample share.

An hour of the injected clock per slot. A schedule of faults is drawn from a seed: the run is killed at a
random deed and sometimes started again, the clock is wrong for some slots or jumps within one, the receiver
fails, a source is unplugged. The last slots are calm, and the first of them must be enough.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from sandbox.server import RunningSandbox, running_sandbox
from tests.flows.jobs import HOLDINGS, ROOT
from tests.invariants import Arrival, Evidence, acknowledge, require_invariants, unhealthy
from tests.invariants_told import rows
from tests.tasks.channels.sink import Sink, arrivals

START = datetime(2026, 6, 26, 0, 20, tzinfo=UTC)
CALM = 3
CONFIG = """\
[warehouse]
home = "home"
keep_snapshots = 3
[network]
attempts = 2
retry_budget_seconds = 1
timeout_seconds = 2
[[venues]]
id = "binance"
base_url = "{base}"
markets = ["spot"]
[sources.defillama]
base_url = "{base}"
chains = ["Ethereum"]
[universe]
assets = ["BTC", "ETH", "XRP"]
history_start = 2026-04-01
[schedule]
rebalance = "20 * * * *"
market = "50 * * * *"
terminal = true
[gate.freshness]
candles_1h = "3h"
[portfolios.core]
objective = "min_volatility"
lookback_days = 60
requires = ["candles_1d", "candles_1h"]
[portfolios.core.rebalance]
period_hours = 1
cooldown_hours = 0
valid_hours = 6
[portfolios.core.holdings]
file = "holdings.csv"
[channels.ops]
allow_private_hosts = true
"""
UNPLUGGED = [{"kind": "reset", "match": "klines|exchangeInfo"}]


@dataclass
class Warm:
    """A process that forks commands; see tests/soak/warm.py."""

    process: subprocess.Popen[str]
    config: Path
    log: Path

    def run(self, words: list[str], now: datetime, **how: Any) -> tuple[int, int]:
        """Carry out one command at an instant; exit status and number of deeds."""
        arguments = [*words, "--quiet", "--config", str(self.config)]
        job = {"arguments": arguments, "now": now.isoformat(), "log": str(self.log), **how}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["status"], answer["deeds"]


@contextmanager
def warm(config: Path, **environment: str) -> Iterator[Warm]:
    log = config.parent / "said.log"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.warm"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Warm(process, config, log)
        assert process.stdin is not None
        process.stdin.close()


@dataclass
class Weather:
    """Which faults are in force in a slot; stretches last some slots."""

    chance: random.Random
    skew: int = 0
    skew_left: int = 0
    sink_left: int = 0
    unplugged_left: int = 0
    seen: Counter[str] = field(default_factory=Counter[str])

    def next_slot(self) -> None:
        self.skew_left, self.sink_left = self.skew_left - 1, self.sink_left - 1
        self.unplugged_left -= 1
        if self.skew_left < 0 and self.chance.random() < 0.05:
            self.skew, self.skew_left = (
                self.chance.choice([-7200, -3600, 3600, 7200]),
                self.chance.randint(0, 2),
            )
            self.seen["clock wrong for some slots"] += 1
        if self.sink_left < 0 and self.chance.random() < 0.1:
            self.sink_left = self.chance.randint(0, 4)
            self.seen["receiver fails for some slots"] += 1
        if self.unplugged_left < 0 and self.chance.random() < 0.06:
            self.unplugged_left = self.chance.randint(2, 6)
            self.seen["source unplugged for some slots"] += 1

    @property
    def offset(self) -> timedelta:
        return timedelta(seconds=self.skew if self.skew_left >= 0 else 0)

    def answers(self) -> list[int | str]:
        """What the receiver answers to the next messages."""
        if self.sink_left < 0:
            return self.chance.choices([200, "lost", 500], [30, 1, 1], k=4)
        return self.chance.choices([500, 429, "lost", "redirect"], k=20)


@dataclass
class Told:
    """What a soak came to."""

    evidence: Evidence
    figures: dict[str, Any]
    unhealthy_after_one: list[str]
    slots: list[datetime]


def soak(
    folder: Path, slots: int, seed: int, *, calm: int = CALM, last: tuple[list[str], datetime] | None = None
) -> Told:
    """Run so many slots, the last ones without a fault, and a last command; returns what they left."""
    config, log = folder / "trimtab.toml", folder / "acknowledged.jsonl"
    sink = Sink().start()
    with running_sandbox(seed=7) as market, warm(config, TRIMTAB_CHANNEL_OPS=sink.url) as process:
        config.write_text(CONFIG.format(base=market.base_url))
        (folder / "holdings.csv").write_text(HOLDINGS)
        told = _all_slots(process, market, sink, slots, calm, random.Random(seed))
        if last is not None:
            process.run(*last)
            acknowledge(folder / "home", log)
        told.evidence.sinks = {"ops": arrivals(sink)}
    sink.stop()
    return told


def _all_slots(
    process: Warm, market: RunningSandbox, sink: Sink, slots: int, last: int, chance: random.Random
) -> Told:
    home, weather = process.config.parent / "home", Weather(chance)
    log = process.config.parent / "acknowledged.jsonl"
    counts, served, after_one = Counter[str](), list[datetime](), list[str]()
    usual = 40
    for number in range(slots):
        calm = number >= slots - last
        now = START + timedelta(hours=number)
        market.set_now(now)
        weather.next_slot()
        market.set_faults(UNPLUGGED if weather.unplugged_left >= 0 and not calm else [])
        sink.script = [] if calm else weather.answers()
        at = now + (timedelta(0) if calm else weather.offset)
        how = {} if calm or number == 0 else _end_of(chance, usual)
        counts["clock jumped within a run"] += "jump" in how
        status, deeds = process.run(["run"], at, **how)
        counts["killed" if status < 0 else f"ended {status}"] += 1
        usual = deeds or usual
        if status < 0 and chance.random() < 0.4:  # somebody, or systemd, starts it again
            counts["started again"] += 1
            market.set_now(now + timedelta(seconds=90))
            process.run(["run"], at + timedelta(seconds=90))
        if calm:
            process.run(["notify"], at + timedelta(minutes=15))
        elif chance.random() < 0.3:
            status, _ = process.run(["notify"], at + timedelta(minutes=15), **_end_of(chance, 12))
            counts["relay killed"] += status < 0
        if (home / "manifest.json").exists():
            acknowledge(home, log)
        served.append(now)
        if number == slots - last:
            after_one = unhealthy(home)
    evidence = Evidence(home, process.config, log, {"ops": arrivals(sink)}, settled=True, replays=3)
    return Told(evidence, _figures(home, counts + weather.seen, arrivals(sink)), after_one, served)


def _end_of(chance: random.Random, usual: int) -> dict[str, Any]:
    """How a run is disturbed: killed at a deed, its clock moved at one, or not at all."""
    drawn = chance.random()
    if drawn < 0.3:
        return {"kill_at": chance.randint(1, usual)}
    if drawn < 0.36:
        return {"jump": chance.choice([-7200, -600, 600, 7200]), "jump_at": chance.randint(1, usual)}
    return {}


def _figures(home: Path, counts: Counter[str], got: list[Arrival]) -> dict[str, Any]:
    with duckdb.connect(str(home / "master.duckdb"), read_only=True) as master:
        ends = "select 'alerts ' || event || ' ' || status as k, count(*) as n from ops.alerts group by all"
        booked = "select 'slots ' || status as k, count(*) as n from ops.expected_runs group by all"
        told = {row["k"]: row["n"] for statement in (ends, booked) for row in rows(master, statement)}
    repeats = sum(one.title.endswith("(repeat)") for one in got)
    return dict(counts) | told | {"arrivals": len(got), "repeats": repeats}


def require_all_well(told: Told) -> None:
    """Everything that a soak promises of its end."""
    require_invariants(told.evidence)
    assert told.unhealthy_after_one == []
    with duckdb.connect(str(told.evidence.home / "master.duckdb"), read_only=True) as master:
        booked = {
            row["slot"] for row in rows(master, "select slot from ops.expected_runs where flow = 'rebalance'")
        }
        stray = rows(master, WRONG)
    assert [slot for slot in told.slots[1:] if slot.replace(tzinfo=None) not in booked] == []
    assert stray == []
    repeats, doubts = told.figures["repeats"], told.figures.get("killed", 0)
    in_doubt = sum(one.answer is None for one in told.evidence.sinks["ops"])
    assert repeats <= doubts + in_doubt + told.figures.get("relay killed", 0)


# An alert that was sent when its recommendation no longer stood, or after it had expired.
WRONG = """
select a.alert_id, d.attempted_at, a.send_until
from ops.alerts a inner join ops.deliveries d using (alert_id)
where d.status = 'sent' and d.attempted_at > a.send_until
"""
