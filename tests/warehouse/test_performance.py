"""Value and time-weighted return of small portfolios, against figures by hand and published ones."""

import math
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from tests.warehouse.support import FakeClock, candles, daily, load
from warehouse.home import Home
from warehouse.master import Master, open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time

FIRST = datetime(2020, 1, 2, tzinfo=UTC)


@pytest.fixture
def master(home: Home):
    with open_master(home, FakeClock(), "test") as opened:
        yield opened


def prices(master: Master, coin: list[float | None], money: list[float] | None = None) -> None:
    """Closes of BTC in dollars and of USDT in dollars, from the day that ends on 2020-01-02."""
    load(master, candles(coin, quote="USD", market_id="BTCUSD", venue="kraken"))
    paid = money or [1.0] * len(coin)
    load(
        master, daily(provider="coinmetrics", asset="USDT", metric="PriceUSD", value=paid), "onchain_metrics"
    )


def state(
    master: Master, at: datetime, *rows: dict, known_at: datetime | None = None, name: str = ""
) -> None:
    """A statement: rows of core.positions with what they leave out filled in."""
    usual = {
        "portfolio": "core", "statement_id": name or f"{at:%Y%m%d%H%M}", "venue": "binance", "account": "",
        "kind": "spot", "entry_price": None, "margin": None, "margin_mode": None, "leverage": None,
        "is_immovable": False, "as_of": at, "known_at": known_at or at, "load_id": 1, "market_id": "",
        "quote": "USDT",
    }  # fmt: skip
    legs = [leg for row in rows for leg in row.pop("legs", [])]
    made = [usual | row for row in rows]
    master.append("core.positions", made)
    names = ("portfolio", "statement_id", "venue", "account", "known_at", "load_id", "market_id")
    master.append("core.position_legs", [{n: usual[n] for n in names} | leg for leg in legs])


def flow(
    master: Master, at: datetime, kind: str, asset: str, quantity: float, value: float | None = None
) -> None:
    row = {
        "portfolio": "core",
        "flow_id": f"{at} {kind}",
        "statement_id": "1",
        "happened_at": at,
        "kind": kind,
    }
    amount = {
        "asset": asset,
        "quantity": quantity,
        "value_usd": value,
        "note": "",
        "known_at": at,
        "load_id": 1,
    }
    master.append("core.cash_flows", [row | amount])


def ask(master: Master, sql: str) -> list[tuple]:
    return master._connection.execute(sql).fetchall()


def returns(master: Master, sleeve: str = "total") -> list[float]:
    rows = ask(
        master, f"select simple_return from mart.performance where sleeve = '{sleeve}' order by as_of_date"
    )
    return [row[0] for row in rows]


def test_value_is_quantity_at_the_day_s_price_and_cash_at_its_own(master: Master) -> None:
    prices(master, [100.0, 110.0, 99.0], [1.0, 0.99, 1.0])
    state(master, FIRST, {"asset": "BTC", "quantity": 2.0}, {"asset": "USDT", "quantity": 100.0})
    assert ask(master, "select as_of_date, nav_usd, is_complete, unpriced from mart.nav order by 1") == [
        (date(2020, 1, 2), 300.0, True, []),
        (date(2020, 1, 3), 319.0, True, []),
        (date(2020, 1, 4), 298.0, True, []),
    ]
    assert returns(master) == pytest.approx([19 / 300, -21 / 319])
    assert returns(master, "spot") == pytest.approx([0.1, -0.1])
    assert returns(master, "cash") == pytest.approx([-0.01, 0.01 / 0.99])
    linked = ask(
        master, "select cumulative_return from mart.performance where sleeve = 'total' order by as_of_date"
    )
    assert linked[-1][0] == pytest.approx(298 / 300 - 1)


def test_the_doubled_portfolio_of_the_textbooks(master: Master) -> None:
    """Wikipedia, Time-weighted return: 500 grows to 1000, 1000 is added, 2000 falls to 1500: +50 %, not 0."""
    prices(master, [500.0, 1000.0, 750.0])
    state(master, FIRST, {"asset": "BTC", "quantity": 1.0})
    added = FIRST + timedelta(days=1)  # at the instant of a valuation: the sub-periods are cut exactly there
    flow(master, added, "deposit", "BTC", 1.0, 1000.0)
    assert returns(master) == pytest.approx([1.0, -0.25])
    linked = ask(
        master,
        "select cumulative_return, method from mart.performance where sleeve = 'total' order by as_of_date",
    )
    assert linked[-1] == (pytest.approx(0.5), "true_time_weighted")
    assert ask(master, "select nav_usd, cash_flows_usd from mart.nav order by as_of_date") == [
        (500.0, 0.0), (2000.0, 1000.0), (1500.0, 750.0),
    ]  # fmt: skip


