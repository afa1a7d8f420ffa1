"""Each view of the mart on an example small enough to be computed by hand."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from tests.warehouse.support import FakeClock, candles, daily, load
from warehouse.home import Home
from warehouse.master import Master, open_master

Show = Callable[[str], list[tuple]]


@pytest.fixture
def master(home: Home):
    with open_master(home, FakeClock(), "test") as opened:
        yield opened


@pytest.fixture
def show(master: Master) -> Show:
    return lambda sql: master._connection.execute(sql).fetchall()


def reference(master: Master, asset: str, prices: list[float | None], start: str = "2020-01-01") -> None:
    """Coin Metrics' daily price; it holds at the end of each day."""
    frame = daily(start, provider="coinmetrics", asset=asset, metric="PriceUSD", value=prices)
    load(master, frame, "onchain_metrics")


def test_a_stablecoin_is_the_median_of_its_markets_else_of_its_references(master: Master, show: Show) -> None:
    reference(master, "USDT", [0.99, 0.98])
    reference(master, "BTC", [7000.0])
    load(master, daily(provider="defillama", asset="USDT", supply=1e9, price_usd=[1.01, None]), "stablecoins")
    load(master, candles([1.04], base="USDT", quote="USD", market_id="USDTUSD", venue="kraken"))
    assert show("from mart.stablecoin_prices order by as_of_date") == [
        (date(2020, 1, 2), "USDT", 1.04, ["kraken"]),
        (date(2020, 1, 3), "USDT", 0.98, ["coinmetrics"]),
    ]


def test_two_references_meet_in_the_middle(master: Master, show: Show) -> None:
    reference(master, "USDT", [0.99])
    load(master, daily(provider="defillama", asset="USDT", supply=1e9, price_usd=[1.01]), "stablecoins")
    assert show("select price_usd, sources from mart.stablecoin_prices") == [
        (1.0, ["coinmetrics", "defillama"])
    ]


def test_cash_is_worth_what_its_dollar_market_says_this_hour(master: Master, show: Show) -> None:
    reference(master, "USDT", [1.0] * 19, start="2020-07-01")
    dollar = {"base": "USDT", "quote": "USD", "market_id": "USDTUSD", "venue": "kraken"}
    load(master, candles([0.97], start="2020-07-20 17:00", timeframe="1h", **dollar))
    load(master, candles([100.0], start="2020-07-20 17:00", timeframe="1h"))
    load(master, candles([7.0], start="2020-07-18", market_id="LTCUSDT", base="LTC"))
    assert show("from mart.latest_stablecoin_prices") == [
        ("USDT", 0.97, datetime(2020, 7, 20, 18), ["kraken"])
    ]
    rows = show("select asset, price_usd from mart.latest_prices where quote = 'USDT' order by asset")
    assert rows == [("BTC", 97.0), ("LTC", 7.0)]


def test_only_reference_venues_make_prices(master: Master, show: Show) -> None:
    reference(master, "USDT", [1.0])
    load(master, candles([100.0]))
    load(master, candles([102.0], venue="kraken", market_id="XBTUSDT"))
    assert show("select price_usd, venues from mart.spot_prices") == [(101.0, 2)]
    role = {"venue": "kraken", "is_reference": False, "is_execution": True}
    master.upsert("mart.venue_roles", [role])
    assert show("select price_usd, venues from mart.spot_prices") == [(100.0, 1)]
    assert show("select venue from mart.latest_prices") == [("binance",)]


def test_a_stablecoin_that_only_a_source_lists_counts_as_one(master: Master, show: Show) -> None:
    load(master, daily(provider="defillama", asset="XUSD", supply=1.0, price_usd=[0.5]), "stablecoins")
    assert show("select asset, price_usd from mart.stablecoin_prices") == [("XUSD", 0.5)]


