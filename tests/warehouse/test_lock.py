import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warehouse.support import FakeClock, YieldingClock, candles, in_child, load, stored
from warehouse.errors import WriterBusy
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from tests.warehouse.support import FakeClock
from warehouse.home import Home
from warehouse.master import open_master
with open_master(Home(Path(sys.argv[1])), FakeClock(), "ingest binance"):
    sys.stdout.write("held\\n"); sys.stdout.flush()
    sys.stdin.readline()
"""
OPEN_BY_HAND = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
sys.stdout.write("held\\n"); sys.stdout.flush()
sys.stdin.readline()
"""


def holder(script: str, target: Path) -> subprocess.Popen:
    arguments = [sys.executable, "-c", script, str(target)]
    child = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    return child


def test_the_second_writer_is_told_who_holds_the_master(home: Home) -> None:
    with holder(HOLD, home.root) as child:
        clock = FakeClock()
        with pytest.raises(WriterBusy, match="ingest binance") as caught, open_master(home, clock, "second"):
            pass
        child.communicate(b"\n")
    assert caught.value.pid == child.pid
    assert caught.value.since is not None
    assert caught.value.since.tzinfo is not None
    assert 30 <= clock.elapsed < 31


def test_whoever_opens_the_master_by_hand_is_named_and_changes_nothing(home: Home) -> None:
    with holder(OPEN_BY_HAND, home.master) as child:
        with (
            pytest.raises(WriterBusy, match=str(child.pid)),
            open_master(home, FakeClock(), "second", wait_seconds=1),
        ):
            pass
        child.communicate(b"\n")
    with open_master(home, FakeClock(), "later") as master:
        assert load(master, candles([1.0])).rows_new == 1


def test_a_killed_holder_leaves_no_lock(home: Home) -> None:
    with holder(HOLD, home.root) as child:
        child.kill()
        child.wait()
    with open_master(home, FakeClock(), "next", wait_seconds=0.0) as master:
        assert load(master, candles([1.0])).rows_new == 1


def test_a_thread_of_the_same_process_waits_too(home: Home) -> None:
    with open_master(home, FakeClock(), "first"):
        with pytest.raises(WriterBusy, match="first") as caught, open_master(home, FakeClock(), "second"):
            pass
        assert caught.value.pid == os.getpid()


def test_writers_take_turns(home: Home) -> None:
    def write(offset: int) -> None:
        for batch in range(5):
            with open_master(home, YieldingClock(), f"writer {offset}") as master:
                load(master, candles([1.0], start=f"20{10 + batch}-01-01", market_id=f"M{offset}"))

    children = []
    for offset in range(2):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                write(offset)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]
    with open_master(home, FakeClock(), "look") as master:
        rows = master._connection.execute("select count(*), max(load_id) from core.candles").fetchall()
    assert rows == [(10, 10)]


def test_readers_never_wait_and_never_see_half_a_batch(home: Home) -> None:
    """A child writes and publishes batches of ten rows; this process reads all the while."""
    publish_now = {"as_of": FakeClock().now(), "keep": 2}
    publish(stored(home, ("candles", candles([1.0] * 10, market_id="M0"))), FakeClock(), **publish_now)

    def write() -> None:
        for batch in range(1, 6):
            with open_master(home, YieldingClock(), "write") as master:
                load(master, candles([1.0] * 10, market_id=f"M{batch}"))
            publish(home, YieldingClock(), **publish_now)

    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            write()
            status = 0
        finally:
            os._exit(status)
    seen, done = [], 0
    while not done:
        done, status = os.waitpid(pid, os.WNOHANG)
        with open_published(home) as reader:
            rows = reader.select("select count(*) from core.candles").rows[0][0]
            seen.append((reader.snapshot.snapshot_id, rows))
    assert os.waitstatus_to_exitcode(status) == 0
    assert seen == sorted(seen), "versions went back"
    assert all(rows % 10 == 0 for _, rows in seen)
    assert seen[-1] == (6, 60)


def test_nothing_is_left_behind_by_a_failed_child(home: Home) -> None:
    def fail() -> None:
        with open_master(home, FakeClock(), "fail") as master, master.transaction():
            load(master, candles([1.0]))
            os._exit(7)

    assert in_child(fail) == 7
    with open_master(home, FakeClock(), "look") as master:
        assert master.newest_load() == 0
