import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, in_child, load
from warehouse.errors import DamagedWarehouse, NothingPublished
from warehouse.home import Home
from warehouse.manifest import counted
from warehouse.master import Master, open_master
from warehouse.opening import log_of
from warehouse.publish import publish
from warehouse.restore import restore


def crashed(home: Home) -> bytes:
    """A published load, then three acknowledged ones by a process that dies; returns its log."""
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0] * 50))
    publish(home, FakeClock(), as_of=AS_OF, keep=2)

    def work() -> None:
        with open_master(home, FakeClock(), "write") as master:
            for number in range(3):
                load(master, candles([2.0] * 50, market_id=f"M{number}"))
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(work) == -9
    return log_of(home.master).read_bytes()


def closes(home: Home) -> list[tuple]:
    with open_master(home, FakeClock(), "look") as master:
        query = "select market_id, count(*) from core.candles group by market_id order by market_id"
        return master._connection.execute(query).fetchall()


QUARANTINED = {
    "load_id": 1, "dataset": "candles", "key": {}, "row": {}, "reason_code": "x", "reason": "y",
    "quarantined_at": AS_OF,
}  # fmt: skip


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def noticed_or(home: Home, wanted: list[tuple]) -> bool:
    try:
        return closes(home) == wanted
    except DamagedWarehouse as error:
        return "trimtab restore" in str(error)


ALL = [("BTCUSDT", 50), ("M0", 50), ("M1", 50), ("M2", 50)]


def test_an_intact_log_is_replayed(home: Home) -> None:
    crashed(home)
    assert closes(home) == ALL
    assert not (home.root / "master.duckdb.wal.kept").exists()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.97])
def test_a_cut_log_is_noticed_kept_and_restored_from(home: Home, share: float) -> None:
    log = crashed(home)
    log_of(home.master).write_bytes(log[: int(len(log) * share)])
    with pytest.raises(DamagedWarehouse, match="trimtab restore"), open_master(home, FakeClock(), "look"):
        pass
    assert (home.root / "master.duckdb.wal.kept").exists()
    with pytest.raises(DamagedWarehouse), open_master(home, FakeClock(), "look again"):
        pass
    assert restore(home, FakeClock()).snapshot_id == 1
    assert closes(home) == [("BTCUSDT", 50)]
    assert list(home.root.glob("damaged-*-master.duckdb"))


def test_a_deleted_log_is_noticed(home: Home) -> None:
    crashed(home)
    log_of(home.master).unlink()
    with pytest.raises(DamagedWarehouse, match="transaction"), open_master(home, FakeClock(), "look"):
        pass


@pytest.mark.parametrize("place", [0.1, 0.35, 0.6, 0.9])
def test_a_flipped_bit_in_the_log_is_noticed_or_harmless(home: Home, place: float) -> None:
    log = bytearray(crashed(home))
    log[int(len(log) * place)] ^= 0x10
    log_of(home.master).write_bytes(log)
    assert noticed_or(home, ALL)


def test_a_foreign_log_is_noticed_or_left_out(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    log = crashed(other)
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([5.0]))
    log_of(home.master).write_bytes(log)
    assert noticed_or(home, [("BTCUSDT", 1)])


def test_a_broken_file_is_refused_and_restored(home: Home) -> None:
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0]))
    publish(home, FakeClock(), as_of=AS_OF, keep=2)
    home.master.write_bytes(b"\0" * 100)
    with pytest.raises(DamagedWarehouse, match="trimtab restore"), open_master(home, FakeClock(), "look"):
        pass
    restore(home, FakeClock())
    assert closes(home) == [("BTCUSDT", 1)]


def test_a_missing_master_is_not_replaced_by_an_empty_one(home: Home) -> None:
    crashed(home)
    home.master.unlink()
    with pytest.raises(DamagedWarehouse, match="gone"), open_master(home, FakeClock(), "look"):
        pass
    restore(home, FakeClock())
    assert closes(home) == [("BTCUSDT", 50)]


def test_rows_taken_away_by_hand_are_noticed(home: Home) -> None:
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0, 2.0]))
    with duckdb.connect(str(home.master)) as by_hand:
        by_hand.execute("delete from core.candles where close = 1")
    with pytest.raises(DamagedWarehouse, match=r"core\.candles should have 2 rows and has 1"):
        closes(home)


def test_a_missing_or_unreadable_manifest_is_refused(home: Home) -> None:
    crashed(home)
    text = home.manifest.read_text()
    home.manifest.write_text(text[:-20])
    with pytest.raises(DamagedWarehouse, match="unreadable"):
        closes(home)
    home.manifest.unlink()
    with pytest.raises(DamagedWarehouse, match="missing"):
        closes(home)
    restore(home, FakeClock())
    assert closes(home) == [("BTCUSDT", 50)]
    assert json.loads(home.manifest.read_text())["snapshots"][0]["snapshot_id"] == 1


