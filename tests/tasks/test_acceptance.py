"""Whether a proposal can still be accepted, and what the newest statement says of it."""

from typing import Any

import pytest

from tasks.acceptance import executed, reprice
from tests.warehouse.support import FakeClock, candles, daily, load
from warehouse.home import Home
from warehouse.master import open_master


def order(base: str, side: str, quantity: float, **changes: Any) -> dict[str, Any]:
    row = {
        "symbol": f"{base}/USDT",
        "base": base,
        "place": "coin",
        "side": side,
        "quantity": quantity,
        "reference_price": 100.0,
        "price_now": 100.0,
        "notional_usd": quantity * 100.0,
    }
    return row | changes


def held(asset: str, before: float, now: float, place: str = "coin") -> dict[str, Any]:
    return {
        "asset": asset,
        "place": place,
        "quantity_before": before,
        "quantity_now": now,
    }


def test_the_largest_move_of_any_order_counts_whatever_its_direction():
    found = reprice([order("BTC", "buy", 1, price_now=101.0), order("ETH", "sell", 2, price_now=97.0)])
    assert (found.worst_symbol, found.unpriced) == ("ETH/USDT", ())
    assert found.worst_move == pytest.approx(-0.03)
    assert found.notional_usd == pytest.approx(101.0 + 194.0)


def test_an_order_without_a_price_now_is_named():
    assert reprice([order("BTC", "buy", 1, price_now=None)]).unpriced == ("BTC/USDT",)


@pytest.mark.parametrize(
    ("holdings", "expected"),
    [
        ([held("BTC", 1, 1), held("ETH", 5, 5)], "unchanged"),
        ([held("BTC", 1, 0.5), held("ETH", 5, 15)], "carried_out"),
        ([held("BTC", 1, 0.53), held("ETH", 5, 14.9)], "carried_out"),
        ([held("BTC", 1, 0.5), held("ETH", 5, 5)], "otherwise"),
        ([held("BTC", 1, 1.5), held("ETH", 5, 15)], "otherwise"),
        ([held("BTC", 1, 1), held("ETH", 5, 5), held("USDT", 9, 1)], "unchanged"),
        ([held("BTC", 0, 0.5, "contract"), held("BTC", 1, 1), held("ETH", 5, 5)], "unchanged"),
    ],
)
def test_what_the_newest_statement_says_about_the_orders(holdings, expected):
    orders = [order("BTC", "sell", 0.5), order("ETH", "buy", 10)]
    assert executed(orders, holdings) == expected


def test_a_derivative_leg_is_compared_with_the_derivative_held():
    orders = [order("BTC", "buy", 1), order("BTC", "sell", 1, symbol="BTC/USDT:USDT", place="contract")]
    assert executed(orders, [held("BTC", 0, 1), held("BTC", 0, -1, "contract")]) == "carried_out"
    assert executed(orders, [held("BTC", 0, 1)]) == "otherwise"


def test_a_pair_whose_coins_were_held_before_is_its_contract_alone():
    orders = [order("ETH", "sell", 3, symbol="ETH/USDT:USDT", place="contract")]
    assert executed(orders, [held("ETH", 14, 14), held("ETH", 0, -3, "contract")]) == "carried_out"
    assert executed(orders, [held("ETH", 14, 14), held("ETH", 0, -1, "contract")]) == "otherwise"
    assert executed(orders, [held("ETH", 14, 14)]) == "unchanged"


STAKED = (order("ETH", "buy", 5.005), order("ETH", "buy", 5, symbol="STETH", place="pool"))


@pytest.mark.parametrize(
    ("coins", "pool", "expected"),
    [
        (10.0, 5.0, "carried_out"),  # bought and deposited
        (15.0, 0.0, "otherwise"),  # bought, not deposited
        (10.0, 0.0, "unchanged"),
    ],
)
def test_what_is_bought_and_deposited_is_found_in_the_pool(coins, pool, expected):
    assert executed(STAKED, [held("ETH", 10, coins), held("ETH", 0, pool, "pool")]) == expected


