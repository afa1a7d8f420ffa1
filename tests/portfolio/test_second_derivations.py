"""The published figures once more, by a second way to compute each.

The tables of He and Litterman (1999), Idzorek (2005) and Lopez de Prado (2016), and Hull's example, stand in
tests as they are known from these papers; the papers are not at hand where the tests run. What is verified
here is that each figure follows from the inputs which the paper states, by a derivation that shares no line
with the product's: mixed estimation by least squares, clusters merged by hand, an integral over the payoff,
the balance of an account solved by bisection.
"""

import math

import numpy as np
import pandas as pd
import pytest
from pypfopt.black_litterman import BlackLittermanModel

from portfolio.expected_returns.black_litterman import Views, implied_returns, posterior, view_variances
from portfolio.optimisers import hrp
from portfolio.sleeves import black_scholes_call, black_scholes_put, short_liquidation_distance
from tests.portfolio.test_estimators import COUNTRIES, he_litterman
from tests.portfolio.test_views import AVERSION, MARKET, TAU_2005, idzorek


def mixed(sigma, prior, picks, wanted, variances, tau):
    """Theil and Goldberger's mixed estimation: prior and views as observations of the mean, weighted."""
    size = len(prior)
    noise = np.zeros((size + len(wanted),) * 2)
    noise[:size, :size] = tau * sigma
    noise[size:, size:] = np.diag(variances)
    white = np.linalg.inv(np.linalg.cholesky(noise))
    design, seen = np.vstack([np.eye(size), picks]), np.concatenate([prior, wanted])
    return np.linalg.lstsq(white @ design, white @ seen, rcond=None)[0]


def test_idzoreks_returns_and_weights_follow_from_his_inputs_by_least_squares():
    sigma, picks, wanted = idzorek()
    prior = AVERSION * sigma @ MARKET
    # His Ω, by hand: τ times the variance of each view's portfolio.
    variances = [TAU_2005 * float(p @ sigma.to_numpy() @ p) for p in picks.to_numpy()]
    ours = view_variances(sigma, picks, [0.5] * 3, "he_litterman", tau=TAU_2005)
    assert ours == pytest.approx(variances, rel=1e-12)
    squares = mixed(sigma.to_numpy(), prior.to_numpy(), picks.to_numpy(), wanted, variances, TAU_2005)
    mean, _ = posterior(sigma, prior, Views(picks=picks, returns=wanted, variances=ours), tau=TAU_2005)
    assert mean.to_numpy() == pytest.approx(squares, abs=1e-10)
    assert 100 * squares == pytest.approx([0.07, 0.50, 6.50, 4.32, 7.59, 3.94, 4.93, 6.84], abs=0.015)
    weights = 100 * np.linalg.solve(AVERSION * sigma.to_numpy(), squares)
    assert weights == pytest.approx([29.88, 15.59, 9.35, 14.82, 1.04, 1.65, 27.81, 3.49], abs=0.05)
    theirs = BlackLittermanModel(
        sigma, pi=prior, P=picks.to_numpy(), Q=wanted, omega=np.diag(variances), tau=TAU_2005
    )
    assert theirs.bl_returns().to_numpy() == pytest.approx(squares, abs=1e-10)


def test_he_and_littermans_posterior_follows_from_their_inputs_by_least_squares():
    sigma, weights = he_litterman()
    prior = implied_returns(sigma, weights, 2.5)
    picks = pd.DataFrame([{"UK": -12.4 / 17.6, "Germany": 1.0, "France": -5.2 / 17.6}])
    p = picks.reindex(columns=COUNTRIES, fill_value=0.0).to_numpy()
    variance = 0.05 * float((p @ sigma.to_numpy() @ p.T)[0, 0])
    squares = mixed(sigma.to_numpy(), prior.to_numpy(), p, np.array([0.05]), [variance], 0.05)
    assert (100 * squares).round(1).tolist() == [4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1]


def leaves(distance):
    """Single linkage by hand: the nearest two clusters become one, until one is left; its leaves in order."""
    rows = dict(enumerate(distance))
    far = {(i, j): math.dist(rows[i], rows[j]) for i in rows for j in rows if i < j}
    clusters = {i: [i] for i in rows}
    while len(clusters) > 1:
        near = {
            (a, b): min(far[min(i, j), max(i, j)] for i in clusters[a] for j in clusters[b])
            for a in clusters
            for b in clusters
            if a < b
        }
        a, b = min(near, key=lambda pair: near[pair])
        clusters[max(clusters) + 1 if max(clusters) >= len(rows) else len(rows)] = clusters[a] + clusters[b]
        del clusters[a], clusters[b]
    return next(iter(clusters.values()))


