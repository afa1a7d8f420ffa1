"""The series of each sleeve on rows small enough to be computed by hand."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest

from tests.warehouse.support import FakeClock, candles, daily, load
from warehouse.home import Home
from warehouse.master import Master, open_master

Show = Callable[[str], list[tuple[Any, ...]]]
SERIES = "select as_of_date, simple_return from mart.sleeve_returns where sleeve = '{}' order by as_of_date"


@pytest.fixture
def master(home: Home):
    with open_master(home, FakeClock(), "test") as opened:
        yield opened


@pytest.fixture
def show(master: Master) -> Show:
    return lambda sql: master._connection.execute(sql).fetchall()


def rule(master: Master, sleeve: str, asset: str = "BTC", **fields: Any) -> None:
    row = {"sleeve": sleeve, "asset": asset, "place": 1, "venue": "binance", "pool": "", "haircut": 0.0}
    master.upsert("mart.sleeve_parameters", [row | fields])


def dollar(master: Master, prices: list[float], start: str = "2020-01-01") -> None:
    load(
        master,
        daily(start, provider="coinmetrics", asset="USDT", metric="PriceUSD", value=prices),
        "onchain_metrics",
    )


def funding(master: Master, stamps: dict[str, float], hours: float = 8.0, mark: float | None = None) -> None:
    at = pd.Series(pd.to_datetime(list(stamps))).astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC",
            "settled_at": at, "funding_rate": list(stamps.values()), "interval_hours": hours,
            "mark_price": float("nan") if mark is None else mark, "known_at": at, "is_reconstructed": True,
        }
    )  # fmt: skip
    load(master, frame, "funding_rates")


WHOLE_DAY = {"2020-01-02 08:00": 0.001, "2020-01-02 16:00": -0.0005, "2020-01-03 00:00": 0.002}


def two_days(master: Master, perp: str = "perp") -> None:
    """The coin from 100 to 110, the perpetual from 101 to 110.5, the quote from 1.00 to 0.99."""
    dollar(master, [1.0, 0.99])
    load(master, candles([100.0, 110.0]))
    load(master, candles([101.0, 110.5], market_type=perp))


def test_carry_is_the_spot_less_the_perpetual_plus_funding_over_coin_and_margin(
    master: Master, show: Show
) -> None:
    two_days(master)
    funding(master, WHOLE_DAY, mark=105.0)
    rule(master, "carry", leverage=3.0)
    # In quote: 10 − 9.5 + (0.001 − 0.0005 + 0.002) × 105 = 0.7625 on 100 + 100/3; the quote lost 1 %.
    expected = (1 + 0.7625 / (100 + 100 / 3)) * 0.99 - 1
    assert show(SERIES.format("carry")) == [
        (date(2020, 1, 2), None),
        (date(2020, 1, 3), pytest.approx(expected)),
    ]
    # The definition in dollars comes to the same: margin of 33.33 USDT falls with the quote.
    capital = 100 + 100 / 3
    gain = 110 * 0.99 - 100 - 9.5 * 0.99 + 0.2625 * 0.99 + 100 / 3 * (0.99 - 1)
    assert expected == pytest.approx(gain / capital)


def test_a_settlement_at_the_opening_belongs_to_the_day_before(master: Master, show: Show) -> None:
    two_days(master)
    funding(master, {"2020-01-02 00:00": 0.9} | WHOLE_DAY, mark=105.0)
    days = show("select as_of_date, funding from mart.carry_days order by as_of_date")
    assert days == [(date(2020, 1, 2), None), (date(2020, 1, 3), pytest.approx(0.2625))]


@pytest.mark.parametrize("hours", [1, 4, 8])
def test_every_interval_is_summed_as_it_settled(master: Master, show: Show, hours: int) -> None:
    two_days(master)
    stamps = pd.date_range("2020-01-02", "2020-01-03", freq=f"{hours}h")[1:]
    funding(master, dict.fromkeys(map(str, stamps), 0.0001), hours=float(hours), mark=100.0)
    (found,) = show("select funding from mart.carry_days where as_of_date = '2020-01-03'")
    assert found[0] == pytest.approx(24 / hours * 0.0001 * 100)


def test_a_missing_settlement_leaves_a_hole_and_not_a_day_without_funding(master: Master, show: Show) -> None:
    two_days(master)
    funding(master, {at: rate for at, rate in WHOLE_DAY.items() if "16:00" not in at}, mark=105.0)
    rule(master, "carry", leverage=3.0)
    assert show(SERIES.format("carry"))[-1] == (date(2020, 1, 3), None)


def test_a_missing_day_is_never_bridged(master: Master, show: Show) -> None:
    dollar(master, [1.0] * 4)
    load(master, candles([100.0, 101.0, 102.0, 103.0]))
    load(master, candles([100.0, 101.0, 102.0, 103.0], market_type="perp").drop(index=1))
    stamps = pd.date_range("2020-01-01", "2020-01-05", freq="8h")[1:]
    funding(master, dict.fromkeys(map(str, stamps), 0.0001), mark=100.0)
    rule(master, "carry", leverage=3.0)
    # Days end on the 2nd, 4th and 5th; only the last has a day before it.
    found = show(SERIES.format("carry"))
    assert [(day.day, value is None) for day, value in found] == [(2, True), (4, True), (5, False)]


def test_the_mark_price_of_the_hour_stands_in_where_the_venue_does_not_say(
    master: Master, show: Show
) -> None:
    two_days(master)
    funding(master, WHOLE_DAY)
    asked = "select funding from mart.carry_days where as_of_date = '2020-01-03'"
    # Without any hourly price: the perpetual's price at the opening, 101.
    assert show(asked)[0][0] == pytest.approx(0.0025 * 101)
    load(master, candles([200.0] * 40, start="2020-01-02", timeframe="1h", market_type="perp"))
    assert show(asked)[0][0] == pytest.approx(0.0025 * 200)
    marks = candles([300.0] * 24, start="2020-01-02", timeframe="1h", market_type="perp")
    load(master, marks.drop(columns=["base_volume", "quote_volume"]), "mark_candles")
    assert show(asked)[0][0] == pytest.approx(0.0025 * 300)


def test_mark_candles_price_a_perpetual_without_trades_and_never_mix_with_them(
    master: Master, show: Show
) -> None:
    dollar(master, [1.0] * 3)
    load(master, candles([100.0, 110.0, 120.0]))
    marks = candles([101.0, 110.5, 120.5], market_type="perp")
    load(master, marks.drop(columns=["base_volume", "quote_volume"]), "mark_candles")
    load(master, candles([119.0], start="2020-01-03", market_type="perp"))
    found = show("select price_kind, perp_change from mart.carry_days order by as_of_date")
    assert found == [("mark", None), ("mark", 9.5), ("mark", 10.0)]


def contract(master: Master, market_id: str, expires_at: str, prices: list[float], start: str) -> None:
    limits = ("amount_step", "price_step", "min_amount", "min_cost", "maker_fee", "taker_fee")
    row = dict.fromkeys(limits) | {
        "venue": "binance", "market_id": market_id, "symbol": market_id, "base": "BTC", "quote": "USDT",
        "market_type": "future", "contract_size": 1.0, "expires_at": pd.Timestamp(expires_at),
        "is_active": True, "known_at": pd.Timestamp("2020-01-01"),
    }  # fmt: skip
    load(master, pd.DataFrame([row]), "instruments")
    load(master, candles(prices, start=start, market_id=market_id, market_type="future"))


def test_basis_rolls_a_week_before_expiry_and_never_across_two_contracts(master: Master, show: Show) -> None:
    dollar(master, [1.0] * 5)
    load(master, candles([100.0, 102.0, 104.0, 106.0, 108.0]))
    contract(master, "NEAR", "2020-01-10 08:00", [101.0, 102.5, 104.5, 106.2, 108.1], "2020-01-01")
    contract(master, "FAR", "2020-03-27 08:00", [105.0, 106.0, 108.5, 110.0, 112.2], "2020-01-01")
    rule(master, "basis", leverage=1.0, roll_days=7.0)
    found = show(SERIES.format("basis"))
    # Opened with 8.3 and 7.3 days left the near one, then the far one; half of the capital is margin.
    near, far = [(2 - 1.5) / 100, (2 - 2.0) / 102], [(2 - 1.5) / 104, (2 - 2.2) / 106]
    assert [value for _, value in found] == [pytest.approx(gain / 2) for gain in near + far]


def test_the_last_day_earns_what_is_left_of_the_basis_whatever_the_coin_does(
    master: Master, show: Show
) -> None:
    dollar(master, [1.0] * 3)
    load(master, candles([100.0, 102.0, 50.0]))
    contract(master, "NEAR", "2020-01-03 08:00", [101.0, 103.0, 99.0], "2020-01-01")
    rule(master, "basis", leverage=1.0, roll_days=7.0)
    (first, last) = show(SERIES.format("basis"))
    assert first[1] == pytest.approx((2 - 2) / 100 / 2)
    assert last == (date(2020, 1, 4), pytest.approx((103 - 102) / 102 / 2))


def pool(master: Master, symbol: str, apy: list[float], reward: float | None = None) -> None:
    columns = {"provider": "defillama", "pool": "P", "chain": "Ethereum", "project": "aave-v3"}
    figures = {"symbol": symbol, "apy_base": apy, "apy_reward": reward, "tvl_usd": 1e9}
    load(master, daily(**columns, **figures, apy_base_borrow=None, total_borrow_usd=None), "yield_pools")


def test_yield_compounds_a_day_less_the_haircut_on_the_stablecoin_return(master: Master, show: Show) -> None:
    dollar(master, [1.0, 0.99])
    pool(master, "USDT", [0.04, 0.05], reward=0.10)
    rule(master, "yield", "USDT", venue="", pool="P", haircut=0.02, reward_share=0.5)
    found = show(SERIES.format("yield"))
    assert found == [
        (date(2020, 1, 2), None),
        (date(2020, 1, 3), pytest.approx((1 + 1.10 ** (1 / 365) - 1 - 0.02 / 365) * 0.99 - 1)),
    ]


def test_staking_is_the_coin_and_the_protocols_yield(master: Master, show: Show) -> None:
    dollar(master, [1.0, 1.0])
    load(master, candles([100.0, 110.0]))
    pool(master, "STETH", [0.03, 0.03])
    rule(master, "staking", "BTC", venue="", pool="P", reward_share=0.0)
    assert show(SERIES.format("staking"))[1] == (date(2020, 1, 3), pytest.approx(1.1 * 1.03 ** (1 / 365) - 1))


def test_a_covered_call_gives_up_the_rise_of_the_call_in_coins(master: Master, show: Show) -> None:
    dollar(master, [1.0, 1.0])
    load(master, candles([100.0, 110.0]))
    chain = pd.DataFrame(
        {
            "venue": "deribit", "market_id": ["C", "C"], "kind": "option", "base": "BTC",
            "option_type": "call", "expires_at": pd.Timestamp("2020-02-01 08:00"), "strike": 120.0,
            "observed_at": pd.to_datetime(["2020-01-01 23:20", "2020-01-02 23:20"]),
            "implied_volatility": 0.6, "underlying_price": 100.0, "mark_price": [0.02, 0.05],
            "open_interest": 1.0, "delta": 0.25, "gamma": 0.0, "vega": 0.0, "theta": 0.0,
            "known_at": pd.to_datetime(["2020-01-01 23:20", "2020-01-02 23:20"]), "is_reconstructed": False,
            "bid_price": float("nan"), "ask_price": float("nan"),
        }
    )  # fmt: skip
    load(master, chain, "implied_volatility")
    rule(master, "options", venue="deribit", roll_days=7.0, tenor_days=30.0, delta=0.25)
    assert show(SERIES.format("options")) == [(date(2020, 1, 3), pytest.approx((1 - 0.03) * 1.1 - 1))]


def test_without_parameters_there_is_no_line(master: Master, show: Show) -> None:
    two_days(master)
    funding(master, WHOLE_DAY, mark=105.0)
    assert {row[0] for row in show("select distinct sleeve from mart.sleeve_returns")} == {"spot", "cash"}
