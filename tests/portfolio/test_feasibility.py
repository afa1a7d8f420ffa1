"""Impossible policies are found before any data, with the setting to change."""

import pytest

from portfolio.feasibility import check_policy
from portfolio.model import RebalanceRules
from portfolio.policy import Limit
from tests.portfolio.market import board, policy

LINES = ("cash:USDT", "spot:BTC", "spot:ETH", "spot:XRP")


def test_sound_policies_pass():
    assert check_policy(policy(default_bounds=(0.0, 0.3)), LINES) == []
    assert check_policy(board(), LINES) == []
    assert check_policy(policy(), ()) == []


@pytest.mark.parametrize(
    ("owner", "setting", "part"),
    [
        (policy(objective="max_sharp"), "objective", "max_sharpe"),
        (policy(expected_returns="black_literman"), "expected_returns", "black_litterman"),
        (policy(risk_model="ledoit"), "risk_model", "ledoit_wolf"),
        (policy(fallbacks=("hrpp", "hold")), "fallbacks", "hrp"),
        (policy(fallbacks=("policy",)), "fallbacks", "one of"),
        (policy(weight_bounds={"spot:BTC": (0.5, 0.2)}), 'weight_bounds."spot:BTC"', "lower"),
        (policy(weight_bounds={"spot:BTC": (0.0, float("nan"))}), 'weight_bounds."spot:BTC"', "lower"),
        (policy(weight_bounds={"spot:BTCC": (0.0, 0.2)}), 'weight_bounds."spot:BTCC"', "spot:BTC"),
        (policy(default_bounds=(-0.1, 0.2)), "weight_bounds.default", "lower"),
        (policy(class_bounds={"carry": (0.0, 0.2)}), "class_bounds.carry", "sleeves"),
        (
            policy(class_bounds={"spot": (0.0, 0.3)}, default_bounds=(0.2, 0.3)),
            "class_bounds.spot",
            "at least",
        ),
        (
            policy(class_bounds={"spot": (0.9, 1.0)}, default_bounds=(0.0, 0.1)),
            "class_bounds.spot",
            "at most",
        ),
        (policy(weight_bounds=dict.fromkeys(LINES[1:], (0.4, 0.5))), "weight_bounds", "lower"),
        (policy(weight_bounds=dict.fromkeys(LINES, (0.0, 0.2))), "weight_bounds", "upper"),
        (policy(limits=(Limit(by="asset", of="BTCC", upper=0.3),)), "limits.0", "'BTC'"),
        (policy(limits=(Limit(by="class", of="cary", upper=0.3),)), "limits.0", "'cash'"),
        (policy(limits=(Limit(by="venue", of="binance", lower=0.4, upper=0.3),)), "limits.0", "lower"),
        (
            policy(weight_bounds={"spot:BTC": (0.3, 0.6)}, limits=(Limit(by="asset", of="BTC", upper=0.2),)),
            "limits.0",
            "at least 0.3",
        ),
        (
            policy(default_bounds=(0.0, 0.1), limits=(Limit(by="class", of="spot", lower=0.9),)),
            "limits.0",
            "at most 0.8",
        ),
        (policy(min_position=0.4), "min_position", "spot:ETH"),
        (policy(scenario_loss_caps={"default": -0.1}), "scenario_loss_caps.default", "0 or more"),
        (policy(cvar_level=1.0), "cvar_level", "between"),
        (policy(risk_aversion=0.0), "risk_aversion", "above 0"),
        (policy(max_turnover=float("nan")), "max_turnover", "above 0"),
        (policy(cash_floor_usd=-1.0), "cash_floor_usd", "0 or more"),
        (policy(rebalance=RebalanceRules(horizon_days=0)), "rebalance.horizon_days", "above 0"),
        (policy(rebalance=RebalanceRules(mode="sell")), "rebalance.mode", "sell_only"),
        (policy(on_stale="ignore"), "on_stale", "block"),
        (policy(target_weights={"spot:BTC": 1.0}), "target_weights", "policy"),
        (board({"cash:USDT": 0.8, "spot:BTC": 0.1}), "target_weights", "+0.1"),
        (board({"cash:USDT": 0.8, "spot:BTC": 0.1, "spot:ET": 0.1}), 'target_weights."spot:ET"', "spot:ETH"),
        (
            board(weight_bounds={"spot:BTC": (0.0, 0.05)}),
            'target_weights."spot:BTC"',
            "[0, 0.05]",
        ),
        (board(class_bounds={"cash": (0.9, 1.0)}), "class_bounds.cash", "0.8"),
    ],
)
def test_an_impossible_policy_names_setting_and_remedy(owner, setting, part):
    found = [p for p in check_policy(owner, LINES) if p.setting == setting]
    assert found
    assert part in f"{found[0].wanted} {found[0].found} {found[0].remedy}"
    assert found[0].remedy.endswith((".", "?"))


def test_no_target_at_all_is_shown_how_to_write_one():
    owner = board()
    bare = type(owner)(objective="policy")
    assert "target_weights = {" in check_policy(bare, LINES)[0].remedy
