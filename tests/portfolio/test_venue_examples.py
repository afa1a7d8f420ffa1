"""Liquidation prices that venues publish, as worked examples or as formulas, against the guard's computation.

Where the figures come from, and how far the page could be read when this was written:

- Binance USD-M: FAQ "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts" (2020-08-14): one
  account with two positions in cross margin. Its figures as they also stand in the tests of freqtrade
  (`test_liquidation_price`); the brackets of that day as recorded in public gists of its calculator.
- Bybit inverse: help centre, "How to calculate Liquidation Price (Inverse Contract)", article 360039261334:
  the example in cross margin was read; the isolated figures are as recalled. "Liquidation Price Calculation
  under Isolated Mode (Unified Trading Account)", state of 2026-05-27: the formula was read.
- Bybit linear: help centre, "Liquidation Price (USDT Contract)": as recalled.
- Phemex USDT-M: help centre, "liq-price-for-USDTM": read.
- OKX: "How is the estimated liquidation price calculated", isolated: as recalled.

An inverse contract is a linear one seen from the coin: who is long BTCUSD has sold dollars for coins, so that
its quantity is the dollars, its price 1/P and its collateral coins. The same equation answers for both.
"""

from collections.abc import Sequence

import pytest

from portfolio.guarded import HeldLeg
from portfolio.margins import liquidation_distance, liquidation_move

BTC_BRACKETS = [(0, 0.004), (50_000, 0.005), (250_000, 0.01), (1e6, 0.025), (5e6, 0.05), (20e6, 0.1)]
ETH_BRACKETS = [
    (0, 0.005), (10_000, 0.0065), (100_000, 0.01), (500_000, 0.02), (1e6, 0.05), (2e6, 0.1), (5e6, 0.125),
]  # fmt: skip


def contract(
    quantity: float, entry: float, price: float, rate: float, steps: Sequence[tuple[float, float]] = ()
) -> HeldLeg:
    return HeldLeg(
        venue="any", account="", kind="perp", sleeve="perp", asset="BTC", market_id=f"{entry}",
        quantity=quantity, entry_usd=entry, price_usd=price, maintenance_rate=rate, maintenance_steps=steps,
    )  # fmt: skip


def liquidated_at(leg: HeldLeg, collateral: float) -> float:
    move = liquidation_move([leg], collateral)
    assert move is not None
    assert leg.price_usd is not None
    return leg.price_usd * (1.0 + move)


class TestBinance:
    """A wallet of 1,535,443.01 USDT, long 3,683.979 ETH from 1,456.84 and 109.488 BTC from 32,481.98."""

    WALLET = 1_535_443.01
    ETH_MARK, BTC_MARK = 4_918_775.081 / 3_683.979, 3_500_032.458 / 109.488
    ETH = contract(3_683.979, 1_456.84, ETH_MARK, 0.1, ETH_BRACKETS)
    BTC = contract(109.488, 32_481.98, BTC_MARK, 0.025, BTC_BRACKETS)

    def test_profits_are_those_of_the_example(self):
        assert self.ETH.profit_usd == pytest.approx(-448_192.89, abs=0.5)
        assert self.BTC.profit_usd == pytest.approx(-56_354.57, abs=0.5)

    @pytest.mark.parametrize(
        ("name", "others_margin", "others_profit", "published"),
        [("ETH", 71_200.81144, -56_354.57, 1_153.26), ("BTC", 356_512.508, -448_192.89, 26_316.89)],
    )
    def test_in_cross_margin_one_price_moves_and_the_other_position_stands(
        self, name, others_margin, others_profit, published
    ):
        room = self.WALLET - others_margin + others_profit
        assert liquidated_at(getattr(self, name), room) == pytest.approx(published, abs=0.01)

    @pytest.mark.parametrize(("name", "published"), [("ETH", 1_114.78), ("BTC", 18_778.73)])
    def test_the_same_wallet_behind_one_isolated_position(self, name, published):
        assert liquidated_at(getattr(self, name), self.WALLET) == pytest.approx(published, abs=0.01)

    def test_where_both_prices_move_equity_meets_the_venues_maintenance_margin(self):
        move = liquidation_move([self.ETH, self.BTC], self.WALLET)
        assert move is not None
        assert move < 0.0
        eth, btc = 3_683.979 * self.ETH_MARK * (1 + move), 109.488 * self.BTC_MARK * (1 + move)
        equity = self.WALLET + eth - 3_683.979 * 1_456.84 + btc - 109.488 * 32_481.98
        # Rate times notional less the maintenance amount, as the FAQ prints both at these sizes.
        assert equity == pytest.approx(0.10 * eth - 135_365 + 0.025 * btc - 16_300, abs=0.01)

    def test_a_short_that_grows_into_the_next_bracket_is_liquidated_by_that_ones_rate(self):
        held = contract(-100.0, 45_000.0, 45_000.0, 0.025, BTC_BRACKETS)
        price = liquidated_at(held, 1_500_000.0)
        assert 100 * price > 5e6  # 5 % and a maintenance amount of 141,300, as the calculator had them
        assert 1_500_000 - 100 * (price - 45_000) == pytest.approx(0.05 * 100 * price - 141_300)

    def test_halves_of_one_contract_have_the_brackets_of_the_whole(self):
        whole = contract(-100.0, 45_000.0, 45_000.0, 0.025, BTC_BRACKETS)
        halves = [contract(-50.0, 45_000.0, 45_000.0, 0.025, BTC_BRACKETS)] * 2
        assert liquidation_distance(halves, 9e5) == pytest.approx(liquidation_distance([whole], 9e5))


