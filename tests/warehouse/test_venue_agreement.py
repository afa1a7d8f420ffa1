"""No price is decided by one venue: medians with a quorum, by hand-made examples."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from tests.warehouse.support import FakeClock, candles, load
from warehouse.home import Home
from warehouse.master import open_master

DAY = "2020-01-02"


@pytest.fixture
def master(home: Home):
    with open_master(home, FakeClock(), "test") as opened:
        yield opened


def priced(master, *closes, start=DAY):
    """The coin's price now, if venue a, b, c … close one day with these prices in dollars."""
    for venue, close in zip("abcdef", closes, strict=False):
        load(master, candles([close], start=start, quote="USD", venue=venue, market_id=f"BTC-{venue}"))
    rows = master.rows("decision_prices", assets=["BTC"], oldest=datetime(2020, 1, 1, tzinfo=UTC))
    return rows[0]


@pytest.mark.parametrize(
    ("closes", "price", "venues", "has_quorum"),
    [
        ((100.0,), 100.0, 1, True),  # one alone contradicts nobody; the gate grades it single_source
        ((100.0, 104.0), 102.0, 2, True),
        ((100.0, 13.0), None, 1, False),
        ((100.0, 100_000.0), None, 1, False),
        ((100.0, 101.0, 13.0), 100.5, 2, True),  # one wick of −87 %: the others decide
        ((100.0, 101.0, 100_000.0), 100.5, 2, True),
        ((40.0, 40.2, 40.4), 40.2, 3, True),  # a real crash everywhere is a price
        ((100.0, 150.0, 13.0), 100.0, 1, False),  # three opinions: nobody knows
        ((100.0, 100.0, 13.0, 13.0), None, 1, False),  # two against two
        ((100.0, 101.0, 102.0, 13.0), 101.0, 3, True),
        ((100.0, 108.0, 93.0), 100.0, 3, True),  # within ten percent
    ],
)
def test_the_price_is_the_median_of_those_who_agree(master, closes, price, venues, has_quorum):
    row = priced(master, *closes)
    assert row["has_quorum"] is has_quorum
    assert row["venues"] == venues
    assert row["venues_asked"] == len(closes)
    if has_quorum:
        assert row["price_usd"] == pytest.approx(price)
    assert (row["close_usd"] is not None) is has_quorum


def test_a_venue_that_lags_says_nothing_about_now(master):
    load(master, candles([100.0], start="2020-01-01", quote="USD", venue="a", market_id="BTC-a"))
    row = priced(master, 100.0, 50.0, start="2020-01-01")
    assert not row["has_quorum"]
    load(master, candles([50.0], start="2020-01-02", quote="USD", venue="b", market_id="BTC-b"))
    row = master.rows("decision_prices", assets=["BTC"], oldest=datetime(2020, 1, 1, tzinfo=UTC))[0]
    assert (row["price_usd"], row["venues_asked"]) == (50.0, 1)


def test_a_wick_on_one_of_two_venues_leaves_no_daily_price_and_no_return(master):
    for venue, closes in (("a", [100.0, 101.0, 102.0]), ("b", [100.0, 13.0, 102.0])):
        load(master, candles(closes, start="2020-01-01", quote="USD", venue=venue, market_id=f"BTC-{venue}"))
    shown = master._connection.execute("select price_usd, venues from mart.spot_prices order by as_of_date")
    assert shown.fetchall() == [(100.0, 2), (None, 0), (102.0, 2)]
    returns = master._connection.execute("select simple_return from mart.sleeve_returns").fetchall()
    assert returns == [(None,), (None,), (None,)]


@pytest.mark.parametrize("hours", [1, 4, 8])
def test_a_days_funding_is_one_sum_under_any_interval(master, hours):
    settled = pd.date_range("2020-01-01", "2020-01-03", freq=f"{hours}h", inclusive="right").as_unit("us")
    frame = pd.DataFrame(
        {
            "venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC",
            "settled_at": settled, "funding_rate": 0.0024 * hours / 24, "interval_hours": float(hours),
            "mark_price": 100.0, "known_at": settled, "is_reconstructed": True,
        }
    )  # fmt: skip
    load(master, frame, "funding_rates")
    shown = master._connection.execute("from mart.funding_days order by as_of_date").fetchall()
    assert [(row[0].day, row[6]) for row in shown] == [(2, 24.0), (3, 24.0)]
    assert [row[4] for row in shown] == pytest.approx([0.0024, 0.0024])


def test_a_days_funding_is_one_sum_when_the_interval_changes_in_the_middle(master):
    hours = [8, 16, 20, 21, 22, 23, 24]
    length = [8.0, 8.0, 4.0, 1.0, 1.0, 1.0, 1.0]
    settled = pd.Timestamp("2020-01-01") + pd.to_timedelta(hours, unit="h")
    frame = pd.DataFrame(
        {
            "venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC",
            "settled_at": settled.as_unit("us"), "funding_rate": [0.0001 * x for x in length],
            "interval_hours": length, "mark_price": 100.0, "known_at": settled.as_unit("us"),
            "is_reconstructed": True,
        }
    )  # fmt: skip
    load(master, frame, "funding_rates")
    rows = master._connection.execute(
        "select funding_rate, settlements, hours_covered from mart.funding_days"
    )
    assert rows.fetchall() == [(pytest.approx(0.0024), 7, 24.0)]
