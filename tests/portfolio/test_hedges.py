"""Lines of several legs as orders: both or none, hedged within a step, margin named, coins kept."""

from dataclasses import replace
from decimal import Decimal

import pytest

from portfolio.decision import decide
from portfolio.model import Freeze
from tests.portfolio.hedged import SLEEVES, TERMS, check, day, perp, perp_depth, plan
from tests.portfolio.market import COINS, board, depth, hold, market, returns

CASH = (hold("USDT", 100_000),)


def legs(found, line):
    return {o.market.market_type: o for o in found.orders if o.line == line}


def test_a_carry_is_a_coin_bought_and_a_contract_sold_with_its_margin_named():
    found = plan({"carry:BTC": 0.3, "cash:USDT": 0.7}, positions=CASH)
    check(found, day(positions=CASH))
    spot, short = legs(found, "carry:BTC")["spot"], legs(found, "carry:BTC")["perp"]
    assert (spot.side, short.side, spot.pair, short.pair) == ("buy", "sell", 1, 1)
    assert spot.quantity == short.quantity == Decimal("2.445")
    assert (spot.action, short.action) == ("buy", "buy")
    assert not short.reduce_only
    margin = short.steps[0]
    assert (margin.kind, margin.asset, margin.destination) == ("post_margin", "USDT", "binance")
    assert float(margin.quantity) == pytest.approx(2.445 * 9_200 / 3, abs=0.02)
    assert "Post 7,498 USDT as margin at binance." in short.note
    assert found.achieved["carry:BTC"] == pytest.approx(0.3, abs=0.001 * 9200 * 4 / 3 / 1e5)
    assert sum(found.achieved.values()) == pytest.approx(1.0, abs=1e-12)


def test_a_carry_closed_buys_the_contract_back_and_frees_the_margin():
    positions = (hold("BTC", 2, sleeve="carry", kind="carry"), hold("USDT", 10_000))
    found = plan({"carry:BTC": 0.0, "cash:USDT": 1.0}, positions=positions)
    check(found, day(positions=positions))
    spot, short = legs(found, "carry:BTC")["spot"], legs(found, "carry:BTC")["perp"]
    assert (spot.side, short.side, short.reduce_only) == ("sell", "buy", True)
    assert spot.quantity == short.quantity == 2
    assert "Frees about 6,133.33 USDT of margin at binance." in short.note
    assert found.achieved["carry:BTC"] == pytest.approx(0.0, abs=1e-12)
    assert float(found.held["cash:USDT"]) == pytest.approx(10_000 + 2 * 9_200 * 4 / 3 - found.cost_usd)


def test_a_carry_with_a_loss_frees_what_is_left_of_its_capital():
    held = hold("BTC", 2, sleeve="carry", kind="carry", capital_usd=20_000.0)
    found = plan({"carry:BTC": 0.0, "cash:USDT": 1.0}, positions=(held, hold("USDT", 10_000)))
    assert float(found.held["cash:USDT"]) == pytest.approx(30_000 - found.cost_usd)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"min_cost": Decimal(50_000)}, "minimum of 50000 USDT"),
        ({"min_amount": Decimal(100)}, "minimum of 100 contracts"),
        ({"amount_step": Decimal(5)}, "less than one step"),
    ],
)
def test_a_pair_whose_one_leg_is_below_a_minimum_is_skipped_as_a_pair(change, said):
    target = {"carry:BTC": 0.3, "cash:USDT": 0.7}
    found = plan(target, positions=CASH, instruments=(market("BTC"), perp("BTC", **change)))
    assert found.orders == ()
    why = found.skipped["carry:BTC"]
    assert why.reason_code == "below_minimum"
    assert said in why.sentence
    assert "All legs or none" in why.sentence


def test_a_pair_without_one_of_its_markets_is_skipped():
    found = plan({"carry:BTC": 0.3, "cash:USDT": 0.7}, positions=CASH, instruments=(market("BTC"),))
    assert found.orders == ()
    assert found.skipped["carry:BTC"].reason_code == "no_market"
    assert "BTC/USDT:USDT" in found.skipped["carry:BTC"].sentence


@pytest.mark.parametrize(
    ("spot_step", "contract", "step"),
    [("0.00001", "1", "0.001"), ("0.1", "1", "0.001"), ("0.00001", "0.01", "1"), ("0.003", "1", "0.005")],
)
def test_what_is_left_unhedged_is_less_than_a_step_of_the_coarser_leg(spot_step, contract, step):
    rules = (
        market("BTC", amount_step=Decimal(spot_step)),
        perp("BTC", amount_step=Decimal(step), contract_size=Decimal(contract)),
    )
    found = plan({"carry:BTC": 0.3, "cash:USDT": 0.7}, positions=CASH, instruments=rules)
    spot, short = legs(found, "carry:BTC")["spot"], legs(found, "carry:BTC")["perp"]
    coarser = max(Decimal(spot_step), Decimal(step) * Decimal(contract))
    assert abs(spot.quantity - short.quantity) < coarser
    assert short.trade(1, "").contracts == short.quantity / Decimal(contract)


