import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, load
from warehouse.errors import LeaseHeld, LeaseLost
from warehouse.home import Home
from warehouse.lease import SILENCE, acquire, release
from warehouse.master import open_master
from warehouse.publish import publish

ROOT = Path(__file__).parents[2]
TAKE = """
import sys
from pathlib import Path
from tests.warehouse.support import FakeClock
from warehouse.home import Home
from warehouse.lease import acquire
acquire(Home(Path(sys.argv[1])), "rebalance", "theirs", FakeClock())
sys.stdout.write("held\\n"); sys.stdout.flush()
sys.stdin.readline()
"""


def taker(home: Home) -> subprocess.Popen:
    arguments = [sys.executable, "-c", TAKE, str(home.root)]
    child = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    return child


def end(child: subprocess.Popen) -> None:
    child.kill()
    child.communicate()


def test_a_second_run_of_a_flow_is_told_who_is_at_it(home):
    child = taker(home)
    try:
        with pytest.raises(LeaseHeld, match=f"theirs .process {child.pid}."):
            acquire(home, "rebalance", "ours", FakeClock())
        assert acquire(home, "market", "ours", FakeClock()).token == 1
    finally:
        end(child)


def test_a_dead_holder_needs_no_waiting_and_no_manual_step(home):
    end(taker(home))
    fence = acquire(home, "rebalance", "ours", FakeClock())
    assert (fence.token, fence.replaced_run_id) == (2, "theirs")


def test_a_stopped_holder_is_replaced_after_two_minutes_of_silence(home):
    child = taker(home)
    try:
        os.kill(child.pid, signal.SIGSTOP)
        clock = FakeClock()
        clock.sleep(SILENCE.total_seconds())
        with pytest.raises(LeaseHeld):
            acquire(home, "rebalance", "ours", clock)
        clock.sleep(1)
        assert acquire(home, "rebalance", "ours", clock).replaced_run_id == "theirs"
    finally:
        end(child)


def test_a_clock_that_was_set_back_does_not_keep_a_silent_holder_alive(home):
    child = taker(home)
    try:
        clock = FakeClock(FakeClock().present - timedelta(hours=2))
        assert acquire(home, "rebalance", "ours", clock).token == 2
    finally:
        end(child)


def test_whoever_lost_the_lease_can_neither_write_nor_publish(home):
    clock = FakeClock()
    mine = Home(home.root, acquire(home, "rebalance", "old", clock))
    with open_master(mine, clock, "first") as master:
        load(master, candles([1.0]))
    clock.sleep(SILENCE.total_seconds() + 1)
    theirs = Home(home.root, acquire(home, "rebalance", "new", clock))
    with pytest.raises(LeaseLost, match="new"), open_master(mine, clock, "late") as master:
        load(master, candles([2.0], market_id="X"))
    with pytest.raises(LeaseLost):
        publish(mine, clock, as_of=AS_OF, keep=2)
    assert publish(theirs, clock, as_of=AS_OF, keep=2).snapshot_id == 1
    with open_master(theirs, clock, "look") as master:
        assert master._connection.execute("select count(*) from core.candles").fetchall() == [(1,)]


def test_a_sign_of_life_keeps_the_lease_and_giving_it_back_frees_it(home):
    clock = FakeClock()
    fence = acquire(home, "rebalance", "old", clock)
    clock.sleep(SILENCE.total_seconds())
    fence.beat(clock)
    clock.sleep(SILENCE.total_seconds())
    with pytest.raises(LeaseHeld):
        acquire(home, "rebalance", "new", clock)
    release(home, fence, clock)
    after = acquire(home, "rebalance", "new", clock)
    assert (after.token, after.replaced_run_id) == (2, None)
    release(home, fence, clock)  # a late one takes nothing away
    with pytest.raises(LeaseHeld):
        acquire(home, "rebalance", "third", clock)


def test_another_boot_or_a_reused_process_number_is_no_holder(home):
    fence = acquire(home, "rebalance", "old", FakeClock())
    for change in ({"boot_id": "another"}, {"started": "1"}):
        holder = json.loads(fence.path.read_text())
        fence.path.write_text(json.dumps(holder | change))
        assert acquire(home, "rebalance", "new", FakeClock()).token == holder["token"] + 1


def test_a_torn_file_never_gives_an_old_token_again(home):
    fence = acquire(home, "rebalance", "old", FakeClock())
    fence.path.write_text("{")
    assert acquire(home, "rebalance", "new", FakeClock()).token == 2
