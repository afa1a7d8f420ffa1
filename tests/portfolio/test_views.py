"""Black-Litterman views: Idzorek's published example, his confidences, and what an unproven view does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from portfolio.decision import decide
from portfolio.estimates import Panel, estimate, with_terms
from portfolio.expected_returns import black_litterman, capm
from portfolio.expected_returns.black_litterman import Views, moved, posterior, view_variances
from portfolio.failure import AllocationFailure
from portfolio.model import Leg
from portfolio.risk_models import ledoit_wolf, sample
from portfolio.views import View
from tests.portfolio.calm import carry
from tests.portfolio.market import CAPS, inputs, policy, returns

CLASSES = [
    "US bonds",
    "Int'l bonds",
    "US large growth",
    "US large value",
    "US small growth",
    "US small value",
    "Int'l developed",
    "Int'l emerging",
]
MARKET = pd.Series([19.34, 26.13, 12.09, 12.09, 1.34, 1.34, 24.18, 3.49], index=CLASSES) / 100
PRIOR = pd.Series([0.08, 0.67, 6.41, 4.08, 7.43, 3.70, 4.80, 6.60], index=CLASSES) / 100
ROWS = [
    [0.001005],
    [0.001328, 0.007277],
    [-0.000579, -0.001307, 0.059852],
    [-0.000675, -0.000610, 0.027588, 0.029609],
    [0.000121, -0.002237, 0.063497, 0.026572, 0.102488],
    [0.000128, -0.000989, 0.023036, 0.021465, 0.042744, 0.032056],
    [-0.000445, 0.001442, 0.032967, 0.020697, 0.039943, 0.019881, 0.028355],
    [-0.000437, -0.001535, 0.048039, 0.029854, 0.065994, 0.032235, 0.035064, 0.079958],
]
AVERSION, TAU_2005 = 3.07, 0.025


def idzorek():
    """Covariance (table 5) and the three views of T. Idzorek, "A step-by-step guide ..." (2005)."""
    sigma = np.zeros((8, 8))
    for i, row in enumerate(ROWS):
        sigma[i, : i + 1] = sigma[: i + 1, i] = row
    picks = pd.DataFrame(0.0, index=range(3), columns=CLASSES)
    picks.loc[0, "Int'l developed"] = 1.0
    picks.loc[1, ["US bonds", "Int'l bonds"]] = [-1.0, 1.0]
    picks.loc[2, CLASSES[2:6]] = [0.9, -0.9, 0.1, -0.1]
    return pd.DataFrame(sigma, index=CLASSES, columns=CLASSES), picks, np.array([0.0525, 0.0025, 0.02])


def portfolio(variances, which=slice(None)):
    sigma, picks, wanted = idzorek()
    views = Views(picks=picks.iloc[which], returns=wanted[which], variances=variances)
    mean, _ = posterior(sigma, PRIOR, views, tau=TAU_2005)
    return mean, pd.Series(np.linalg.solve(AVERSION * sigma.to_numpy(), mean.to_numpy()), index=CLASSES)


def test_the_variances_of_the_views_are_idzoreks():
    sigma, picks, _ = idzorek()
    found = view_variances(sigma, picks, [0.25, 0.5, 0.65], "he_litterman", tau=TAU_2005)
    assert found.round(6).tolist() == [0.000709, 0.000141, 0.000866]


def test_returns_and_weights_are_idzoreks_table_6():
    sigma, picks, wanted = idzorek()
    variances = view_variances(sigma, picks, [0.5] * 3, "he_litterman", tau=TAU_2005)
    prior = AVERSION * sigma @ MARKET
    assert (100 * prior).to_numpy() == pytest.approx((100 * PRIOR).to_numpy(), abs=0.015)
    views = Views(picks=picks, returns=wanted, variances=variances)
    mean, _ = posterior(sigma, prior, views, tau=TAU_2005)
    published = [0.07, 0.50, 6.50, 4.32, 7.59, 3.94, 4.93, 6.84]
    assert (100 * mean).to_numpy() == pytest.approx(published, abs=0.015)
    weights = np.linalg.solve(AVERSION * sigma.to_numpy(), mean.to_numpy())
    published = [29.88, 15.59, 9.35, 14.82, 1.04, 1.65, 27.81, 3.49]  # inputs are printed rounded
    assert 100 * weights == pytest.approx(published, abs=0.05)


def test_a_certain_view_tilts_as_idzorek_prints_and_his_implied_confidences_come_out():
    """Table 8: weights at 100 % confidence; implied confidences 43.06 %, 33.02 % and 32.94 %."""
    sigma, picks, wanted = idzorek()
    prior = AVERSION * sigma @ MARKET  # his unrounded prior, so that only rounding of the inputs is left

    def weights(variances):
        views = Views(picks=picks, returns=wanted, variances=variances)
        mean, _ = posterior(sigma, prior, views, tau=TAU_2005)
        return 100 * np.linalg.solve(AVERSION * sigma.to_numpy(), mean.to_numpy())

    certain = weights(np.zeros(3))
    assert certain == pytest.approx([43.82, 1.65, 3.81, 20.37, 0.42, 2.26, 35.21, 3.49], abs=0.1)
    some = weights(view_variances(sigma, picks, [0.5] * 3, "he_litterman", tau=TAU_2005))
    implied = (some - 100 * MARKET.to_numpy())[:7] / (certain - 100 * MARKET.to_numpy())[:7]
    assert 100 * implied[[0, 1]] == pytest.approx([43.06, 43.06], abs=0.15)
    assert 100 * implied[[2, 3]] == pytest.approx([33.02, 33.02], abs=0.3)
    assert 100 * implied[6] == pytest.approx(32.94, abs=0.2)


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("confidence", [0.1, 0.25, 0.65, 0.9])
def test_a_confidence_is_the_share_of_the_tilt_that_certainty_would_give(k, confidence):
    """Idzorek's definition: tilt = confidence × (weights at certainty − market weights), view by view."""
    sigma, picks, _ = idzorek()
    one = slice(k, k + 1)
    variance = view_variances(sigma, picks.iloc[one], [confidence], "idzorek", tau=TAU_2005)
    base = np.linalg.solve(AVERSION * sigma.to_numpy(), PRIOR.to_numpy())
    full, part = portfolio(np.zeros(1), one)[1] - base, portfolio(variance, one)[1] - base
    assert part.to_numpy() == pytest.approx(confidence * full.to_numpy(), abs=1e-12)


