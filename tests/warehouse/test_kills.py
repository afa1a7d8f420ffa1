"""Kill -9 at every named moment: what was acknowledged is there, nothing is half there, no manual step."""

import os
import random
from datetime import timedelta

import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, die_at, in_child, load
from warehouse.errors import DamagedWarehouse
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published
from warehouse.restore import restore

KILLED = -9
BATCH = 20


def work(home: Home, point: str, occurrence: int, acknowledged: int) -> None:
    """Load and publish three times, noting each acknowledgement; be killed at a moment."""
    die_at(point, occurrence)
    for number in range(3):
        with open_master(home, FakeClock(), "write") as master:
            result = load(master, candles([float(number)] * BATCH, market_id=f"M{number}"))
        os.write(acknowledged, f"load {result.load_id}\n".encode())
        info = publish(home, FakeClock(), as_of=AS_OF + timedelta(hours=number), keep=2)
        os.write(acknowledged, f"publish {info.snapshot_id}\n".encode())


def healthy(home: Home, told: list[str]) -> None:
    loads = [int(line.split()[1]) for line in told if line.startswith("load")]
    published = [int(line.split()[1]) for line in told if line.startswith("publish")]
    if published:
        with open_published(home) as reader:
            assert reader.snapshot.snapshot_id >= published[-1]
            assert reader.select("select count(*) from core.candles").rows[0][0] >= BATCH * len(published)
    with open_master(home, FakeClock(), "look", wait_seconds=0.0) as master:
        assert master.newest_load() >= max(loads, default=0)
        counts = "select load_id, count(*) from raw.candles group by load_id order by load_id"
        found = master._connection.execute(counts).fetchall()
        assert found == [(number + 1, BATCH) for number in range(master.newest_load())]
        assert master._connection.execute("select count(*) from core.candles").fetchall() == [
            (BATCH * len(found),)
        ]
        load(master, candles([9.0] * BATCH, market_id="after"))
    info = publish(home, FakeClock(), as_of=AS_OF + timedelta(days=1), keep=2)
    with open_published(home) as reader:
        assert reader.snapshot == info
    leftovers = [path.name for path in home.published.iterdir() if path.name.startswith(".")]
    assert leftovers == []


def killed(home: Home, point: str, occurrence: int) -> list[str]:
    receiving, sending = os.pipe()
    status = in_child(lambda: work(home, point, occurrence, sending))
    os.close(sending)
    with os.fdopen(receiving) as pipe:
        told = pipe.read().splitlines()
    assert status == KILLED, f"{point} was never reached for the {occurrence}th time"
    return told


@pytest.mark.parametrize("occurrence", [1, 2])
@pytest.mark.parametrize(
    "point", ["staged", "before_commit", "after_commit", "acknowledged", "mid_copy", "before_repoint"]
)
def test_a_kill_at_a_named_moment_loses_nothing(home: Home, point: str, occurrence: int) -> None:
    healthy(home, killed(home, point, occurrence))


def test_a_kill_while_the_master_is_created_leaves_none_or_a_whole_one(new_home: Home) -> None:
    healthy(new_home, killed(new_home, "created", 1))


@pytest.mark.parametrize("seed", range(5))
def test_kill_after_kill_loses_nothing(home: Home, seed: int) -> None:
    chance = random.Random(seed)
    points = ["staged", "before_commit", "after_commit", "acknowledged", "mid_copy", "before_repoint"]
    acknowledged = 0
    for _ in range(4):
        told = killed(home, chance.choice(points), chance.choice([1, 2]))
        acknowledged = max(
            [acknowledged, *(int(line.split()[1]) for line in told if line.startswith("load"))]
        )
        with open_master(home, FakeClock(), "look", wait_seconds=0.0) as master:
            assert master.newest_load() >= acknowledged
            per_market = "select count(*) from core.candles group by market_id having count(*) <> 20"
            assert master._connection.execute(per_market).fetchall() == []


def test_a_kill_during_restore_is_finished_by_the_next_restore(home: Home) -> None:
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0]))
    publish(home, FakeClock(), as_of=AS_OF, keep=2)
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([2.0]))

    def die() -> None:
        die_at("restored")
        restore(home, FakeClock())

    assert in_child(die) == KILLED
    with pytest.raises(DamagedWarehouse, match="trimtab restore"), open_master(home, FakeClock(), "look"):
        pass
    restore(home, FakeClock())
    with open_master(home, FakeClock(), "look") as master:
        assert master._connection.execute("select close from core.candles").fetchall() == [(1.0,)]