def inverse(usd: float, entry: float, rate: float) -> HeldLeg:
    """A position in coin-margined contracts at its price of entry, in coins; long where `usd` is positive."""
    return contract(-usd, 1.0 / entry, 1.0 / entry, rate)


class TestBybitInverse:
    def test_cross_margin_with_its_closing_fee(self):
        # 0.5 BTC, long 10,000 at 8,000. Maintenance is 0.5 % of the value at entry, and 0.075 % are paid for
        # closing at the bankruptcy price of 5,718.57: both are set aside, and no rate is left.
        bankruptcy = 1.00075 * 10_000 / (10_000 / 8_000 + 0.5)
        assert bankruptcy == pytest.approx(5_718.57, abs=0.005)
        aside = 10_000 / 8_000 * 0.005 + 10_000 * 0.00075 / bankruptcy
        found = liquidated_at(inverse(10_000, 8_000, 0.0), 0.5 - aside)
        # The page prints 5,739.50; its equation with its own figures gives 5,739.08: it rounds on the way.
        assert 1.0 / found == pytest.approx(5_739.08, abs=0.005)
        assert 1.0 / found == pytest.approx(5_739.50, rel=1e-4)

    @pytest.mark.parametrize(("usd", "published"), [(10_000, 7_881.77), (-10_000, 8_121.83)])
    def test_isolated_at_fifty_times_with_maintenance_of_the_value_at_entry(self, usd, published):
        margin = 10_000 / 8_000 * (1 / 50 - 0.005)
        assert 1.0 / liquidated_at(inverse(usd, 8_000, 0.0), margin) == pytest.approx(published, abs=0.005)

    @pytest.mark.parametrize("side", [1, -1])
    def test_isolated_by_the_formula_of_today_with_maintenance_of_the_value_at_liquidation(self, side):
        # Size (1 ± rate) / (size / entry ± size / entry / leverage), here 60,000 USD at 50,000 and 10 times.
        published = 60_000 * (1 + side * 0.005) / (60_000 / 50_000 + side * 60_000 / 50_000 / 10)
        found = liquidated_at(inverse(side * 60_000, 50_000, 0.005), 60_000 / 50_000 / 10)
        assert 1.0 / found == pytest.approx(published, rel=1e-12)


class TestLinear:
    @pytest.mark.parametrize(("side", "added", "published"), [(1, 0, 19_700), (-1, 3_000, 23_300)])
    def test_bybit_with_maintenance_of_the_value_at_entry(self, side, added, published):
        # One coin at 20,000 and 50 times: margin 400, maintenance 100.
        found = liquidated_at(contract(side, 20_000, 20_000, 0.0), 400 - 100 + added)
        assert found == pytest.approx(published)

    def test_counted_at_liquidation_the_same_positions_differ_by_the_rate_of_the_move(self):
        assert liquidated_at(contract(1, 20_000, 20_000, 0.005), 400) == pytest.approx(19_600 / 0.995)
        assert liquidated_at(contract(-1, 20_000, 20_000, 0.005), 3_400) == pytest.approx(23_400 / 1.005)

    def test_phemex_counts_the_fee_of_closing_to_the_rate(self):
        # 500 at 0.4, 5 times; margin 40 and the fee of closing at the bankruptcy price, 0.06 %.
        held = contract(500, 0.4, 0.4, 0.01 + 0.0006)
        assert liquidated_at(held, 200 / 5 + 160 * 0.0006) == pytest.approx(0.3232, abs=5e-5)

    @pytest.mark.parametrize("side", [1, -1])
    def test_okx_counts_the_fee_of_closing_to_the_rate_too(self, side):
        # (margin − side · size · entry) / (size · (rate + fee − side)); a tier holds for the whole position.
        size, entry, margin, rate, fee = 3.0, 40_000.0, 15_000.0, 0.004, 0.0005
        published = (margin - side * size * entry) / (size * (rate + fee - side))
        assert liquidated_at(contract(side * size, entry, entry, rate + fee), margin) == pytest.approx(
            published
        )


class TestEitherWay:
    def test_a_hedged_account_can_be_liquidated_by_a_rise_although_it_is_long(self):
        # 101 long against 100 short of two contracts: maintenance grows faster than the profit.
        legs = [contract(101, 1_000.0, 1_000.0, 0.05), contract(-100, 999.0, 999.0, 0.05)]
        move = liquidation_move(legs, 15_000.0)
        assert move is not None
        assert move > 0.0
        equity = 15_000 + move * (101_000 - 99_900)
        assert equity == pytest.approx(0.05 * (101_000 + 99_900) * (1 + move))

    def test_the_nearer_of_a_rise_and_a_fall_counts(self):
        # By parts: a fall takes the profit of the long, a rise carries the short into its dear bracket.
        steps = [(0.0, 0.001), (105_000.0, 0.3)]
        legs = [contract(110, 1_000.0, 1_000.0, 0.001), contract(-100, 999.0, 999.0, 0.001, steps)]
        assert (liquidation_move(legs, 1_000.0) or 0.0) < 0.0
        assert (liquidation_move(legs, 8_000.0) or 0.0) > 0.0
