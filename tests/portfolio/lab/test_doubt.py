"""Which input moves the answer: through the production decision, seeded, deaf to what it does not use."""

import math

import numpy as np
import pandas as pd
import pytest

from portfolio.lab.comovement import beta, macro_correlation, weighted
from portfolio.lab.doubt import ask, doubts, weight_bands
from portfolio.model import Policy
from tests.portfolio.market import inputs

POLICY = Policy(objective="max_quadratic_utility", expected_returns="capm", default_bounds=(0.0, 0.6))


@pytest.fixture(scope="module")
def asked():
    return doubts(inputs(), POLICY, 7)


def test_every_input_is_changed_and_the_largest_move_comes_first(asked):
    base, found = asked
    assert math.fsum(base.weights.values()) == pytest.approx(1.0)
    assert {x.input for x in found} == {"expected_returns", "volatility", "correlation", "costs", "lookback"}
    moves = [x.turnover or 0.0 for x in found]
    assert moves == sorted(moves, reverse=True)
    assert moves[0] > 0.0
    for one in found:
        assert sum(abs(x) for x in one.moved.values()) / 2 == pytest.approx(one.turnover or 0.0, abs=1e-6)


def test_a_line_that_is_expected_to_earn_more_is_not_held_less(asked):
    for one in asked[1]:
        if one.input == "expected_returns" and one.line and "+" in one.change:
            assert one.moved.get(one.line, 0.0) >= -1e-6


def test_minimum_variance_does_not_listen_to_expected_returns():
    policy = Policy(objective="min_volatility", class_bounds={"cash": (0.0, 0.2)})
    _, found = doubts(inputs(), policy, 7)
    heard = {x.input: x.turnover for x in found if x.input in {"expected_returns", "volatility"}}
    assert heard == {
        "expected_returns": pytest.approx(0.0, abs=1e-6),
        "volatility": pytest.approx(0.0, abs=1e-4),
    }
    assert max(x.turnover for x in found if x.input == "correlation") > 1e-3


def test_the_answer_that_is_doubted_is_the_production_answer_twice():
    assert ask(inputs(), POLICY, 7) == ask(inputs(), POLICY, 7)


def test_bands_are_ordered_and_the_seed_repeats_them():
    one = weight_bands(inputs(), POLICY, 3, 6)
    assert one == weight_bands(inputs(), POLICY, 3, 6)
    assert all(0.0 <= low <= middle <= high <= 1.0 for low, middle, high in one.values())
    assert max(high - low for low, _, high in one.values()) > 0.0


def test_beta_of_twice_the_market_is_two():
    index = pd.date_range("2024-01-01", periods=200)
    market = pd.Series(np.random.default_rng(1).standard_normal(200), index=index)
    found = beta(2.0 * market, market)
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0))
    assert beta(market.head(30), market) is None
    frame = pd.DataFrame({"spot:A": market, "spot:B": -market})
    assert weighted(frame, {"spot:A": 0.75, "spot:B": 0.25}).to_numpy() == pytest.approx(
        0.5 * market.to_numpy()
    )


def test_a_portfolio_that_follows_a_series_on_its_trading_days_has_correlation_one():
    days = pd.bdate_range("2024-01-01", periods=150)
    changes = np.random.default_rng(2).standard_normal(150) * 0.01
    levels = pd.Series(100.0 * np.exp(np.cumsum(changes)), index=days)
    # the whole move of a trading day falls on the midnight after it; weekends are still
    series = pd.Series(np.expm1(changes), index=days + pd.Timedelta(days=1))
    series = series.reindex(pd.date_range(series.index[0], series.index[-1]), fill_value=0.0)
    found = macro_correlation(series, levels)
    assert found.points == 149
    assert found.value == pytest.approx(1.0, abs=1e-3)
    assert macro_correlation(series, pd.Series(5.0, index=days)) is None