def test_the_published_example_of_modified_dietz(master: Master) -> None:
    """CFA level III, GIPS (October composite): 585.60, flows on days 5, 9, 15, 24 of 31, 602.34: 2.45 %."""
    day = timedelta(days=1)
    flows = {5: -15.05, 9: 19.82, 15: 16.42, 24: -18.96}
    cash = 602.34 - sum(flows.values())  # the coins' gain is what is left
    prices(master, [585.60, cash])
    state(master, FIRST, {"asset": "BTC", "quantity": 1.0})
    for when, amount in flows.items():
        kind = "deposit" if amount > 0 else "withdrawal"
        flow(master, FIRST + day * when / 31, kind, "USD", amount)
    row = ask(
        master, "select simple_return, method, closing_usd from mart.performance where sleeve = 'total'"
    )[0]
    assert row[0] == pytest.approx((602.34 - 585.60 - sum(flows.values())) / 591.237, rel=1e-5)
    assert round(row[0], 4) == 0.0245
    assert row[1:] == ("modified_dietz", pytest.approx(602.34))


def test_between_two_statements_the_older_one_and_the_flows_since_are_held(master: Master) -> None:
    prices(master, [100.0] * 4)
    state(master, FIRST - timedelta(hours=3), {"asset": "BTC", "quantity": 1.0})
    flow(master, FIRST + timedelta(hours=12), "deposit", "USDT", 50.0)
    later = FIRST + timedelta(days=1, hours=6)
    state(master, later, {"asset": "BTC", "quantity": 1.0}, {"asset": "USDT", "quantity": 50.0})
    asked = "select nav_usd, cash_flows_usd, statement_age_days from mart.nav order by as_of_date"
    assert ask(master, asked) == [
        (100.0, 0.0, 1), (150.0, 50.0, 2), (150.0, 0.0, 1), (150.0, 0.0, 2),
    ]  # fmt: skip
    assert returns(master) == pytest.approx([0.0, 0.0, 0.0])


def test_what_trading_cost_is_return_and_a_forgotten_deposit_is_not(master: Master) -> None:
    prices(master, [100.0] * 4)
    state(master, FIRST, {"asset": "BTC", "quantity": 10.0})
    traded = FIRST + timedelta(hours=6)
    state(master, traded, {"asset": "BTC", "quantity": 5.0}, {"asset": "USDT", "quantity": 499.0})
    forgotten = FIRST + timedelta(days=1, hours=6)
    state(master, forgotten, {"asset": "BTC", "quantity": 5.0}, {"asset": "USDT", "quantity": 1499.0})
    rows = ask(
        master,
        "select simple_return, other_usd, unexplained_usd, is_complete from mart.performance "
        "where sleeve = 'total' order by as_of_date",
    )
    assert rows[0] == (pytest.approx(-0.001), pytest.approx(-1.0), None, True)
    assert rows[1] == (pytest.approx(0.0), 0.0, pytest.approx(1000.0), False)


def test_fees_and_income_count_and_are_not_cash_flows(master: Master) -> None:
    prices(master, [100.0] * 3)
    state(master, FIRST, {"asset": "USDT", "quantity": 1000.0})
    flow(master, FIRST + timedelta(hours=1), "fee", "USDT", -10.0)
    flow(master, FIRST + timedelta(days=1, hours=1), "income", "USDT", 5.0)
    rows = ask(
        master,
        "select simple_return, other_usd, flows_usd from mart.performance where sleeve = 'total' order by 1",
    )
    assert rows == [(pytest.approx(-0.01), -10.0, 0.0), (pytest.approx(5 / 990), 5.0, 0.0)]


def carry(quantity: float = 2.0) -> tuple[dict, dict]:
    """Two coins and a short perpetual on them: entry 100, margin 60, in USDT."""
    spot = {"asset": "BTC", "kind": "spot", "quantity": quantity}
    perp = {
        "asset": "BTC", "kind": "perp", "quantity": -quantity, "entry_price": 100.0, "margin": 60.0,
        "margin_mode": "isolated", "leverage": 3.0,
    }  # fmt: skip
    legs = [
        {"asset": "BTC", "kind": kind, "sleeve": "carry", "quantity": q}
        for kind, q in (("spot", quantity), ("perp", -quantity))
    ]
    return spot | {"legs": legs}, perp


