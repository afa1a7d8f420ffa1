"""From weights to orders: steps, minimums, fees, cash, venues, and what can not be traded."""

from decimal import Decimal

import pytest

from portfolio.book import open_book
from portfolio.costs import ASSUMED_TAKER_FEE, TradingCost, trading_cost
from portfolio.desk import exact, floor_step
from portfolio.model import PriceMark
from portfolio.planner import plan_trades
from tests.portfolio.market import AS_OF, CLOSE, board, depth, hold, inputs, market, marks


def plan(target, rules=None, **changes):
    day = inputs(**changes)
    owner = rules or board(target)
    return plan_trades(open_book(day, owner), target, day, owner)


HALF = {"spot:BTC": 0.5, "spot:ETH": 0.0, "cash:USDT": 0.5}


def by_line(found):
    return {o.line: o for o in found.orders}


def test_square_root_impact_of_the_published_example():
    """2 million of 50 million a day at 4 % daily volatility costs 80 bps."""
    cost = TradingCost(
        taker_fee=0.0, half_spread=0.0, daily_volatility=0.04, average_daily_volume_usd=50e6, is_assumed=False
    )
    assert cost.rate(2e6) == pytest.approx(0.0080)
    assert cost.rate(0.0) == 0.0


def test_unknown_costs_are_dear_and_flagged():
    cost = trading_cost(market("BTC", taker_fee=None), inputs(liquidity=()))
    assert cost.taker_fee == ASSUMED_TAKER_FEE
    assert cost.is_assumed
    assert cost.rate(10_000.0) > 0.005


@pytest.mark.parametrize(
    ("quantity", "step", "floor"),
    [
        ("0.123456", "0.001", "0.123"),
        ("5", "0.3", "4.8"),
        ("0.0009", "0.001", "0"),
        ("1.123456789", None, "1.12345678"),
    ],
)
def test_quantities_are_floored_to_whole_steps(quantity, step, floor):
    assert floor_step(Decimal(quantity), Decimal(step) if step else None) == Decimal(floor)


def test_floats_enter_by_their_shortest_text():
    assert exact(0.1) == Decimal("0.1")


def test_sells_come_first_and_every_quantity_is_in_steps():
    found = plan(HALF)
    assert [o.side for o in found.orders] == ["sell", "buy"]
    for order in found.orders:
        assert order.quantity % order.market.amount_step == 0


def test_target_zero_sells_the_whole_position():
    assert by_line(plan(HALF))["spot:ETH"].quantity == Decimal(50)


def test_fees_and_slippage_are_reckoned_per_order():
    order = by_line(plan(HALF))["spot:ETH"]
    assert order.notional_usd == pytest.approx(12_000.0)
    assert order.fee_usd == pytest.approx(12.0)
    assert order.slippage_usd == pytest.approx(12_000 * (0.0001 + 0.04 * (12_000 / 200e6) ** 0.5))


def test_buys_are_scaled_to_the_cash_there_is_fees_included():
    found = plan({"spot:BTC": 1.0, "spot:ETH": 0.0, "cash:USDT": 0.0})
    buy = by_line(found)["spot:BTC"]
    sold = by_line(found)["spot:ETH"]
    cash = 69_600 + sold.notional_usd - sold.fee_usd - sold.slippage_usd
    spent = buy.notional_usd + buy.fee_usd + buy.slippage_usd
    assert spent <= cash
    assert cash - spent < 9_200 * 0.0001 * 1.01 + 1.0  # within one lot
    assert 0.0 <= found.achieved["cash:USDT"] < 0.005


def test_several_buys_share_what_there_is():
    found = plan({"spot:BTC": 0.184, "spot:ETH": 0.6, "spot:XRP": 0.6, "cash:USDT": 0.0})
    spent = {o.line: o.notional_usd for o in found.orders}
    assert spent["spot:XRP"] / spent["spot:ETH"] == pytest.approx(0.6 / 0.48, rel=1e-3)