def bisected(covariance, items):
    """Weights of the items, the two halves by their inverse-variance portfolios, all the way down."""
    if len(items) == 1:
        return {items[0]: 1.0}

    def risk(half):
        inverse = [1.0 / covariance[i, i] for i in half]
        share = [x / sum(inverse) for x in inverse]
        return sum(
            share[a] * share[b] * covariance[i, j] for a, i in enumerate(half) for b, j in enumerate(half)
        )

    left, right = items[: len(items) // 2], items[len(items) // 2 :]
    up = risk(right) / (risk(left) + risk(right))
    found = {i: up * w for i, w in bisected(covariance, left).items()}
    return found | {i: (1.0 - up) * w for i, w in bisected(covariance, right).items()}


def by_hand(covariance):
    deviation = np.sqrt(np.diag(covariance))
    correlation = np.minimum(covariance / np.outer(deviation, deviation), 1.0)
    found = bisected(covariance, leaves(np.sqrt((1.0 - correlation) / 2.0)))
    return np.array([found[i] for i in range(len(covariance))])


def test_lopez_de_prados_weights_follow_from_his_data_by_hand():
    rng = np.random.RandomState(12345)
    independent = rng.normal(0, 1, size=(10_000, 5))
    noisy = independent[:, [2, 0, 4, 1, 1]] + rng.normal(0, 0.25, size=(10_000, 5))
    covariance = np.cov(np.hstack([independent, noisy]).T)
    weights = by_hand(covariance)
    published = [7.00, 7.59, 10.84, 19.03, 9.72, 10.19, 6.62, 9.10, 7.12, 12.79]
    assert (100 * weights).round(2).tolist() == published
    assert hrp.hrp_weights(covariance) == pytest.approx(weights, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_hrp_is_the_same_by_hand_on_any_covariance(seed):
    rng = np.random.default_rng(seed)
    covariance = np.cov(rng.standard_normal((60, 9)) @ rng.standard_normal((9, 9)), rowvar=False)
    assert hrp.hrp_weights(covariance) == pytest.approx(by_hand(covariance), abs=1e-12)


def test_hulls_option_is_the_integral_of_its_payoff():
    """J. Hull, "Options, Futures, and Other Derivatives": S 42, K 40, r 10 %, σ 20 %, half a year."""
    z = np.linspace(-9.0, 9.0, 400_001)
    density = np.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)
    end = 42.0 * np.exp((0.1 - 0.02) * 0.5 + 0.2 * math.sqrt(0.5) * z)
    discount = math.exp(-0.05)
    call = discount * float(np.trapezoid(np.maximum(end - 40.0, 0.0) * density, z))
    put = discount * float(np.trapezoid(np.maximum(40.0 - end, 0.0) * density, z))
    assert (round(call, 2), round(put, 2)) == (4.76, 0.81)
    assert black_scholes_call(42, 40, 0.1, 0.2, 0.5)[0] == pytest.approx(call, abs=1e-6)
    assert black_scholes_put(42, 40, 0.1, 0.2, 0.5) == pytest.approx(put, abs=1e-6)


@pytest.mark.parametrize(("leverage", "rate"), [(3.0, 0.005), (10.0, 0.004), (1.0, 0.05), (20.0, 0.01)])
def test_a_short_is_liquidated_where_its_equity_is_its_maintenance_margin(leverage, rate):
    """Binance USD-M and Bybit linear, isolated: margin + entry − price = rate × price, by bisection."""
    entry, low, high = 60_000.0, 60_000.0, 600_000.0
    for _ in range(200):
        middle = (low + high) / 2.0
        alive = entry / leverage + entry - middle > rate * middle
        low, high = (middle, high) if alive else (low, middle)
    assert entry * (1.0 + short_liquidation_distance(leverage, rate)) == pytest.approx(low, rel=1e-9)
    if (leverage, rate) == (3.0, 0.005):
        assert low == pytest.approx(79_601.99, abs=0.005)