def panel(*views, method="idzorek"):
    frame = returns()
    return Panel(
        returns=frame,
        covariance=ledoit_wolf.covariance(frame),
        market_caps=CAPS,
        views=views,
        view_confidence=method,
    )


def view(line="spot:ETH", value=0.10, confidence=0.3, signal="momentum"):
    return View(line=line, value=value, confidence=confidence, signal=signal)


def test_a_view_alone_moves_its_line_by_its_confidence_and_others_by_their_covariance():
    prior, _ = black_litterman.estimate(panel())
    after, _ = black_litterman.estimate(panel(view()))
    assert after["spot:ETH"] - prior["spot:ETH"] == pytest.approx(0.3 * 0.10)
    sigma = ledoit_wolf.covariance(returns())
    beta = sigma.loc["spot:BTC", "spot:ETH"] / sigma.loc["spot:ETH", "spot:ETH"]
    assert after["spot:BTC"] - prior["spot:BTC"] == pytest.approx(0.03 * beta)
    assert after["cash:USDT"] == 0.0


def test_a_view_of_nothing_and_a_view_without_confidence_leave_the_prior():
    prior, _ = black_litterman.estimate(panel())
    for silent in (view(value=0.0), view(confidence=0.0), view(value=float("nan")), view(line="spot:DOGE")):
        after, _ = black_litterman.estimate(panel(silent))
        assert after.to_numpy() == pytest.approx(prior.to_numpy(), abs=1e-15)


def test_the_order_of_views_changes_nothing_and_two_signals_add_up_less_than_fully():
    several = (view(), view(signal="value", value=0.06), view("spot:XRP", -0.2, 0.2))
    first, _ = black_litterman.estimate(panel(*several))
    turned, _ = black_litterman.estimate(panel(*several[::-1]))
    assert first.to_numpy() == pytest.approx(turned.to_numpy(), abs=1e-15)


