"""Every hold says where it ends, and at that price it does."""

from dataclasses import replace

import pytest

from portfolio.decision import decide
from portfolio.model import RebalanceRules
from portfolio.triggers import Trigger, drifted, move_to
from tests.portfolio.calm import carry, day, owner
from tests.portfolio.market import AS_OF, COINS, board, hold, inputs, marks, policy

AT_TARGET = (hold("BTC", 10_000 / 9_200), hold("ETH", 10_000 / 240), hold("USDT", 80_000))


def with_price(today, asset, price):
    return replace(today, prices=marks({**COINS, asset: price}))


def test_a_move_and_the_weight_it_leads_to_are_inverses():
    for weight, wanted in ((0.1, 0.125), (0.3, 0.2), (0.6, 0.61)):
        assert drifted(weight, move_to(weight, wanted)) == pytest.approx(wanted)
    assert move_to(0.0, 0.1) is None
    assert move_to(0.5, 0.99) is None  # a hundredfold is no prediction


@pytest.mark.parametrize("side", ["above", "below"])
def test_at_the_price_it_names_a_hold_becomes_a_trade(side):
    today = inputs(positions=AT_TARGET)
    found = decide(today, board(), 1)
    assert found.reason_code == "within_bands"
    key = next(k for k in found.estimates if k.startswith(f"trade_{side}_usd:"))
    asset, price = key.partition("spot:")[2], found.estimates[key]
    assert f"It becomes a trade with {asset} above" in found.reason
    outward = 1.0 if side == "above" else -1.0
    after = decide(with_price(today, asset, price * (1 + 1e-4 * outward)), board(), 1)
    before = decide(with_price(today, asset, price * (1 - 1e-4 * outward)), board(), 1)
    assert (before.status, after.status) == ("hold", "proposed")


def test_a_benefit_that_does_not_pay_says_at_which_price_it_would():
    rules = policy(
        default_bounds=(0.0, 1.0), weight_bounds={}, rebalance=RebalanceRules(min_benefit_over_cost=6.0)
    )
    today = inputs()
    found = decide(today, rules, 1)
    assert found.reason_code == "benefit_below_cost"
    price = found.estimates["trade_above_usd:spot:ETH"]
    assert f"It becomes a trade with ETH above {price:,.6g} USD" in found.reason
    assert price > COINS["ETH"]
    assert decide(with_price(today, "ETH", price * 1.03), rules, 1).reason_code == "benefit_above_cost"


def test_a_contract_says_at_which_return_it_would_be_bought():
    low = {"carry:BTC": carry("BTC", 9_200.0, expected_return=0.01)}
    rules = owner(rebalance=RebalanceRules(min_benefit_over_cost=50.0), class_bounds={"yield": (0.0, 0.0)})
    found = decide(day(terms=low | {"yield:USDC": day().terms["yield:USDC"]}), rules, 1)
    assert found.reason_code == "benefit_below_cost"
    wanted = found.estimates["trade_at_return:carry:BTC"]
    assert wanted > 0.01
    assert f"{wanted:.1%} a year" in found.reason


def test_a_cooldown_names_the_price_of_the_hard_limit():
    rules = board(weight_bounds={"spot:BTC": (0.0, 0.2)})
    found = decide(inputs(last_trade_at=AS_OF), rules, 1)
    assert found.reason_code == "cooldown"
    assert drifted(0.184, found.estimates["trade_above_usd:spot:BTC"] / 9_200 - 1) == pytest.approx(0.205)


def test_a_lost_peg_names_the_peg():
    today = inputs(prices=marks(usdt=0.9), quote_price_usd={"USDT": 0.9})
    found = decide(today, board({"cash:USDT": 0.9, "spot:BTC": 0.05, "spot:ETH": 0.05}), 1)
    assert found.reason_code == "depeg"
    assert "It becomes a trade with USDT between 0.98 and 1.02 USD." in found.reason


def test_where_no_price_helps_it_is_said():
    found = decide(inputs(instruments=()), board(), 1)
    assert found.status == "hold"
    assert "No price of one line alone makes it a trade." in found.reason
    assert Trigger(line="spot:BTC").figures() == {}
