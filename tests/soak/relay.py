"""A thousand recommendations, a receiver that fails at random, and a relay that is killed again and again."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from tests.invariants import Evidence
from tests.invariants_told import rows
from tests.soak.slots import warm
from tests.tasks.channels.sink import Sink, arrivals
from tests.tasks.test_notify import CHANNEL, CONFIG, NOW, HandClock
from warehouse.home import Home
from warehouse.master import open_master

ANSWERS = [200, 500, 429, "lost", "redirect", "hang"]
WEIGHTS = [60, 10, 8, 15, 5, 2]
EXTRA = "\n[alerts]\nmax_per_hour = 1000\n"


def recommend(home: Home, count: int) -> None:
    """Write so many announced recommendations, each of a portfolio of its own, with their alerts."""
    decided: list[dict[str, Any]] = []
    for number in range(count):
        row = {
            "recommendation_id": f"R-{number}",
            "portfolio": f"p{number}",
            "as_of": NOW,
            "slot": NOW,
            "status": "proposed",
            "grade": "full",
            "flags": [],
            "is_simulated": False,
            "reason_code": "rebalance",
            "reason": "Sell.",
            "objective": "hrp",
            "input_snapshot": "1@1",
            "inputs_hash": f"{number}",
            "config_hash": "none",
            "code_version": "test",
            "is_announced": True,
            "created_at": NOW,
        }
        decided.append(row)
    told = [
        {
            "alert_id": f"R-{number}-recommendation",
            "episode_id": f"R-{number}",
            "recommendation_id": f"R-{number}",
            "portfolio": f"p{number}",
            "event": "recommendation",
            "severity": "info",
            "title": f"p{number}: sell",
            "body": f"SELL 1 BTC\nId R-{number}",
            "created_at": NOW + timedelta(seconds=number),
            "send_until": NOW + timedelta(days=2),
            "status": "pending",
            "is_simulated": False,
        }
        for number in range(count)
    ]
    born = [
        {"recommendation_id": f"R-{n}", "event": "proposed", "actor": "", "note": "", "happened_at": NOW}
        for n in range(count)
    ]
    with open_master(home, HandClock(), "test") as master, master.transaction():
        master.append("mart.recommendations", decided)
        master.append("ops.recommendation_events", born)
        master.append("ops.alerts", told)


def deliver_all(folder: Path, count: int, seed: int) -> tuple[Evidence, dict[str, int]]:
    """Deliver them, however often the relay dies; returns the evidence and the figures."""
    chance, sink = random.Random(seed), Sink().start()
    config, home = folder / "trimtab.toml", Home(folder / "data")
    quick = CONFIG.replace("timeout_seconds = 5", "timeout_seconds = 1")
    config.write_text(quick + CHANNEL.format(name="ops", kind="apprise") + EXTRA)
    sink.script = chance.choices(ANSWERS, WEIGHTS, k=count * 8)
    recommend(home, count)
    kills = runs = 0
    now = NOW + timedelta(hours=1)
    with warm(config, TRIMTAB_CHANNEL_OPS=sink.url) as relay:
        while waiting(home):
            how = {"kill_at": chance.randint(1, 4 * count)} if chance.random() < 0.7 else {}
            status, _ = relay.run(["notify"], now, **how)
            kills += status < 0
            runs += 1
            now += timedelta(minutes=10)
    sink.stop()
    got = arrivals(sink)
    figures = {
        "runs": runs,
        "kills": kills,
        "messages": len(got),
        "unclear answers": sum(one.answer is None for one in got),
        # one that the receiver refused reached nobody; it is tried again as the same repeat
        "repeats": sum(one.title.endswith("(repeat)") for one in got if one.answer in (None, 200)),
        **ends(home),
    }
    return Evidence(home.root, sinks={"ops": got}, settled=True), figures


def waiting(home: Home) -> bool:
    with duckdb.connect(str(home.master), read_only=True) as master:
        return bool(rows(master, "select 1 from ops.alerts where status in ('pending', 'partial') limit 1"))


def ends(home: Home) -> dict[str, int]:
    with duckdb.connect(str(home.master), read_only=True) as master:
        found = rows(master, "select status as k, count(*) as n from ops.alerts group by all order by all")
    return {row["k"]: row["n"] for row in found}
