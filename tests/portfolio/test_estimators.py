"""Estimators against published tables, independent computations and their own promises."""

import numpy as np
import pandas as pd
import pytest

from portfolio import registry
from portfolio.checks import usable_panel
from portfolio.estimates import Panel, estimate, verify_estimates
from portfolio.expected_returns import black_litterman, exponential, shrunk_mean
from portfolio.expected_returns.black_litterman import Views, implied_returns, posterior
from portfolio.failure import AllocationFailure
from portfolio.pegged import at_horizon, variance_ratio
from portfolio.risk_models import exponential as exponential_risk
from portfolio.risk_models import ledoit_wolf, sample, semicovariance, shrunk_correlation
from tests.portfolio.market import CAPS, policy, returns

COUNTRIES = ["Australia", "Canada", "France", "Germany", "Japan", "UK", "USA"]


def he_litterman():
    """Tables 1 and 2 of He and Litterman, "The intuition behind Black-Litterman model portfolios" (1999)."""
    lower = [
        [0.488],
        [0.478, 0.664],
        [0.515, 0.655, 0.861],
        [0.439, 0.310, 0.355, 0.354],
        [0.512, 0.608, 0.783, 0.777, 0.405],
        [0.491, 0.779, 0.668, 0.653, 0.306, 0.652],
    ]
    correlation = np.eye(7)
    for i, row in enumerate(lower, start=1):
        correlation[i, :i] = correlation[:i, i] = row
    vol = np.array([16.0, 20.3, 24.8, 27.1, 21.0, 20.0, 18.7]) / 100
    sigma = pd.DataFrame(correlation * np.outer(vol, vol), index=COUNTRIES, columns=COUNTRIES)
    weights = pd.Series(np.array([1.6, 2.2, 5.2, 5.5, 11.6, 12.4, 61.5]) / 100, index=COUNTRIES)
    return sigma, weights


def test_the_prior_is_he_and_littermans_table_2():
    sigma, weights = he_litterman()
    prior = implied_returns(sigma, weights, 2.5)
    assert (100 * prior).round(1).tolist() == [3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6]


def test_the_posterior_is_he_and_littermans_table_4():
    """Germany outperforms the rest of Europe (by capitalisation) by 5 % a year; omega/tau = p'Σp = 0.021."""
    sigma, weights = he_litterman()
    prior = implied_returns(sigma, weights, 2.5)
    picks = pd.DataFrame([{"UK": -12.4 / 17.6, "Germany": 1.0, "France": -5.2 / 17.6}])
    p = picks.reindex(columns=COUNTRIES, fill_value=0.0).to_numpy()[0]
    spread = float(p @ sigma.to_numpy() @ p)
    assert round(spread, 3) == 0.021
    views = Views(picks=picks, returns=np.array([0.05]), variances=np.array([0.05 * spread]))
    mean, covariance = posterior(sigma, prior, views)
    assert (100 * mean).round(1).tolist() == [4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1]
    optimal = np.linalg.solve(2.5 * covariance.to_numpy(), mean.to_numpy())
    assert (100 * optimal).round(1).tolist() == [1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6]


def test_the_posterior_is_aligned_by_label():
    sigma, weights = he_litterman()
    prior = implied_returns(sigma, weights, 2.5)
    picks = pd.DataFrame([{"France": -0.295, "Germany": 1.0, "UK": -0.705}])
    views = Views(picks=picks, returns=np.array([0.05]), variances=np.array([0.001]))
    straight, _ = posterior(sigma, prior, views)
    shuffled = sigma.loc[COUNTRIES[::-1], COUNTRIES[::-1]]
    turned, _ = posterior(shuffled, prior.sample(frac=1.0, random_state=3), views)
    assert turned[COUNTRIES].to_numpy() == pytest.approx(straight.to_numpy(), abs=1e-12)


def test_a_view_on_an_unknown_line_is_refused():
    sigma, weights = he_litterman()
    views = Views(picks=pd.DataFrame([{"Spain": 1.0}]), returns=np.array([0.1]), variances=np.array([0.01]))
    with pytest.raises(AllocationFailure, match="Spain"):
        posterior(sigma, implied_returns(sigma, weights, 2.5), views)


def panel_of(frame, caps=None):
    return Panel(returns=frame, covariance=ledoit_wolf.covariance(frame), market_caps=caps)


def test_black_litterman_makes_the_market_portfolio_optimal_at_the_market_price_of_risk():
    frame = returns()
    mu, notes = black_litterman.estimate(panel_of(frame, CAPS))
    sigma = ledoit_wolf.covariance(frame)
    coins = [c for c in frame if c.startswith("spot:")]
    caps = pd.Series({c: CAPS[c.removeprefix("spot:")] for c in coins})
    market = (caps / caps.sum()).to_numpy()
    vol = float(np.sqrt(market @ sigma.loc[coins, coins].to_numpy() @ market))
    assert float(mu[coins] @ market) / vol == pytest.approx(0.5)  # the assumed Sharpe ratio
    tangency = np.linalg.solve(sigma.loc[coins, coins].to_numpy(), mu[coins].to_numpy())
    assert tangency / tangency.sum() == pytest.approx(market)
    assert mu["cash:USDT"] == 0.0
    assert notes == ()


