"""Losses worked out by hand, allocated in proportion, and said not to be known where no data are."""

import math
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from portfolio.lab.exposures import Exposure, exposures_of, places_of
from portfolio.lab.stress import Episode, historical, hypothetical
from portfolio.model import Policy, Position
from portfolio.sleeves import hedged_losses
from tests.portfolio.hedged import carry, pool

LOSSES = hedged_losses(3, 1.0, 0.1, 0.2)


def named(scenarios):
    return {x.name: x for x in scenarios}


def portfolio():
    """Half coins and cash, half of it built: weights that sum to one."""
    terms = {
        "carry:BTC": carry(
            "BTC", losses=LOSSES, liquidation_distance=0.30, expected_return=0.09, haircut=0.01
        ),
        "yield:USDC": pool("USDC", "aave-v3", "yield:USDC", 1.0),
    }
    weights = {"spot:BTC": 0.4, "carry:BTC": 0.2, "yield:USDC": 0.1, "cash:USDT": 0.2, "cash:USD": 0.1}
    places = {"spot:BTC": {"binance": 0.5, "kraken": 0.5}, "cash:USDT": {"kraken": 1.0}}
    return exposures_of(weights, terms, places, Policy(), {"USDT", "USDC"})


def frame(columns, first="2024-01-01"):
    rows = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.date_range(first, periods=rows, freq="D"))


EMPTY = pd.DataFrame(index=pd.DatetimeIndex([]))


def test_a_fall_takes_net_delta_and_a_rise_liquidates_the_short():
    found = named(hypothetical(portfolio(), EMPTY))
    assert found["price_minus_30"].loss == pytest.approx(0.4 * 0.30)
    assert found["price_minus_50"].loss == pytest.approx(0.4 * 0.50)
    # the carry loses its margin, a quarter of its capital, and its coins, three quarters, gain a half
    assert found["price_plus_50"].by_line["carry:BTC"] == pytest.approx(0.2 * (0.25 - 0.75 * 0.5))
    assert found["price_plus_50"].loss == pytest.approx(-0.4 * 0.5 + 0.2 * (0.25 - 0.75 * 0.5))
    assert found["liquidation:carry:BTC"].numbers["distance"] == 0.30


def test_a_stablecoin_falls_with_all_that_is_worth_it():
    found = named(hypothetical(portfolio(), EMPTY))
    assert found["depeg:USDC"].by_line == {"yield:USDC": pytest.approx(0.1 * 0.12)}
    assert "cash:USDT" in found["depeg:USDT"].by_line
    assert not [name for name in found if name == "depeg:USD"]


def test_a_venue_takes_what_lies_there_and_the_hedges_of_coins_elsewhere():
    found = named(hypothetical(portfolio(), EMPTY))
    # half the coins, and the whole carry: coin, margin and short are there
    assert found["venue_loss:binance"].loss == pytest.approx(0.4 * 0.5 + 0.2)
    assert found["venue_loss:kraken"].loss == pytest.approx(0.4 * 0.5 + 0.2)
    apart = {"carry:BTC": carry("BTC", spot_venue="kraken", losses=LOSSES)}
    split = named(hypothetical(exposures_of({"carry:BTC": 1.0}, apart, {}, Policy(), {"USDT"}), EMPTY))
    # margin 1/4 is gone; the coin elsewhere, 3/4, falls by a fifth before it is hedged again
    assert split["venue_loss:binance"].loss == pytest.approx(0.25 + 0.75 * 0.2)
    assert split["venue_loss:kraken"].loss == pytest.approx(0.75)


def test_funding_and_exploit_by_hand():
    found = named(hypothetical(portfolio(), EMPTY))
    assert found["funding_flip"].loss == pytest.approx(0.2 * 0.10 * 30 / 365)
    assert found["auto_deleveraging"].loss == pytest.approx(0.2 * 0.75 * 0.2)
    assert found["exploit:aave-v3"].loss == pytest.approx(0.1)