def test_where_the_fee_is_taken_from_the_coin_so_much_more_is_bought():
    rules = (market("BTC", fee_side="received", amount_step=Decimal("0.00001")), perp("BTC"))
    found = plan({"carry:BTC": 0.3, "cash:USDT": 0.7}, positions=CASH, instruments=rules)
    spot, short = legs(found, "carry:BTC")["spot"], legs(found, "carry:BTC")["perp"]
    assert 0 <= spot.base_change - short.quantity < Decimal("0.00001")
    assert spot.quantity > short.quantity
    assert "keeps 0.00244" in spot.note


def test_a_fee_taken_from_the_coin_costs_no_cash():
    rules = tuple(market(c, fee_side="received") for c in COINS)
    target = {"spot:BTC": 0.5, "cash:USDT": 0.5}
    found = plan(target, board(target), positions=CASH, instruments=rules)
    order = found.orders[0]
    assert order.base_change == order.quantity * Decimal("0.999")
    assert order.cash_change == -order.notional - order.slippage
    assert found.achieved["spot:BTC"] == pytest.approx(0.5, abs=1e-4)
    check(found, day(positions=CASH, instruments=rules))


def test_both_legs_are_cut_alike_by_the_busier_markets_participation():
    rules = board({"carry:BTC": 0.3}, sleeves=("carry", "cash"), max_participation=0.01)
    quiet = (depth("BTC"), perp_depth("BTC", volume=1e6))
    found = plan({"carry:BTC": 0.3, "cash:USDT": 0.7}, rules, positions=CASH, liquidity=quiet)
    spot, short = legs(found, "carry:BTC")["spot"], legs(found, "carry:BTC")["perp"]
    assert spot.quantity == short.quantity == Decimal("1.086")
    assert short.reason_code == "participation_capped"


def test_a_pair_is_scaled_to_the_cash_there_is_and_stays_hedged():
    positions = (hold("USDT", 20_000), hold("XRP", 400_000, immovable=True))
    found = plan({"carry:BTC": 0.9, "cash:USDT": 0.0}, positions=positions)
    check(found, day(positions=positions))
    spot, short = legs(found, "carry:BTC")["spot"], legs(found, "carry:BTC")["perp"]
    assert spot.quantity == short.quantity
    assert "Scaled to 2" in spot.note
    assert 0 <= found.held["cash:USDT"] < 20


def test_coins_that_another_line_takes_are_kept_and_not_sold():
    positions = (hold("BTC", 2), hold("USDT", 30_000))
    target = {"spot:BTC": 0.0, "carry:BTC": 2 * 9_200 * 4 / 3 / 48_400, "cash:USDT": 0.45}
    found = plan(target, positions=positions)
    check(found, day(positions=positions))
    assert [(o.side, o.market.market_type) for o in found.orders] == [("sell", "perp")]
    assert found.orders[0].quantity == 2
    assert found.orders[0].action == "buy"
    assert found.achieved["spot:BTC"] == pytest.approx(0.0, abs=1e-9)
    assert found.achieved["carry:BTC"] == pytest.approx(target["carry:BTC"], abs=1e-9)


def test_coins_of_a_closed_carry_stay_where_the_plain_coin_is_wanted():
    positions = (hold("BTC", 2, sleeve="carry", kind="carry"), hold("USDT", 10_000))
    nav = 10_000 + 2 * 9_200 * 4 / 3
    found = plan(
        {"carry:BTC": 0.0, "spot:BTC": 9_200 / nav, "cash:USDT": 1 - 9_200 / nav}, positions=positions
    )
    check(found, day(positions=positions))
    assert [(o.side, o.market.market_type, o.quantity) for o in found.orders] == [
        ("sell", "spot", 1),
        ("buy", "perp", 2),
    ]
    assert found.achieved["spot:BTC"] == pytest.approx(9_200 / nav, abs=1e-9)


def test_a_deposit_is_a_step_by_hand_that_takes_cash():
    found = plan({"yield:USDT": 0.2, "cash:USDT": 0.8}, positions=CASH)
    check(found, day(positions=CASH))
    (order,) = found.orders
    row = order.trade(1, "")
    assert (row.venue, row.market_id, row.market_type, row.side) == ("aave-v3", "aave-v3-usdt", "pool", "buy")
    assert (order.reason_code, row.limit_price, order.quantity) == ("deposit", None, 20_000)
    assert [s.sentence for s in order.steps] == ["Move 20,000 USDT from binance to aave-v3 first."]
    assert found.held["cash:USDT"] == 80_000


