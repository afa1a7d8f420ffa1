"""Small allocation problems for the tests of optimisers."""

from dataclasses import replace

import numpy as np

from portfolio.problem import Linear, Problem


def problem(mu, sigma, *, cash=0, **changes):
    """Long-only, lower 0 and upper 1; the last `cash` lines are cash and settle trades."""
    mu, sigma = np.asarray(mu, dtype=float), np.asarray(sigma, dtype=float)
    size = len(mu)
    is_cash = np.arange(size) >= size - cash
    names = tuple(f"cash:C{i}" if c else f"spot:S{i}" for i, c in enumerate(is_cash))
    base = Problem(
        lines=names,
        cash=is_cash,
        lower=np.zeros(size),
        upper=np.ones(size),
        lower_names=("no short positions",) * size,
        upper_names=("weight_bounds",) * size,
        cost_rates=np.zeros(size),
        expected=mu,
        covariance=sigma,
        may_hold_all=np.ones(size, dtype=bool),
        settlement=size - cash if cash else -1,
    )
    return replace(base, **changes)


def group(name, members, lower, upper):
    return Linear(name=name, coefficients=np.asarray(members, dtype=float), lower=lower, upper=upper)


def random_problem(seed, size=6, **changes):
    """Random means and a well-conditioned covariance, the last line quiet cash."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((size, size))
    vol = np.append(rng.uniform(0.3, 0.9, size - 1), 0.01)
    sigma = factor @ factor.T + size * np.eye(size)
    scale = vol / np.sqrt(np.diag(sigma))
    sigma = sigma * np.outer(scale, scale)
    mu = np.append(rng.uniform(-0.1, 0.8, size - 1), 0.0)
    return problem(mu, sigma, cash=1, **changes)
