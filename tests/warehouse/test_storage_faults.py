"""Storage faults that other files here do not inject: full disks, broken disks, kills of a migration.

The table at the end says which test stands for which row of the list of faults.
"""

import contextlib
import errno
import os
import random
import select
import shutil
import subprocess
import time
from array import array
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, die_at, in_child, load, stored
from tests.warehouse.test_kills import killed
from tests.warehouse.test_upgrade import age
from warehouse import snapshots
from warehouse.errors import DiskTrouble, NoSpace, QueryFailed
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published

KILLED = -9
POINTS = ["staged", "before_commit", "after_commit", "acknowledged", "mid_copy", "before_repoint"]


def kills(home: Home, seed: int, times: int) -> None:
    """Kill a writing pipeline again and again at random moments; after each kill all is well by itself."""
    chance = random.Random(seed)
    acknowledged = 0
    for _ in range(times):
        told = killed(home, chance.choice(POINTS), chance.choice([1, 2]))
        loads = [int(line.split()[1]) for line in told if line.startswith("load")]
        acknowledged = max([acknowledged, *loads])
        with open_master(home, FakeClock(), "look", wait_seconds=0.0) as master:
            assert master.newest_load() >= acknowledged
            wrong = "select count(*) from core.candles group by market_id having count(*) <> 20"
            assert master._connection.execute(wrong).fetchall() == []


@pytest.mark.parametrize("seed", range(100, 105))
def test_ten_kills_in_a_row_lose_nothing(home: Home, seed: int) -> None:
    kills(home, seed, 10)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Generator[Path]:
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can not be mounted here: that needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("moment", ["commit", "checkpoint", "snapshot"])
def test_a_full_disk_keeps_what_was_acknowledged_and_space_heals(
    empty_home: Home, tmp_path: Path, moment: str
) -> None:
    with small_disk(tmp_path / "disk", 40) as disk:
        home = Home(disk / "home")
        shutil.copytree(empty_home.root, home.root)
        with open_master(home, FakeClock(), "write", min_free_bytes=0) as master:
            load(master, candles([1.0] * 50))
        publish(home, FakeClock(), as_of=AS_OF, keep=1, min_free_bytes=0)
        filler = disk / "filler"
        room = {"commit": 300_000, "checkpoint": 6_000_000, "snapshot": 1_000_000}[moment]
        filler.write_bytes(b"\0" * (shutil.disk_usage(disk).free - room))
        many = candles([float(i) for i in range(100_000)], timeframe="1h", market_id="MANY")
        with pytest.raises((NoSpace, QueryFailed), match=r"(?i)space"):
            copy_without_looking(home) if moment == "snapshot" else write(home, many)
        with open_published(home) as reader:
            assert reader.select("select count(*) from core.candles").rows == ((50,),)
        filler.unlink()
        with open_master(home, FakeClock(), "look", min_free_bytes=0) as master:
            assert master.newest_load() >= 1
            held = "select count(*) from core.candles where market_id = 'BTCUSDT'"
            assert master._connection.execute(held).fetchall() == [(50,)]
            load(master, candles([7.0], market_id="AFTER"))
        info = publish(home, FakeClock(), as_of=AS_OF, keep=1, min_free_bytes=0)
        with open_published(home) as reader:
            assert reader.snapshot == info
        assert [path.name for path in home.published.iterdir() if path.name.startswith(".")] == []


def write(home: Home, frame: pd.DataFrame) -> None:
    with open_master(home, FakeClock(), "write", min_free_bytes=0) as master:
        load(master, frame)
        master.checkpoint()