def test_the_cash_floor_stays():
    owner = board(HALF, cash_floor_usd=60_000)
    found = plan({"spot:BTC": 0.6, "spot:ETH": 0.12, "cash:USDT": 0.28}, owner)
    buy = by_line(found)["spot:BTC"]
    assert 69_600 - buy.notional_usd - buy.fee_usd - buy.slippage_usd >= 60_000
    assert buy.notional_usd > 9_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"min_cost": Decimal(5000)}, "minimum of 5000 USDT"),
        ({"min_amount": Decimal(1)}, "minimum of 1 BTC"),
        ({"amount_step": Decimal(1)}, "less than one step"),
    ],
)
def test_an_order_below_a_minimum_is_listed_not_placed(change, said):
    target = {"spot:BTC": 0.2, "spot:ETH": 0.12, "cash:USDT": 0.68}
    found = plan(target, instruments=(market("BTC", **change), market("ETH")))
    assert found.orders == ()
    assert found.skipped["spot:BTC"].reason_code == "below_minimum"
    assert said in found.skipped["spot:BTC"].sentence


def test_participation_cuts_an_order_and_says_so():
    owner = board(HALF, max_participation=0.02)
    found = plan(HALF, owner, liquidity=(depth("BTC", volume=500_000.0), depth("ETH")))
    order = by_line(found)["spot:BTC"]
    assert order.notional_usd == pytest.approx(10_000.0, abs=1.0)
    assert order.reason_code == "participation_capped"
    assert "2.0%" in order.note


def test_what_a_thin_market_will_not_take_keeps_no_cash_from_the_other_buys():
    target = {"spot:BTC": 0.5, "spot:ETH": 0.45, "cash:USDT": 0.05}
    thin = (depth("BTC"), depth("ETH", volume=500_000.0))
    cash_only = (hold("USDT", 60_000),)
    owner = board(target, max_participation=0.02, cash_floor_usd=15_000.0)
    found = plan(target, owner, positions=cash_only, liquidity=thin)
    orders = by_line(found)
    assert orders["spot:ETH"].notional_usd == pytest.approx(10_000.0, abs=1.0)
    assert orders["spot:ETH"].reason_code == "participation_capped"
    assert orders["spot:BTC"].notional_usd == pytest.approx(30_000.0, abs=1.0)
    assert orders["spot:BTC"].note == ""


def test_a_cut_order_that_is_scaled_too_says_both():
    target = {"spot:BTC": 0.6, "spot:ETH": 0.35, "cash:USDT": 0.05}
    positions = (hold("USDT", 60_000), hold("BTC", "2"))
    thin = (depth("BTC", volume=500_000.0), depth("ETH", volume=500_000.0))
    owner = board(target, max_participation=0.02, cash_floor_usd=55_000.0)
    order = by_line(plan(target, owner, positions=positions, liquidity=thin))["spot:ETH"]
    assert order.notional_usd < 5_100.0
    assert "Scaled to" in order.note
    assert "Cut to 2.0%" in order.note


def test_a_line_without_a_market_is_listed():
    found = plan(HALF, instruments=(market("BTC"),))
    assert found.skipped["spot:ETH"].reason_code == "no_market"
    assert "spot:ETH" not in by_line(found)


def test_an_inactive_market_is_no_market():
    found = plan(HALF, instruments=(market("BTC"), market("ETH", is_active=False)))
    assert found.skipped["spot:ETH"].reason_code == "no_market"


def test_an_immovable_part_is_not_sold():
    positions = (hold("BTC", 2), hold("ETH", 30, immovable=True), hold("ETH", 20), hold("USDT", 69_600))
    assert by_line(plan(HALF, positions=positions))["spot:ETH"].quantity == Decimal(20)


def test_immovable_cash_is_not_spent():
    positions = (hold("USDT", 90_000, immovable=True), hold("USDT", 10_000))
    found = plan({"spot:BTC": 0.5, "cash:USDT": 0.5}, positions=positions)
    assert by_line(found)["spot:BTC"].notional_usd <= 10_000


def test_a_coin_held_elsewhere_is_to_be_moved_first():
    positions = (hold("ETH", 50, venue="ledger"), hold("USDT", 88_000))
    order = by_line(plan({"spot:ETH": 0.0, "cash:USDT": 1.0}, positions=positions))["spot:ETH"]
    assert [s.sentence for s in order.steps] == ["Move 50 ETH from ledger to binance first."]


def test_the_market_where_it_is_held_is_preferred_then_the_cheapest():
    kraken = market("ETH", venue="kraken", market_id="XETHZUSDT", taker_fee=0.0001)
    both = (market("BTC"), market("ETH"), kraken)
    held = by_line(plan(HALF, instruments=both))["spot:ETH"]
    assert held.market.venue == "binance"
    cheap = plan(
        {"spot:ETH": 0.3, "cash:USDT": 0.7}, instruments=both, positions=(hold("USDT", 1e5),), liquidity=()
    )
    assert by_line(cheap)["spot:ETH"].market.venue == "kraken"


