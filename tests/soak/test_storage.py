"""The long form of tests/warehouse/test_storage_faults.py: `make soak`."""

import os
import random
import signal
import statistics
import threading
import time
from datetime import timedelta

import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, load
from tests.warehouse.test_storage_faults import kills, publish_under_readers
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published

pytestmark = pytest.mark.soak
KILLED = -9


@pytest.fixture
def home(tmp_path) -> Home:
    made = Home(tmp_path / "home")
    with open_master(made, FakeClock(), "prepare"):
        pass
    return made


@pytest.mark.parametrize("seed", range(20))
def test_fifty_kills_at_named_moments_twenty_times(home: Home, seed: int) -> None:
    kills(home, seed, 50)


@pytest.mark.parametrize("seed", range(20))
def test_fifty_kills_at_any_moment_twenty_times(home: Home, seed: int, capsys) -> None:
    chance = random.Random(seed)
    loaded = published = 0
    for _ in range(50):
        told = killed_after(home, chance.randrange(4), chance.random())
        loaded = max([loaded, *(number for word, number in told if word == "load")])
        published = max([published, *(number for word, number in told if word == "publish")])
        with open_master(home, FakeClock(), "look", wait_seconds=0.0) as master:
            assert master.newest_load() >= loaded
            per_load = "select count(*) from raw.candles group by load_id"
            assert master._connection.execute(per_load).fetchall() == [(20,)] * master.newest_load()
        if published:
            with open_published(home) as reader:
                assert reader.snapshot.snapshot_id >= published
                rows = reader.select("select count(*) from core.candles").rows[0][0]
                assert rows == 20 * reader.snapshot.load_id
    assert loaded > 0
    with capsys.disabled():
        print(f"\n50 kills: {loaded} loads and {published} publications acknowledged, none lost")


def killed_after(home: Home, words: int, part: float) -> list[tuple[str, int]]:
    """Write and publish in a forked process until it is killed; returns what it had acknowledged.

    The moment is a random part of the time that one acknowledgement takes, after some of them: as far into
    the work on a slow machine as on a fast one.
    """
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write_for_ever(home, sending)
        finally:
            os._exit(1)
    os.close(sending)
    heard, begun = b"", time.monotonic()
    while heard.count(b"\n") < words:
        heard += os.read(receiving, 4096)
    took = time.monotonic() - begun
    threading.Event().wait(part * (took / words if words else 0.3))
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    with os.fdopen(receiving, "rb") as pipe:
        heard += pipe.read()
    # A word that was cut short was not said.
    lines = [line for line in heard.decode().splitlines(keepends=True) if line.endswith("\n")]
    return [(word, int(number)) for word, number in map(str.split, lines)]


def write_for_ever(home: Home, sending: int) -> None:
    while True:
        with open_master(home, FakeClock(), "write") as master:
            done = load(master, candles([1.0] * 20, market_id=f"M{master.newest_load() + 1}"))
        os.write(sending, f"load {done.load_id}\n".encode())
        info = publish(home, FakeClock(), as_of=AS_OF + timedelta(hours=done.load_id), keep=2)
        os.write(sending, f"publish {info.snapshot_id}\n".encode())


def test_ten_minutes_of_publishing_every_second_under_eight_readers(home: Home, capsys) -> None:
    begun = time.monotonic()

    def every_second(number: int) -> None:
        threading.Event().wait(max(0.0, begun + number - time.monotonic()))

    took = publish_under_readers(home, 600, pause=0.1, pace=every_second)
    spent = time.monotonic() - begun
    cuts = statistics.quantiles(took, n=100)
    with capsys.disabled():
        print(
            f"\n600 publications in {spent:.0f} s under 8 readers: {len(took):,} looks (open the newest "
            f"snapshot, one query), median {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, "
            f"longest {max(took) * 1000:.0f} ms"
        )
