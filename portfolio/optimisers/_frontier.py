"""PyPortfolioOpt's efficient frontier behind one typed door.

It aligns nothing by label, picks its own solver, accepts `optimal_inaccurate` and lets a dozen exception
types through; so arrays go in with labels attached, the solver is named, only `optimal` counts, and one
failure comes out.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import cvxpy as cp
import numpy as np
import pandas as pd
from cvxpy.error import SolverError
from numpy.typing import NDArray
from pypfopt import EfficientFrontier
from pypfopt.exceptions import InstantiationError, OptimizationError

from portfolio.failure import AllocationFailure
from portfolio.problem import Problem

Array = NDArray[np.float64]
SOLVER = "CLARABEL"
FREE = (-10.0, 10.0)  # PyPortfolioOpt's own box, never binding: ours is added as rules, to read their duals
TIGHT = 1e-10
CONE = 1e-9  # with a second-order cone one answer in twenty stays short of 1e-10, and is refused
LEAKS = (OptimizationError, InstantiationError, SolverError, ValueError, TypeError, KeyError, ArithmeticError)


def labelled(problem: Problem) -> tuple[pd.Series, pd.DataFrame]:
    """Return expected returns and covariance with the problem's own labels, in one order."""
    mu, sigma = problem.estimates()
    lines = list(problem.lines)
    return pd.Series(mu, index=lines), pd.DataFrame(sigma, index=lines, columns=lines)


def frontier(problem: Problem, tolerance: float = TIGHT) -> EfficientFrontier:
    """Return an unsolved frontier over the problem's lines, without any rule but the sum."""
    mu, sigma = labelled(problem)
    close = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), tolerance)
    return EfficientFrontier(mu, sigma, weight_bounds=FREE, solver=SOLVER, solver_options=close)


def add_rules(unsolved: EfficientFrontier, problem: Problem) -> dict[str, Any]:
    """Add box, linear rules and turnover cap; return the constraints by name, to read their duals after.

    Every rule is written as `expression <= constant` or `== constant`: `max_sharpe` rescales only that form
    rightly. The turnover cap is added only where current weights are known, and `max_sharpe` must not see it.
    """
    fixed = problem.fixed()
    rules: dict[str, Any] = {}

    def add(name: str, make: Callable[[Any], Any]) -> None:
        def keep(w: Any) -> Any:  # noqa: ANN401 - cvxpy expressions have no types
            rules[name] = make(w)
            return rules[name]

        unsolved.add_constraint(keep)

    if fixed.any():
        add("fixed", lambda w: w[np.flatnonzero(fixed)] == problem.lower[fixed])
    if not fixed.all():
        free = np.flatnonzero(~fixed)
        add("upper", lambda w: w[free] <= problem.upper[free])
        add("lower", lambda w: -w[free] <= -problem.lower[free])
    for key, coefficients, limit in (side for rule in problem.rows for side in rule.sides()):
        add(key, lambda w, a=coefficients, b=limit: a @ w <= b)
    if problem.current is not None and problem.max_turnover < 1.0:
        before, cap = problem.current, problem.max_turnover
        add("max_turnover", lambda w: 0.5 * cp.norm1(w - before) <= cap)
    return rules


def count_fixed(unsolved: EfficientFrontier, problem: Problem) -> None:
    """Add what is held and not allocated to an objective that is a variance: w'Σw + 2 w'Σf."""
    if problem.pull is not None:
        pull = problem.pull

        def covariance(w: Any) -> Any:  # noqa: ANN401 - cvxpy expressions have no types
            return 2.0 * (pull @ w)

        unsolved.add_objective(covariance)


def cap_whole(unsolved: EfficientFrontier, problem: Problem, volatility: float) -> dict[str, Any]:
    """Bound the volatility of weights and of what is held and not allocated together; return the rule."""
    _, sigma = problem.estimates()
    pull, rest = problem.pulled(), volatility**2 - problem.fixed_variance
    rules: dict[str, Any] = {}

    def keep(w: Any) -> Any:  # noqa: ANN401 - cvxpy expressions have no types
        rules["target_volatility"] = cp.quad_form(w, cp.psd_wrap(sigma)) + 2.0 * (pull @ w) <= rest
        return rules["target_volatility"]

    unsolved.add_constraint(keep)
    return rules


def shadow_prices(problem: Problem, rules: Mapping[str, Any]) -> dict[str, float]:
    """Return the duals by constraint key; see `Solution`."""
    free = [line for line, fixed in zip(problem.lines, problem.fixed(), strict=True) if not fixed]
    prices: dict[str, float] = {}
    for name, rule in rules.items():
        dual = np.atleast_1d(np.asarray(rule.dual_value, dtype="float64"))
        if name in {"upper", "lower"}:
            prices |= {f"{name}:{line}": float(value) for line, value in zip(free, dual, strict=True)}
        elif name != "fixed":
            prices[name] = float(dual[0])
    return prices


def run(
    unsolved: EfficientFrontier, method: Callable[[], Mapping[Any, float]], lines: tuple[str, ...]
) -> Array:
    """Solve and return weights in the order of `lines`.

    Raises:
        AllocationFailure: anything but a strictly optimal answer.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they warn of is checked below and by `verify`
            raw = method()
    except (*LEAKS, np.linalg.LinAlgError) as error:
        raise AllocationFailure(
            "solver", f"PyPortfolioOpt gave no answer ({type(error).__name__}: {error}).", "Relax the bounds."
        ) from error
    solved: Any = vars(unsolved)["_opt"]  # the only place where the solver's own verdict can be read
    status = solved.status
    if status != "optimal":
        raise AllocationFailure(
            "solver", f"'optimal' was wanted, the solver says {status!r}.", "Relax the bounds."
        )
    return np.array([raw[line] for line in lines], dtype="float64")
