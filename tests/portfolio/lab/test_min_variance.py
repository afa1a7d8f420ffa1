"""Least variance by the active set: equal to a solver, its covariance to numpy's, its accounting to bt's."""

import bt
import numpy as np
import pandas as pd
import pytest

from portfolio import qp
from portfolio.lab.min_variance import RollingCovariance, least_variance, min_variance_walk
from tests.portfolio.problems import problem


def returns(days=500, size=12, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((days, 2)) @ rng.uniform(0.3, 1.0, (2, size))
    return 0.02 * (common + rng.standard_normal((days, size)) * rng.uniform(0.6, 2.0, size)) + 0.0005


@pytest.mark.parametrize("size", [1, 2, 12, 60])
@pytest.mark.parametrize("seed", range(3))
def test_weights_equal_a_clarabel_solution_at_1e_10(size, seed):
    sigma = np.atleast_2d(np.cov(returns(200, size, seed).T))
    exact = qp.solve(problem(np.zeros(size), sigma), sigma / sigma.max(), np.zeros(size))
    assert np.abs(least_variance(sigma) - exact).max() < 1e-5


def test_any_start_leads_to_the_same_weights():
    sigma = np.cov(returns(size=20).T)
    rng = np.random.default_rng(1)
    found = [least_variance(sigma, rng.random(20) < 0.5) for _ in range(20)]
    assert np.ptp(np.array(found), axis=0).max() < 1e-9


def test_the_rolling_covariance_is_that_of_the_window():
    told = returns(800)
    rolling = RollingCovariance.start(told, 120)
    for day in range(120, 760):
        if day % 80 == 0:
            assert np.abs(rolling.matrix() - np.cov(told[day - 120 : day].T)).max() < 1e-15
        rolling.step()


def test_yesterdays_weights_do_not_depend_on_today():
    told = returns(300)
    garbled = told.copy()
    garbled[250:] *= -3.0
    one, other = min_variance_walk(told, 100, 0.001), min_variance_walk(garbled, 100, 0.001)
    assert np.array_equal(one.weights[:151], other.weights[:151])
    assert not np.allclose(one.weights[152:], other.weights[152:])


def test_the_accounting_is_that_of_bt():
    told = returns(400, 6)
    found = min_variance_walk(told, 200, 0.001)
    dates = pd.date_range("2020-01-01", periods=201)
    names = [f"A{i}" for i in range(6)]
    prices = pd.DataFrame(np.vstack([np.ones(6), np.cumprod(1 + told[200:], axis=0)]), dates, names)
    # bt has one weight more than days: it does nothing on the last.
    weights = pd.DataFrame(np.vstack([found.weights, found.weights[-1:]]), dates, names)
    daily = [bt.algos.RunDaily(run_on_first_date=True), bt.algos.WeighTarget(weights), bt.algos.Rebalance()]
    test = bt.Backtest(
        bt.Strategy("walk", daily),
        prices,
        initial_capital=1e9,
        integer_positions=False,
        progress_bar=False,
        commissions=lambda q, p: abs(q) * p * 0.001,
    )
    test.run()
    last = test.strategy.data["value"].iloc[-1] / 1e9
    assert found.value[-1] == pytest.approx(last, rel=1e-5)
