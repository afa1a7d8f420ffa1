import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, stored
from warehouse.errors import QueryFailed, RefusedStatement
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import Reader, open_point_in_time, open_published


@pytest.fixture
def reader(home: Home):
    publish(stored(home, ("candles", candles([1.0, 2.0, 3.0]))), FakeClock(), as_of=AS_OF, keep=2)
    with open_published(home) as opened:
        yield opened


@pytest.mark.parametrize(
    "sql",
    [
        "select close from core.candles",
        "with a as (select close from core.candles) select * from a",
        "from core.candles",
        "describe core.candles",
        "show all tables",
        "summarize core.candles",
        "explain select 1",
        "pivot (select base, timeframe, close from core.candles) on base using max(close)",
        "values (1), (2)",
        "select 1;",
    ],
)
def test_reading_is_possible(reader: Reader, sql: str) -> None:
    assert reader.select(sql).rows


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "select 1; select 2",
        "selec 1",
        "insert into core.candles select * from core.candles",
        "update core.candles set close = 0",
        "delete from core.candles",
        "create table x as select 1",
        "drop table core.candles",
        "copy core.candles to '{outside}'",
        "attach '{outside}' as other",
        "install httpfs",
        "load httpfs",
        "set threads = 1",
        "reset threads",
        "pragma enable_profiling",
        "call pragma_version()",
        "export database '{outside}'",
        "checkpoint",
        "begin",
    ],
)
def test_anything_else_is_refused(reader: Reader, tmp_path: Path, sql: str) -> None:
    outside = tmp_path / "outside"
    with pytest.raises(RefusedStatement):
        reader.select(sql.replace("{outside}", str(outside)))
    assert not outside.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('{file}')",
        "select * from read_csv('{file}')",
        "select * from '{file}'",
        "select * from read_blob('/etc/*')",
        "select * from glob('/etc/*')",
        "with gone as (delete from core.candles returning *) from gone",
        "select * from no.such_table",
    ],
)
def test_a_select_reads_no_file_and_writes_nothing(reader: Reader, tmp_path: Path, sql: str) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises((QueryFailed, RefusedStatement)):
        reader.select(sql.replace("{file}", str(file)))
    assert reader.select("select count(*) from core.candles").rows == ((3,),)


@pytest.mark.parametrize("opened", ["master", "published", "past"])
def test_every_connection_is_locked_down(home: Home, tmp_path: Path, opened: str) -> None:
    publish(stored(home, ("candles", candles([1.0]))), FakeClock(), as_of=AS_OF, keep=2)
    contexts = {
        "master": lambda: open_master(home, FakeClock(), "test"),
        "published": lambda: open_published(home),
        "past": lambda: open_point_in_time(home, AS_OF),
    }
    file = tmp_path / "secret.txt"
    file.write_text("secret")
    with contexts[opened]() as session:
        for sql in (
            f"select * from read_text('{file}')",
            f"copy (select 1) to '{tmp_path / 'out'}'",
            f"attach '{tmp_path / 'other.duckdb'}' as other",
            "install httpfs",
            "load httpfs",
            "set enable_external_access = true",
            "set lock_configuration = false",
            "set autoload_known_extensions = true",
        ):
            with pytest.raises(Exception, match=r"(?i)permission|locked|disabled|cannot"):
                session._connection.execute(sql)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "secret.txt"]


def test_more_rows_than_asked_for_are_cut_and_said(reader: Reader) -> None:
    cut = reader.select("select close from core.candles order by close", limit=2)
    assert (cut.rows, cut.is_complete) == (((1.0,), (2.0,)), False)
    assert (cut.columns, cut.types) == (("close",), ("DOUBLE",))
    assert reader.select("select close from core.candles", limit=3).is_complete
    assert reader.select("select 1 as a").rows == ((1,),)


def test_a_query_that_takes_too_long_is_stopped(reader: Reader) -> None:
    endless = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
    with pytest.raises(QueryFailed, match="took longer"):
        reader.select(endless, timeout_seconds=0.05)
    assert reader.select("select 1").rows == ((1,),)


def test_no_timer_is_left_running(reader: Reader) -> None:
    reader.select("select 1", timeout_seconds=60)
    assert [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)] == []


def test_times_are_aware_in_rows_and_naive_in_frames(reader: Reader) -> None:
    first = reader.select("select min(open_time) from core.candles").rows[0][0]
    assert first == datetime(2020, 1, 1, tzinfo=UTC)
    frame = reader.select_frame("select open_time from core.candles")
    assert str(frame["open_time"].dtype) == "datetime64[us]"


def test_several_readers_in_one_process(home: Home, reader: Reader) -> None:
    with open_published(home) as second, open_point_in_time(home, AS_OF) as third:
        for session in (reader, second, third):
            assert session.select("select count(*) from core.candles").rows == ((3,),)
            assert session.select("select current_setting('TimeZone')").rows == (("UTC",),)
