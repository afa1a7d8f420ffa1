"""Values, greeks and shocks of held options, against Hull's figures and the integral they are the answer to.

Nothing here is compared with our own formula: a price is the mean of the payoff under the lognormal law,
summed over a fine grid; delta and vega are small differences of that mean.
"""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from portfolio.exposed import HeldExposure
from portfolio.held_options import (
    MARK_HAIRCUT,
    SHOCKED_VOLATILITY,
    ChainQuote,
    HeldOption,
    fair_value,
    option_price,
    value_option,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIMIT = timedelta(hours=26)
GRID = np.linspace(-12.0, 12.0, 480_001)
LAW = np.exp(-(GRID**2) / 2.0) / math.sqrt(2.0 * math.pi) * (GRID[1] - GRID[0])


def mean_payoff(*, is_call, forward, strike, volatility, years):
    """The undiscounted price as an integral, without any closed formula."""
    ends = forward * np.exp(volatility * math.sqrt(years) * GRID - volatility**2 * years / 2.0)
    return float(np.maximum((ends - strike) * (1 if is_call else -1), 0.0) @ LAW)


def option(quantity=1.0, **changes):
    values = {
        "venue": "deribit", "market_id": "BTC-27MAR26-60000-P", "is_call": False, "strike": 60_000.0,
        "expires_at": NOW + 30 * DAY, "quantity": quantity, "value_usd": None, "basis": "bid",
        "forward": 60_000.0, "volatility": 0.55, "years": 30 / 365,
    }  # fmt: skip
    return HeldOption(**(values | changes))


def quote(**changes):
    values = {
        "market_id": "BTC-27MAR26-60000-C", "is_call": True, "strike": 60_000.0,
        "expires_at": NOW + 30 * DAY, "observed_at": NOW - timedelta(hours=3), "forward": 60_000.0,
        "volatility": 0.55, "mark": 3_770.0, "bid": 3_650.0, "ask": 3_900.0,
    }  # fmt: skip
    return ChainQuote(**(values | changes))


def valued(found, quantity, coin=60_000.0, settled=None):
    return value_option(found, "deribit", quantity, NOW, LIMIT, coin, settled)


def test_hulls_example_on_the_forward():
    # Hull, example 15.6: S 42, K 40, r 10 %, σ 20 %, half a year: call 4.76, put 0.81
    forward, discount = 42 * math.exp(0.05), math.exp(-0.05)
    hull = {"strike": 40.0, "market_id": "", "forward": forward, "volatility": 0.2, "years": 0.5}
    for is_call, printed in ((True, 4.76), (False, 0.81)):
        price = option_price(option(is_call=is_call, **hull), np.array([forward]), 0.2, 0.5)[0]
        assert discount * price == pytest.approx(printed, abs=0.005)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("strike", [45_000.0, 60_000.0, 80_000.0])
def test_delta_and_vega_are_differences_of_the_mean_payoff(is_call, strike):
    held = option(-2.0, is_call=is_call, strike=strike)
    terms = {"is_call": is_call, "strike": strike, "years": 30 / 365}
    up = mean_payoff(forward=60_060.0, volatility=0.55, **terms)
    down = mean_payoff(forward=59_940.0, volatility=0.55, **terms)
    assert held.delta_usd == pytest.approx(-2.0 * (up - down) / 120.0 * 60_000.0, rel=1e-4)
    more = mean_payoff(forward=60_000.0, volatility=0.551, **terms)
    less = mean_payoff(forward=60_000.0, volatility=0.549, **terms)
    assert held.vega_usd == pytest.approx(-2.0 * (more - less) / 0.2, rel=1e-4)
    assert held.notional_usd == 120_000.0


def test_a_short_put_under_minus_fifty_percent_costs_what_its_payoff_says_and_not_what_its_delta_says():
    held = option(-1.0)
    book = HeldExposure(
        line="options:BTC", asset="BTC", delta_usd=held.delta_usd, gross_usd=60_000.0, options=(held,)
    )
    now = mean_payoff(is_call=False, forward=60_000.0, strike=60_000.0, volatility=0.55, years=30 / 365)
    worst = max(
        mean_payoff(
            is_call=False, forward=30_000.0, strike=60_000.0, volatility=0.55 * factor, years=30 / 365
        )
        for factor in (0.75, 1.0, 1.5)
    )
    gain = book.gain(np.array([-0.5]), factors=SHOCKED_VOLATILITY)[0]
    assert -gain == pytest.approx(worst - now, rel=1e-6)
    assert -gain > 26_000  # about 30,000 less the premium
    linear = held.delta_usd * 0.5
    assert linear < 15_000  # half the coin, at most: what a linear answer would have said


def test_a_long_option_never_loses_more_than_it_is_worth_and_an_ended_one_is_worth_its_intrinsic_value():
    held = option(1.0)
    worth = mean_payoff(is_call=False, forward=60_000.0, strike=60_000.0, volatility=0.55, years=30 / 365)
    assert held.gain(np.array([5.0]))[0] == pytest.approx(-worth, rel=1e-6)
    assert held.gain(np.array([-0.25]), days=31)[0] == pytest.approx(15_000 - worth, rel=1e-6)
    assert np.isfinite(held.gain(np.array([-1.0, -3.0]))).all()
    assert held.gain(np.array([-1.0]))[0] == pytest.approx(60_000 - worth, rel=1e-6)


def test_contracts_beside_options_move_in_proportion():
    held = option(-1.0, value_usd=-3_800.0)
    book = HeldExposure(
        line="x", asset="BTC", delta_usd=held.delta_usd - 90_000, gross_usd=0.0, steady_usd=-90_000.0,
        options=(held,),
    )  # fmt: skip
    moves = np.array([-0.1, 0.2])
    assert book.gain(moves) == pytest.approx(-90_000 * moves + held.gain(moves))
    assert book.vega_usd == held.vega_usd


def test_long_at_the_bid_short_at_the_ask():
    bought, written = valued(quote(), 2.0), valued(quote(), -2.0)
    assert (bought.value_usd, bought.basis) == (2 * 3_650.0, "bid")
    assert (written.value_usd, written.basis) == (-2 * 3_900.0, "ask")


def test_where_nobody_quotes_the_mark_counts_less_the_haircut():
    bare = quote(bid=None, ask=None)
    assert valued(bare, 1.0).value_usd == pytest.approx(3_770.0 * 0.9)
    assert valued(bare, -1.0).value_usd == pytest.approx(-3_770.0 * 1.1)
    assert valued(bare, 1.0).basis == "mark"
    assert pytest.approx(0.10) == MARK_HAIRCUT


def test_an_old_quote_is_a_model_at_todays_price_of_the_coin():
    old = quote(observed_at=NOW - timedelta(hours=27))
    # valued as of the day's beginning, so that an hour changes nothing
    years = (30.5 * 86_400) / 86_400 / 365
    fair = mean_payoff(is_call=True, forward=50_000.0, strike=60_000.0, volatility=0.55, years=years)
    assert valued(old, 1.0, coin=50_000.0).value_usd == pytest.approx(0.9 * fair, rel=1e-6)
    assert valued(old, -1.0, coin=50_000.0).value_usd == pytest.approx(-1.1 * fair, rel=1e-6)
    assert valued(old, -1.0, coin=50_000.0).basis == "model"
    assert valued(quote(observed_at=NOW - timedelta(hours=26)), 1.0).basis == "bid"


def test_what_nothing_prices_is_worth_nothing_if_bought_and_not_known_if_written():
    gone = quote(observed_at=NOW - 8 * DAY)
    for known in (gone, quote(observed_at=NOW - 2 * DAY, volatility=None)):
        bought, written = valued(known, 1.0), valued(known, -1.0)
        assert (bought.value_usd, bought.basis) == (0.0, "none")
        assert (written.value_usd, written.basis) == (None, "none")
        assert (bought.delta_usd, bought.vega_usd, bought.notional_usd) == (0.0, 0.0, 0.0)
    assert valued(quote(observed_at=NOW - 2 * DAY), -1.0, coin=None).value_usd is None


def test_an_expired_option_is_worth_what_it_settled_at_and_moves_with_nothing():
    ended = quote(expires_at=NOW - timedelta(hours=4))
    held = valued(ended, -2.0, coin=90_000.0, settled=66_500.0)
    assert (held.value_usd, held.basis, held.delta_usd) == (-13_000.0, "settled", 0.0)
    assert held.gain(np.array([-0.5, 0.5])).tolist() == [0.0, 0.0]
    assert valued(ended, 1.0, settled=50_000.0).value_usd == 0.0
    later = value_option(ended, "deribit", 2.0, NOW, LIMIT, 90_000.0, 66_500.0, NOW - timedelta(hours=1))
    assert (later.value_usd, later.basis) == (0.0, "over")
    assert valued(ended, -1.0).value_usd is None


def test_the_fair_value_of_a_quote_is_the_mean_payoff_at_the_moment_it_was_read():
    years = (30 + 3 / 24) / 365
    fair = mean_payoff(is_call=True, forward=60_000.0, strike=60_000.0, volatility=0.55, years=years)
    assert fair_value(quote()) == pytest.approx(fair, rel=1e-6)
    assert fair_value(quote(forward=None)) is None