@pytest.mark.parametrize("arrived", [False, True])
def test_a_withdrawal_that_takes_days_counts_before_and_after_it_arrives(arrived):
    orders = [order("ETH", "sell", 4, symbol="STETH", place="pool"), order("ETH", "sell", 2)]
    coins = 10.0 - 2.0 + 4.0 * arrived
    assert executed(orders, [held("ETH", 10, coins), held("ETH", 4, 0, "pool")]) == "carried_out"


def test_a_deposit_of_a_stablecoin_is_found_whatever_else_it_paid_for():
    orders = [order("USDC", "buy", 1_000, symbol="USDC", place="pool"), order("BTC", "buy", 1)]
    holdings = [held("USDC", 9_000, 100), held("USDC", 0, 1_000, "pool"), held("BTC", 0, 1)]
    assert executed(orders, holdings) == "carried_out"


MARKETS = (("BTCUSDT", "spot", 100.0), ("BTCUSDT", "perp", 101.0), ("BTCUSDT_200925", "future", 110.0))


def trade(line: int, symbol: str, market_type: str, market_id: str, **changes: Any) -> dict[str, Any]:
    row = {
        "recommendation_id": "R-1",
        "line": line,
        "venue": "binance",
        "market_id": market_id,
        "symbol": symbol,
        "side": "buy",
        "quantity": 1,
        "reference_price": 100.0,
        "notional_usd": 100.0,
        "reason_code": "rebalance",
        "reason": "because",
        "market_type": market_type,
        "asset": "BTC",
    }
    return row | changes


@pytest.fixture(scope="module")
def priced(tmp_path_factory):
    """What each kind of trade costs now, by line."""
    home = Home(tmp_path_factory.mktemp("priced") / "data")
    with open_master(home, FakeClock(), "prepare a test") as master:
        for market_id, kind, price in MARKETS:
            rows = candles([90.0, price], start="2020-07-18", market_id=market_id, market_type=kind)
            load(master, rows)
        dollars = {"provider": "coinmetrics", "asset": "USDT", "metric": "PriceUSD"}
        load(master, daily("2020-07-01", value=[0.99] * 19, **dollars), "onchain_metrics")
        trades = [
            trade(1, "BTC/USDT", "spot", "BTCUSDT"),
            trade(2, "BTC/USDT:USDT", "perp", "BTCUSDT"),
            trade(3, "BTC/USDT:USDT-200925", "future", "BTCUSDT_200925"),
            trade(4, "BTC/USDT:USDT-201225", "future", "BTCUSDT_201225"),
            trade(5, "WBTC", "pool", "a-pool", venue="aave-v3"),
            trade(6, "AUSDT", "pool", "another", venue="aave-v3", asset="USDT"),
            trade(7, "BTC/USDT:USDT", "perp", "BTCUSDT", venue="okx"),
        ]
        master.append("mart.recommendation_trades", trades)
        rows = master.rows("trade_prices_now", recommendation_id="R-1")
    return {row["line"]: row for row in rows}


def test_each_trade_is_priced_where_it_trades(priced):
    assert {line: row["price_now"] for line, row in priced.items()} == {
        1: 100.0,
        2: 101.0,
        3: 110.0,
        4: None,  # a dated contract may stand far from its coin
        5: pytest.approx(99.0),
        6: pytest.approx(0.99),
        7: 100.0,  # funding ties a perpetual to its coin
    }


def test_each_trade_says_what_of_a_statement_it_moves(priced):
    moved = {line: (row["base"], row["place"]) for line, row in priced.items()}
    assert moved[1] == ("BTC", "coin")
    assert moved[2] == moved[3] == ("BTC", "contract")
    assert moved[5] == ("BTC", "pool")
    assert moved[6] == ("USDT", "pool")
