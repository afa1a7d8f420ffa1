"""Maintenance: old versions and verdicts move to files and back, the master shrinks, and nothing is lost."""

import stat
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, die_at, in_child, load
from warehouse import compaction
from warehouse.compaction import compact
from warehouse.errors import DamagedWarehouse, NoSpace, QueryFailed
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time, open_published
from warehouse.retention import archive_old, restore_archives

YEAR = timedelta(days=365)
KILLED = -9


def at(day: int) -> datetime:
    return datetime(2020, 1, day, tzinfo=UTC)


def verdict(day: int) -> dict[str, Any]:
    named = {"run_id": f"r{day}", "suite": "core_candles", "dataset": "candles", "expectation": "x"}
    return named | {"severity": "info", "success": True, "observed": {"n": day}, "validated_at": at(day)}


@pytest.fixture
def history(home: Home) -> Home:
    """Three days; day 2 revised on the 10th and on the 20th, day 3 on the 25th."""
    with open_master(home, FakeClock(), "prepare") as master:
        load(master, candles([100.0, 110.0, 120.0]), as_of=at(5))
        load(master, candles([100.0, 111.0, 120.0]), as_of=at(10))
        load(master, candles([100.0, 112.0, 120.0]), as_of=at(20))
        load(master, candles([100.0, 112.0, 121.0]), as_of=at(25))
        master.append("ops.validations", [verdict(1), verdict(28)])
    publish(home, FakeClock(), as_of=at(26), keep=5)
    return home


def closes(home: Home, as_of: datetime, ceiling: int | None = None) -> list[float]:
    with open_point_in_time(home, as_of, ceiling) as reader:
        return [row[0] for row in reader.select("select close from core.candles order by open_time").rows]


def archived(home: Home, until: datetime) -> list[tuple[str, int]]:
    clock = FakeClock(present=until + YEAR)
    return [
        (one.table_name, one.rows) for one in archive_old(home, clock, keep_vintages=YEAR, keep_logs=YEAR)
    ]


def everything(home: Home) -> list[list[float]]:
    moments = [(at(9), None), (at(15), None), (at(22), None), (at(31), None), (at(31), 1), (at(31), 3)]
    return [closes(home, moment, ceiling) for moment, ceiling in moments]


def raw_closes(home: Home) -> list[float]:
    with open_master(home, FakeClock(), "look") as master:
        found = master._connection.execute("select close from raw.candles order by all").fetchall()
        return [close for (close,) in found]


def test_every_past_moment_looks_the_same_with_versions_in_files(history: Home) -> None:
    before = everything(history)
    assert archived(history, at(22)) == [("raw.candles", 2), ("ops.validations", 1)]
    publish(history, FakeClock(), as_of=at(26) + YEAR, keep=5)
    assert raw_closes(history) == [100.0, 112.0, 120.0, 121.0]
    assert everything(history) == before
    assert archived(history, at(22)) == [], "the same again finds nothing"
    assert archived(history, at(26)) == [("raw.candles", 1)]
    publish(history, FakeClock(), as_of=at(27) + YEAR, keep=5)
    assert everything(history) == before, "from two files"


def test_files_are_private_and_listed(history: Home) -> None:
    archived(history, at(22))
    files = sorted(history.archive.iterdir())
    assert [path.name.rpartition("-")[0] for path in files] == [
        "ops.validations-000002",
        "raw.candles-000001",
    ]
    assert stat.S_IMODE(history.archive.stat().st_mode) == 0o750
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_what_was_moved_comes_back_exactly(history: Home) -> None:
    whole = raw_closes(history)
    archived(history, at(26))
    assert [one.rows for one in restore_archives(history, FakeClock())] == [3, 1]
    assert raw_closes(history) == whole
    assert restore_archives(history, FakeClock()) == []
    with open_master(history, FakeClock(), "look") as master:
        found = master._connection.execute("select observed, validated_at from ops.validations order by 2")
        assert found.fetchall()[0] == ('{"n": 1}', datetime(2020, 1, 1))
    publish(history, FakeClock(), as_of=at(26), keep=5)
    assert closes(history, at(9)) == [100.0, 110.0, 120.0]


