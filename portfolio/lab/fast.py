"""The fast path: the production decision on a bench where nothing is computed twice and no model is compiled.

Three things differ from a live decision, and no rule does: quadratic objectives go straight to a solver
(`fast_qp`) instead of through PyPortfolioOpt's compilation, with weights equal to 1e-5; estimates are
shared between policies that ask for the same ones; and answers are not perturbed or resampled, so a decision
that would be held back as `unstable` is not. HRP and the highest Sharpe ratio have no quicker way.
"""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio import fast_qp, registry
from portfolio.checks import usable_panel
from portfolio.decision import Bench
from portfolio.estimates import Estimates, estimate
from portfolio.model import Freeze, Policy
from portfolio.problem import Problem, Solution
from portfolio.proposal import propose

Array = NDArray[np.float64]
Panelled = tuple[pd.DataFrame, Mapping[str, Freeze]]


def optimise(method: str, problem: Problem) -> Solution:
    """Return the method's answer by its quickest way."""
    if method == "max_quadratic_utility":
        mu, sigma = problem.estimates()
        costs = None if problem.current is None else problem.annual_cost_rates()
        linear = problem.risk_aversion * problem.pulled() - mu
        return fast_qp.optimise(problem, problem.risk_aversion * sigma, linear, costs)
    found = registry.load(registry.OPTIMISERS, method)
    quick: Callable[[Problem], Array] | None = getattr(found, "resolve", None)
    return found.optimise(problem) if quick is None else Solution(quick(problem))


@dataclass(slots=True, eq=False)
class Shared:
    """Panels and estimates by what they depend on, for policies that differ in bounds, bands or costs alone.

    A frame is recognised by its identity; it is kept here, so that no other frame can take its place.
    """

    panels: dict[tuple[object, ...], tuple[pd.DataFrame, Panelled]] = field(default_factory=dict[Any, Any])
    estimates: dict[tuple[object, ...], Estimates] = field(default_factory=dict[Any, Any])

    def panel(self, returns: pd.DataFrame, lines: tuple[str, ...], lookback_days: int) -> Panelled:
        """Return the usable window of a frame, computed once."""
        key = (id(returns), lines, lookback_days)
        if key not in self.panels:
            self.panels[key] = (returns, usable_panel(returns, lines, lookback_days))
        return self.panels[key][1]

    def estimate(
        self, panel: pd.DataFrame, excluded: Mapping[str, Freeze], policy: Policy, *rest: object
    ) -> Estimates:
        """Return the policy's estimates on a panel of `panel`, computed once.

        Args:
            panel: an answer of `panel`.
            excluded: likewise.
            policy: the two estimators' settings are read.
            rest: what else `estimates.estimate` takes, such as capitalisations.
        """
        settings = (policy.expected_returns, policy.risk_model, policy.rebalance.horizon_days)
        market = (policy.risk_free_rate, policy.market_sharpe_ratio)
        market += (policy.view_confidence, tuple(sorted(policy.borrow_rates.items())))
        key = (id(panel), *settings, *market, pickle.dumps(rest))
        if key not in self.estimates:
            self.estimates[key] = estimate(panel, excluded, policy, *rest)  # type: ignore[arg-type]  # passed on as they came
        return self.estimates[key]


def bench() -> Bench:
    """Return a bench for one worker: panels and estimates are shared by all decisions made on it."""
    shared = Shared()
    quick = partial(propose, optimise=optimise)
    return Bench(panel=shared.panel, estimate=shared.estimate, propose=quick, is_probed=False)
