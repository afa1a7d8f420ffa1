"""What a recommendation came to, against figures by hand."""

import numpy as np
import pandas as pd
import pytest

from portfolio.score import incomplete, is_hit, needed, score

RETURNS = pd.DataFrame({"spot:BTC": [0.10, -0.10], "cash:USDT": [0.0, 0.0]})
ALL_IN, HALF, OUT = {"spot:BTC": 1.0}, {"spot:BTC": 0.5, "cash:USDT": 0.5}, {"cash:USDT": 1.0}


def test_weights_are_bought_once_and_held():
    found = score(RETURNS, ALL_IN, HALF, OUT, (10.0, 3.0))
    assert found.hold_return == pytest.approx(1.1 * 0.9 - 1.0)
    assert found.proposed_return == pytest.approx((1.1 * 0.9 - 1.0) / 2 - 0.001)
    assert found.reference_return == pytest.approx(0.0)
    assert found.return_bps == pytest.approx(50.0)


def test_less_variance_is_worth_what_the_estimate_said_it_would_be():
    found = score(RETURNS, ALL_IN, HALF, None, (0.0, 3.0))
    held, proposed = np.var([0.10, -0.10], ddof=1), np.var([0.05, 0.995 / 1.05 - 1], ddof=1)
    assert found.risk_bps == pytest.approx(0.5 * 3.0 * (held - proposed) * 2 * 1e4)
    assert found.benefit_bps == pytest.approx(found.return_bps + found.risk_bps)
    assert found.reference_return is None


def test_a_horizon_of_one_day_has_no_variance():
    assert score(RETURNS[:1], ALL_IN, OUT, None, (0.0, 3.0)).risk_bps == 0.0


def test_only_lines_that_are_held_need_prices():
    assert needed({"spot:BTC": 0.0, "spot:ETH": 0.2}, {"cash:USDT": 1.0}) == ("cash:USDT", "spot:ETH")
    gap = RETURNS.assign(**{"spot:ETH": [0.1, float("nan")]})
    assert incomplete(gap, ("spot:BTC", "spot:ETH", "spot:XRP")) == ("spot:ETH", "spot:XRP")


@pytest.mark.parametrize(
    ("decision", "benefit", "hit"),
    [("proposed", 11.0, True), ("proposed", 10.0, False), ("hold", 10.0, True), ("hold", 11.0, False)],
)
def test_a_trade_must_pay_for_itself_and_a_hold_must_miss_nothing(decision, benefit, hit):
    assert is_hit(decision, benefit, 10.0) is hit
