"""What held options and contracts lose in the scenarios: re-priced, by figures that are not our formula's."""

import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from portfolio.exposed import HeldExposure
from portfolio.held_options import HeldOption
from portfolio.lab.exposures import exposures_of
from portfolio.lab.garch import monte_carlo
from portfolio.lab.stress import Episode, historical, hypothetical
from portfolio.model import Policy
from tests.portfolio.test_held_options import mean_payoff

NAV = 100_000.0
EMPTY = pd.DataFrame(index=pd.DatetimeIndex([]))
TERMS = {"is_call": False, "strike": 60_000.0, "years": 30 / 365}


def put(quantity=-1.0):
    return HeldOption(
        venue="deribit", market_id="BTC-27MAR26-60000-P", is_call=False, strike=60_000.0,
        expires_at=datetime(2026, 3, 27, 8, tzinfo=UTC), quantity=quantity, value_usd=-3_900.0, basis="ask",
        forward=60_000.0, volatility=0.55, years=30 / 365,
    )  # fmt: skip


def book(*, weights=None, **held):
    """Two fifths coins, the rest dollars, and beside them what is held."""
    weights = weights or {"spot:BTC": 0.4, "cash:USD": 0.6}
    return exposures_of(weights, {}, {}, Policy(), {"USDT"}, (held, NAV))


def options(quantity=-1.0):
    one = put(quantity)
    return HeldExposure(
        line="options:BTC", asset="BTC", delta_usd=one.delta_usd, gross_usd=60_000.0, options=(one,)
    )


def perp(usd=-30_000.0):
    return HeldExposure(line="perp:BTC", asset="BTC", delta_usd=usd, gross_usd=30_000.0, steady_usd=usd)


def test_a_short_put_in_the_price_scenarios():
    found = {x.name: x for x in hypothetical(book(**{"options:BTC": options()}), EMPTY)}
    now = mean_payoff(forward=60_000.0, volatility=0.55, **TERMS)
    for name, forward in (
        ("price_minus_30", 42_000.0),
        ("price_minus_50", 30_000.0),
        ("price_plus_50", 90_000.0),
    ):
        worst = max(mean_payoff(forward=forward, volatility=0.55 * x, **TERMS) for x in (0.75, 1.0, 1.5))
        own = (worst - now) / NAV
        assert found[name].by_line["options:BTC"] == pytest.approx(own, rel=1e-5)
        move = 1 - forward / 60_000.0
        assert found[name].loss == pytest.approx(own + 0.4 * move, rel=1e-5)
        assert "re-priced" in found[name].sentence
    # half the coin gone costs the strike's other half less the premium, seven tenths more than by delta
    assert found["price_minus_50"].by_line["options:BTC"] > 1.7 * 0.5 * options().delta_usd / NAV


def test_a_short_perpetual_without_capital_gains_what_its_notional_says():
    found = {x.name: x for x in hypothetical(book(**{"perp:BTC": perp()}), EMPTY)}
    assert found["price_minus_50"].by_line["perp:BTC"] == pytest.approx(-0.15)
    assert found["price_minus_50"].loss == pytest.approx(0.2 - 0.15)
    assert "re-priced" not in found["price_minus_50"].sentence


def test_an_episode_re_prices_at_each_close():
    days = pd.date_range("2024-01-02", periods=3, freq="D")
    returns = pd.DataFrame({"spot:BTC": [-0.2, -0.25, 0.1], "cash:USD": 0.0}, index=days)
    episode = Episode("fall", days[0].date() - pd.Timedelta(days=1), days[-1].date())
    (found,) = historical(book(**{"options:BTC": options()}), returns, (episode,))
    now = mean_payoff(forward=60_000.0, volatility=0.55, **TERMS)
    then = mean_payoff(forward=36_000.0, volatility=0.55, **TERMS)
    assert found.by_line["options:BTC"] == pytest.approx((then - now) / NAV, rel=1e-5)
    assert found.loss == pytest.approx(0.4 * 0.4 + (then - now) / NAV, rel=1e-5)
    assert found.status == "complete"


def test_a_debt_is_no_gain_where_its_venue_fails():
    weights = {"spot:BTC": 0.4, "cash:USD": 0.64, "options:BTC": -0.04}
    places = {"options:BTC": {"deribit": 1.0}}
    held = exposures_of(weights, {}, places, Policy(), {"USDT"}, ({"options:BTC": options()}, NAV))
    found = {x.name: x for x in hypothetical(held, EMPTY)}
    assert found["venue_loss:deribit"].loss == 0.0
    long = exposures_of(
        {**weights, "options:BTC": 0.04}, {}, places, Policy(), {"USDT"}, ({"options:BTC": options(1.0)}, NAV)
    )
    assert {x.name: x for x in hypothetical(long, EMPTY)}["venue_loss:deribit"].loss == pytest.approx(0.04)


def test_paths_move_coin_and_options_together_and_a_hedged_book_loses_less():
    rng = np.random.default_rng(5)
    index = pd.date_range("2024-01-01", periods=400, freq="D")
    returns = pd.DataFrame({"spot:BTC": 0.03 * rng.standard_normal(400), "cash:USD": 0.0}, index=index)
    plain, _ = monte_carlo(book(), returns, 20, 500, 7)
    hedged, _ = monte_carlo(book(**{"perp:BTC": perp(-40_000.0)}), returns, 20, 500, 7)
    insured, _ = monte_carlo(book(**{"options:BTC": options(0.6667)}), returns, 20, 500, 7)
    assert hedged.loss == pytest.approx(0.0, abs=1e-9)
    assert 0.0 < insured.loss < plain.loss
    assert math.isclose(plain.covered, 1.0)
