"""A kill in the middle of a checkpoint's write: what it tore is put back, and nothing else ever is."""

import os
import signal
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, load
from warehouse.compaction import compact
from warehouse.errors import DamagedWarehouse
from warehouse.home import Home
from warehouse.master import Master, open_master
from warehouse.points import listen
from warehouse.publish import publish
from warehouse.restore import restore

PAGE = 4096
FIRST_BLOCK, BLOCK = 12_288, 262_144


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Three batches in a file that was closed, and a fourth in the log of a process that was killed."""
    made = Home(tmp_path / "home")
    for number in range(3):
        with open_master(made, FakeClock(), "write") as master:
            write(master, number)
    killed_writing(made, 3)
    return made


def killed_writing(home: Home, number: int) -> None:
    child = os.fork()
    if child == 0:
        listen(lambda point: os.kill(os.getpid(), signal.SIGKILL) if point == "acknowledged" else None)
        try:
            with open_master(home, FakeClock(), "write") as master:
                write(master, number)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert home.master.with_name("master.duckdb.wal").exists()


def write(master: Master, number: int) -> None:
    load(master, candles([1.0] * 20, market_id=f"M{number}"))


def blocks_of_metadata(home: Home, scratch: Path) -> list[int]:
    copy = scratch / "copy.duckdb"
    copy.write_bytes(home.master.read_bytes())
    with duckdb.connect(str(copy), read_only=True) as connection:
        return [row[0] for row in connection.execute("from pragma_metadata_info()").fetchall()]


def tear(home: Home, block: int) -> None:
    """Half of the block as another checkpoint would write it: its checksum is of what never came."""
    with home.master.open("r+b") as file:
        file.seek(FIRST_BLOCK + block * BLOCK)
        file.write(os.urandom(8))
        file.seek(FIRST_BLOCK + block * BLOCK + PAGE * 40)
        file.write(bytes(PAGE * 24))


def rows(home: Home) -> int:
    with open_master(home, FakeClock(), "look"):
        pass
    with duckdb.connect(str(home.master), read_only=True) as connection:
        (count,) = connection.execute("select count(*) from core.candles").fetchall()[0]
        return int(count)


def test_every_torn_block_is_put_back_and_no_acknowledged_row_is_lost(home: Home, tmp_path: Path) -> None:
    torn = blocks_of_metadata(home, tmp_path)
    assert torn
    for block in torn:
        tear(home, block)
    assert rows(home) == 80


def test_it_can_be_torn_again_and_again(home: Home, tmp_path: Path) -> None:
    for number in (4, 5, 6):
        tear(home, blocks_of_metadata(home, tmp_path)[-1])
        killed_writing(home, number)
    assert rows(home) == 140


def test_without_what_was_kept_the_damage_is_told_and_the_file_stays(home: Home, tmp_path: Path) -> None:
    for block in blocks_of_metadata(home, tmp_path):
        tear(home, block)
    (home.state / "metadata.before").unlink()
    before = home.master.read_bytes()
    with pytest.raises(DamagedWarehouse):
        rows(home)
    assert home.master.read_bytes() == before


@pytest.mark.parametrize("harm", ["cut", "changed"])
def test_what_was_kept_and_is_not_whole_is_not_put_back(home: Home, tmp_path: Path, harm: str) -> None:
    kept = home.state / "metadata.before"
    content = bytearray(kept.read_bytes())
    if harm == "cut":
        del content[-1000:]
    else:
        content[-1000] ^= 1
    kept.write_bytes(bytes(content))
    before = home.master.read_bytes()
    tear(home, blocks_of_metadata(home, tmp_path)[0])
    torn = home.master.read_bytes()
    assert torn != before
    with pytest.raises(DamagedWarehouse):
        rows(home)
    assert home.master.read_bytes() == torn


def test_a_checkpoint_that_came_to_its_end_is_never_undone(home: Home) -> None:
    kept = (home.state / "metadata.before").read_bytes()
    assert rows(home) == 80  # replays the log and folds it into the file
    (home.state / "metadata.before").write_bytes(kept)
    after = home.master.read_bytes()
    with open_master(home, FakeClock(), "look"):
        pass
    assert home.master.read_bytes() == after
    assert rows(home) == 80


def test_checkpoints_within_one_opening_are_each_prepared_for(home: Home) -> None:
    kept = []
    with open_master(home, FakeClock(), "write") as master:
        for number in (4, 5):
            write(master, number)
            kept.append((home.state / "metadata.before").read_bytes())
            master.checkpoint()
    assert kept[0] != kept[1]


def test_what_was_kept_is_private(home: Home) -> None:
    assert (home.state / "metadata.before").stat().st_mode & 0o777 == 0o600


def test_what_was_kept_of_one_file_never_reaches_the_file_that_takes_its_place(home: Home) -> None:
    """Two files can have the same headers and other metadata."""
    assert rows(home) == 80
    compact(home, FakeClock(), above=-1.0)
    assert not (home.state / "metadata.before").exists()
    assert rows(home) == 80
    publish(home, FakeClock(), as_of=AS_OF, keep=1)
    kept = home.state / "metadata.before"
    assert kept.exists()
    restore(home, FakeClock())
    assert rows(home) == 80
