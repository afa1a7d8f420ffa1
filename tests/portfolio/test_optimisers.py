"""Optimisers against closed forms, independent computations and each other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pypfopt import EfficientFrontier
from scipy.optimize import minimize

from portfolio import fast_qp, qp, registry
from portfolio.failure import AllocationFailure
from portfolio.optimisers import (
    _frontier,
    equal_weight,
    hrp,
    max_quadratic_utility,
    max_sharpe,
    min_volatility,
)
from portfolio.optimisers import policy as fixed
from portfolio.problem import Solution, bindings, tidy, turnover, verify
from portfolio.proposal import propose, solve
from tests.portfolio.market import board, policy
from tests.portfolio.problems import group, problem, random_problem

TWO = np.array([[0.09, 0.02], [0.02, 0.25]])


def test_two_asset_minimum_volatility_closed_form():
    weight = (0.25 - 0.02) / (0.09 + 0.25 - 2 * 0.02)
    assert min_volatility.optimise(problem([0.1, 0.1], TWO)).weights == pytest.approx(
        [weight, 1 - weight], abs=1e-6
    )


def test_two_asset_maximum_sharpe_closed_form():
    raw = np.linalg.solve(TWO, np.array([0.10, 0.30]) - 0.02)
    found = max_sharpe.optimise(problem([0.10, 0.30], TWO, risk_free_rate=0.02)).weights
    assert found == pytest.approx(raw / raw.sum(), abs=1e-6)


def test_merton_share_of_one_coin_and_cash():
    """w = μ / (γσ²), R. Merton (1969), for quadratic utility over one risky line and cash."""
    found = max_quadratic_utility.optimise(problem([0.3, 0.0], np.diag([0.36, 0.0]), cash=1)).weights
    assert found[0] == pytest.approx(0.3 / (3.0 * 0.36), abs=1e-6)


def test_cost_makes_a_no_trade_region_of_the_right_width():
    base = problem(
        [0.3, 0.0], np.diag([0.36, 0.0]), cash=1, cost_rates=np.array([0.002, 0.0]), horizon_days=30
    )
    aim, width = 0.3 / 1.08, 0.002 * 365 / 30 / 1.08
    for start, expected in (
        (aim, aim),
        (aim + 0.9 * width, None),
        (aim + 3 * width, aim + width),
        (0.0, aim - width),
    ):
        now = np.array([start, 1 - start])
        found = max_quadratic_utility.optimise(replace(base, current=now)).weights
        assert found[0] == pytest.approx(start if expected is None else expected, abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_quadratic_utility_equals_the_direct_program_and_a_third_solver(seed):
    now = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.5])
    case = random_problem(
        seed,
        current=now,
        max_turnover=0.2,
        cost_rates=np.array([0.002] * 5 + [0.0]),
        upper=np.array([0.3] * 5 + [1.0]),
        rows=(group("class spot", [1, 1, 1, 1, 1, 0], 0.0, 0.6),),
    )
    found = max_quadratic_utility.optimise(case).weights
    assert found == pytest.approx(max_quadratic_utility.resolve(case), abs=1e-5)
    rate = case.annual_cost_rates()

    def loss(x):  # weights = now + bought - sold
        w = now + x[:6] - x[6:]
        return -(w @ case.expected) + 1.5 * w @ case.covariance @ w + rate @ (x[:6] + x[6:])

    third = minimize(
        loss,
        np.zeros(12),
        method="SLSQP",
        bounds=[(0, 1)] * 12,
        constraints=[
            {"type": "eq", "fun": lambda x: (x[:6] - x[6:]).sum()},
            {"type": "ineq", "fun": lambda x: now + x[:6] - x[6:]},
            {"type": "ineq", "fun": lambda x: case.upper - (now + x[:6] - x[6:])},
            {"type": "ineq", "fun": lambda x: 0.6 - (now + x[:6] - x[6:])[:5].sum()},
            {"type": "ineq", "fun": lambda x: 0.2 - 0.5 * x.sum()},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    best = np.concatenate([np.maximum(found - now, 0), np.maximum(now - found, 0)])
    assert loss(best) <= third.fun + 1e-8


def utility(case):
    w = max_quadratic_utility.optimise(case).weights
    cost = 0.0 if case.current is None else case.annual_cost_rates() @ np.abs(w - case.current)
    return w @ case.expected - 0.5 * case.risk_aversion * w @ case.covariance @ w - cost


def test_shadow_prices_are_finite_differences():
    now = np.array([0.05, 0.05, 0.05, 0.05, 0.05, 0.75])
    case = random_problem(
        11,
        current=now,
        max_turnover=0.25,
        cost_rates=np.array([0.001] * 5 + [0.0]),
        upper=np.array([0.12] * 5 + [1.0]),
        rows=(group("class spot", [1, 1, 1, 1, 1, 0], 0.0, 0.40),),
    )
    solution = max_quadratic_utility.optimise(case)
    prices, step = solution.shadow_prices, 1e-4
    checked = 0
    up = utility(replace(case, max_turnover=0.25 + step)) - utility(replace(case, max_turnover=0.25 - step))
    assert prices["max_turnover"] == pytest.approx(up / (2 * step), abs=1e-5)
    for i, line in enumerate(case.lines):
        bump = np.where(np.arange(6) == i, step, 0.0)
        slope = (
            utility(replace(case, upper=case.upper + bump)) - utility(replace(case, upper=case.upper - bump))
        ) / (2 * step)
        assert prices[f"upper:{line}"] == pytest.approx(slope, abs=1e-5)
        checked += slope > 1e-3
    assert checked >= 1
    wide, narrow = (
        replace(case, rows=(group("class spot", [1, 1, 1, 1, 1, 0], 0.0, 0.40 + s),)) for s in (step, -step)
    )
    slope = (utility(wide) - utility(narrow)) / (2 * step)
    assert prices["class spot upper"] == pytest.approx(slope, abs=1e-5)


def test_a_binding_class_is_named_with_its_price():
    case = problem(
        [0.5, 0.4, 0.0], np.diag([0.3, 0.3, 0.0]), cash=1, rows=(group("class spot", [1, 1, 0], 0, 0.3),)
    )
    solution = max_quadratic_utility.optimise(case)
    name, price = bindings(case, solution)[0]
    assert name == "class spot upper"
    assert price > 0.1


def test_fixed_lines_stay_to_the_last_digit():
    case = random_problem(3, lower=np.array([0.17, 0, 0, 0, 0, 0]), upper=np.array([0.17, 1, 1, 1, 1, 1.0]))
    for name in ("max_quadratic_utility", "min_volatility", "max_sharpe", "hrp", "equal_weight"):
        _, solution = solve(name, replace(case, current=np.array([0.17, 0, 0, 0, 0, 0.83])), {}, None)
        assert solution.weights[0] == pytest.approx(0.17, abs=1e-12), name


@pytest.mark.parametrize("seed", range(4))
def test_minimum_volatility_equals_the_direct_program(seed):
    case = random_problem(seed, upper=np.array([0.4] * 5 + [1.0]), lower=np.array([0.0] * 5 + [0.1]))
    assert min_volatility.optimise(case).weights == pytest.approx(min_volatility.resolve(case), abs=1e-5)


def test_methods_without_use_for_cash_keep_as_little_as_allowed():
    case = random_problem(1, rows=(group("class cash", [0, 0, 0, 0, 0, 1], 0.15, 1.0),))
    for method in (min_volatility, max_sharpe, hrp, equal_weight):
        weights = method.optimise(case).weights
        assert weights[-1] == pytest.approx(0.15, abs=1e-7), method.__name__
        assert weights.sum() == pytest.approx(1.0, abs=1e-7)


def test_what_the_other_bounds_leave_over_is_cash():
    case = random_problem(1, upper=np.array([0.1] * 5 + [1.0]))
    assert equal_weight.optimise(case).weights == pytest.approx([0.1] * 5 + [0.5], abs=1e-7)


def test_equal_weight_is_equal_over_what_may_be_held():
    case = random_problem(1, upper=np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0]))
    assert equal_weight.optimise(case).weights == pytest.approx([0.25, 0.25, 0, 0.25, 0.25, 0], abs=1e-9)


def test_hrp_is_brought_within_bounds():
    case = random_problem(2, upper=np.array([0.22] * 5 + [1.0]))
    weights = hrp.optimise(case).weights
    assert weights.max() <= 0.22 + 1e-8
    verify(case, weights)


def test_maximum_sharpe_refuses_when_nothing_beats_the_risk_free_rate():
    with pytest.raises(AllocationFailure, match="risk-free"):
        max_sharpe.optimise(problem([-0.1, -0.2], TWO))


def test_a_turnover_cap_is_met_by_the_nearest_weights():
    case = random_problem(1, current=np.array([0, 0, 0, 0, 0, 1.0]), max_turnover=0.2)
    for method in (min_volatility, max_sharpe, hrp, equal_weight):
        assert turnover(case.current, method.optimise(case).weights) == pytest.approx(0.2, abs=1e-6)


def test_fixed_weights_are_balanced_by_cash_where_a_line_can_not_move():
    case = random_problem(
        1,
        target=np.array([0.1, 0.1, 0.0, 0.0, 0.0, 0.8]),
        lower=np.array([0.13, 0, 0, 0, 0, 0]),
        upper=np.array([0.13, 1, 1, 1, 1, 1.0]),
    )
    assert fixed.optimise(case).weights == pytest.approx([0.13, 0.1, 0, 0, 0, 0.77])


def test_fixed_weights_are_scaled_where_cash_does_not_suffice():
    case = random_problem(
        1,
        target=np.array([0.5, 0.3, 0.2, 0.0, 0.0, 0.0]),
        lower=np.array([0.6, 0, 0, 0, 0, 0]),
        upper=np.array([0.6, 1, 1, 1, 1, 1.0]),
    )
    assert fixed.optimise(case).weights == pytest.approx([0.6, 0.24, 0.16, 0, 0, 0])


def test_projection_leaves_what_obeys_and_moves_what_does_not():
    case = random_problem(1, upper=np.array([0.3] * 5 + [1.0]))
    inside = np.array([0.1, 0.2, 0.1, 0.1, 0.1, 0.4])
    assert fast_qp.project(case, inside) == pytest.approx(inside, abs=1e-8)
    outside = np.array([0.6, 0.1, 0.1, 0.1, 0.1, 0.0])
    assert fast_qp.project(case, outside) == pytest.approx([0.3, 0.16, 0.16, 0.16, 0.16, 0.06], abs=1e-8)


def test_an_infeasible_program_is_one_typed_failure():
    case = random_problem(1, upper=np.full(6, 0.1))
    with pytest.raises(AllocationFailure, match="Infeasible"):
        qp.solve(case, np.eye(6), np.zeros(6))
    with pytest.raises(AllocationFailure, match="solver"):
        max_quadratic_utility.optimise(case)
    with pytest.raises(AllocationFailure, match="infeasible"):
        min_volatility.optimise(case)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([np.nan, 0.5, 0.5, 0, 0, 0], "finite"),
        ([0.2, 0.2, 0.2, 0.2, 0.2, 0.1], "sum"),
        ([-0.1, 0.3, 0.2, 0.2, 0.2, 0.2], "outside"),
        ([0.35, 0.25, 0.1, 0.1, 0.1, 0.1], "class spot"),
        ([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], "turnover"),
        ([0.9995, 0.0005, 0, 0, 0, 0], "everything"),
        ([0.5, 0.5], "finite"),
    ],
)
def test_a_wrong_answer_is_refused(weights, said):
    case = random_problem(1, may_hold_all=np.zeros(6, dtype=bool))
    if said == "class spot":
        case = replace(case, rows=(group("class spot", [1, 1, 0, 0, 0, 0], 0.0, 0.5),))
    if said == "turnover":
        case = replace(case, current=np.array([0, 0, 0, 0, 0, 1.0]), max_turnover=0.3)
    with pytest.raises(AllocationFailure, match=said):
        verify(case, np.array(weights, dtype=float))


def test_tidy_rounds_once_and_keeps_the_sum_and_the_bounds():
    case = random_problem(1, upper=np.array([0.3] * 5 + [1.0]))
    noisy = np.array([0.3000000004, -3e-10, 0.1, 0.1, 1 / 3 - 0.1, 1 - 0.3 - 0.2 - 1 / 3 + 0.1])
    tidied = tidy(case, noisy)
    assert round(tidied.sum() * 1e9) == 10**9
    assert (tidied >= 0).all()
    assert (tidied <= case.upper).all()
    assert tidied == pytest.approx(noisy, abs=2e-9)


def test_what_verify_lets_pass_is_put_inside_the_bounds():
    case = random_problem(1, upper=np.array([0.3] * 5 + [1.0]))
    within_tolerance = np.array([0.3 + 9e-7, -9e-7, 0.1, 0.1, 0.1, 0.4])
    verify(case, within_tolerance)
    tidied = tidy(case, within_tolerance)
    assert tidied[:2].tolist() == [0.3, 0.0]
    assert round(tidied.sum() * 1e9) == 10**9


class Broken:
    """Stands in for an optimiser with a defect."""

    def __init__(self, weights):
        self.weights = np.array(weights, dtype=float)

    def optimise(self, case):
        return Solution(self.weights)


@pytest.mark.parametrize("weights", [[np.nan] * 6, [0.3] * 6, [1.2, 0, 0, 0, 0, -0.2]])
def test_a_defective_method_falls_through_the_ladder_on_record(monkeypatch, weights):
    real = registry.load
    monkeypatch.setattr(
        registry,
        "load",
        lambda package, name: Broken(weights) if name == "max_sharpe" else real(package, name),
    )
    owner = policy(objective="max_sharpe", fallbacks=("equal_weight", "hold"))
    found = propose(random_problem(1), owner, {}, None)
    assert found.method == "equal_weight"
    assert [a.method for a in found.failures] == ["max_sharpe"]
    assert "not_verified" in found.failures[0].reason


def test_a_ladder_can_end_in_hold_or_in_nothing():
    case = replace(random_problem(1), expected=None, covariance=None)
    held = propose(case, policy(fallbacks=("hrp", "hold")), {}, None)
    assert (held.method, len(held.failures)) == ("hold", 2)
    lost = propose(case, policy(fallbacks=()), {}, None)
    assert lost.method is None


def test_a_fixed_policy_never_falls_back_to_an_optimiser():
    case = replace(random_problem(1), target=None)
    found = propose(case, board(fallbacks=("equal_weight",)), {}, None)
    assert found.method == "hold"


def test_inaccurate_is_not_optimal(monkeypatch):
    real = EfficientFrontier.min_volatility

    def inaccurate(self):
        weights = real(self)
        self._opt._status = "optimal_inaccurate"
        return weights

    monkeypatch.setattr(EfficientFrontier, "min_volatility", inaccurate)
    with pytest.raises(AllocationFailure, match="optimal_inaccurate"):
        min_volatility.optimise(random_problem(1))


@pytest.mark.parametrize("name", registry.names(registry.OPTIMISERS))
@pytest.mark.parametrize("seed", [0, 4])  # with 0 the printed HRP would depend on the order
def test_relabelling_and_reordering_change_nothing(seed, name):
    case = random_problem(
        seed,
        target=np.array([0.1, 0.2, 0.3, 0.0, 0.0, 0.4]),
        upper=np.array([0.4] * 5 + [1.0]),
        returns=0.05 * np.random.default_rng(4).standard_normal((200, 6)),
    )
    order = np.array([2, 0, 4, 1, 3, 5])
    turned = replace(
        case,
        lines=(*(f"spot:Z{i}" for i in range(5)), "cash:C5"),
        lower=case.lower[order],
        upper=case.upper[order],
        expected=case.expected[order],
        covariance=case.covariance[np.ix_(order, order)],
        target=case.target[order],
        returns=case.returns[:, order],
    )
    optimiser = registry.load(registry.OPTIMISERS, name)
    assert optimiser.optimise(turned).weights == pytest.approx(
        optimiser.optimise(case).weights[order], abs=2e-6
    )


def test_labels_go_into_the_library_with_the_numbers():
    mu, sigma = _frontier.labelled(random_problem(1))
    assert list(mu.index) == list(sigma.index) == list(sigma.columns)
    assert isinstance(mu, pd.Series)
