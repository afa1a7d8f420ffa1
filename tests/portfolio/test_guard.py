from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portfolio.guard import breaches
from portfolio.guarded import GuardInputs, GuardRules, HeldLeg, Incident
from portfolio.margins import liquidation_distance

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
RULES = GuardRules()


def leg(kind: str, quantity: float, price: float, **changes: Any) -> HeldLeg:
    plain: dict[str, Any] = {
        "venue": "binance",
        "account": "",
        "kind": kind,
        "sleeve": "carry" if kind == "perp" else "spot",
        "asset": "BTC",
        "market_id": "BTCUSDT" if kind == "perp" else "",
        "maintenance_rate": 0.005 if kind == "perp" else None,
        "margin_usd": 1e6 if kind == "perp" else 0.0,
    }
    return HeldLeg(quantity=quantity, price_usd=price, **(plain | changes))


def short(price: float = 60_000.0, quantity: float = -1.0, **changes: Any) -> HeldLeg:
    return leg("perp", quantity, price, **({"entry_usd": 60_000.0, "margin_usd": 20_000.0} | changes))


def found(*legs: HeldLeg, rules: GuardRules = RULES, **changes: Any) -> list[tuple[str, str]]:
    inputs = GuardInputs(as_of=NOW, legs=legs, **changes)
    return [(one.kind, one.level) for one in breaches(inputs, rules)]


class TestLiquidation:
    def test_an_isolated_short_is_liquidated_where_binance_says(self):
        # Binance USD-M: P (1 + 1/L) / (1 + m) = 60,000 (1 + 1/3) / 1.005 = 79,601.99
        assert liquidation_distance([short()], 20_000.0) == pytest.approx(79_601.99 / 60_000 - 1, abs=1e-6)

    def test_a_long_is_liquidated_by_a_fall(self):
        # E − xN = m N (1 − x): x = (20,000 − 300) / (60,000 · 0.995)
        found = liquidation_distance([leg("perp", 1.0, 60_000.0, entry_usd=60_000.0)], 20_000.0)
        assert found == pytest.approx(19_700 / 59_700)

    def test_the_distance_is_where_equity_meets_maintenance(self):
        legs = [
            short(entry_usd=50_000.0),
            leg("perp", 4.0, 3_000.0, entry_usd=3_500.0, maintenance_rate=0.01),
        ]
        x = liquidation_distance(legs, 40_000.0)
        assert x is not None
        equity = 40_000.0 - (60_000 * (1 + x) - 50_000) + 4 * (3_000 * (1 + x) - 3_500)
        maintenance = (0.005 * 60_000 + 0.01 * 12_000) * (1 + x)
        assert equity == pytest.approx(maintenance)

    def test_what_is_liquidated_already_has_no_distance_left(self):
        assert liquidation_distance([short(price=90_000.0)], 20_000.0) == 0.0

    def test_a_long_with_all_its_money_can_not_be_liquidated(self):
        assert liquidation_distance([leg("perp", 1.0, 100.0, entry_usd=100.0)], 150.0) is None


class TestMargin:
    @pytest.mark.parametrize(
        ("price", "expected"),
        [(60_000.0, []), (62_000.0, [("margin", "warning")]), (72_000.0, [("margin", "critical")])],
    )
    def test_the_level_grows_with_the_price(self, price, expected):
        assert found(short(price), leg("spot", 1.0, price, sleeve="carry")) == expected

    def test_what_the_mark_did_within_the_hour_counts(self):
        wick = short(60_000.0, margin_usd=25_000.0, low_usd=59_000.0, high_usd=70_000.0)
        (one,) = breaches(GuardInputs(as_of=NOW, legs=[wick]), RULES)
        assert one.measure == pytest.approx(85_000 / 1.005 / 70_000 - 1)
        assert one.sentence.startswith(
            "BTCUSDT at binance was 20.8% from liquidation within the newest hour, 41.0%"
        )
        assert one.action.startswith("Look at BTCUSDT")
        gone = short(60_000.0, low_usd=59_000.0, high_usd=80_000.0)
        (one,) = breaches(GuardInputs(as_of=NOW, legs=[gone]), RULES)
        assert (one.level, one.measure) == ("critical", 0.0)
        assert "reached its liquidation price" in one.sentence
        assert "may be unhedged" in one.action

    def test_a_contract_of_which_a_part_is_hedged_is_one_position(self):
        parts = [short(72_000.0, quantity=-0.7, margin_usd=14_000.0),
                 short(72_000.0, quantity=-0.3, margin_usd=6_000.0, sleeve="perp")]  # fmt: skip
        found = breaches(GuardInputs(as_of=NOW, legs=parts), RULES)
        (one,) = [each for each in found if each.kind == "margin"]
        assert one.measure == pytest.approx(liquidation_distance([short(72_000.0)], 20_000.0))
        (whole,) = breaches(GuardInputs(as_of=NOW, legs=[short(72_000.0)]), RULES)
        assert one.action == whole.action

    def test_the_margin_that_is_asked_for_brings_the_distance_back(self):
        held = short(72_000.0)
        (one,) = breaches(GuardInputs(as_of=NOW, legs=[held]), RULES)
        asked = float(one.action.split("about ")[1].split(" USD")[0].replace(",", ""))
        assert liquidation_distance([held], 20_000.0 + asked) == pytest.approx(0.33, abs=1e-4)

    def test_cross_margin_counts_the_cash_of_the_same_account_only(self):
        cross = short(72_000.0, margin_usd=0.0, is_cross=True, account="a")
        near = leg("spot", 60_000.0, 1.0, asset="USDT", sleeve="cash", account="a")
        far = leg("spot", 60_000.0, 1.0, asset="USDT", sleeve="cash", account="b")
        assert found(cross, near) == []
        assert found(cross, far) == [("margin", "critical")]

    def test_without_a_bracket_or_a_price_nothing_is_claimed(self):
        assert found(short(72_000.0, maintenance_rate=None)) == []


