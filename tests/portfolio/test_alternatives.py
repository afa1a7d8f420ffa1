"""What else could have been done, beside the proposal and measured alike."""

import numpy as np
import pytest

from portfolio.alternatives import benefit_draws
from portfolio.decision import LIVE, Bench, decide
from portfolio.estimates import estimate
from portfolio.robustness import confidence
from tests.portfolio.market import board, inputs, policy, returns


def beside(decision):
    return {one.name: one for one in decision.alternatives}


def test_hold_proposal_and_plain_portfolios_stand_side_by_side():
    found = decide(inputs(), policy(objective="max_quadratic_utility"), 1)
    rows = beside(found)
    assert set(rows) == {"hold", "proposal", "equal_weight", "hrp"}
    hold, proposal = rows["hold"], rows["proposal"]
    assert (hold.benefit_bps, hold.cost_bps, hold.probability) == (0.0, 0.0, None)
    assert hold.benefit_low_bps == hold.benefit_high_bps == 0.0
    assert proposal.benefit_bps == pytest.approx(found.expected_benefit_bps)
    assert proposal.cost_bps == pytest.approx(found.expected_cost_bps)
    assert proposal.benefit_low_bps < proposal.benefit_bps < proposal.benefit_high_bps
    for name in ("equal_weight", "hrp"):
        assert sum(rows[name].weights.values()) == pytest.approx(1.0)
        assert rows[name].cost_bps > 0.0


def test_the_probability_of_the_proposal_is_the_confidence_of_the_decision():
    found = decide(inputs(), policy(objective="max_quadratic_utility"), 3)
    assert beside(found)["proposal"].probability == found.confidence


def test_a_fixed_policy_stands_beside_itself_only_where_it_is_not_reached():
    rows = beside(decide(inputs(), board(), 1))
    assert set(rows) == {"hold", "proposal", "equal_weight"}
    assert rows["proposal"].weights["cash:USDT"] == pytest.approx(0.8, abs=1e-3)


def test_the_same_seed_gives_the_same_draws_and_the_lab_asks_for_none():
    first, again = (decide(inputs(), board(), 5).alternatives for _ in range(2))
    assert first == again
    quick = Bench(panel=LIVE.panel, is_probed=False)
    assert decide(inputs(), board(), 5, quick).alternatives == ()


def test_nothing_is_compared_where_holdings_are_unknown():
    assert decide(inputs(positions=()), policy(), 1).alternatives == ()


def test_draws_agree_with_the_confidence_on_any_hurdle():
    panel = returns().dropna()
    made = estimate(panel, {}, policy(), None, ())
    before, after = (np.eye(len(made.lines))[i] for i in (0, 1))
    draws = benefit_draws(made, (before, after), (3.0, 30), 9)
    for cost in (-200.0, 0.0, 150.0):
        wanted = confidence(made, (before, after), (10.0, cost), (3.0, 30), 9)
        assert np.mean(10.0 + draws > cost) == wanted


def test_marginal_risk_adds_up_to_the_volatility():
    found = decide(inputs(), policy(objective="max_quadratic_utility"), 1)
    lines = {f"{x.sleeve}:{x.asset}": x.numbers for x in found.lines}
    total = sum(
        n["current_weight"] * n["marginal_volatility_before"]
        for n in lines.values()
        if "marginal_volatility_before" in n
    )
    assert total == pytest.approx(beside(found)["hold"].volatility)