def test_he_litterman_gives_every_view_the_weight_of_the_prior():
    prior, _ = black_litterman.estimate(panel())
    after, _ = black_litterman.estimate(panel(view(confidence=0.9), method="he_litterman"))
    assert after["spot:ETH"] - prior["spot:ETH"] == pytest.approx(0.05)


def test_certain_views_that_contradict_each_other_are_one_typed_failure():
    sigma = ledoit_wolf.covariance(returns()).iloc[:5, :5]
    prior = pd.Series(0.1, index=sigma.index)
    with pytest.raises(AllocationFailure, match="bad_view"):
        moved(sigma, prior, (view(confidence=1.0), view(confidence=1.0, signal="b", value=0.3)), "idzorek")
    with pytest.raises(AllocationFailure, match="bad_view"):
        view_variances(sigma, pd.DataFrame([{"spot:ETH": 1.0}]), [1.2], "idzorek")


def test_views_reach_the_decision_and_change_its_content():
    loud = inputs(views=(view(value=3.0, confidence=0.9),))
    weight = {
        name: next(t for t in decide(day, policy(), 1).target_lines if t.asset == "ETH").target_weight
        for name, day in (("without", inputs()), ("with", loud))
    }
    assert weight["with"] > weight["without"] + 0.05
    assert loud.content_hash() != inputs().content_hash()


def test_capm_is_beta_times_the_premium():
    frame = returns()
    found, notes = capm.estimate(panel())
    coins = [c for c in frame if c.startswith("spot:")]
    weights = np.array([CAPS[c.removeprefix("spot:")] for c in coins])
    market = frame[coins].to_numpy() @ (weights / weights.sum())
    premium = 0.5 * market.std() * np.sqrt(365)
    for line in coins:
        beta = np.cov(frame[line], market, ddof=0)[0, 1] / market.var()
        assert found[line] == pytest.approx(beta * premium)
    assert found["cash:USDT"] == 0.0
    assert notes == ()
    assert "equal weights" in capm.estimate(replace(panel(), market_caps=None))[1][0].reason


def test_capitalisations_are_a_prior_for_spot_only_and_a_contract_goes_before_history():
    frame = returns()
    rng = np.random.default_rng(1)
    frame["carry:BTC"] = 0.001 + 0.001 * rng.standard_normal(len(frame))
    terms = {"carry:BTC": carry("BTC", 9_200.0)}
    for mean in ("black_litterman", "shrunk_mean", "capm", "exponential"):
        owner = policy(expected_returns=mean)
        plain = estimate(frame[[c for c in frame if c != "carry:BTC"]], {}, owner, CAPS)
        found = with_terms(estimate(frame, {}, owner, CAPS), terms, owner)
        assert found.expected[found.lines.index("carry:BTC")] == 0.12
        coins = [i for i, x in enumerate(plain.lines) if x.startswith("spot:")]
        if mean != "shrunk_mean":  # its covariance is shrunk over one line more
            assert found.expected[coins] == pytest.approx(plain.expected[coins], rel=0.02)


def test_what_is_sold_short_is_borrowed_at_a_cost():
    short = Leg(role="spot", venue="binance", market_id="BTCUSDT", symbol="BTC/USDT", market_type="spot",
                base="BTC", quote="USDT", quantity_per_unit=-1.0, price=9_200.0)  # fmt: skip
    terms = {"carry:BTC": carry("BTC", 9_200.0, legs=(short,))}
    frame = returns()
    frame["carry:BTC"] = 0.001 * np.random.default_rng(1).standard_normal(len(frame))
    found = [
        with_terms(estimate(frame, {}, policy(), CAPS), terms, policy(borrow_rates=rates)).expected[-1]
        for rates in ({}, {"default": 0.08}, {"default": 0.08, "BTC": 0.04})
    ]
    assert found == pytest.approx([0.12, 0.12 - 0.08 * 0.75, 0.12 - 0.04 * 0.75])


def test_the_sample_is_what_the_views_move_too():
    frame = returns()
    owner = policy(risk_model="sample")
    found = estimate(frame, {}, owner, CAPS, (view(),))
    base = estimate(frame, {}, owner, CAPS)
    at = found.lines.index("spot:ETH")
    assert found.expected[at] - base.expected[at] == pytest.approx(0.03)
    assert found.covariance[:5, :5] == pytest.approx(sample.covariance(frame).to_numpy()[:5, :5])
