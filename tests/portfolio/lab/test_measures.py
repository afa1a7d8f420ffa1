"""The statistics against published figures, hand-made cases and what chance must look like."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from portfolio.lab.measures import (
    Moments,
    annual_return,
    capture,
    deflated_sharpe,
    difference_interval,
    drawdowns,
    expected_maximum_sharpe,
    independent_trials,
    interval,
    moments,
    overfitting_probability,
    probabilistic_sharpe,
    sharpe,
    summary,
    volatility,
)

YEAR = 250  # of the published example, which counts business days


def noise(days=700, count=1, seed=1, drift=0.0):
    return 0.02 * np.random.default_rng(seed).standard_normal((days, count)) + drift


def test_the_deflated_sharpe_ratio_of_bailey_and_lopez_de_prado_2014():
    # "The deflated Sharpe ratio", section "A numerical example": T = 1,250 days, an annual ratio of 2.5,
    # skewness -3, kurtosis 10, variance of the trials 1/2 a year.
    found = Moments(2.5 / math.sqrt(YEAR), 1250, -3.0, 10.0)
    assert expected_maximum_sharpe(0.5 / YEAR, 100) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(found, 0.5 / YEAR, 100) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(found, 0.5 / YEAR, 46) == pytest.approx(0.9505, abs=5e-5)
    normal = Moments(2.5 / math.sqrt(YEAR), 1250, 0.0, 3.0)
    assert deflated_sharpe(normal, 0.5 / YEAR, 88) == pytest.approx(0.9505, abs=5e-4)


def test_one_trial_is_not_deflated():
    found = moments(noise(drift=0.001)[:, 0])
    assert deflated_sharpe(found, 0.01, 1) == probabilistic_sharpe(found, 0.0)


def test_the_best_of_many_worthless_policies_is_recognised():
    tried = noise(1000, 60, seed=4)
    ratios = np.array([moments(column).sharpe for column in tried.T])
    best = tried[:, ratios.argmax()]
    assert probabilistic_sharpe(moments(best), 0.0) > 0.97
    assert deflated_sharpe(moments(best), ratios.var(ddof=1), independent_trials(tried)) < 0.9


def test_correlated_trials_count_less():
    common = noise(seed=2)
    assert independent_trials(noise(700, 50)) == pytest.approx(50, rel=0.05)
    assert independent_trials(common + 0.1 * noise(700, 50)) < 2.0
    assert independent_trials(common) == 1.0


def test_overfitting_is_certain_for_luck_and_absent_for_skill():
    luck = [overfitting_probability(noise(600, 12, seed)) for seed in range(12)]
    assert 0.3 < np.mean(luck) < 0.75
    skilled = noise(600, 12)
    skilled[:, 3] += 0.01
    assert overfitting_probability(skilled) == 0.0
    assert math.isnan(overfitting_probability(noise(600, 1)))
    assert math.isnan(overfitting_probability(noise(15, 3)))


def test_growth_volatility_and_sharpe_are_annual_over_365_days():
    steady = np.full(730, 2 ** (1 / 365) - 1)
    assert annual_return(steady) == pytest.approx(1.0)
    assert sharpe(steady) == 0.0
    swings = np.tile([0.01, -0.01], 365)
    assert volatility(swings) == pytest.approx(0.01 * math.sqrt(365), rel=1e-3)
    assert sharpe(swings + 0.001) == pytest.approx(0.001 * 365 / (0.01 * math.sqrt(365)), rel=1e-3)
    assert sharpe(swings + 0.001, risk_free_rate=0.365) == pytest.approx(0.0, abs=1e-9)


def test_drawdowns_begin_at_the_start_and_end_at_a_new_high():
    fall = drawdowns(np.array([-0.5, 0.5, 1.0, -0.25]))
    assert fall == pytest.approx([-0.5, -0.25, 0.0, -0.25])


def test_capture_compares_growth_on_the_benchmarks_own_days():
    market = noise(seed=3)[:, 0]
    assert capture(market, market, up=True) == pytest.approx(1.0)
    half = np.where(market > 0, np.sqrt(1 + market) - 1, market)
    assert capture(half, market, up=True) == pytest.approx(0.5)
    assert capture(half, market, up=False) == pytest.approx(1.0)
    assert math.isnan(capture(market, np.zeros_like(market), up=True))


def test_intervals_repeat_with_their_seed_and_cover_the_truth():
    known = [noise(500, 1, seed, drift=0.001)[:, 0] for seed in range(40)]
    truth = 0.001 / 0.02 * math.sqrt(365)
    spans = [interval(returns, sharpe, 7, draws=200) for returns in known]
    assert spans[0] == interval(known[0], sharpe, 7, draws=200)
    assert spans[0] != interval(known[0], sharpe, 8, draws=200)
    assert sum(low < truth < high for low, high in spans) >= 30


def test_a_difference_is_judged_on_common_days():
    common = noise(700, 1, 5)[:, 0]
    better = common + 0.0005
    low, high, chance = difference_interval(better, common, 1)
    assert 0 < low < high
    assert chance == 1.0
    apart = interval(common, sharpe, 1)
    assert high - low < 0.1 * (apart[1] - apart[0])


def test_a_summary_has_finite_figures_and_leaves_intervals_out_on_request():
    told = summary(noise(drift=0.001)[:, 0], noise(seed=9)[:, 0], 1, draws=50)
    assert all(math.isfinite(value) for value in told.values())
    assert told["sharpe_low"] < told["sharpe"] < told["sharpe_high"]
    assert "sharpe_low" not in summary(noise()[:, 0], noise()[:, 0], 1, draws=0)


@pytest.mark.parametrize("seed", range(3))
def test_overfitting_equals_another_derivation_of_bailey_borwein_lopez_de_prado_and_zhu_2017(seed):
    # Their algorithm 2.3 over S = 4 blocks, in ranks: for each half the winner inside, its relative rank
    # outside, ω = rank / (N + 1); PBO is the share of halves with ω of at most one half.
    told = pd.DataFrame(noise(160, 5, seed) + np.linspace(-0.002, 0.002, 5))
    half = {}
    for inside in itertools.combinations(range(4), 2):
        rows = told.index // 40
        ratio = {
            where: (part.mean() / part.std(ddof=1)).rank()
            for where, part in (("in", told[rows.isin(inside)]), ("out", told[~rows.isin(inside)]))
        }
        half[inside] = ratio["out"][ratio["in"].idxmax()] / 6.0
    assert overfitting_probability(told.to_numpy(), blocks=4) == np.mean([w <= 0.5 for w in half.values()])


def test_the_expected_best_of_worthless_trials_is_that_of_a_simulation():
    # The false strategy theorem (Bailey and Lopez de Prado 2014, equation 1) against drawn maxima.
    drawn = np.random.default_rng(2).standard_normal((20_000, 46)).max(axis=1)
    assert expected_maximum_sharpe(0.04, 46) == pytest.approx(0.2 * drawn.mean(), rel=0.02)
