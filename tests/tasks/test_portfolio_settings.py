"""Profiles fill in what the owner did not write; limits, tiers and floors reach the policy."""

import math

import pytest

from portfolio.profiles import PROFILES
from tasks.policy import policy_of
from tasks.settings import ConfigError, load_settings

HEAD = """\
[[venues]]
id = "binance"

[universe]
assets = ["BTC", "ETH"]

[portfolios.core]
"""


@pytest.fixture
def policy(tmp_path):
    def read(text):
        file = tmp_path / "trimtab.toml"
        file.write_text(HEAD + text)
        return policy_of(load_settings(file), "core")

    return read


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_profile_is_a_risk_budget(policy, name):
    found = policy(f'profile = "{name}"\n')
    assert found.risk_aversion == PROFILES[name].risk_aversion
    assert found.scenario_loss_caps == {"default": PROFILES[name].scenario_loss}
    assert found.class_bounds == {k: PROFILES[name].class_bounds[k] for k in ("cash", "spot")}


def test_what_the_owner_writes_wins_over_the_profile(policy):
    found = policy(
        'profile = "conservative"\nrisk_aversion = 4.0\nclass_bounds = { spot = [0.0, 0.9] }\n'
        "scenario_loss_caps = { venue_loss = 0.2 }\n"
    )
    assert found.risk_aversion == 4.0
    assert found.class_bounds == {"cash": (0.30, 1.0), "spot": (0.0, 0.9)}
    assert found.scenario_loss_caps == {"default": 0.05, "venue_loss": 0.2}


def test_without_a_profile_only_the_scenario_caps_are_there(policy):
    found = policy("")
    assert (found.risk_aversion, found.class_bounds) == (3.0, {})
    assert found.scenario_loss_caps == {"default": 0.10}


def test_a_profile_leaves_fixed_targets_their_bounds(policy):
    found = policy('profile = "conservative"\nobjective = "policy"\ntarget_weights = { "spot:BTC" = 1.0 }\n')
    assert found.class_bounds == {}


def test_limits_tiers_and_facts_reach_the_policy(policy):
    found = policy(
        'limits = [{ by = "venue", of = "binance", upper = 0.4 }, '
        '{ measure = "net_delta", by = "asset", of = "BTC", lower = -0.1, upper = 0.2 }]\n'
        'protocol_tiers = [{ name = "A", cap = 0.2, min_audits = 2 }]\n'
        'protocol_facts = { "aave-v3" = { launched = 2020-01-08, audits = 5 } }\n'
    )
    assert found.limits[0].lower == -math.inf
    assert found.limits[0].title() == "limit capital of venue binance"
    assert (found.limits[1].measure, found.limits[1].lower) == ("net_delta", -0.1)
    assert found.protocol_tiers[0].min_audits == 2
    assert found.protocol_facts["aave-v3"].audits == 5


def test_the_cash_floor_is_the_larger_of_an_amount_and_months_of_outflow(policy):
    text = "cash_floor_usd = 10000\ncash_floor_months = 6\nplanned_monthly_outflow_usd = {}\n"
    assert policy(text.format(5_000)).cash_floor_usd == 30_000
    assert policy(text.format(1_000)).cash_floor_usd == 10_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('profile = "bold"\n', "balanced"),
        ('limits = [{ by = "venue", of = "binance" }]\n', "neither"),
        ('limits = [{ by = "venue", of = "binance", lower = 0.5, upper = 0.4 }]\n', "swap"),
        ('limits = [{ by = "venue", upper = 0.4 }]\n', '"of"'),
        ('limits = [{ by = "asset", of = "BTCC", upper = 0.4 }]\n', "'BTC'"),
        ("max_position = 0.1\n", "min_position"),
    ],
)
def test_a_slip_is_named_with_what_to_write(policy, text, said):
    with pytest.raises(ConfigError, match=said):
        policy(text)
