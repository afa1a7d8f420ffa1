"""How sure: does a tiny change of the inputs move the answer, and does the benefit survive resampled history.

Seeded throughout; the same inputs and seed give the same figures.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from portfolio import registry
from portfolio.estimates import Estimates
from portfolio.failure import AllocationFailure
from portfolio.model import DAYS_PER_YEAR
from portfolio.problem import Problem, turnover

Array = NDArray[np.float64]
RELATIVE_CHANGE = 0.001
QUICK_DRAWS = 20  # for methods with a quick `resolve`
SLOW_DRAWS = 5
MEAN_BLOCK_DAYS = 10.0
BOOTSTRAP_DRAWS = 200


def sensitivity(method: str, problem: Problem, weights: Array, seed: int) -> float:
    """Return the 95th percentile of turnover between the answer and the answers to inputs changed by 0.1 %.

    Expected returns and volatilities are each multiplied by 1 + 0.001·N(0, 1). A perturbed problem without an
    answer counts as a turnover of 1.
    """
    if problem.expected is None or problem.covariance is None:
        return 0.0
    optimiser = registry.load(registry.OPTIMISERS, method)
    quick = getattr(optimiser, "resolve", None)
    rng = np.random.default_rng(seed)
    moved: list[float] = []
    for _ in range(QUICK_DRAWS if quick else SLOW_DRAWS):
        tilt = 1.0 + RELATIVE_CHANGE * rng.standard_normal(len(weights))
        stretch = 1.0 + RELATIVE_CHANGE * rng.standard_normal(len(weights))
        changed = replace(
            problem,
            expected=problem.expected * tilt,
            covariance=problem.covariance * np.outer(stretch, stretch),
            pull=None if problem.pull is None else problem.pull * stretch,
        )
        try:
            answer = quick(changed) if quick else optimiser.optimise(changed).weights
        except AllocationFailure:
            moved.append(1.0)
            continue
        moved.append(turnover(weights, answer))
    return float(np.percentile(moved, 95))


def block_indices(rows: int, draws: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return draws × rows positions of the stationary bootstrap with a mean block of 10 days.

    D. Politis and J. Romano, "The stationary bootstrap", Journal of the American Statistical Association 89
    (1994).
    """
    restart = rng.random((draws, rows)) < 1.0 / MEAN_BLOCK_DAYS
    restart[:, 0] = True
    start = rng.integers(0, rows, size=(draws, rows))
    position = np.arange(rows)
    began = np.maximum.accumulate(np.where(restart, position, 0), axis=1)
    first = np.take_along_axis(start, began, axis=1)
    return (first + position - began) % rows


def confidence(
    estimates: Estimates,
    change: tuple[Array, Array],
    hurdle: tuple[float, float],
    risk: tuple[float, int],
    seed: int,
) -> float:
    """Return the bootstrap probability that the benefit of a change of weights exceeds its cost.

    The model's estimate of the benefit is the centre; resampled history says how far estimates of this kind
    stray.

    Args:
        estimates: its daily returns are resampled in blocks.
        change: weights before and after, in the order of the estimates' lines.
        hurdle: benefit as estimated and cost, both in bps of NAV.
        risk: risk aversion and horizon in days.
        seed: of the resampling.
    """
    before, after = change
    aversion, horizon = risk
    benefit_bps, cost_bps = hurdle
    rows = block_indices(len(estimates.returns), BOOTSTRAP_DRAWS, np.random.default_rng(seed))

    def utility(series: Array) -> Array:
        mean, variance = series.mean(axis=-1) * DAYS_PER_YEAR, series.var(axis=-1) * DAYS_PER_YEAR
        return (mean - 0.5 * aversion * variance) * horizon / DAYS_PER_YEAR * 1e4

    held, wanted = estimates.daily(before), estimates.daily(after)
    centre = utility(wanted) - utility(held)
    strayed = utility(wanted[rows]) - utility(held[rows]) - centre
    return float(np.mean(benefit_bps + strayed > cost_bps))
