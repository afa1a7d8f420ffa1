"""The arithmetic of sleeves against figures worked by hand or published."""

import math

import pytest

from portfolio.sleeves import (
    annual_funding,
    black_scholes_call,
    black_scholes_put,
    capital_per_coin,
    compounded_basis,
    covered_call_premium,
    daily_yield,
    hedged_losses,
    log_basis,
    on_capital,
    short_liquidation_distance,
    short_liquidation_price,
    simple_basis,
)


@pytest.mark.parametrize(("leverage", "apr"), [(2, 8.0), (3, 8.9), (5, 10.0), (10, 10.9)])
def test_funding_of_11_9_percent_on_notional_is_less_on_capital(leverage: float, apr: float) -> None:
    # The simulated figures of the design's notes; a tenth of a point is what simulating costs.
    assert 100 * on_capital(0.119, leverage) == pytest.approx(apr, abs=0.1)


def test_capital_is_the_coin_and_its_margin() -> None:
    assert capital_per_coin(60_000, 3) == pytest.approx(80_000)


@pytest.mark.parametrize("hours", [1.0, 4.0, 8.0])
def test_funding_is_annualised_by_its_intervals(hours: float) -> None:
    # 0.01 % in 8 hours is 10.95 % a year at any interval.
    rates = [0.0001 * hours / 8] * 10
    assert annual_funding(rates, [hours] * 10) == pytest.approx(0.1095)


def test_one_hot_settlement_does_not_move_the_median_and_a_mixed_history_counts_by_hours() -> None:
    assert annual_funding([0.0001, 0.0001, 0.003], [8, 8, 8]) == pytest.approx(0.1095)
    assert annual_funding([0.0001, 0.00005], [8, 4]) == pytest.approx(0.1095)
    assert annual_funding([-0.0001, 0.0001], [8, 8]) == 0.0
    assert annual_funding([], []) is None


def test_basis_of_92_days_simple_compounded_and_log() -> None:
    assert 100 * simple_basis(63_000, 60_000, 92) == pytest.approx(19.837, abs=5e-4)
    assert 100 * compounded_basis(63_000, 60_000, 92) == pytest.approx(21.357, abs=5e-4)
    assert 100 * log_basis(63_000, 60_000, 92) == pytest.approx(19.357, abs=5e-4)


def test_a_short_at_three_times_is_liquidated_a_third_higher() -> None:
    assert short_liquidation_price(60_000, 3, 0.005) == pytest.approx(79_601.99, abs=0.005)
    assert short_liquidation_distance(3, 0.005) == pytest.approx(0.3267, abs=5e-5)


def test_a_year_of_daily_yield_is_the_apy() -> None:
    assert (1 + daily_yield(0.05)) ** 365 == pytest.approx(1.05)


def test_black_scholes_is_hulls_example() -> None:
    call, _ = black_scholes_call(42, 40, 0.1, 0.2, 0.5)
    assert call == pytest.approx(4.76, abs=0.005)
    assert black_scholes_put(42, 40, 0.1, 0.2, 0.5) == pytest.approx(0.81, abs=0.005)


def test_a_call_a_tenth_out_of_the_money() -> None:
    call, delta = black_scholes_call(60_000, 66_000, 0.04, 0.55, 30 / 365)
    assert call == pytest.approx(1_713.07, abs=0.005)
    assert delta == pytest.approx(0.3069, abs=5e-5)


def test_the_premium_of_a_written_call_is_a_share_of_the_coin() -> None:
    premium, delta = covered_call_premium(60_000, 66_000, 0.55, 30)
    price, _ = black_scholes_call(60_000, 66_000, 0.0, 0.55, 30 / 365)
    assert premium == pytest.approx(price / 60_000 * 365 / 30)
    assert 0.28 < delta < 0.31


def test_what_a_hedged_coin_can_lose() -> None:
    losses = hedged_losses(3, 1.0, 0.1, 0.1)
    assert losses == pytest.approx(
        {"venue_loss": 1.0, "depeg": 0.1, "liquidation": 0.25, "auto_deleveraging": 0.075}
    )
    assert all(math.isfinite(loss) and 0 <= loss <= 1 for loss in losses.values())
