"""A ridge, averages of answers, whole positions, and tax on realised gains."""

from dataclasses import replace

import numpy as np
import pytest

from portfolio.decision import decide
from portfolio.failure import AllocationFailure
from portfolio.proposal import by_name
from portfolio.steadying import resampled, ridged, whole_positions
from tests.portfolio.market import hold, inputs, market, policy
from tests.portfolio.problems import problem, random_problem


def spread(decision):
    return {f"{t.sleeve}:{t.asset}": t.target_weight for t in decision.target_lines}


def test_a_ridge_moves_weights_towards_each_other():
    case = random_problem(3)
    plain = by_name("min_volatility", case).weights[:-1]
    steady = by_name("min_volatility", ridged(case, 5.0)).weights[:-1]
    assert np.std(steady) < 0.5 * np.std(plain)
    assert ridged(case, 0.0) is case
    assert ridged(case, 1.0).covariance[-1, -1] == case.covariance[-1, -1]  # cash keeps its own


def test_resampled_answers_average_within_the_rules_and_repeat():
    case = random_problem(
        3,
        upper=np.array([0.4] * 5 + [1.0]),
        returns=0.03 * np.random.default_rng(1).standard_normal((300, 6)),
    )
    solve = resampled(by_name, 12, seed=5)
    first, again = solve("max_quadratic_utility", case), solve("max_quadratic_utility", case)
    assert (first.weights == again.weights).all()
    assert first.weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert (first.weights <= case.upper + 1e-9).all()
    held = [int((s.weights > 0.01).sum()) for s in (first, by_name("max_quadratic_utility", case))]
    assert held[0] > held[1]


@pytest.mark.parametrize("objective", ["max_quadratic_utility", "min_volatility", "hrp", "equal_weight"])
@pytest.mark.parametrize("least", [0.05, 0.12, 0.25])
def test_a_line_holds_nothing_or_enough(objective, least):
    found = decide(inputs(), policy(objective=objective, min_position=least, fallbacks=("hold",)), 1)
    assert found.method_used in {objective, "hold"}
    if found.method_used == objective:
        for line, weight in spread(found).items():
            assert line.startswith("cash:") or weight <= 1e-6 or weight >= least - 1e-6, line


def test_where_raising_has_no_answer_small_positions_go():
    case = problem([0.1] * 4, np.diag([0.1, 0.1, 0.1, 1.0]))

    def wary(method, asked):
        if (asked.lower > 0).any():
            raise AllocationFailure("solver", "No.", "No.")
        return by_name(method, asked)

    found = whole_positions(wary, "min_volatility", case, 0.04).weights
    assert found == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0], abs=1e-6)
    raised = whole_positions(by_name, "min_volatility", case, 0.04).weights
    assert raised == pytest.approx([0.32, 0.32, 0.32, 0.04], abs=1e-6)


def test_options_reach_the_decision():
    plain = spread(decide(inputs(), policy(), 1))
    for changed in (policy(regularisation=2.0), policy(resampling_draws=5)):
        found = decide(inputs(), changed, 1)
        assert found.method_used == "max_quadratic_utility"
        assert found.estimates["sensitivity_turnover"] < 0.2
        assert spread(found) != pytest.approx(plain, abs=1e-4)


def test_tax_is_part_of_the_cost_where_rate_and_basis_are_known():
    held = (
        hold("BTC", 2, cost_basis_usd=9_200.0),
        hold("ETH", 50, cost_basis_usd=20_000.0),
        hold("USDT", 69_600),
    )
    rules = policy(weight_bounds={"spot:BTC": (0.0, 0.10)})
    before = decide(inputs(positions=held), rules, 1)
    after = decide(inputs(positions=held), replace(rules, tax_rate=0.25), 1)
    sold = next(t for t in after.trades if t.asset == "BTC")
    gain = sold.notional_usd / 2.0  # bought at half of today's price; ether is at a loss and is not set off
    added = after.expected_cost_bps - before.expected_cost_bps
    assert added == pytest.approx(0.25 * gain / 100_000 * 1e4, rel=1e-6)


def test_without_a_rate_or_a_basis_the_cost_is_before_tax():
    assert "before tax" in decide(inputs(), policy(), 1).reason
    assert "before tax" in decide(inputs(), policy(tax_rate=0.25), 1).reason
    cheap = tuple(market(c, taker_fee=0.0001) for c in ("BTC", "ETH", "XRP", "LTC", "ADA"))
    known = (hold("BTC", 2, cost_basis_usd=1e6), hold("ETH", 50, cost_basis_usd=1e6), hold("USDT", 69_600))
    found = decide(inputs(positions=known, instruments=cheap), policy(tax_rate=0.25), 1)
    assert "with 0.0 of tax" in found.reason
