"""A small history with a backfill, a revision and a late arrival, looked at from several moments."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.warehouse.support import FakeClock, candles, daily, load
from tests.warehouse.test_mart import statement_rows
from warehouse.errors import NothingPublished
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time, open_published


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2020, 1, day, hour, tzinfo=UTC)


@pytest.fixture
def history(home: Home) -> Home:
    """Load 1: three days. Load 3: day 2 revised on the 10th. Load 4: a gap filled, known long ago."""
    with open_master(home, FakeClock(), "prepare") as master:
        load(master, candles([100.0, 110.0, 120.0]), as_of=at(5))
        prices = daily(provider="coinmetrics", asset="USDT", metric="PriceUSD", value=[1.0] * 4)
        load(master, prices, "onchain_metrics", as_of=at(5))
        load(master, candles([100.0, 111.0, 120.0]), as_of=at(10))
        load(master, candles([130.0], start="2020-01-04"), as_of=at(12))
        load(master, statement_rows("old", at(1), "BTC"), "positions")
        load(master, statement_rows("new", at(8), "ETH"), "positions")
    publish(home, FakeClock(), as_of=at(12), keep=3)
    return home


def closes(home: Home, as_of: datetime, load_ceiling: int | None = None) -> list[float]:
    with open_point_in_time(home, as_of, load_ceiling) as reader:
        rows = reader.select("select close from core.candles order by open_time").rows
        shown = reader.select("select price_usd from mart.spot_prices order by as_of_date").rows
    assert rows == shown, "the mart shows the same as core, the stablecoin being worth one"
    return [close for (close,) in rows]


def test_each_moment_shows_what_was_known_then(history: Home) -> None:
    assert closes(history, at(1, 23)) == []
    assert closes(history, at(2)) == [100.0]
    assert closes(history, at(3)) == [100.0, 110.0]
    assert closes(history, at(9)) == [100.0, 110.0, 120.0, 130.0]
    assert closes(history, at(10) - timedelta(microseconds=1))[1] == 110.0
    assert closes(history, at(10))[1] == 111.0
    assert closes(history, at(31)) == [100.0, 111.0, 120.0, 130.0]


def test_a_load_ceiling_hides_what_came_later(history: Home) -> None:
    assert closes(history, at(9), load_ceiling=2) == [100.0, 110.0, 120.0]
    assert closes(history, at(31), load_ceiling=3) == [100.0, 111.0, 120.0]
    assert closes(history, at(31), load_ceiling=2) == [100.0, 110.0, 120.0]
    assert closes(history, at(31), load_ceiling=99) == [100.0, 111.0, 120.0, 130.0]


def test_the_macro_in_the_file_says_the_same(history: Home) -> None:
    with open_published(history) as reader:
        for as_of, ceiling in [("2020-01-09", "null"), ("2020-01-10", "2"), ("2020-01-31", "3")]:
            sql = f"select close from core.candles_at(timestamp '{as_of}', {ceiling}) order by open_time"
            day, limit = date.fromisoformat(as_of).day, None if ceiling == "null" else int(ceiling)
            assert [close for (close,) in reader.select(sql).rows] == closes(history, at(day), limit)


def test_returns_are_those_of_the_moment(history: Home) -> None:
    query = "select simple_return from mart.sleeve_returns where sleeve = 'spot' order by as_of_date"
    with open_point_in_time(history, at(9)) as reader:
        assert reader.select(query).rows[1][0] == pytest.approx(0.1)
    with open_point_in_time(history, at(10)) as reader:
        assert reader.select(query).rows[1][0] == pytest.approx(0.11)


def test_positions_are_those_known_then(history: Home) -> None:
    for moment, asset in [(at(7), "BTC"), (at(8), "ETH")]:
        with open_point_in_time(history, moment) as reader:
            assert reader.select("select asset from mart.current_positions").rows == ((asset,),)


def test_raw_shows_no_later_version_and_ops_passes_through(history: Home) -> None:
    with open_point_in_time(history, at(9), 2) as reader:
        assert reader.select("select count(*) from raw.candles").rows == ((3,),)
        assert reader.select("select count(*) from ops.loads").rows == ((6,),)
        assert reader.snapshot.snapshot_id == 1


def test_an_older_snapshot_can_be_named(history: Home) -> None:
    with open_master(history, FakeClock(), "more") as master:
        load(master, candles([140.0], start="2020-01-05"), as_of=at(13))
    publish(history, FakeClock(), as_of=at(13), keep=3)
    assert len(closes(history, at(31))) == 5
    with open_point_in_time(history, at(31), snapshot_id=1) as reader:
        assert reader.select("select count(*) from core.candles").rows == ((4,),)
    with (
        pytest.raises(NothingPublished, match="Snapshot 9"),
        open_point_in_time(history, at(31), snapshot_id=9),
    ):
        pass