def test_losses_of_the_lines_sum_to_the_loss_and_nothing_is_nan():
    rng = np.random.default_rng(3)
    returns = frame({x.line: 0.03 * rng.standard_normal(400) for x in portfolio()})
    episodes = [Episode("some", date(2024, 3, 1), date(2024, 3, 20))]
    found = (*hypothetical(portfolio(), returns), *historical(portfolio(), returns, episodes))
    assert len(found) > 10
    for one in found:
        assert one.status == ("partial" if one.missing else "complete")
        assert math.isfinite(one.loss)
        assert math.fsum(one.by_line.values()) == pytest.approx(one.loss, abs=1e-15)


def test_an_episode_is_bought_and_held_to_its_worst_close():
    lines = [
        Exposure(line="spot:A", weight=0.5, net_delta=1.0),
        Exposure(line="spot:B", weight=0.5, net_delta=1.0),
    ]
    returns = frame({"spot:A": [0.9, -0.5, 0.2, 0.5], "spot:B": [0.9, 0.1, -0.5, 0.0]}, "2020-01-01")
    (found,) = historical(lines, returns, [Episode("fall", date(2020, 1, 1), date(2020, 1, 4))])
    # worst on the third: A at 0.6, B at 0.55
    assert found.by_line == {"spot:A": pytest.approx(0.2), "spot:B": pytest.approx(0.225)}
    assert found.loss == pytest.approx(0.425)
    assert found.numbers["end"] == pytest.approx(0.5 * 0.1 + 0.5 * 0.45)


def test_an_episode_before_the_data_has_no_figure_and_a_hole_is_no_zero():
    lines = [
        Exposure(line="spot:A", weight=0.5, net_delta=1.0),
        Exposure(line="spot:B", weight=0.3, net_delta=1.0),
        Exposure(line="cash:USD", weight=0.2, net_delta=0.0),
    ]
    fall = frame({"spot:A": [0.0, -0.5, 0.1], "spot:B": [0.0, math.nan, 0.1], "cash:USD": [0.0] * 3})
    before, hole = historical(
        lines, fall, [Episode("before", date(2020, 1, 1), date(2020, 1, 3)),
                      Episode("hole", date(2024, 1, 1), date(2024, 1, 3))]
    )  # fmt: skip
    assert (before.status, before.loss) == ("no_data", None)
    assert before.sentence.endswith("stored for any line.")
    assert before.missing == ("spot:A", "spot:B", "cash:USD")
    assert (hole.status, hole.missing) == ("partial", ("spot:B",))
    assert hole.loss == pytest.approx(0.25)
    assert hole.covered == pytest.approx(0.7)


def test_twice_the_volatility_doubles_the_worst_hundredth():
    returns = frame({"spot:A": [-0.2, -0.1, *([0.001] * 298)]})
    found = named(hypothetical([Exposure(line="spot:A", weight=0.5, net_delta=1.0)], returns))
    # three of 300 days: -20 %, -10 %, +0.1 %
    assert found["volatility_double"].loss == pytest.approx(2 * 0.5 * (0.2 + 0.1 - 0.001) / 3)
    short = named(hypothetical([Exposure(line="spot:A", weight=0.5, net_delta=1.0)], returns.head(100)))
    assert short["volatility_double"].status == "no_data"


def test_lines_lose_in_proportion_to_what_lies_at_the_venue():
    weights = {"spot:BTC": 0.3, "spot:ETH": 0.1, "cash:USDT": 0.6}
    places = {"spot:BTC": {"kraken": 1.0}, "spot:ETH": {"kraken": 0.5, "okx": 0.5}}
    found = named(hypothetical(exposures_of(weights, {}, places, Policy(), {"USDT"}), EMPTY))
    one = found["venue_loss:kraken"]
    assert one.by_line["spot:BTC"] / one.by_line["spot:ETH"] == pytest.approx(0.3 / 0.05)
    assert one.loss == pytest.approx(0.35)
    # where the cash lies is not known: said, and not counted as safe
    assert (one.status, one.missing) == ("partial", ("cash:USDT",))


def test_the_places_of_a_line_are_shares_of_its_capital():
    held = [
        Position(sleeve="spot", asset="BTC", venue="kraken", quantity=Decimal(1)),
        Position(sleeve="spot", asset="BTC", venue="binance", quantity=Decimal(3)),
    ]
    assert places_of(held) == {"spot:BTC": {"binance": 0.75, "kraken": 0.25}}