USDC = PriceMark(price_usd=1.0, price_quote=1.0, at=CLOSE, venues=2)


def test_usdc_is_converted_to_pay_in_usdt():
    found = plan(
        {"cash:USDC": 0.8, "spot:BTC": 0.2},
        positions=(hold("USDC", 100_000),),
        prices=marks() | {"cash:USDC": USDC},
        instruments=(market("BTC"), market("USDC")),
    )
    assert [(o.market.symbol, o.side) for o in found.orders] == [("USDC/USDT", "sell"), ("BTC/USDT", "buy")]
    assert found.orders[0].reason_code == "convert_cash"
    assert found.orders[0].notional_usd == pytest.approx(20_000, rel=0.01)
    assert by_line(found)["spot:BTC"].notional_usd == pytest.approx(20_000, rel=0.01)


def test_proceeds_are_converted_into_the_wanted_cash():
    found = plan(
        {"cash:USDC": 1.0, "spot:BTC": 0.0},
        positions=(hold("BTC", 2),),
        prices=marks() | {"cash:USDC": USDC},
        instruments=(market("BTC"), market("USDC")),
    )
    assert [(o.market.symbol, o.side) for o in found.orders] == [("BTC/USDT", "sell"), ("USDC/USDT", "buy")]
    assert found.achieved["cash:USDC"] > 0.99


def test_without_a_conversion_market_it_is_to_be_done_by_hand():
    found = plan(
        {"cash:USDC": 0.8, "spot:BTC": 0.2},
        positions=(hold("USDC", 100_000),),
        prices=marks() | {"cash:USDC": USDC},
        instruments=(market("BTC"),),
    )
    assert found.orders == ()
    assert found.skipped["cash:USDT"].reason_code == "convert_by_hand"
    assert "convert about 20," in found.skipped["cash:USDT"].sentence
    assert found.skipped["spot:BTC"].reason_code == "no_cash"


def test_a_market_in_the_held_cash_is_used_where_there_is_one():
    found = plan(
        {"cash:USDC": 0.8, "spot:BTC": 0.2},
        positions=(hold("USDC", 100_000),),
        prices=marks() | {"cash:USDC": USDC},
        instruments=(market("BTC", "USDC"),),
    )
    assert [o.market.symbol for o in found.orders] == ["BTC/USDC"]


def test_nothing_is_sold_for_a_stablecoin_off_its_peg():
    found = plan(HALF, prices=marks(usdt=0.95), quote_price_usd={"USDT": 0.95})
    assert found.skipped["spot:ETH"].reason_code == "depeg"
    assert [o.side for o in found.orders] == ["buy"]


def test_the_value_goes_through_the_stablecoins_own_price():
    book = open_book(inputs(prices=marks(usdt=0.99), quote_price_usd={"USDT": 0.99}), board())
    assert book.nav_usd == pytest.approx(0.99 * 100_000)
    assert book.depegged == frozenset()


def test_the_plan_does_not_depend_on_the_order_of_its_inputs():
    target = {"spot:BTC": 0.1, "spot:ETH": 0.3, "spot:XRP": 0.1, "cash:USDT": 0.5}
    day = inputs()
    turned = plan(
        dict(reversed(target.items())),
        positions=day.positions[::-1],
        instruments=day.instruments[::-1],
        liquidity=day.liquidity[::-1],
    )
    assert [(o.line, o.quantity) for o in turned.orders] == [
        (o.line, o.quantity) for o in plan(target).orders
    ]


def test_an_empty_difference_is_an_empty_plan():
    found = plan({"spot:BTC": 0.184, "spot:ETH": 0.12, "cash:USDT": 0.696})
    assert found.orders == ()
    assert found.skipped == {}
    assert found.cost_usd == 0.0


def test_positions_with_a_price_from_another_sleeve_are_valued():
    positions = (hold("ETH", 10, sleeve="staking", kind="staking"), hold("USDT", 1000))
    book = open_book(inputs(positions=positions), board({"cash:USDT": 1.0}))
    assert book.nav_usd == pytest.approx(3400)
    assert book.stuck["staking:ETH"].reason_code == "outside_policy"
    assert AS_OF > CLOSE