def perpetual(master: Master, marks: list[float], rates: list[float]) -> None:
    """Daily closes of the perpetual, and its settlements at 08:00 of each day."""
    load(master, candles(marks, market_type="perp", market_id="BTCUSDT"))
    at = pd.Series(pd.Timestamp("2020-01-02 08:00") + pd.Timedelta("1D") * i for i in range(len(rates)))
    frame = pd.DataFrame({"settled_at": at.astype("datetime64[us]"), "funding_rate": rates}).assign(
        venue="binance", market_id="BTCUSDT", symbol="BTC/USDT:USDT", base="BTC", interval_hours=8.0,
        mark_price=100.0, is_reconstructed=True,
    )  # fmt: skip
    load(master, frame.assign(known_at=frame["settled_at"]), "funding_rates")


def test_a_carry_position_is_valued_with_its_margin_and_profit_and_earns_funding_apart(
    master: Master,
) -> None:
    # By hand, USDT at 0.99. Spot 2 × 100 → 2 × 110. Perpetual: margin 60, entry 100, mark 101 → 111.5.
    prices(master, [100.0, 110.0], [0.99, 0.99])
    perpetual(master, [101.0, 111.5], [0.0001])
    state(master, FIRST, *carry())
    opening = 200 + 60 * 0.99 - 2 * (101 - 100) * 0.99
    closing = 220 + 60 * 0.99 - 2 * (111.5 - 100) * 0.99
    funding = 2 * 0.0001 * 100 * 0.99
    nav = ask(master, "select nav_usd, positions_usd, funding_usd from mart.nav order by as_of_date")
    assert nav == [
        (pytest.approx(opening), pytest.approx(opening), 0.0),
        (pytest.approx(closing + funding), pytest.approx(closing), pytest.approx(funding)),
    ]
    row = ask(
        master,
        "select opening_usd, price_usd, funding_usd, simple_return, funding_return from mart.performance "
        "where sleeve = 'carry'",
    )[0]
    assert row == pytest.approx((
        opening, closing - opening, funding, (closing + funding) / opening - 1, funding / opening,
    ))  # fmt: skip
    total = ask(master, "select simple_return, funding_usd from mart.performance where sleeve = 'total'")[0]
    assert total == pytest.approx((row[3], funding))
    line = ask(
        master, "select sleeve, asset, value_usd, exposure_usd from mart.nav_lines order by as_of_date"
    )[0]
    assert line == ("carry", "BTC", pytest.approx(opening), pytest.approx(200 - 2 * 101 * 0.99))


def test_funding_counts_while_the_leg_is_held_and_not_at_its_opening_instant(master: Master) -> None:
    prices(master, [100.0] * 4)
    perpetual(master, [100.0] * 4, [0.001, 0.002, -0.004])
    state(
        master, FIRST + timedelta(hours=8), *carry()
    )  # the settlement at this very instant was the former owner's
    until = FIRST + timedelta(days=1, hours=9)
    state(master, until, {"asset": "BTC", "quantity": 2.0}, {"asset": "USDT", "quantity": 60.4})
    paid = ask(master, "select settled_at, funding_usd from mart.position_funding")
    assert paid == [(datetime(2020, 1, 3, 8), pytest.approx(2 * 0.002 * 100))]
    # What was accrued is in the next statement's cash: no gain is counted twice.
    assert returns(master) == pytest.approx([0.4 / 260.0, 0.0])


def test_a_perpetual_without_prices_of_its_own_is_valued_at_its_coin(master: Master) -> None:
    prices(master, [100.0, 90.0])
    long = {"asset": "BTC", "kind": "perp", "quantity": 1.0, "entry_price": 95.0, "margin": 30.0}
    state(master, FIRST, long)
    assert ask(master, "select value_usd, exposure_usd from mart.position_values order by as_of_date") == [
        (35.0, 100.0), (25.0, 90.0),
    ]  # fmt: skip


