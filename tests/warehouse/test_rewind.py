"""Moving through the past in memory shows at every moment what opening the past at that moment shows."""

import random
from datetime import timedelta

import pytest

from tests.warehouse.support import FakeClock, candles, daily, load
from tests.warehouse.test_point_in_time import at, history
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time
from warehouse.rewind import KEPT, open_rewinder

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


@pytest.fixture
def busy(home: Home) -> Home:
    """Two venues, two quotes, days and hours, a break of identity, a lost peg, corrections, late arrivals."""
    usdt = {"market_id": "USDTUSD", "base": "USDT", "quote": "USD"}
    spot = [100.0, 110.0, 120.0, 118.0, 121.0, 125.0, 12.4, 12.6]
    other = {"venue": "kraken", "market_id": "XBTUSD", "quote": "USD"}
    with open_master(home, FakeClock(), "prepare") as master:
        load(master, candles(spot), as_of=at(9))
        load(master, candles([99.9, 110.3, 119.7, 150.0, 121.2, 124.8], **other), as_of=at(7))
        load(master, candles([120.5, 121.5, 122.5], start="2020-01-05 22:00", timeframe="1h"), as_of=at(7))
        load(master, candles([1.0, 0.999, 1.0, 0.93, 1.001], **usdt), as_of=at(7))
        prices = daily(provider="coinmetrics", asset="USDT", metric="PriceUSD", value=[1.002] * 8)
        load(master, prices, "onchain_metrics", as_of=at(9))
        load(master, candles([*spot[:3], 117.5], known_at=at(12)), as_of=at(12))
        load(master, candles([118.2], start="2020-01-04", known_at=at(11), **other), as_of=at(11))
        load(master, candles([1.0], start="2020-01-06", known_at=at(13), **usdt), as_of=at(13))
    publish(home, FakeClock(), as_of=at(13), keep=3)
    return home


def answers(reader, moment):
    """What a decision asks, as a frame or as rows."""
    line = {"lines": ["spot:BTC", "cash:USDT"], "tickers": ["BTC", "USDT"]}
    whole = {"after": ["1900-01-01"] * 2, "until": ["2100-01-01"] * 2}
    days = {"first_date": at(1).date(), "last_date": moment.date()}
    return [
        reader.rows("decision_returns", **line, **whole, **days),
        reader.rows("decision_prices", assets=["BTC"], oldest=moment - timedelta(days=3)),
        reader.rows("decision_liquidity", market_types=["spot"]),
        reader.rows("newest_prices"),
        reader.rows("cash_prices", as_of=moment),
        reader.rows("identity_breaks", assets=["BTC"], **days),
    ]


def test_what_is_kept_for_a_moment_is_what_the_views_say_there(busy: Home) -> None:
    moments = [at(13, 1), at(3, 5), at(10), at(11, 12), at(8)]  # forth and back
    seen = set()
    with open_rewinder(busy, at(1)) as moving:
        for moment in moments:
            moving.move(moment)
            with open_point_in_time(busy, moment) as still:
                for table in KEPT:
                    assert shown(moving, table) == shown(still, table), (moment, table)
                found = answers(moving, moment)
                assert found == answers(still, moment), moment
            seen.add(repr(found))
    assert len(seen) == len(moments)


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