def test_held_coins_are_staked_and_the_missing_ones_bought():
    positions = (hold("ETH", 10), hold("USDT", 97_600))
    found = plan({"spot:ETH": 0.0, "staking:ETH": 0.048, "cash:USDT": 0.952}, positions=positions)
    check(found, day(positions=positions))
    assert [(o.side, o.market.market_type, o.quantity) for o in found.orders] == [
        ("buy", "spot", 10),
        ("buy", "pool", 20),
    ]
    assert found.achieved["staking:ETH"] == pytest.approx(0.048, abs=1e-9)


def test_what_leaves_a_pool_later_is_not_spent_now():
    positions = (hold("ETH", 100, sleeve="staking", kind="staking"), hold("USDT", 1_000))
    found = plan({"staking:ETH": 0.0, "spot:BTC": 0.9, "cash:USDT": 0.1}, positions=positions)
    check(found, day(positions=positions))
    out = found.orders[0]
    assert (out.reason_code, out.side, out.market.venue) == ("withdraw", "sell", "lido")
    assert "arrives after 5 days" in out.note
    assert found.achieved["spot:ETH"] == pytest.approx(24_000 / 25_000)
    assert float(found.orders[1].notional_usd) < 1_000


def test_a_frozen_coin_freezes_the_lines_made_of_it():
    frozen = {"spot:BTC": Freeze("failed_gate", "BTC failed its gate.")}
    found = plan({"carry:BTC": 0.3, "cash:USDT": 0.7}, positions=CASH, frozen=frozen)
    assert found.orders == ()
    assert found.skipped["carry:BTC"].reason_code == "failed_gate"


def test_cash_at_another_venue_is_moved_before_the_first_order_that_needs_it():
    positions = (hold("USDT", 40_000, venue="kraken"), hold("USDT", 5_000))
    found = plan({"spot:BTC": 0.4, "spot:ETH": 0.2, "cash:USDT": 0.4}, positions=positions)
    steps = [s.sentence for o in found.orders for s in o.steps]
    assert len(steps) == 1
    assert steps[0].startswith("Move 22,0")
    assert steps[0].endswith("USDT from kraken to binance first.")
    assert found.orders[0].steps


def test_a_coin_is_sold_at_every_venue_that_holds_it():
    rules = (market("ETH"), market("ETH", venue="kraken", market_id="XETHZUSD"), market("BTC"))
    positions = (hold("ETH", 10), hold("ETH", 5, venue="kraken"), hold("USDT", 96_400))
    target = {"spot:ETH": 0.0, "cash:USDT": 1.0}
    found = plan(target, board(target), positions=positions, instruments=rules)
    assert [(o.market.venue, o.quantity) for o in found.orders] == [("kraken", 5), ("binance", 10)] or [
        (o.market.venue, o.quantity) for o in found.orders
    ] == [("binance", 10), ("kraken", 5)]
    assert not any(o.steps for o in found.orders)


def test_a_full_market_sends_the_rest_of_a_buy_to_the_next_one():
    other = market("BTC", venue="kraken", market_id="XBTUSDT")
    thin = (depth("BTC", volume=1e6),)
    target = {"spot:BTC": 0.5, "cash:USDT": 0.5}
    rules = board(target, max_participation=0.02)
    found = plan(target, rules, positions=CASH, instruments=(market("BTC"), other), liquidity=thin)
    assert sorted(o.market.venue for o in found.orders) == ["binance", "kraken"]
    first = next(o for o in found.orders if o.market.venue == "binance")
    assert first.notional_usd <= 20_000


def test_an_option_is_never_an_order():
    option = replace(TERMS["carry:BTC"], legs=(replace(TERMS["carry:BTC"].legs[1], role="option"),))
    target = {"options:BTC": 0.1, "cash:USDT": 0.9}
    owner = board(target, sleeves=("options", "cash"))
    found = plan(target, owner, positions=CASH, terms={"options:BTC": option})
    assert found.orders == ()
    assert found.skipped["options:BTC"].reason_code == "indicative"