def test_dated_futures_and_options_need_their_own_price(master: Master) -> None:
    prices(master, [100.0])
    load(master, candles([104.0], market_type="future", market_id="BTCUSDT_200327"))
    dated = {"asset": "BTC", "kind": "future", "entry_price": 105.0}
    state(
        master, FIRST,
        dated | {"quantity": -1.0, "margin": 20.0, "market_id": "BTCUSDT_200327"},
        dated | {"quantity": 1.0, "market_id": "GONE"},
        {"asset": "BTC", "kind": "option", "quantity": 1.0, "market_id": "BTC-27MAR20-90-C"},
    )  # fmt: skip
    nav = ask(master, "select nav_usd, is_complete, unpriced from mart.nav")
    assert nav == [(21.0, False, ["BTC (future)", "BTC (option)"])]


def test_an_option_is_worth_its_mark_in_coins_times_the_forward(master: Master) -> None:
    prices(master, [100.0])
    read = pd.Timestamp("2020-01-01 23:00")
    row = {
        "venue": "deribit", "market_id": "BTC-27MAR20-90-C", "kind": "option", "base": "BTC",
        "option_type": "call", "expires_at": pd.Timestamp("2020-03-27 08:00"), "strike": 90.0,
        "observed_at": read, "implied_volatility": 0.7, "underlying_price": 101.0, "mark_price": 0.15,
        "open_interest": 1.0, "delta": 0.8, "gamma": 0.0, "vega": 0.0, "theta": 0.0, "known_at": read,
        "is_reconstructed": False, "bid_price": 0.14, "ask_price": 0.16,
    }  # fmt: skip
    times = dict.fromkeys(("expires_at", "observed_at", "known_at"), "datetime64[us]")
    load(master, pd.DataFrame([row]).astype(times), "implied_volatility")
    option = {
        "asset": "BTC",
        "kind": "option",
        "quantity": 2.0,
        "market_id": "BTC-27MAR20-90-C",
        "venue": "deribit",
    }
    state(master, FIRST, option)
    assert ask(master, "select nav_usd, is_complete from mart.nav") == [(pytest.approx(2 * 0.15 * 101), True)]


def test_lent_staked_bank_and_immovable_positions_are_in_the_value(master: Master) -> None:
    prices(master, [100.0])
    state(
        master, FIRST,
        {"asset": "USDT", "kind": "lending", "venue": "aave", "quantity": 10.0},
        {"asset": "BTC", "kind": "staking", "venue": "babylon", "quantity": 1.0},
        {"asset": "USD", "kind": "bank", "venue": "bank", "quantity": 7.0},
        {"asset": "BTC", "quantity": 1.0, "is_immovable": True},
        {"asset": "OWN", "quantity": 5.0},
    )  # fmt: skip
    assert ask(master, "select nav_usd, is_complete, unpriced from mart.nav") == [
        (217.0, False, ["OWN (spot)"])
    ]
    lines = ask(master, "select sleeve, asset, value_usd from mart.nav_lines order by 1, 2")
    assert lines == [
        ("cash", "USD", 7.0), ("spot", "BTC", 100.0), ("spot", "OWN", None), ("staking", "BTC", 100.0),
        ("yield", "USDT", 10.0),
    ]  # fmt: skip


def test_a_price_serves_for_a_week_and_its_age_is_told(master: Master) -> None:
    prices(master, [100.0, *[None] * 8])
    load(master, candles([1.0] * 9, base="LTC", market_id="LTCUSD", quote="USD", venue="kraken"))
    state(master, FIRST, {"asset": "BTC", "quantity": 1.0})
    rows = ask(master, "select nav_usd, oldest_price_days, is_complete from mart.nav order by as_of_date")
    assert rows[7] == (100.0, 7, True)
    assert rows[8] == (0.0, None, False)
    assert math.isfinite(rows[8][0])


def test_the_past_is_seen_with_the_statements_of_the_time(home: Home) -> None:
    corrected = FIRST + timedelta(days=10)
    with open_master(home, FakeClock(), "write") as master:
        prices(master, [100.0] * 4)
        state(master, FIRST, {"asset": "BTC", "quantity": 1.0}, name="one")
        state(master, FIRST, {"asset": "BTC", "quantity": 3.0}, known_at=corrected, name="two")
        assert ask(master, "select distinct nav_usd from mart.nav") == [(300.0,)]
    publish(home, FakeClock(), as_of=corrected, keep=1, min_free_bytes=0)
    with open_point_in_time(home, corrected - timedelta(days=1)) as reader:
        assert reader.select("select distinct nav_usd from mart.nav").rows == ((100.0,),)
