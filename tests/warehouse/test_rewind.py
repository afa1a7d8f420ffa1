"""Moving through the past in memory shows at every moment what opening the past at that moment shows."""

import random
from datetime import timedelta

import pytest

from tests.warehouse.support import FakeClock, candles, load
from tests.warehouse.test_point_in_time import at, history
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time
from warehouse.rewind import open_rewinder

__all__ = ["history"]
TABLES = ("core.candles", "raw.candles", "core.positions", "mart.spot_prices", "mart.current_positions")


def shown(reader, table):
    return sorted(map(str, reader.select(f"from {table}").rows))


def test_every_moment_is_the_same_as_opened_there(history: Home) -> None:
    moments = [at(1) + timedelta(hours=29 * step) for step in range(12)]
    random.Random(3).shuffle(moments)
    with open_rewinder(history, at(1)) as moving:
        for moment in moments:
            moving.move(moment)
            with open_point_in_time(history, moment) as still:
                for table in TABLES:
                    assert shown(moving, table) == shown(still, table), (moment, table)


def test_a_revision_counts_from_the_instant_it_was_known(history: Home) -> None:
    with open_rewinder(history, at(1)) as moving:
        moving.move(at(10) - timedelta(microseconds=1))
        before = moving.select("select close from core.candles order by open_time").rows
        moving.move(at(10))
        after = moving.select("select close from core.candles order by open_time").rows
    assert (before[1], after[1]) == ((110.0,), (111.0,))


def test_what_is_published_meanwhile_is_not_seen(history: Home) -> None:
    with open_rewinder(history, at(1)) as moving:
        with open_master(history, FakeClock(), "later") as master:
            load(master, candles([999.0], start="2020-01-02"), as_of=at(11))
        publish(history, FakeClock(), as_of=at(12), keep=1, min_free_bytes=0)
        moving.move(at(30))
        assert (999.0,) not in moving.select("select close from core.candles").rows


@pytest.mark.parametrize(
    "statement", ["set variable moment = timestamp '2099-01-01'", "create table x (a int)"]
)
def test_a_question_can_not_move_or_change_it(history: Home, statement: str) -> None:
    with open_rewinder(history, at(1)) as moving, pytest.raises(Exception, match=r"reading|SELECT|select"):
        moving.select(statement)