def test_black_litterman_without_capitalisations_says_what_stands_in():
    frame = returns()
    mu, notes = black_litterman.estimate(panel_of(frame))
    sigma = ledoit_wolf.covariance(frame)
    coins = [c for c in frame if c.startswith("spot:")]
    tangency = np.linalg.solve(sigma.loc[coins, coins].to_numpy(), mu[coins].to_numpy())
    assert tangency / tangency.sum() == pytest.approx(np.full(5, 0.2))
    assert "equal weights" in notes[0].reason


def test_one_coin_without_a_capitalisation_still_gets_a_return():
    caps = {k: v for k, v in CAPS.items() if k != "ADA"}
    mu, notes = black_litterman.estimate(panel_of(returns(), caps))
    assert mu["spot:ADA"] > 0.0
    assert notes == ()


def test_shrinkage_equals_an_independent_ledoit_wolf():
    """Ledoit and Wolf (2004), as computed by scikit-learn on the standardised returns."""
    covariance = pytest.importorskip("sklearn.covariance")
    frame = returns().iloc[:, :5]
    standardised = ((frame - frame.mean()) / frame.std(ddof=0)).to_numpy()
    reference = covariance.LedoitWolf().fit(standardised)
    assert ledoit_wolf.intensity(standardised) == pytest.approx(reference.shrinkage_, abs=1e-12)
    vol = frame.std(ddof=1).to_numpy()
    expected = reference.covariance_ * np.outer(vol, vol) * 365
    assert ledoit_wolf.covariance(frame).to_numpy() == pytest.approx(expected, abs=1e-12)


def test_every_line_keeps_its_own_volatility_cash_too():
    frame = returns()
    vol = np.sqrt(np.diag(ledoit_wolf.covariance(frame)))
    assert vol == pytest.approx(frame.std().to_numpy() * np.sqrt(365), rel=1e-12)
    assert vol[-1] < 0.01  # a stablecoin; shrinking covariances would give it 26 %


def test_constant_cash_has_no_risk_and_breaks_nothing():
    frame = returns().assign(**{"cash:USD": 0.0})
    sigma = ledoit_wolf.covariance(frame)
    assert (sigma["cash:USD"] == 0.0).all()
    assert np.isfinite(sigma.to_numpy()).all()
    assert np.linalg.eigvalsh(sigma.to_numpy()).min() > -1e-12


def test_noise_about_a_peg_does_not_add_up_and_a_walk_does():
    rng = np.random.default_rng(2)
    noise, walk = np.diff(rng.standard_normal(731)), rng.standard_normal(3650)
    assert variance_ratio(noise, 30) == pytest.approx(1 / 30, rel=0.5)
    assert variance_ratio(walk, 30) == pytest.approx(1.0, abs=0.25)
    assert variance_ratio(np.zeros(365), 30) == 1.0
    assert variance_ratio(noise[:100], 30) == 1.0  # too short to tell


def test_cash_is_scaled_to_the_horizon_and_coins_are_not():
    frame = returns(cash=("USDT", "USDC"))
    frame["cash:USDT"] = (
        0.002 * np.diff(np.random.default_rng(2).standard_normal(366)) + 0.01 * frame["spot:BTC"]
    )
    before = ledoit_wolf.covariance(frame)
    after = at_horizon(before, frame, 30)
    coins = [c for c in frame if c.startswith("spot:")]
    assert (after.loc[coins, coins] == before.loc[coins, coins]).all(axis=None)
    ratio = variance_ratio(frame["cash:USDT"].to_numpy(), 30)
    assert ratio < 0.3
    assert after.loc["cash:USDT", "cash:USDT"] == pytest.approx(ratio * before.loc["cash:USDT", "cash:USDT"])
    assert np.linalg.eigvalsh(after.to_numpy()).min() > -1e-12


def test_sample_covariance_is_annual():
    frame = returns()
    assert sample.covariance(frame).to_numpy() == pytest.approx(np.cov(frame.to_numpy().T) * 365)


def test_exponential_covariance_equals_the_loop():
    frame = returns(rows=120)
    weights = 0.5 ** ((119 - np.arange(120)) / 60.0)
    weights /= weights.sum()
    expected = np.cov(frame.to_numpy().T, aweights=weights, ddof=0) * 365
    assert exponential_risk.covariance(frame).to_numpy() == pytest.approx(expected)


def test_exponential_mean_of_a_step_leans_to_the_recent_side():
    frame = returns(rows=360)
    frame["spot:BTC"] = np.where(np.arange(360) < 180, 0.0, 0.01)
    mu, _ = exponential.estimate(panel_of(frame))
    assert mu["spot:BTC"] == pytest.approx(365 * 0.01 / 1.5, rel=0.01)  # half-life 180 days: weights 1 : 1/2
    assert mu["cash:USDT"] == 0.0