def test_restore_passes_over_a_damaged_snapshot_and_says_when_none_is_intact(home: Home) -> None:
    for number in range(2):
        with open_master(home, FakeClock(), "write") as master:
            load(master, candles([1.0] * 10, market_id=f"M{number}"))
        publish(home, FakeClock(), as_of=AS_OF, keep=3)
    newest = bytearray(home.snapshot(2).read_bytes())
    newest[len(newest) // 2] ^= 1
    home.snapshot(2).write_bytes(newest)
    assert restore(home, FakeClock()).snapshot_id == 1
    assert closes(home) == [("M0", 10)]
    with pytest.raises(DamagedWarehouse, match="checksums"):
        restore(home, FakeClock(), 2)
    with pytest.raises(NothingPublished, match="1, 2"):
        restore(home, FakeClock(), 9)


def test_numbers_of_snapshots_go_on_after_a_restore(home: Home) -> None:
    for number in range(2):
        with open_master(home, FakeClock(), "write") as master:
            load(master, candles([1.0], market_id=f"M{number}"))
        publish(home, FakeClock(), as_of=AS_OF, keep=3)
    restore(home, FakeClock(), 1)
    assert publish(home, FakeClock(), as_of=AS_OF, keep=3).snapshot_id == 3


def test_restore_without_any_snapshot_says_so(home: Home) -> None:
    with pytest.raises(NothingPublished, match="none"):
        restore(home, FakeClock())


def test_a_manifest_that_acknowledges_more_is_noticed(home: Home) -> None:
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0] * 50))
    told = json.loads(home.manifest.read_text())
    told["rows"]["core.candles"] += 1
    home.manifest.write_text(json.dumps(told))
    with pytest.raises(DamagedWarehouse, match="51 rows and has 50"), open_master(home, FakeClock(), "look"):
        pass


def test_what_nobody_touched_since_it_was_closed_is_not_counted_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[object] = []

    def noted(connection: duckdb.DuckDBPyConnection, tables: object = None) -> dict[str, int]:
        counts.append(tables)
        return counted(connection, tables)

    monkeypatch.setattr("warehouse.manifest.counted", noted)
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0] * 50))
    counts.clear()
    with open_master(home, FakeClock(), "look") as master:
        assert counts == []
        load(master, candles([2.0] * 50, market_id="M1"))
    assert counts == [{"core.candles", "raw.candles", "ops.loads"}]
    acknowledged = json.loads(home.manifest.read_text())["rows"]
    counts.clear()
    publish(home, FakeClock(), as_of=AS_OF, keep=2)
    assert counts[0] is None  # what is published is counted
    os.utime(home.master)
    counts.clear()
    with open_master(home, FakeClock(), "look after somebody touched it") as master:
        assert counts == [None]
        assert counted(master._connection) == acknowledged | {"ops.publications": 1}


def test_what_somebody_changed_while_we_waited_for_the_file_is_noticed(home: Home) -> None:
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0, 2.0]))
    by_hand = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input(); "
        "c.execute('delete from core.candles where close = 1'); c.close()"
    )
    command = [sys.executable, "-c", by_hand, str(home.master)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hand:
        assert hand.stdout is not None
        assert hand.stdout.readline() == "open\n"

        class Waits(FakeClock):
            def sleep(self, seconds: float) -> None:
                super().sleep(seconds)
                if hand.poll() is None:
                    hand.communicate("\n")

        with (
            pytest.raises(DamagedWarehouse, match="should have 2 rows and has 1"),
            open_master(home, Waits(), "wait for whoever has it open"),
        ):
            pass


def test_after_a_restore_that_was_killed_every_table_is_guarded_again(home: Home) -> None:
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0] * 50))
        master.append("ops.quarantine", [QUARANTINED])
    publish(home, FakeClock(), as_of=AS_OF, keep=2)

    def killed_later() -> None:
        Master.acknowledge = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
        restore(home, FakeClock())

    assert in_child(killed_later) == -9
    assert json.loads(home.manifest.read_text())["rows"]
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([3.0], market_id="X"))
    with duckdb.connect(str(home.master)) as by_hand:
        by_hand.execute("delete from ops.quarantine")
    with pytest.raises(DamagedWarehouse, match=r"ops\.quarantine should have 1 rows"):
        closes(home)


def test_a_commit_whose_acknowledgement_failed_is_counted_by_the_next_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_master(home, FakeClock(), "write") as master:
        with monkeypatch.context() as patch:
            patch.setattr("warehouse.manifest.write_private", full_disk)
            with pytest.raises(OSError, match="No space"):
                load(master, candles([1.0] * 3))
        master.append("ops.quarantine", [QUARANTINED])
    os.utime(home.master)
    assert closes(home) == [("BTCUSDT", 3)]
