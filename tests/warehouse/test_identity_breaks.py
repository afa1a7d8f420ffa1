"""A ticker that changes its meaning: what counts as a break, and what is a real move."""

from datetime import date

import pandas as pd
import pytest

from tests.warehouse.support import FakeClock, candles, daily, load
from warehouse.home import Home
from warehouse.master import open_master


@pytest.fixture
def master(home: Home):
    with open_master(home, FakeClock(), "test") as opened:
        load(
            opened,
            daily(provider="coinmetrics", asset="USDT", metric="PriceUSD", value=[1.0] * 40),
            "onchain_metrics",
        )
        yield opened


def breaks(master):
    sql = "select as_of_date, asset, kind, absent_days from mart.identity_breaks order by all"
    return master._connection.execute(sql).fetchall()


def returns(master):
    sql = "select simple_return from mart.sleeve_returns where sleeve = 'spot' order by as_of_date"
    return [row[0] for row in master._connection.execute(sql).fetchall()]


def coin(closes, volumes=None, start="2020-01-01", **fields) -> pd.DataFrame:
    """A coin traded through: each candle opens where the one before closed."""
    frame = candles(list(closes), start=start, base="LUNA", market_id="LUNAUSDT", **fields)
    frame["open"] = frame["close"].shift(1).fillna(frame["close"])
    frame["high"], frame["low"] = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    if volumes is not None:
        frame["base_volume"] = [float(volume) for volume in volumes]
    return frame


def test_a_ticker_that_comes_back_at_another_level_is_another_coin_until_told(master):
    load(master, coin([80.0, 60.0, 0.0001]))
    load(master, coin([9.0, 9.9], start="2020-01-07"))
    assert [(day, absent) for day, _, _, absent in breaks(master)] == [(date(2020, 1, 8), 3)]
    assert returns(master)[3:] == [None, pytest.approx(0.1)]


def test_three_days_of_absence_and_another_level_are_a_reused_ticker(master):
    load(master, coin([80.0, 78.0]))
    load(master, coin([30.0, 33.0], start="2020-01-06"))
    assert breaks(master) == [(date(2020, 1, 7), "LUNA", "reused", 3)]


@pytest.mark.parametrize(("start", "first"), [("2020-01-05", 30.0), ("2020-01-06", 60.0)])
def test_a_short_pause_or_the_same_level_is_no_break(master, start, first):
    load(master, coin([80.0, 78.0]))
    load(master, coin([first, first], start=start))
    assert breaks(master) == []


@pytest.mark.parametrize("unit", [1000.0, 0.001, 100.0, 10.0, 0.1])
def test_a_new_unit_is_a_break_in_either_direction(master, unit):
    before, after = coin([5.0, 5.2], [1e6, 1e6]), coin([5.3 * unit] * 2, [1e6 / unit] * 2, start="2020-01-03")
    load(master, before)
    load(master, after)
    assert breaks(master) == [(date(2020, 1, 4), "LUNA", "redenominated", 0)]
    assert returns(master)[2] is None


@pytest.mark.parametrize("factor", [10.0, 0.1, 0.001])
def test_a_real_move_is_traded_through_and_passes(master, factor):
    load(master, coin([5.0, 5.0, 5.0 * factor, 5.0 * factor], [1e6, 1e6, 3e7, 2e7]))
    assert breaks(master) == []
    assert returns(master)[2] == pytest.approx(factor - 1)


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_a_real_tenfold_gap_on_volume_passes(master, factor):
    load(master, coin([5.0, 5.0], [1e6, 1e6]))
    load(master, coin([5.0 * factor] * 2, [2e6, 2e6] if factor > 1 else [5e5, 5e5], start="2020-01-03"))
    assert breaks(master) == []


def test_venues_with_the_same_break_are_named_together(master):
    for venue in ("binance", "kraken"):
        load(master, coin([5.0], venue=venue))
        load(master, coin([5000.0], start="2020-01-02", venue=venue))
    sql = "select venues, round(price_ratio) from mart.identity_breaks"
    assert master._connection.execute(sql).fetchall() == [(["binance", "kraken"], 1000.0)]