def test_shrunk_mean_is_jorions():
    frame = returns(rows=200)
    coins = [c for c in frame if c.startswith("spot:")]
    mu, _ = shrunk_mean.estimate(Panel(returns=frame, covariance=sample.covariance(frame)))
    inverse = np.linalg.inv(np.cov(frame[coins].to_numpy().T))
    mean = frame[coins].mean().to_numpy()
    grand = inverse.sum(axis=0) @ mean / inverse.sum()
    gap = mean - grand
    shrink = 7 / (7 + 200 * gap @ inverse @ gap)
    assert 0.0 < shrink < 1.0
    assert mu[coins].to_numpy() == pytest.approx(365 * ((1 - shrink) * mean + shrink * grand))


def test_equal_means_shrink_to_themselves():
    frame = returns(rows=200)
    frame = frame - frame.mean() + 0.001
    mu, _ = shrunk_mean.estimate(panel_of(frame))
    assert mu.filter(like="spot").to_numpy() == pytest.approx(0.365)


@pytest.mark.parametrize("risk_model", registry.names(registry.RISK_MODELS))
@pytest.mark.parametrize("mean", registry.names(registry.EXPECTED_RETURNS))
def test_every_pair_of_estimators_gives_sound_estimates(risk_model, mean):
    frame = returns()
    panel, excluded = usable_panel(frame, tuple(frame.columns), 365)
    found = estimate(panel, excluded, policy(expected_returns=mean, risk_model=risk_model), CAPS)
    verify_estimates(found.expected, found.covariance)
    order = list(reversed(found.lines))
    turned = estimate(panel[order], excluded, policy(expected_returns=mean, risk_model=risk_model), CAPS)
    assert turned.expected[::-1] == pytest.approx(found.expected, abs=1e-12)
    assert turned.covariance[::-1, ::-1] == pytest.approx(found.covariance, abs=1e-12)


@pytest.mark.parametrize("broken", ["nan", "asymmetric", "indefinite"])
def test_bad_estimates_are_refused(broken):
    mu, sigma = np.array([0.1, 0.1]), np.array([[0.04, 0.0], [0.0, 0.04]])
    if broken == "nan":
        mu[0] = np.nan
    elif broken == "asymmetric":
        sigma[0, 1] = 0.01
    else:
        sigma[0, 1] = sigma[1, 0] = 0.08
    with pytest.raises(AllocationFailure, match="bad_estimate"):
        verify_estimates(mu, sigma)


def test_an_unknown_method_is_named_with_the_nearest():
    with pytest.raises(AllocationFailure, match="shrunk_mean"):
        registry.load(registry.EXPECTED_RETURNS, "shrunkmean")


def test_semicovariance_of_symmetric_returns_is_the_covariance_and_of_gains_is_nothing():
    frame = returns(rows=365)
    both = pd.concat([frame, -frame], ignore_index=True)
    expected = both.T @ both / len(both) * 365
    losses = np.minimum(both.to_numpy(), 0.0)
    found = semicovariance.covariance(both).to_numpy()
    assert found == pytest.approx(2 * losses.T @ losses / len(both) * 365)
    assert np.diag(found) == pytest.approx(np.diag(expected))
    assert (semicovariance.covariance(frame.abs()) == 0.0).all(axis=None)
    assert np.linalg.eigvalsh(found).min() > -1e-12


def test_shrunk_correlations_keep_volatilities_and_pull_towards_their_class():
    frame = returns()
    rng = np.random.default_rng(5)
    frame["carry:BTC"] = 0.001 * rng.standard_normal(len(frame))
    frame["carry:ETH"] = 0.002 * rng.standard_normal(len(frame))
    found = shrunk_correlation.covariance(frame)
    vol = np.sqrt(np.diag(found))
    assert vol == pytest.approx(frame.std().to_numpy() * np.sqrt(365), rel=1e-12)
    correlation = found.to_numpy() / np.outer(vol, vol)
    raw = frame.corr().to_numpy()
    coins, hedged = slice(0, 5), slice(6, 8)
    off = ~np.eye(5, dtype=bool)
    assert correlation[coins, coins][off].std() < raw[coins, coins][off].std()
    assert correlation[coins, coins][off].mean() == pytest.approx(raw[coins, coins][off].mean())
    assert correlation[hedged, coins].mean() == pytest.approx(raw[hedged, coins].mean())
    assert np.linalg.eigvalsh(found.to_numpy()).min() > -1e-12


def test_shrunk_correlations_of_short_histories_are_still_a_covariance():
    frame = returns(rows=12).assign(**{"cash:USD": 0.0})
    found = shrunk_correlation.covariance(frame)
    assert (found["cash:USD"] == 0.0).all()
    assert np.linalg.eigvalsh(found.to_numpy()).min() > -1e-12
