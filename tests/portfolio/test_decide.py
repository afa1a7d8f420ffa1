"""The whole decision: every status, every reason code, every block, every fallback."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from portfolio import registry
from portfolio.decision import decide, decision_id
from portfolio.failure import AllocationFailure
from portfolio.model import Freeze, PreviousDecision, PriceMark, RebalanceRules
from tests.portfolio.market import (
    AS_OF,
    CLOSE,
    COINS,
    SLOT,
    board,
    depth,
    fresh,
    hold,
    inputs,
    market,
    marks,
    policy,
    returns,
    stale_onchain,
)

ROOT = Path(__file__).resolve().parents[2]
AT_TARGET = (hold("BTC", 10_000 / 9_200), hold("ETH", 10_000 / 240), hold("USDT", 80_000))


def lines(decision):
    return {f"{x.sleeve}:{x.asset}": x for x in decision.lines}


def targets(decision):
    return {f"{x.sleeve}:{x.asset}": x for x in decision.target_lines}


# The board's 80/10/10: the mode most people use.


def test_a_boards_policy_outside_its_band_is_brought_back_to_target():
    found = decide(inputs(), board(), 1)
    assert (found.status, found.reason_code, found.method_used) == ("proposed", "outside_band", "policy")
    assert found.grade == "full"
    assert {t.symbol: t.side for t in found.trades} == {"BTC/USDT": "sell", "ETH/USDT": "sell"}
    btc = next(t for t in found.trades if t.asset == "BTC")
    assert btc.quantity == Decimal("0.9130")
    assert btc.reason.startswith(
        "BTC is 18.4% of the portfolio, target 10.0%, outside the band of ±2.5 points: sell"
    )
    assert found.drift_absolute == pytest.approx(0.104)
    assert found.turnover == pytest.approx(0.104)
    assert found.nav_usd == pytest.approx(100_000)
    assert sum(t.target_weight for t in found.target_lines) == pytest.approx(1.0, abs=1e-9)
    assert found.valid_until == AS_OF + timedelta(hours=24)
    assert targets(found)["cash:USDT"].risk_contribution_after < 0.01


def test_inside_the_bands_is_a_hold_with_the_largest_drift_named():
    found = decide(inputs(positions=AT_TARGET), board(), 1)
    assert (found.status, found.reason_code, found.trades) == ("hold", "within_bands", ())
    nudged = (hold("BTC", 11_000 / 9_200), hold("ETH", 10_000 / 240), hold("USDT", 79_000))
    found = decide(inputs(positions=nudged), board(), 1)
    assert found.reason_code == "within_bands"
    assert "+1.0 points" in found.reason


@pytest.mark.parametrize(("btc", "status"), [(12_400, "hold"), (12_600, "proposed")])
def test_the_relative_band_of_a_small_target(btc, status):
    positions = (hold("BTC", btc / 9_200), hold("ETH", 10_000 / 240), hold("USDT", 90_000 - btc))
    day = inputs(positions=positions)
    assert decide(day, board(), 1).status == status


def test_a_line_outside_the_policy_is_sold_only_past_the_absolute_band():
    few = (*AT_TARGET[:2], hold("XRP", 5_000), hold("USDT", 79_000))
    assert decide(inputs(positions=few), board(), 1).status == "hold"
    many = (*AT_TARGET[:2], hold("XRP", 20_000), hold("USDT", 76_000))
    found = decide(inputs(positions=many), board(), 1)
    assert lines(found)["spot:XRP"].action == "sell"
    assert next(t for t in found.trades if t.asset == "XRP").quantity == 20_000


def test_cooldown_holds_and_ends():
    day = inputs(last_trade_at=AS_OF - timedelta(hours=5))
    found = decide(day, board(), 1)
    assert (found.status, found.reason_code) == ("hold", "cooldown")
    assert "15.0" in found.reason
    assert decide(inputs(last_trade_at=AS_OF - timedelta(hours=20)), board(), 1).status == "proposed"


def test_the_benefit_gate_does_not_bind_a_fixed_policy():
    rules = RebalanceRules(min_benefit_over_cost=1e9)
    assert decide(inputs(), board(rebalance=rules), 1).status == "proposed"


def test_sell_only_never_buys_and_cash_flow_only_never_swaps():
    mixed = (hold("BTC", 20_000 / 9_200), hold("ETH", 1), hold("USDT", 79_760))
    sells = decide(inputs(positions=mixed), board(rebalance=RebalanceRules(mode="sell_only")), 1)
    assert {t.side for t in sells.trades} == {"sell"}
    surplus = (hold("BTC", 12_000 / 9_200), hold("ETH", 1), hold("USDT", 87_760))
    buys = decide(inputs(positions=surplus), board(rebalance=RebalanceRules(mode="cash_flow_only")), 1)
    assert {(t.asset, t.side) for t in buys.trades} == {("ETH", "buy")}
    assert buys.trades[0].notional_usd == pytest.approx(7_760, rel=0.01)


# What holds everything.


def test_stale_required_data_blocks_with_the_full_sentence():
    day = inputs(datasets=(fresh(), stale_onchain()))
    found = decide(day, board(requires=("candles_1d", "onchain_metrics")), 1)
    assert (found.status, found.reason_code) == ("blocked", "stale_required_data")
    assert found.reason == (
        "blocked: the daily on-chain metrics end at 2015-08-21 00:00 UTC, 1801 days old; "
        "the limit is 60 hours. Nothing is recommended until they are fresh again, "
        'or set on_stale = "degrade" to decide without them.'
    )
    assert found.trades == ()
    assert found.target_lines == ()
    assert lines(found)["spot:BTC"].action == "keep"


def test_degrade_decides_without_it_and_says_so():
    owner = board(requires=("candles_1d", "onchain_metrics"), on_stale="degrade")
    found = decide(inputs(datasets=(fresh(), stale_onchain())), owner, 1)
    assert (found.status, found.grade) == ("proposed", "degraded")
    assert "Decided without required data: the daily on-chain metrics end at" in found.reason


def test_who_does_not_require_it_is_not_disturbed():
    found = decide(inputs(datasets=(fresh(), stale_onchain())), board(), 1)
    assert (found.status, found.grade, found.flags) == ("proposed", "full", ())


def test_prices_can_not_be_degraded_away():
    day = inputs(datasets=(fresh(is_fresh=False, age_seconds=200_000.0),))
    found = decide(day, board(on_stale="degrade"), 1)
    assert (found.status, found.reason_code) == ("blocked", "stale_required_data")
    assert "can not be done without" in found.reason
    assert "56 hours old; the limit is 30 hours" in found.reason


def test_a_failed_gate_blocks_with_its_own_words():
    day = inputs(datasets=(fresh(passed_gate=False, detail="high below low on 3 rows"),))
    found = decide(day, board(), 1)
    assert (found.status, found.reason_code) == ("blocked", "failed_gate")
    assert "high below low on 3 rows" in found.reason


def test_what_nothing_may_be_decided_without_is_not_done_without():
    wrong = fresh("clock", passed_gate=False, reason_code="clock_skew", detail="it is 2 h slow.")
    found = decide(inputs(datasets=(fresh(), wrong)), board(on_stale="degrade"), 1)
    assert (found.status, found.reason_code) == ("blocked", "clock_skew")
    assert found.reason == "blocked: it is 2 h slow."


@pytest.mark.parametrize("datasets", [(), (fresh(newest_data_at=None, age_seconds=None, is_fresh=False),)])
def test_required_data_that_is_not_there_blocks(datasets):
    found = decide(inputs(datasets=datasets), board(), 1)
    assert (found.status, found.reason_code) == ("blocked", "missing_required_data")


def test_a_dataset_marked_required_by_the_loader_blocks_too():
    day = inputs(datasets=(fresh(), replace(stale_onchain(), required=True)))
    assert decide(day, board(), 1).status == "blocked"


@pytest.mark.parametrize("price", [float("nan"), 0.0, -5.0, float("inf")])
def test_a_held_asset_without_a_usable_price_blocks(price):
    prices = marks()
    prices["spot:ETH"] = PriceMark(price_usd=price, price_quote=price, at=CLOSE)
    found = decide(inputs(prices=prices), board(), 1)
    assert (found.status, found.reason_code) == ("blocked", "no_price")
    assert "spot:ETH is held" in found.reason
    assert found.nav_usd is None
    assert all("current_weight" not in x.numbers for x in found.lines)


def test_a_held_delisted_asset_is_left_out_with_a_notice():
    prices = {k: v for k, v in marks().items() if k != "spot:ETH"}
    day = inputs(prices=prices, unlisted={"spot:ETH": "ETH was delisted on 2020-07-01: cannot price."})
    found = decide(day, board({"cash:USDT": 0.9, "spot:BTC": 0.1}), 1)
    assert found.status == "proposed"
    assert found.nav_usd == pytest.approx(88_000)
    assert lines(found)["spot:ETH"].reason_code == "cannot_price"


def test_a_listed_but_unlisted_soon_line_is_sold_off():
    found = decide(inputs(unlisted={"spot:ETH": "ETH is delisted on 2020-08-01."}), policy(), 1)
    assert targets(found)["spot:ETH"].target_weight == 0.0
    assert lines(found)["spot:ETH"].action == "sell"
    assert found.reason_code == "hard_limit"


def test_a_line_not_listed_yet_is_never_bought():
    found = decide(
        inputs(unlisted={"spot:XRP": "XRP is not listed yet."}), policy(objective="equal_weight"), 1
    )
    assert targets(found)["spot:XRP"].target_weight == 0.0
    assert lines(found)["spot:XRP"].reason_code == "unlisted"


def test_a_frozen_line_keeps_its_quantity_and_the_rest_is_decided():
    day = inputs(frozen={"spot:BTC": Freeze("failed_gate", "BTC failed its gate.")})
    found = decide(day, board(), 1)
    assert (found.status, found.grade) == ("proposed", "degraded")
    assert lines(found)["spot:BTC"].action == "frozen"
    assert targets(found)["spot:BTC"].target_weight == pytest.approx(0.184, abs=1e-8)
    assert {t.asset for t in found.trades} == {"ETH"}


def test_too_much_frozen_blocks_everything():
    day = inputs(frozen={"spot:BTC": Freeze("failed_gate", "BTC failed its gate.")})
    found = decide(day, board(max_frozen_share=0.15), 1)
    assert (found.status, found.reason_code) == ("blocked", "too_much_frozen")
    assert "18% of the portfolio is frozen, above the limit of 15%. BTC failed its gate." in found.reason


def test_a_price_of_too_few_venues_freezes_and_one_venue_is_graded():
    found = decide(inputs(prices=marks(venues=1)), board(), 1)
    assert (found.status, found.grade) == ("proposed", "single_source")
    blocked = decide(inputs(prices=marks(venues=1)), board(min_venues=2, max_frozen_share=0.2), 1)
    assert (blocked.status, blocked.reason_code) == ("blocked", "too_much_frozen")
    assert "2 must agree" in blocked.reason


def test_an_old_price_freezes_its_line():
    prices = marks()
    prices["spot:BTC"] = replace(prices["spot:BTC"], at=CLOSE - timedelta(days=9))
    found = decide(inputs(prices=prices), board(), 1)
    assert lines(found)["spot:BTC"].reason_code == "stale_price"


# Positions.


@pytest.mark.parametrize("objective", registry.names(registry.OPTIMISERS))
def test_without_positions_there_are_weights_and_no_trades(objective):
    owner = board() if objective == "policy" else policy(objective=objective)
    found = decide(inputs(positions=()), owner, 1)
    assert (found.status, found.reason_code, found.trades) == ("proposed", "weights_only", ())
    assert "no_positions" in found.flags
    assert sum(t.target_weight for t in found.target_lines) == pytest.approx(1.0, abs=1e-9)
    assert all(t.current_weight is None for t in found.target_lines)
    assert "Import positions" in found.reason


@pytest.mark.parametrize("quantity", ["-1", "NaN"])
def test_impossible_positions_give_weights_only(quantity):
    found = decide(inputs(positions=(hold("BTC", quantity), hold("USDT", 5))), board(), 1)
    assert (found.reason_code, found.trades) == ("weights_only", ())
    assert {"bad_positions", "no_positions"} <= set(found.flags)


def test_nothing_tradable_is_a_hold_that_says_why():
    for owner in (board(), policy(), policy(objective="hrp")):
        found = decide(inputs(instruments=()), owner, 1)
        assert (found.status, found.reason_code, found.trades) == ("hold", "cannot_trade", ())
        assert "No active market trades BTC" in found.reason


def test_a_frozen_line_outside_its_band_is_named_when_nothing_else_moves():
    positions = (hold("BTC", 2), hold("ETH", 10_000 / 240), hold("USDT", 71_600))
    day = inputs(positions=positions, frozen={"spot:BTC": Freeze("failed_gate", "BTC failed its gate.")})
    found = decide(day, board(), 1)
    assert (found.status, found.reason_code) == ("hold", "cannot_trade")
    assert "BTC failed its gate." in found.reason


def test_a_perpetual_is_not_mistaken_for_a_spot_market():
    perps = tuple(market(c, market_type="perp") for c in COINS)
    assert decide(inputs(instruments=perps), board(), 1).trades == ()


# Stablecoins.


def test_a_lost_peg_is_graded_and_told_and_nothing_is_bought_of_it():
    found = decide(inputs(prices=marks(usdt=0.877), quote_price_usd={"USDT": 0.877}), board(), 1)
    assert found.grade == "depeg"
    assert found.nav_usd == pytest.approx(87_700)
    assert "USDT has lost its peg" in found.reason
    assert all(t.side == "buy" for t in found.trades)


def test_sells_for_a_depegged_stablecoin_are_held_back_with_the_reason():
    day = inputs(prices=marks(usdt=0.9), quote_price_usd={"USDT": 0.9})
    found = decide(day, board({"cash:USDT": 0.9, "spot:BTC": 0.05, "spot:ETH": 0.05}), 1)
    assert (found.status, found.reason_code) == ("hold", "depeg")
    assert "has lost its peg" in found.reason


# Computed objectives.


def test_quadratic_utility_proposes_when_the_benefit_beats_the_cost():
    found = decide(inputs(), policy(), 1)
    assert (found.status, found.reason_code) == ("proposed", "benefit_above_cost")
    assert found.expected_benefit_bps >= 1.5 * found.expected_cost_bps > 0
    assert found.benefit_return_bps + found.benefit_risk_bps == pytest.approx(found.expected_benefit_bps)
    assert 0.0 <= found.confidence <= 1.0
    for name in ("volatility_before", "volatility_after", "sensitivity_turnover"):
        assert np.isfinite(found.estimates[name])
    assert sum(t.risk_contribution_after or 0 for t in found.target_lines) == pytest.approx(1.0)
    assert sum(t.risk_contribution_before or 0 for t in found.target_lines) == pytest.approx(1.0)


def test_benefit_below_cost_is_a_hold_with_both_figures():
    dear = tuple(market(c, taker_fee=0.05) for c in COINS)
    found = decide(inputs(instruments=dear), policy(objective="equal_weight", max_turnover=0.3), 1)
    assert (found.status, found.reason_code, found.trades) == ("hold", "benefit_below_cost", ())
    assert f"{found.expected_benefit_bps:.1f} bps" in found.reason
    assert f"{found.expected_cost_bps:.1f} bps" in found.reason
    assert lines(found)["spot:BTC"].action == "keep"


def test_a_broken_hard_limit_goes_before_gate_bands_and_cooldown():
    rules = RebalanceRules(min_benefit_over_cost=1e9, band_absolute=1.0, band_relative=1e9)
    owner = policy(weight_bounds={"spot:BTC": (0.0, 0.10)}, rebalance=rules)
    found = decide(inputs(last_trade_at=AS_OF), owner, 1)
    assert (found.status, found.reason_code) == ("proposed", "hard_limit")
    assert "BTC is 18.4% of the portfolio, above its limit of 10.0%" in found.reason
    assert targets(found)["spot:BTC"].target_weight <= 0.10 + 1e-8
    assert "hard_limit" in found.flags


def test_a_limit_farther_away_than_the_turnover_cap_is_approached():
    owner = policy(class_bounds={"cash": (0.0, 0.2)}, max_turnover=0.1)
    found = decide(inputs(), owner, 1)
    assert found.reason_code == "hard_limit"
    assert found.turnover == pytest.approx(0.1, abs=1e-6)
    assert targets(found)["cash:USDT"].target_weight == pytest.approx(0.596, abs=1e-6)


def test_an_immovable_excess_is_reported_and_not_bought():
    positions = (hold("BTC", 2, immovable=True), hold("ETH", 50), hold("USDT", 69_600))
    found = decide(inputs(positions=positions), policy(weight_bounds={"spot:BTC": (0.0, 0.1)}), 1)
    assert targets(found)["spot:BTC"].target_weight == pytest.approx(0.184, abs=1e-8)
    assert "BTC" not in {t.asset for t in found.trades}
    assert "excess, cannot be traded" in lines(found)["spot:BTC"].reason


def test_the_cash_floor_binds_the_weights():
    found = decide(inputs(), policy(objective="equal_weight", class_bounds={}, cash_floor_usd=40_000), 1)
    assert targets(found)["cash:USDT"].target_weight == pytest.approx(0.4, abs=1e-6)


def test_participation_binds_the_weights():
    thin = tuple(depth(c, volume=100_000.0) for c in COINS)
    found = decide(inputs(liquidity=thin), policy(max_participation=0.02), 1)
    for line in found.target_lines:
        if line.sleeve == "spot":
            assert abs(line.target_weight - line.current_weight) <= 0.02 + 1e-8


def test_an_impossible_policy_is_a_hold_with_the_setting_to_relax():
    owner = policy(default_bounds=(0.0, 0.1), weight_bounds={}, class_bounds={"cash": (0.0, 0.2)})
    found = decide(inputs(positions=()), owner, 1)
    assert (found.status, found.reason_code) == ("hold", "fallback_hold")
    assert "class_bounds" in found.failures[0].reason


# The ladder.


def fail(monkeypatch, *broken):
    real = registry.load

    class Fails:
        @staticmethod
        def optimise(case):
            raise AllocationFailure("solver", "it ended with 'infeasible'.", "Relax.")

    def load(package, name):
        return Fails if package == registry.OPTIMISERS and name in broken else real(package, name)

    monkeypatch.setattr(registry, "load", load)


def test_a_fallback_is_graded_and_on_record(monkeypatch):
    fail(monkeypatch, "max_quadratic_utility", "min_volatility")
    owner = policy(fallbacks=("min_volatility", "hrp", "hold"))
    found = decide(inputs(), owner, 1)
    assert found.method_used == "hrp"
    assert found.grade == "fallback"
    assert [a.method for a in found.failures] == ["max_quadratic_utility", "min_volatility"]
    assert "max_quadratic_utility, min_volatility gave no answer; hrp was used instead." in found.reason


def test_the_ladder_ends_in_hold(monkeypatch):
    fail(monkeypatch, "max_quadratic_utility")
    found = decide(inputs(), policy(fallbacks=("hold",)), 1)
    assert (found.status, found.reason_code, found.method_used) == ("hold", "fallback_hold", "hold")
    assert all(t.current_weight == t.target_weight for t in found.target_lines)


def test_a_ladder_without_hold_blocks(monkeypatch):
    fail(monkeypatch, "max_quadratic_utility")
    found = decide(inputs(), policy(fallbacks=()), 1)
    assert (found.status, found.reason_code, found.target_lines) == ("blocked", "no_method", ())


# Bad histories (F85 to F89).


def test_a_frame_that_can_not_be_returns_blocks_a_computed_objective_only():
    day = inputs(returns=returns().iloc[::-1])
    found = decide(day, policy(), 1)
    assert (found.status, found.reason_code) == ("blocked", "bad_input")
    assert decide(day, board(), 1).status == "proposed"


def test_a_held_line_with_a_dead_feed_is_kept_and_degrades():
    frame = returns()
    frame["spot:ETH"] = 0.0
    found = decide(inputs(returns=frame), policy(), 1)
    assert found.grade == "degraded"
    assert targets(found)["spot:ETH"].target_weight == pytest.approx(0.12, abs=1e-8)
    assert targets(found)["spot:ETH"].binding == "no_estimate"
    assert "ETH" not in {t.asset for t in found.trades}


def test_too_little_history_goes_down_the_ladder_to_what_needs_none():
    found = decide(inputs(returns=returns(rows=30)), policy(fallbacks=("hrp", "equal_weight")), 1)
    assert found.method_used in {"equal_weight", None}
    assert found.failures[0].method == "max_quadratic_utility"


def test_stale_capitalisations_are_not_used_and_it_is_said():
    day = inputs(datasets=(fresh(), stale_onchain()))
    found = decide(day, policy(), 1)
    assert found.grade == "degraded"
    assert "equal weights stand for the market portfolio" in found.reason


# Stability and determinism (F92, F93).


def test_an_unstable_answer_is_held(monkeypatch):
    monkeypatch.setattr("portfolio.decision.sensitivity", lambda *_: 0.5)
    found = decide(inputs(), policy(), 1)
    assert (found.status, found.reason_code, found.grade) == ("hold", "unstable", "unstable")
    assert "50%" in found.reason


def test_twins_with_almost_equal_returns_are_found_unstable():
    """Two lines that differ by noise: the least volatile of them flips with the last digit."""
    frame = returns()
    rng = np.random.default_rng(1)
    frame["spot:ETH"] = frame["spot:BTC"] + 1e-5 * rng.standard_normal(len(frame))
    frame = frame[["spot:BTC", "spot:ETH", "cash:USDT"]]
    bounds = {"spot:BTC": (0.0, 1.0), "spot:ETH": (0.0, 1.0)}
    owner = policy(objective="min_volatility", risk_model="sample", weight_bounds=bounds)
    day = inputs(returns=frame, prices={k: v for k, v in marks().items() if k in frame})
    found = decide(day, owner, 1)
    assert "unstable" in found.flags
    assert found.status == "hold" or found.reason_code == "hard_limit"


def test_the_same_inputs_give_the_same_decision():
    first, second = decide(inputs(), policy(), 5), decide(inputs(), policy(), 5)
    assert first == second


ANOTHER_PROCESS = """
from portfolio.decision import decide
from tests.portfolio.market import inputs, policy
for objective in ("max_quadratic_utility", "hrp", "min_cvar"):
    found = decide(inputs(), policy(objective=objective), 5)
    print([(t.asset, t.target_weight) for t in found.target_lines], found.confidence, found.trades)