def test_the_macro_refuses_a_moment_it_can_no_longer_show(history: Home) -> None:
    archived(history, at(22))
    publish(history, FakeClock(), as_of=at(26) + YEAR, keep=5)
    with open_published(history) as reader:
        for call in ("timestamp '2020-01-09', null", "null, 2"):
            with pytest.raises(QueryFailed, match="trimtab maintain --restore"):
                reader.select(f"select close from core.candles_at({call})")
        now = reader.select("select close from core.candles_at(null, null) order by open_time").rows
        assert now == ((100.0,), (112.0,), (121.0,))
        recent = "select close from core.candles_at(timestamp '2020-01-24', null) order by open_time"
        assert reader.select(recent).rows == ((100.0,), (112.0,), (120.0,))


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_damaged_archive_is_said_and_only_when_it_is_needed(history: Home, harm: str) -> None:
    archived(history, at(22))
    publish(history, FakeClock(), as_of=at(26) + YEAR, keep=5)
    file = next(history.archive.glob("raw*"))
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert closes(history, at(31)) == [100.0, 112.0, 121.0]
    with pytest.raises(DamagedWarehouse, match="from a backup"):
        closes(history, at(9))
    with pytest.raises(DamagedWarehouse, match="from a backup"):
        restore_archives(history, FakeClock())


@pytest.mark.parametrize("point", ["archived", "before_commit", "after_commit"])
def test_a_kill_while_archiving_loses_nothing(history: Home, point: str) -> None:
    before = everything(history)

    def work() -> None:
        die_at(point)
        archived(history, at(22))

    assert in_child(work) == KILLED
    archived(history, at(22))
    publish(history, FakeClock(), as_of=at(26) + YEAR, keep=5)
    assert everything(history) == before


def test_nothing_is_moved_when_everything_is_kept(history: Home) -> None:
    clock = FakeClock(present=at(22) + 10 * YEAR)
    assert archive_old(history, clock, keep_vintages=None, keep_logs=None) == []


@pytest.fixture
def bloated(home: Home) -> Home:
    with open_master(home, FakeClock(), "prepare") as master:
        for number in range(3):
            frame = candles([float(i % 977) for i in range(20_000)], timeframe="1h", market_id=f"M{number}")
            load(master, frame)
            master.checkpoint()
        with master.transaction():
            for table in ("raw.candles", "core.candles"):
                master._connection.execute(f"delete from {table} where market_id <> 'M2'")
                master.wrote(table)
    return home


def test_compaction_makes_the_file_smaller_and_changes_nothing(bloated: Home) -> None:
    done = compact(bloated, FakeClock(), above=0.2)
    assert done.free_share > 0.2
    assert done.bytes_after < 0.7 * done.bytes_before
    assert stat.S_IMODE(bloated.master.stat().st_mode) == 0o600
    with open_master(bloated, FakeClock(), "look") as master:
        assert master.newest_load() == 3
        assert master._connection.execute("select count(*) from core.candles").fetchall() == [(20_000,)]
        load(master, candles([5.0], market_id="after"))
    assert publish(bloated, FakeClock(), as_of=AS_OF, keep=2).load_id == 4
    again = compact(bloated, FakeClock(), above=0.2)
    assert again.bytes_after == again.bytes_before


def test_a_kill_while_compacting_leaves_the_old_master(bloated: Home) -> None:
    def work() -> None:
        die_at("compacted")
        compact(bloated, FakeClock(), above=0.2)

    before = bloated.master.stat().st_size
    assert in_child(work) == KILLED
    assert bloated.master.stat().st_size == before
    compact(bloated, FakeClock(), above=0.2)
    assert bloated.master.stat().st_size < before
    assert list(bloated.root.glob(".master.compact*")) == []


def test_compaction_stops_when_the_new_file_differs(bloated: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    real = compaction.statement

    def lossy(name: str, /, **parts: str) -> str:
        text = real(name, **parts)
        return text + " limit 19999" if name == "compact_copy" and "candles" in text else text

    monkeypatch.setattr(compaction, "statement", lossy)
    before = bloated.master.stat().st_ino
    with pytest.raises(DamagedWarehouse, match="stays as it was"):
        compact(bloated, FakeClock(), above=0.2)
    assert bloated.master.stat().st_ino == before


def test_compaction_asks_for_space_first(bloated: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise NoSpace("no space")

    monkeypatch.setattr(compaction, "refuse_little_space", none)
    with pytest.raises(NoSpace):
        compact(bloated, FakeClock(), above=0.2)
