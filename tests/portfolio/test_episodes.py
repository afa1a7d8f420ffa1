from datetime import UTC, datetime, timedelta

import pytest

from portfolio.episodes import look, open_after
from portfolio.guarded import GuardInputs, GuardRules, HeldLeg

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def peg(*prices: float, rules: GuardRules | None = None) -> list[str]:
    """What is told of a stablecoin that costs these prices at looks a quarter of an hour apart."""
    told, known = list[str](), {}
    cash = HeldLeg(
        venue="",
        account="",
        kind="bank",
        sleeve="cash",
        asset="USDC",
        market_id="",
        quantity=1.0,
        price_usd=1.0,
    )
    for number, price in enumerate(prices):
        inputs = GuardInputs(as_of=NOW + number * QUARTER, legs=[cash], stablecoins={"USDC": price})
        _, steps = look(inputs, rules or GuardRules(), known)
        known = open_after(steps)
        told += [f"{number}:{step.news}" for step in steps if step.news]
    return told


def test_a_warning_waits_for_a_second_look_and_a_critical_one_does_not():
    assert peg(0.97, 1.0, 0.97, 0.97, 0.97) == ["3:opened"]
    assert peg(0.90, 0.90) == ["0:opened"]


def test_well_clear_of_the_limit_it_ends_after_two_looks():
    assert peg(0.90, 1.0, 0.90, 0.995, 0.995, 0.995) == ["0:opened", "4:over"]


def test_to_and_fro_at_the_limit_is_one_episode():
    # 0.981 is within a tenth of the limit of 0.02, 0.983 is a little clear of it
    assert peg(0.90, *[0.979, 0.981, 0.983, 0.983] * 20) == ["0:opened"]


def test_a_little_clear_of_the_limit_it_ends_after_half_a_day():
    assert peg(0.90, *[0.983] * 60) == ["0:opened", "48:over"]


def test_what_never_was_told_ends_without_a_word():
    assert peg(0.97, 1.0, 1.0, 1.0) == []


def test_growth_is_told_ever_more_rarely():
    # excess 1 at 0.96, told as critical at 0.94 (2), then beyond 4.5, and told at 5 beyond 10.5
    assert peg(0.96, 0.96, 0.94, 0.93, 0.90, 0.89, 0.88, 0.80, 0.76) == [
        "1:opened",
        "2:worse",
        "6:worse",
        "8:worse",
    ]


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_relaxed_limits_are_never_narrower_for_who_is_within(fraction):
    rules = GuardRules(cash_floor_usd=100.0, net_delta_bounds={"BTC": (0.0, 0.4)})
    wide = rules.relaxed(fraction)
    assert wide.min_liquidation_distance > rules.min_liquidation_distance
    assert wide.peg_tolerance < rules.peg_tolerance
    assert wide.cash_floor_usd > rules.cash_floor_usd
    assert wide.net_delta_slack(0.0, 0.4) < rules.net_delta_slack(0.0, 0.4) == pytest.approx(0.005)
    assert wide.net_delta_slack(0.0, float("inf")) < 0.005