def test_coins_are_priced_through_the_quote_in_dollars_never_at_one(master: Master, show: Show) -> None:
    reference(master, "USDT", [0.99])
    reference(master, "USDC", [1.0])
    load(master, candles([100.0]))
    load(master, candles([101.0], quote="USDC", market_id="BTCUSDC", venue="coinbase"))
    # Volumes: 10 × 100 × 0.99 = 990 and 10 × 101 × 1 = 1010; prices in dollars: 99 and 101.
    assert show("from mart.spot_prices") == [
        (date(2020, 1, 2), "BTC", 101.0, "USDC", 100.0, 2, 2000.0, 1.0, "same_day")
    ]


def test_a_perpetual_is_no_spot_price(master: Master, show: Show) -> None:
    load(master, candles([100.0], market_type="perp"))
    assert show("from mart.spot_prices") == []


@pytest.mark.parametrize(
    ("age", "price", "source"),
    [(0, 99.0, "same_day"), (1, 99.0, "earlier_day"), (7, 99.0, "earlier_day"), (8, None, "none")],
)
def test_a_quote_price_serves_for_a_week(
    master: Master, show: Show, age: int, price: float | None, source: str
) -> None:
    reference(master, "USDT", [0.99], start="2020-01-01")
    load(master, candles([100.0], start=f"2020-01-{1 + age:02d}"))
    assert show("select price_usd, quote_price_source, venues from mart.spot_prices") == [
        (price, source, int(age < 8))
    ]
    assert show("select price_usd from mart.latest_prices") == [(price,)]


def test_a_dollar_market_needs_no_other_price(master: Master, show: Show) -> None:
    load(master, candles([100.0], quote="USD", market_id="BTCUSD", venue="kraken"))
    assert show("select price_usd, quote_price_source from mart.spot_prices") == [(100.0, "definition")]


def test_returns_are_in_dollars_and_never_bridge_a_gap(master: Master, show: Show) -> None:
    reference(master, "USDT", [1.0, 0.9, 0.9, 0.9, 0.9])
    whole = candles([100.0, 110.0, 121.0, 60.0, 66.0])
    load(master, whole.drop(index=2))
    rows = show(
        "select as_of_date, simple_return from mart.sleeve_returns where sleeve = 'spot' order by as_of_date"
    )
    # 100 → 110 × 0.9 = 99: −1 %; the third day is missing, so the fourth has no return; 54 → 59.4: +10 %.
    assert [day.day for day, _ in rows] == [2, 3, 5, 6]
    assert rows[0][1] is None
    assert rows[1][1] == pytest.approx(-0.01)
    assert rows[2][1] is None
    assert rows[3][1] == pytest.approx(0.1)
    cash = show("select simple_return from mart.sleeve_returns where sleeve = 'cash' order by as_of_date")
    assert cash[0] == (None,)
    assert cash[1][0] == pytest.approx(-0.1)
    assert cash[2][0] == pytest.approx(0.0)


def test_a_stablecoin_market_is_cash_and_no_coin(master: Master, show: Show) -> None:
    reference(master, "USDT", [1.0])
    load(master, candles([1.0], base="USDC", market_id="USDCUSDT"))
    assert show("select distinct sleeve, asset from mart.sleeve_returns") == [("cash", "USDT")]


def test_the_latest_price_is_the_newest_close_of_any_timeframe(master: Master, show: Show) -> None:
    reference(master, "USDT", [0.99], start="2020-07-18")
    load(master, candles([100.0, 101.0], start="2020-07-18"))
    load(master, candles([102.0, 103.0], start="2020-07-20 16:00", timeframe="1h"))
    load(master, candles([7.0], start="2020-07-19", market_id="LTCUSDT", base="LTC"))
    rows = show(
        "select asset, price_quote, price_usd, price_at, timeframe from mart.latest_prices order by asset"
    )
    assert rows == [
        ("BTC", 103.0, 103.0 * 0.99, datetime(2020, 7, 20, 18), "1h"),
        ("LTC", 7.0, 7.0 * 0.99, datetime(2020, 7, 20), "1d"),
    ]


