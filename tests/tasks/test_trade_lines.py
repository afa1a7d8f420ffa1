"""Pairs in an alert: one thing to do, with what is held already and what stays."""

from decimal import Decimal

import pytest

from tasks.trade_lines import TradeFacts, totals, trade_lines


def leg(side: str, quantity: str, market_type: str, **changes: object) -> TradeFacts:
    values = {"sleeve": "carry", "pair": 1, "market_type": market_type} | changes
    return TradeFacts(side, "ETH", "binance", Decimal(quantity), float(quantity) * 1000, **values)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("legs", "said"),
    [
        (
            (leg("buy", "3.004", "spot"), leg("sell", "3", "perp")),
            "OPEN carry ETH ≈ 3,004 USD on binance: buy 3.004 ETH, sell 3 ETH perp",
        ),
        (
            (leg("sell", "3", "perp"),),
            "OPEN carry ETH ≈ 3,000 USD on binance: sell 3 ETH perp, 3 ETH already held",
        ),
        (
            (leg("buy", "1", "spot"), leg("sell", "3", "perp")),
            "OPEN carry ETH ≈ 3,000 USD on binance: buy 1 ETH, sell 3 ETH perp, 2 ETH already held",
        ),
        (
            (leg("sell", "2.9999", "spot"), leg("buy", "3", "perp", reduce_only=True)),
            "CLOSE carry ETH ≈ 3,000 USD on binance: sell 2.9999 ETH, buy 3 ETH perp",
        ),
        (
            (leg("buy", "3", "perp", reduce_only=True),),
            "CLOSE carry ETH ≈ 3,000 USD on binance: buy 3 ETH perp, 3 ETH kept",
        ),
    ],
)
def test_a_pair_is_one_line_and_says_where_its_coins_are(legs, said):
    assert trade_lines(legs) == [said]


def test_a_title_names_the_sleeve_of_what_is_opened():
    trades = [
        leg("sell", "3", "perp"),
        leg("buy", "2", "spot", pair=2, sleeve="basis"),
        leg("sell", "2", "future", pair=2, sleeve="basis"),
        leg("sell", "5", "spot", pair=None, sleeve="spot"),
        leg("buy", "1", "pool", pair=None, sleeve="staking"),
    ]
    assert totals(trades) == "sell 5,000 USD, open basis 2,000 USD, open carry 3,000 USD, deposit 1,000 USD"
