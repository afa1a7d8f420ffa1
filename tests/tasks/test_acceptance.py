from typing import Any

import pytest

from tasks.acceptance import executed, reprice


def order(base: str, side: str, quantity: float, **changes: Any) -> dict[str, Any]:
    row = {
        "symbol": f"{base}/USDT",
        "base": base,
        "is_derivative": False,
        "side": side,
        "quantity": quantity,
        "reference_price": 100.0,
        "price_now": 100.0,
        "notional_usd": quantity * 100.0,
    }
    return row | changes


def held(asset: str, before: float, now: float, *, derivative: bool = False) -> dict[str, Any]:
    return {
        "asset": asset,
        "is_derivative": derivative,
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
        ([held("BTC", 0, 0.5, derivative=True), held("BTC", 1, 1), held("ETH", 5, 5)], "unchanged"),
    ],
)
def test_what_the_newest_statement_says_about_the_orders(holdings, expected):
    orders = [order("BTC", "sell", 0.5), order("ETH", "buy", 10)]
    assert executed(orders, holdings) == expected


def test_a_derivative_leg_is_compared_with_the_derivative_held():
    orders = [order("BTC", "buy", 1), order("BTC", "sell", 1, symbol="BTC/USDT:USDT", is_derivative=True)]
    assert executed(orders, [held("BTC", 0, 1), held("BTC", 0, -1, derivative=True)]) == "carried_out"
    assert executed(orders, [held("BTC", 0, 1)]) == "otherwise"
