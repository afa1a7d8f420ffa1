"""The direct quadratic program gives the answers, and the shadow prices, of the other two ways."""

from dataclasses import replace

import numpy as np
import pytest

from portfolio import fast_qp, qp
from portfolio.failure import AllocationFailure
from portfolio.optimisers import max_quadratic_utility
from tests.portfolio.problems import group, random_problem


def crowded(seed, size):
    """A random cost-aware problem with classes, a turnover cap and, in every third, a line that is fixed."""
    rng = np.random.default_rng(seed)
    current = rng.dirichlet(np.ones(size))
    half = np.arange(size) % 2 == 0
    held = current[half].sum()
    found = random_problem(
        seed,
        size,
        current=current,
        max_turnover=float(rng.choice([0.05, 0.2, 1.0])),
        cost_rates=rng.uniform(0, 0.003, size),
        upper=np.maximum(0.4, current + 0.01),
        rows=(group("class even", half, min(0.1, held), max(0.6, held)),),
    )
    if seed % 3 == 0:
        lower, upper = found.lower.copy(), found.upper.copy()
        lower[1] = upper[1] = current[1]
        found = replace(found, lower=lower, upper=upper)
    return found


@pytest.mark.parametrize("size", [3, 6, 20])
@pytest.mark.parametrize("seed", range(8))
def test_weights_equal_a_clarabel_solution_at_1e_10(seed, size):
    asked = crowded(seed, size)
    utility = asked.risk_aversion * asked.covariance, -asked.expected, asked.annual_cost_rates()
    assert np.abs(fast_qp.solve(asked, *utility) - qp.solve(asked, *utility)).max() < 1e-5


@pytest.mark.parametrize("seed", range(6))
def test_weights_and_shadow_prices_equal_pyportfolioopt(seed):
    asked = crowded(seed, 6)
    reference = max_quadratic_utility.modelled(asked)
    answer = fast_qp.optimise(
        asked, asked.risk_aversion * asked.covariance, -asked.expected, asked.annual_cost_rates()
    )
    assert np.abs(answer.weights - reference.weights).max() < 1e-5
    for name, price in reference.shadow_prices.items():
        assert answer.shadow_prices.get(name, 0.0) == pytest.approx(price, abs=2e-4), name


def test_a_shadow_price_is_what_loosening_the_rule_gains():
    asked = replace(crowded(4, 6), max_turnover=0.05)
    q, c, k = asked.risk_aversion * asked.covariance, -asked.expected, asked.annual_cost_rates()

    def utility(weights):
        return -(0.5 * weights @ q @ weights + c @ weights + k @ np.abs(weights - asked.current))

    price = fast_qp.optimise(asked, q, c, k).shadow_prices["max_turnover"]
    step = 1e-4
    more, less = (
        utility(fast_qp.solve(replace(asked, max_turnover=0.05 + d), q, c, k)) for d in (step, -step)
    )
    assert price > 0.01
    assert price == pytest.approx((more - less) / (2 * step), rel=1e-3)


def test_without_holdings_neither_costs_nor_turnover_bind():
    asked = replace(crowded(5, 6), current=None, max_turnover=0.01)
    q, c = asked.risk_aversion * asked.covariance, -asked.expected
    free = replace(asked, max_turnover=1.0)
    assert np.abs(fast_qp.solve(asked, q, c, np.ones(6)) - qp.solve(free, q, c)).max() < 1e-5


def test_rules_that_contradict_each_other_are_a_failure():
    asked = replace(crowded(2, 6), rows=(group("class all", np.ones(6, bool), 0.0, 0.5),))
    with pytest.raises(AllocationFailure):
        fast_qp.solve(asked, np.eye(6), np.zeros(6))


def test_with_every_line_fixed_the_answer_is_what_is_fixed():
    fixed = np.full(6, 1 / 6)
    asked = replace(crowded(2, 6), lower=fixed, upper=fixed, rows=())
    assert fast_qp.solve(asked, np.eye(6), np.zeros(6)) == pytest.approx(fixed)


@pytest.mark.parametrize("seed", range(12))
def test_a_projection_is_the_nearest_point_by_either_solver(seed):
    asked = crowded(seed, 6)
    far = np.random.default_rng(100 + seed).dirichlet(np.full(6, 0.3))
    found = fast_qp.project(asked, far)
    assert np.abs(found - qp.solve(asked, np.eye(6), -far)).max() < 1e-7
    assert ((found >= asked.lower - 1e-8) & (found <= asked.upper + 1e-8)).all()
    assert all(rule.lower - 1e-8 <= rule.of(found) <= rule.upper + 1e-8 for rule in asked.rows)
    assert 0.5 * np.abs(found - asked.current).sum() <= asked.max_turnover + 1e-8