def copy_without_looking(home: Home) -> None:
    """Publish as if the space had vanished after it was checked for."""
    with open_master(home, FakeClock(), "write", min_free_bytes=0) as master:
        load(master, candles([2.0], market_id="LATER"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("warehouse.publish.refuse_little_space", lambda *_: None)
        publish(home, FakeClock(), as_of=AS_OF, keep=1)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_copy_that_fails_leaves_the_old_snapshot(
    home: Home, monkeypatch: pytest.MonkeyPatch, code: int, nth: int
) -> None:
    stored(home, ("candles", candles([1.0])))
    first = publish(home, FakeClock(), as_of=AS_OF, keep=2)
    stored(home, ("candles", candles([2.0], market_id="X")))
    real, calls = os.fsync, [0]

    def failing(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] == nth:
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(snapshots.os, "fsync", failing)
    with pytest.raises(NoSpace if code == errno.ENOSPC else DiskTrouble, match=r"(?i)disk|space"):
        publish(home, FakeClock(), as_of=AS_OF, keep=2)
    monkeypatch.undo()
    with open_published(home) as reader:
        assert reader.snapshot == first
    publish(home, FakeClock(), as_of=AS_OF, keep=2)
    with open_published(home) as reader:
        assert reader.select("select count(*) from core.candles").rows == ((2,),)


@pytest.mark.parametrize("point", ["migrating", "migrated"])
def test_a_kill_during_a_migration_leaves_the_old_or_the_new_tables(home: Home, point: str) -> None:
    age(home, "ops.archives")

    def work() -> None:
        die_at(point)
        with open_master(home, FakeClock(), "upgrade"):
            pass

    assert in_child(work) == KILLED
    with open_master(home, FakeClock(), "look", wait_seconds=0.0) as master:
        assert master._connection.execute("select count(*) from ops.archives").fetchall() == [(0,)]
        assert master.newest_load() == 1
        assert load(master, candles([2.0], market_id="X")).rows_new == 1
    with open_master(home, FakeClock(), "look") as master:
        assert master.newest_load() == 2


READERS = 8
PUBLICATIONS = 8


def watch(home: Home, stop: int, told: int, pause: float) -> None:
    """Read until told to stop, then say how long each look took; no version is old or half there."""
    newest, took = 0, array("d")
    while True:
        begun = time.perf_counter()
        with open_published(home) as reader:
            number = reader.snapshot.snapshot_id
            markets, rows = reader.select(
                "select count(distinct market_id), count(*) from core.candles"
            ).rows[0]
        took.append(time.perf_counter() - begun)
        assert number >= newest
        assert rows == markets * 20 == number * 20, (number, markets, rows)
        newest = number
        if select.select([stop], [], [], pause)[0]:
            os.write(told, took.tobytes())
            return


def test_publishing_again_and_again_under_eight_readers(home: Home) -> None:
    publish_under_readers(home, PUBLICATIONS)


def publish_under_readers(
    home: Home, publications: int, pause: float = 0.0, pace: Callable[[int], object] = lambda number: None
) -> list[float]:
    """Publish under eight reading processes.

    Args:
        home: An empty home.
        publications: How many.
        pause: Seconds that a reader rests between two looks.
        pace: Called before each publication with its number.

    Returns:
        Seconds of every look of every reader: opening the newest snapshot and one query.
    """
    stored(home, ("candles", candles([0.0] * 20, market_id="M0")))
    publish(home, FakeClock(), as_of=AS_OF, keep=2)
    (stop, stopping), (heard, told) = os.pipe(), os.pipe()
    children = [forked_watcher(home, stop, told, pause, stopping) for _ in range(READERS)]
    os.close(told)
    try:
        for number in range(1, publications):
            pace(number)
            stored(home, ("candles", candles([float(number)] * 20, market_id=f"M{number}")))
            assert publish(home, FakeClock(), as_of=AS_OF, keep=2).snapshot_id == number + 1
    finally:
        os.close(stopping)
        with os.fdopen(heard, "rb") as pipe:
            took = array("d", pipe.read())
        ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert ends == [0] * READERS
    assert len(took) >= READERS
    return list(took)


def forked_watcher(home: Home, stop: int, told: int, pause: float, stopping: int) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(stopping)
            watch(home, stop, told, pause)
            status = 0
        finally:
            os._exit(status)
    return child


MATRIX = {
    "F55": [
        "test_kills:test_a_kill_at_a_named_moment_loses_nothing",
        "test_storage_faults:test_ten_kills_in_a_row_lose_nothing",
    ],
    "F56": [
        "test_storage_faults:test_a_full_disk_keeps_what_was_acknowledged_and_space_heals",
        "test_storage_faults:test_a_copy_that_fails_leaves_the_old_snapshot",
    ],
    "F57": [
        "test_publish:test_too_little_space_stops_before_anything_is_written",
    ],
    "F58": [
        "test_damage:test_a_cut_log_is_noticed_kept_and_restored_from",
        "test_damage:test_a_flipped_bit_in_the_log_is_noticed_or_harmless",
        "test_damage:test_a_deleted_log_is_noticed",
        "test_damage:test_a_foreign_log_is_noticed_or_left_out",
    ],
    "F59": [
        "test_damage:test_a_broken_file_is_refused_and_restored",
        "test_damage:test_restore_passes_over_a_damaged_snapshot_and_says_when_none_is_intact",
    ],
    "F60": [
        "test_lock:test_the_second_writer_is_told_who_holds_the_master",
    ],
    "F61": [
        "test_lock:test_readers_never_wait_and_never_see_half_a_batch",
        "test_lock:test_whoever_opens_the_master_by_hand_is_named_and_changes_nothing",
        "test_storage_faults:test_publishing_again_and_again_under_eight_readers",
    ],
    "F62": [
        "test_load:test_two_values_for_one_key_refuse_the_whole_batch",
    ],
    "F63": [
        "test_storage_faults:test_a_copy_that_fails_leaves_the_old_snapshot",
        "test_publish:test_a_foreign_owner_is_refused",
    ],
    "F64": [
        "test_publish:test_the_newest_few_are_kept_and_match_their_checksums",
        "test_lock:test_readers_never_wait_and_never_see_half_a_batch",
    ],
    "F65": [
        "test_storage_faults:test_a_kill_during_a_migration_leaves_the_old_or_the_new_tables",
    ],
    "F66": [
        "test_lock:test_a_killed_holder_leaves_no_lock",
    ],
    "T6": [
        "test_writing:test_a_value_is_bound_never_pasted",
    ],
    "T7": [
        "test_reader:test_every_connection_is_locked_down",
        "test_reader:test_a_select_reads_no_file_and_writes_nothing",
    ],
    "T17": [
        "test_publish:test_files_are_ours_alone_and_snapshots_the_groups_too",
        "test_publish:test_a_planted_link_is_refused",
        "test_maintenance:test_files_are_private_and_listed",
    ],
}


@pytest.mark.parametrize("row", MATRIX)
def test_every_row_of_the_list_has_its_test(row: str) -> None:
    for place in MATRIX[row]:
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(f"tests.warehouse.{module}"), name))