def test_liquidity_of_a_market(master: Master, show: Show) -> None:
    reference(master, "USDT", [0.5] * 60)
    # Volume 10 × close × 0.5: 60 days of 100, the newest 30 alternating between 100 and 110.
    closes = [100.0] * 30 + [100.0, 110.0] * 15
    load(master, candles(closes))
    book = {"venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT"}
    book |= {"market_type": "spot", "bid": 99.0, "ask": 101.0, "mid": 100.0}
    depths = {f"{side}_depth_{bps}bps": 1000.0 for bps in (10, 50, 100) for side in ("bid", "ask")}
    moments = pd.Series(pd.to_datetime(["2020-02-01", "2020-02-02"])).astype("datetime64[us]")
    books = pd.DataFrame(
        {**book, **depths, "spread_bps": [9.0, 4.0], "observed_at": moments, "known_at": moments}
    )
    load(master, books, "order_book_depth")
    rows = show(
        "select asset, symbol, average_daily_volume_usd, half_spread_bps, daily_volatility, as_of_date "
        "from mart.liquidity"
    )
    assert len(rows) == 1
    asset, symbol, volume, half_spread, volatility, as_of_date = rows[0]
    assert (asset, symbol, half_spread, as_of_date) == ("BTC", "BTC/USDT", 2.0, date(2020, 3, 1))
    assert volume == pytest.approx(10 * 105 * 0.5)
    up, down = 0.1, 100 / 110 - 1
    returns = [0.0] * 30 + [up, down] * 14 + [up]
    mean = sum(returns) / len(returns)
    assert volatility == pytest.approx(math.sqrt(sum((r - mean) ** 2 for r in returns) / (len(returns) - 1)))


def test_spot_and_perpetual_of_one_id_are_apart_in_liquidity(master: Master, show: Show) -> None:
    reference(master, "USDT", [1.0] * 2)
    load(master, candles([100.0, 100.0]))
    load(master, candles([200.0, 200.0], market_type="perp"))
    rows = show("select market_type, average_daily_volume_usd from mart.liquidity order by market_type")
    assert rows == [("perp", 2000.0), ("spot", 1000.0)]


def test_the_newest_capitalisation_and_its_age(master: Master, show: Show) -> None:
    caps = daily(provider="coinmetrics", asset="BTC", metric="CapMrktCurUSD", value=[1e11, 2e11, None])
    load(master, caps, "onchain_metrics")
    load(master, candles([100.0], start="2020-01-10"))
    assert show("from mart.market_caps") == [("BTC", 2e11, date(2020, 1, 3), 8)]


def statement_rows(statement: str, as_of: datetime, *assets: str) -> pd.DataFrame:
    moment = pd.Timestamp(as_of).tz_localize(None)
    frame = pd.DataFrame({"asset": list(assets), "quantity": 1.0})
    frame = frame.assign(portfolio="core", statement_id=statement, venue="binance", account="", kind="spot")
    frame = frame.assign(entry_price=None, margin=None, margin_mode=None, leverage=None, cost_basis_usd=None)
    times = {"as_of": moment, "known_at": moment}
    frame = frame.assign(is_immovable=False, market_id="", quote="USD", **times)
    return frame.astype(dict.fromkeys(times, "datetime64[us]"))


def test_current_positions_are_the_newest_statement(master: Master, show: Show) -> None:
    load(master, statement_rows("first", datetime(2020, 1, 1, tzinfo=UTC), "BTC", "ETH"), "positions")
    load(master, statement_rows("second", datetime(2020, 2, 1, tzinfo=UTC), "BTC"), "positions")
    load(master, statement_rows("older", datetime(2019, 2, 1, tzinfo=UTC), "XRP"), "positions")
    assert show("select statement_id, asset from mart.current_positions") == [("second", "BTC")]
    assert show("select count(*) from core.positions") == [(4,)]


def test_an_empty_warehouse_shows_nothing(show: Show) -> None:
    for view in (
        "spot_prices",
        "latest_prices",
        "sleeve_returns",
        "liquidity",
        "market_caps",
        "current_positions",
    ):
        assert show(f"from mart.{view}") == []
