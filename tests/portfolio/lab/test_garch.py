"""The Monte Carlo: its recursion by hand, its seed, its tail, and a volatility put in that comes out."""

import math

import numpy as np
import pandas as pd
import pytest

from portfolio.lab.exposures import Exposure
from portfolio.lab.garch import Filter, fit, monte_carlo, simulate, tail


def garch_days(count=1500, omega=2e-5, alpha=0.1, beta=0.85, seed=5):
    rng = np.random.default_rng(seed)
    variance, found = omega / (1 - alpha - beta), []
    for z in rng.standard_normal(count):
        found.append(math.sqrt(variance) * z)
        variance = omega + alpha * found[-1] ** 2 + beta * variance
    return np.array(found)


def test_one_residual_makes_the_recursion_visible():
    one = Filter(omega=0.01, alpha=0.5, beta=0.25, variance=0.04, residuals=np.array([-1.0]))
    growth = simulate([one], 2, 1, seed=1)
    # -20 %, then variance 0.01 + 0.5·0.04 + 0.25·0.04 = 0.04: -20 % again
    assert growth == pytest.approx(np.array([[0.64]]))


def test_nobody_loses_more_than_everything():
    wild = Filter(omega=9.0, alpha=0.0, beta=0.0, variance=9.0, residuals=np.array([-1.0]))
    assert simulate([wild], 3, 4, seed=1).tolist() == [[0.0]] * 4


def test_the_tail_of_a_hundred_losses():
    assert tail(np.arange(1.0, 101.0), 0.95) == (96.0, 98.0)


def test_the_parameters_that_were_put_in_come_out():
    found = fit(garch_days())
    assert found.is_fitted
    assert found.alpha == pytest.approx(0.1, abs=0.05)
    assert found.beta == pytest.approx(0.85, abs=0.08)
    assert found.residuals.std() == pytest.approx(1.0, abs=0.05)


def test_the_same_seed_the_same_answer_and_the_lines_sum():
    days = garch_days(600)
    returns = pd.DataFrame(
        {"spot:A": days, "spot:B": 0.5 * days, "cash:USD": 0.0},
        index=pd.date_range("2024-01-01", periods=600),
    )
    lines = [
        Exposure(line="spot:A", weight=0.5, net_delta=1.0),
        Exposure(line="spot:B", weight=0.3, net_delta=1.0),
        Exposure(line="cash:USD", weight=0.2, net_delta=0.0),
    ]
    one, again, other = (monte_carlo(lines, returns, 10, 2000, seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    for found in one:
        assert sum(found.by_line.values()) == pytest.approx(found.loss)
        assert found.by_line["cash:USD"] == 0.0
        assert found.loss >= found.numbers["var"] > 0.0
    assert one[1].loss > one[0].loss
    # ten days at about 2 % a day on 0.65 of NAV: no order of magnitude away from the normal tail
    normal = 2.06 * math.sqrt(10) * float(days.std()) * 0.65
    assert one[0].loss == pytest.approx(normal, rel=0.5)


def test_too_few_days_are_no_figure():
    returns = pd.DataFrame({"spot:A": garch_days(100)}, index=pd.date_range("2024-01-01", periods=100))
    (found,) = monte_carlo([Exposure(line="spot:A", weight=1.0, net_delta=1.0)], returns, 10, 100, 1)
    assert (found.status, found.loss) == ("no_data", None)