"""


def test_another_process_with_other_threads_and_another_order_of_sets_decides_the_same():
    told = []
    for threads, seed in (("1", "1"), ("4", "2")):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = dict(os.environ) | dict.fromkeys(names, threads) | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", ANOTHER_PROCESS]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    assert told[0] == told[1]
    assert told[0].count("\n") == 3


def test_an_extreme_move_is_graded():
    assert decide(inputs(extreme_moves={"spot:BTC": -0.4}), board(), 1).grade == "extreme_move"


# Explanation.


def test_every_line_has_one_row_and_finite_numbers():
    found = decide(inputs(), policy(), 1)
    assert sorted(lines(found)) == sorted([*(f"spot:{c}" for c in COINS), "cash:USDT"])
    for line in found.lines:
        json.dumps(dict(line.numbers), allow_nan=False)
        assert line.reason
    assert {"price_usd", "current_weight", "target_weight", "expected_return", "volatility"} <= set(
        lines(found)["spot:BTC"].numbers
    )


def test_what_changed_since_the_last_decision():
    last = PreviousDecision(
        recommendation_id="R-1",
        as_of=AS_OF - timedelta(days=1),
        target_weights={"spot:BTC": 0.12},
        prices={"spot:BTC": 9_000.0},
        expected_returns={"spot:BTC": 0.0},
        config_hash="old",
    )
    found = lines(decide(inputs(previous=last, config_hash="new"), board(), 1))["spot:BTC"].changed_since_last
    assert found["price_return"] == pytest.approx(9_200 / 9_000 - 1)
    assert found["target_weight"] == pytest.approx(0.1 - 0.12)
    assert found["policy"] is True
    assert found["since"] == "R-1"
    assert found["expected_return"] > 0


def test_drift_is_against_the_target_in_force():
    found = decide(inputs(target_in_force={"spot:BTC": 0.3, "spot:ETH": 0.1, "cash:USDT": 0.6}), policy(), 1)
    assert found.drift_absolute == pytest.approx(0.116)


def test_assumed_costs_are_flagged():
    assert "costs_assumed" in decide(inputs(liquidity=()), board(), 1).flags


# Identity.


def test_the_id_is_short_stable_and_moves_with_each_part():
    first = decision_id("core", SLOT, "c", "h")
    assert first == decision_id("core", SLOT, "c", "h")
    assert first.startswith("R-20200720-core-")
    others = {
        decision_id("fund", SLOT, "c", "h"),
        decision_id("core", SLOT + timedelta(hours=1), "c", "h"),
        decision_id("core", SLOT, "d", "h"),
        decision_id("core", SLOT, "c", "i"),
    }
    assert first not in others
    assert len(others) == 4


def test_content_is_values_not_clocks_or_order():
    day = inputs()
    same = replace(
        day,
        as_of=AS_OF + timedelta(hours=1),
        positions=day.positions[::-1],
        instruments=tuple(replace(i, amount_step=Decimal("0.00010")) for i in day.instruments[::-1]),
        returns=day.returns[day.returns.columns[::-1]],
        datasets=tuple(replace(d, age_seconds=1.0) for d in day.datasets[::-1]),
        prices={k: replace(v, at=AS_OF) for k, v in reversed(day.prices.items())},
    )
    assert same.content_hash() == day.content_hash()


@pytest.mark.parametrize(
    "change",
    [
        {"positions": (hold("BTC", 2.0001), hold("ETH", 50), hold("USDT", 69_600))},
        {"prices": marks({**COINS, "BTC": 9_200.000001})},
        {"returns": returns(seed=8)},
        {"market_caps": None},
        {"frozen": {"spot:BTC": Freeze("x", "y")}},
        {"datasets": (fresh(is_fresh=False),)},
        {"is_simulated": True},
        {"target_in_force": {"spot:BTC": 1.0}},
    ],
)
def test_content_moves_with_every_value(change):
    assert inputs(**change).content_hash() != inputs().content_hash()


def test_content_survives_a_broken_frame():
    frame = returns()
    frame = frame[["spot:BTC", "spot:BTC"]].replace(frame.iloc[0, 0], np.nan)
    assert len(inputs(returns=frame).content_hash()) == 64


def test_a_fixed_policy_needs_no_solver():
    """Other commands must stay quick: the optimisers' libraries are imported only where used."""
    code = (
        "import sys; from tests.portfolio.market import inputs, board\n"
        "from portfolio.decision import decide\n"
        "assert decide(inputs(), board(), 1).status == 'proposed'\n"
        "bad = {'cvxpy', 'pypfopt', 'scipy', 'clarabel'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