def test_a_decision_for_a_carry_reads_as_one_thing_to_do():
    frame = returns()
    frame["carry:BTC"] = 0.0002 + 0.001 * frame["spot:ETH"]
    target = {"carry:BTC": 0.3, "cash:USDT": 0.7}
    found = decide(day(positions=CASH, returns=frame), board(target, sleeves=SLEEVES), 1)
    assert found.status == "proposed", found.reason
    spot, short = found.trades
    assert (spot.sleeve, spot.side, short.side, spot.pair, short.pair) == ("carry", "buy", "sell", 1, 1)
    assert spot.reason == (
        "carry BTC is 0.0% of the portfolio, target 30.0%: buy 2.445 BTC of BTC/USDT (about 22,494 USD). "
        "Together with sell 2.445 BTC/USDT:USDT."
    )
    assert short.reason.endswith("Post 7,498 USDT as margin at binance.")
    line = next(x for x in found.lines if x.sleeve == "carry")
    assert (line.action, line.reason_code) == ("buy", "open_pair")


@pytest.mark.parametrize("weight", [0.11, 0.23, 0.3, 0.37])
def test_margin_is_the_same_figure_wherever_it_is_named(weight):
    found = plan({"carry:ETH": weight, "cash:USDT": 1 - weight}, positions=CASH)
    short = legs(found, "carry:ETH")["perp"]
    assert short.steps[0].sentence in short.note


def decided(target, **changes):
    frame = returns()
    for line in ("carry:BTC", "staking:ETH"):
        frame[line] = 0.0002 + 0.001 * frame["spot:ETH"]
    return decide(day(positions=CASH, returns=frame, **changes), board(target, sleeves=SLEEVES), 1)


def test_a_proposal_says_of_each_line_what_its_orders_leave_undone():
    target = {"carry:BTC": 0.3, "spot:ETH": 0.1, "cash:USDT": 0.6}
    rows = {f"{x.sleeve}:{x.asset}": x.numbers for x in decided(target).lines}
    left = {line: numbers["residual_weight"] for line, numbers in rows.items()}
    # Less than one step of the perpetual, with its coin and margin, is left of the carry.
    assert 0 < left["carry:BTC"] < 0.001 * 9_200 * 4 / 3 / 1e5
    assert sum(left.values()) == pytest.approx(0.0, abs=1e-5)
    assert rows["carry:BTC"]["target_weight"] == 0.3


def test_what_is_not_traded_is_left_undone_whole_and_a_hold_leaves_nothing_to_say():
    dear = tuple(
        replace(x, min_cost=Decimal(50_000)) if x.market_type == "perp" else x for x in day().instruments
    )
    target = {"carry:BTC": 0.3, "spot:ETH": 0.1, "cash:USDT": 0.6}
    found = decided(target, instruments=dear)
    rows = {f"{x.sleeve}:{x.asset}": x.numbers for x in found.lines}
    assert rows["carry:BTC"]["residual_weight"] == pytest.approx(0.3)
    held = decided({"cash:USDT": 1.0})
    assert held.status == "hold"
    assert not any("residual_weight" in x.numbers for x in held.lines)


def test_coins_bought_to_be_deposited_are_told_with_their_pool():
    found = decided({"staking:ETH": 0.2, "spot:ETH": 0.0, "carry:BTC": 0.0, "cash:USDT": 0.8})
    bought, deposit = found.trades
    assert (bought.sleeve, deposit.sleeve) == ("spot", "staking")
    assert bought.reason.startswith("staking ETH is 0.0% of the portfolio, target 20.0%, outside the band")
    assert ": deposit " in deposit.reason
    assert " ETH into lido ETH at lido (about " in deposit.reason
    assert deposit.reason.endswith("By hand. Getting out takes 5 days.")
    line = next(x for x in found.lines if (x.sleeve, x.asset) == ("carry", "BTC"))
    assert line.reason == "carry BTC is not held, and none is proposed."


def test_a_pair_that_is_closed_in_part_says_that_its_market_is_too_thin():
    """Half a percent of two million dollars a day are 41.66 of 41.67 coins."""
    rules = (*(market(c, amount_step=Decimal("0.00001")) for c in COINS), *(perp(c) for c in COINS))
    positions = (hold("USDT", 1_000), hold("ETH", "41.668750", sleeve="carry", kind="carry"))
    liquidity = (*(depth(c, volume=2e6) for c in COINS), *(perp_depth(c) for c in COINS))
    owner = board({"cash:USDT": 1.0}, sleeves=SLEEVES, max_participation=0.005)
    target = {"carry:ETH": 0.0, "cash:USDT": 1.0}
    found = plan(target, owner, positions=positions, instruments=rules, liquidity=liquidity)
    assert [(o.side, o.quantity) for o in found.orders] == [
        ("sell", Decimal("41.666")),
        ("buy", Decimal("41.666")),
    ]
    for order in found.orders:
        assert order.reason_code == "participation_capped"
        assert order.note.endswith(
            "Cut to 0.5% of the average daily volume of a leg's market; the rest later."
        )
