"""Politeness among processes: one queue per limit, and one word of a host holds them all."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.clock import RealClock
from tasks.sources._hosts import Hosts
from tasks.sources._turns import INSTANT, LONGEST_QUEUE_SECONDS, Turns
from tests.tasks.support import FakeClock

URL = "https://api.example.org/v1/candles"


def file_of(tmp_path: Path) -> Path:
    return tmp_path / "state" / "held_hosts.json"


@pytest.mark.parametrize("seconds", [1.0, 40.0, 3000.0])
def test_a_pause_told_to_one_process_holds_the_other_at_once(tmp_path, seconds):
    clock = FakeClock()
    told, other = Hosts(file_of(tmp_path), clock), Hosts(file_of(tmp_path), clock)
    assert other.seconds_to_wait(URL) == 0
    told.hold(URL, seconds)
    assert other.seconds_to_wait(URL) == pytest.approx(seconds)
    assert other.seconds_to_wait("https://elsewhere.example.org/") == 0
    clock.sleep(seconds)
    assert other.seconds_to_wait(URL) == pytest.approx(0, abs=1e-6)


def test_a_ban_outlives_the_process(tmp_path):
    clock = FakeClock()
    Hosts(file_of(tmp_path), clock).hold(URL, 3000)
    later = FakeClock(clock.now() + timedelta(seconds=1000))
    assert Hosts(file_of(tmp_path), later).seconds_to_wait(URL) == pytest.approx(2000)


def test_a_shorter_pause_shortens_nothing_and_all_hosts_are_kept(tmp_path):
    clock = FakeClock()
    one, two = Hosts(file_of(tmp_path), clock), Hosts(file_of(tmp_path), clock)
    one.hold(URL, 100)
    two.hold("https://other.example.org/", 50)
    two.hold(URL, 5)
    assert one.seconds_to_wait(URL) == pytest.approx(100)
    assert set(json.loads(file_of(tmp_path).read_text())) == {"api.example.org", "other.example.org"}


@pytest.mark.parametrize("broken", ["", "{", "[1]", '{"api.example.org": 7}'])
def test_a_broken_file_is_no_reason_to_fail(tmp_path, broken):
    file_of(tmp_path).parent.mkdir(parents=True)
    file_of(tmp_path).write_text(broken)
    hosts = Hosts(file_of(tmp_path), FakeClock())
    assert hosts.seconds_to_wait(URL) == 0
    hosts.hold(URL, 9)
    assert Hosts(file_of(tmp_path), FakeClock()).seconds_to_wait(URL) == pytest.approx(9)


def test_two_processes_share_ten_requests_in_six_seconds(tmp_path):
    clock = FakeClock()
    one, other = Hosts(tmp_path / "held.json", clock), Hosts(tmp_path / "held.json", clock)
    sent = []
    for at in range(35):
        clock.sleep((one, other)[at % 2].reserve_one_of("coinmetrics", 10, 6.0))
        sent.append(clock.seconds)
    assert sent[:10] == [0.0] * 10  # a burst is allowed
    assert all(later - earlier >= 6 - 1e-6 for earlier, later in zip(sent[:-10], sent[10:], strict=True))
    assert sent[-1] == pytest.approx(18)


def test_two_processes_stand_in_one_queue(tmp_path):
    clock = FakeClock()
    one, two = Hosts(file_of(tmp_path), clock), Hosts(file_of(tmp_path), clock)
    waits = [turn.reserve("binance-spot", 0.5) for turn in (one, two, one, two)]
    assert waits == pytest.approx([0, 0.5, 1.0, 1.5], abs=1e-5)
    assert two.reserve("binance-perp", 0.5) == pytest.approx(0, abs=1e-5)
    clock.sleep(10)
    assert two.reserve("binance-spot", 0.5) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("stored", [b"", b"abc", INSTANT.pack(float("nan")), INSTANT.pack(float("inf"))])
def test_a_broken_queue_starts_anew(tmp_path, stored):
    clock = FakeClock()
    (tmp_path / "binance-spot").write_bytes(stored)
    assert Turns(tmp_path, clock).reserve("binance-spot", 1.0) == 0
    ahead = clock.now().timestamp() + LONGEST_QUEUE_SECONDS + 1  # a clock that was set back
    (tmp_path / "binance-spot").write_bytes(INSTANT.pack(ahead))
    assert Turns(tmp_path, clock).reserve("binance-spot", 1.0) == 0


ROOT = Path(__file__).resolve().parents[3]
TAKE_TURNS = """
import sys
from pathlib import Path
from tasks.clock import RealClock
from tasks.sources._turns import Turns
turns = Turns(Path(sys.argv[1]), RealClock())
for _ in range(200):
    turns.reserve("binance-spot", 0.25)
"""


def test_no_turn_is_given_twice_to_processes_at_once(tmp_path):
    before = RealClock().now().timestamp()
    command = [sys.executable, "-c", TAKE_TURNS, str(tmp_path)]
    children = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [child.wait(120) for child in children] == [0, 0, 0, 0]
    free_at = INSTANT.unpack((tmp_path / "binance-spot").read_bytes())[0]
    assert free_at >= before + 800 * 0.25