class TestOthers:
    def test_a_short_that_lost_its_coins(self):
        alone = leg("perp", -0.5, 60_000.0, sleeve="perp")
        assert found(leg("perp", -0.5, 60_000.0), alone) == [("delta", "critical")]
        assert found(leg("perp", -0.99, 60_000.0), leg("perp", -0.01, 60_000.0, sleeve="perp")) == []

    def test_a_derivative_that_never_was_a_hedge_is_no_broken_hedge(self):
        assert found(leg("perp", -0.5, 60_000.0, sleeve="perp")) == []

    @pytest.mark.parametrize(
        ("btc", "expected"),
        [(6.0, []), (7.1, []), (7.5, [("delta", "warning")]), (12.0, [("delta", "critical")])],
    )
    def test_a_net_delta_that_left_its_bounds(self, btc, expected):
        # half a point of NAV is let pass: 7.1 of 20.1 are 35.3 %
        rules = GuardRules(net_delta_bounds={"BTC": (0.1, 0.35)})
        cash = leg("spot", 13.0, 1_000.0, asset="USDC", sleeve="cash")
        assert found(leg("spot", btc, 1_000.0), cash, rules=rules) == expected

    def test_a_hedge_takes_away_the_delta_and_its_loss_gives_it_back(self):
        rules = GuardRules(net_delta_bounds={"BTC": (-0.1, 0.1)})
        coins = leg("spot", 1.0, 60_000.0, sleeve="carry")
        hedge = short(margin_usd=60_000.0)
        assert found(coins, hedge, rules=rules) == []
        assert found(coins, rules=rules) == [("delta", "critical")]
        assert found(coins, leg("perp", -1.0, 60_000.0), rules=rules) == []  # without an entry, no NAV

    @pytest.mark.parametrize(
        ("price", "expected"),
        [
            (0.985, []),
            (0.97, [("depeg", "warning")]),
            (0.88, [("depeg", "critical")]),
            (1.03, [("depeg", "warning")]),
        ],
    )
    def test_a_stablecoin_off_its_peg(self, price, expected):
        cash = leg("spot", 1_000.0, price, asset="USDC", sleeve="cash")
        assert found(cash, stablecoins={"USDC": price, "DAI": 0.5}) == expected

    def test_funding_that_costs_more_than_leaving(self):
        # −20 % a year over 30 days is 164 bps of notional
        assert found(leg("perp", -1.0, 60_000.0, funding_annual=-0.20, exit_cost=0.0170)) == []
        assert found(leg("perp", -1.0, 60_000.0, funding_annual=-0.20, exit_cost=0.0160)) == [
            ("funding", "warning")
        ]
        assert found(leg("perp", -1.0, 60_000.0, funding_annual=0.20, exit_cost=0.0)) == []

    def test_a_market_that_ends_or_stopped(self):
        soon = leg("future", -1.0, 60_000.0, sleeve="basis", expires_at=NOW + timedelta(days=3))
        assert found(soon) == [("delisting", "warning")]
        assert found(leg("spot", 1.0, 60_000.0, is_active=False)) == [("delisting", "critical")]
        assert found(leg("spot", 1.0, 60_000.0, hours_behind=4.0)) == [("halt", "warning")]
        assert found(leg("spot", 1.0, 60_000.0, hours_behind=2.0)) == []
        halted = [leg("spot", 1.0, 60_000.0, hours_behind=4.0, sleeve=sleeve) for sleeve in ("spot", "carry")]
        assert found(*halted) == [("halt", "warning")]

    def test_an_incident_where_something_is_held(self):
        hit = Incident(entity="Binance", occurred_at=NOW, amount_usd=1e6)
        other = Incident(entity="Elsewhere", occurred_at=NOW, amount_usd=None)
        held = leg("spot", 1.0, 60_000.0)
        assert found(held, incidents=[hit, other], entities=["binance"]) == [("incident", "critical")]

    def test_an_incident_of_a_version_concerns_whoever_holds_there(self):
        held = leg("lending", 1.0, 1.0, sleeve="yield", asset="USDC", venue="aave")
        names = [("Aave V3", ["incident"]), ("Aavegotchi", []), ("aave", ["incident"])]
        for entity, expected in names:
            hit = Incident(entity=entity, occurred_at=NOW, amount_usd=None)
            assert [kind for kind, _ in found(held, incidents=[hit], entities=["aave"])] == expected

    def test_cash_below_its_floor(self):
        rules = GuardRules(cash_floor_usd=10_000.0)
        cash = leg("spot", 9_000.0, 1.0, asset="USDC", sleeve="cash")
        assert found(cash, rules=rules) == [("cash_floor", "warning")]
        assert found(cash, rules=GuardRules(cash_floor_usd=9_000.0)) == []


def test_the_worst_comes_first_whatever_the_order():
    legs = [short(72_000.0), leg("spot", 1.0, 60_000.0, hours_behind=4.0)]
    kinds = [one.kind for one in breaches(GuardInputs(as_of=NOW, legs=legs), RULES)]
    again = [one.kind for one in breaches(GuardInputs(as_of=NOW, legs=legs[::-1]), RULES)]
    assert kinds == again == ["margin", "halt"]
