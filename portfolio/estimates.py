"""Estimates what a decision rests on: expected returns and covariance, for lines with usable history.

Horizon and units are converted in one place: everything here is annual (365 days); `utility` brings it to the
holding horizon.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio import registry
from portfolio.exposed import FixedRisk, HeldExposure, fixed_risk
from portfolio.failure import AllocationFailure
from portfolio.model import (
    Attempt,
    Freeze,
    Policy,
    SleeveTerms,
    asset_of,
    is_cash,
    is_contractual,
    line_of,
    sleeve_of,
)
from portfolio.pegged import at_horizon
from portfolio.views import View

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """What an estimator of expected returns may use.

    Attributes:
        returns: days × lines, simple daily, no gaps, cash included.
        covariance: lines × lines, annual.
        market_caps: asset → USD, or None.
        risk_free_rate: annual.
        market_sharpe_ratio: of the market portfolio, the assumption behind reverse optimisation.
        views: what signals say beyond the prior; only Black-Litterman listens; `view_confidence` says how.
    """

    returns: pd.DataFrame
    covariance: pd.DataFrame
    market_caps: Mapping[str, float] | None = None
    risk_free_rate: float = 0.0
    market_sharpe_ratio: float = 0.5
    views: tuple[View, ...] = ()
    view_confidence: str = "idzorek"

    def risky(self) -> list[str]:
        """Return the columns whose mean is to be estimated: neither cash nor a contractual sleeve."""
        lines = [str(c) for c in self.returns.columns]
        return [x for x in lines if not is_cash(x) and not is_contractual(x)]

    def coins(self) -> list[str]:
        """Return the spot columns: what a market capitalisation or a common mean says something about."""
        return [x for x in self.risky() if sleeve_of(x) == "spot"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """Annual expected simple return and covariance by line, and how they came about.

    Attributes:
        returns: the daily panel they were estimated from.
        excluded: line → why it has no estimate.
        substitutions: what had to be replaced by something else, and why.
        fixed: the risk of what is held and not allocated; part of every variance here. No return is
            expected of it: it is there whatever is decided.
    """

    lines: tuple[str, ...]
    expected: Array
    covariance: Array
    returns: Array
    excluded: Mapping[str, Freeze]
    substitutions: tuple[Attempt, ...] = ()
    fixed: FixedRisk | None = None

    def portfolio_return(self, weights: Array, risk_free_rate: float) -> float:
        """Annual expected return above the risk-free rate."""
        return float(weights @ self.expected) - risk_free_rate * float(weights.sum())

    def variance(self, weights: Array) -> float:
        """Annual variance of the whole book: of the weights and of what is held beside them."""
        own = float(weights @ self.covariance @ weights)
        if self.fixed is None:
            return own
        return own + 2.0 * float(self.fixed.total_pull() @ weights) + float(self.fixed.own.sum())

    def marginal(self, weights: Array) -> Array:
        """Half the change of variance per unit of weight: covariance of each line with the whole book."""
        own = self.covariance @ weights
        return own if self.fixed is None else own + self.fixed.total_pull()

    def risk_contributions(self, weights: Array) -> dict[str, float]:
        """Fractions of variance by line, fixed exposures too, summing to one; none without variance."""
        total = self.variance(weights)
        if total <= 1e-14:
            return {}
        parts = dict(zip(self.lines, (weights * self.marginal(weights)).tolist(), strict=True))
        parts |= {} if self.fixed is None else self.fixed.contributions(weights)
        return {line: float(part) / total for line, part in parts.items()}

    def daily(self, weights: Array) -> Array:
        """Simple daily returns of the whole book on the days of the panel, at constant weights."""
        own = self.returns @ weights
        return own if self.fixed is None else own + self.fixed.returns


def estimate(
    panel: pd.DataFrame,
    excluded: Mapping[str, Freeze],
    policy: Policy,
    market_caps: Mapping[str, float] | None,
    views: tuple[View, ...] = (),
) -> Estimates:
    """Run the policy's two estimators on a checked panel.

    Raises:
        AllocationFailure: a method is unknown or its answer is not finite, symmetric or positive
            semidefinite.
    """
    daily = registry.load(registry.RISK_MODELS, policy.risk_model).covariance(panel)
    covariance = at_horizon(daily, panel, policy.rebalance.horizon_days)
    request = Panel(
        returns=panel,
        covariance=covariance,
        market_caps=market_caps,
        risk_free_rate=policy.risk_free_rate,
        market_sharpe_ratio=policy.market_sharpe_ratio,
        views=views,
        view_confidence=policy.view_confidence,
    )
    expected, substitutions = registry.load(registry.EXPECTED_RETURNS, policy.expected_returns).estimate(
        request
    )
    lines = tuple(str(c) for c in panel.columns)
    sigma = covariance.loc[list(lines), list(lines)].to_numpy(dtype="float64")
    mu = expected.reindex(list(lines)).to_numpy(dtype="float64")
    verify_estimates(mu, sigma)
    return Estimates(
        lines=lines,
        expected=mu,
        covariance=sigma,
        returns=panel.to_numpy(dtype="float64"),
        excluded=excluded,
        substitutions=substitutions,
    )


def with_terms(estimates: Estimates, terms: Mapping[str, SleeveTerms], policy: Policy) -> Estimates:
    """Return the estimates with what is contracted in place of what the past suggests.

    A line earns its contracted rate and, on its net delta, what the asset itself is expected to earn. Where
    the asset has no estimate, the line's own stays. Risk stays each line's own.
    """
    at = {line: i for i, line in enumerate(estimates.lines)}
    expected = estimates.expected.copy()
    for line, known in terms.items():
        own, asset = at.get(line), at.get(line_of("spot", asset_of(line)))
        if own is None or known.expected_return is None or (known.net_delta != 0.0 and asset is None):
            continue  # nothing is contracted, or nothing is known of the rest
        moves = known.net_delta * float(estimates.expected[asset]) if asset is not None else 0.0
        expected[own] = known.expected_return + moves - borrowing_cost(known, policy)
    return replace(estimates, expected=expected)


def with_fixed(
    estimates: Estimates,
    exposed: Mapping[str, HeldExposure],
    nav_usd: float | None,
    panel: pd.DataFrame,
    others: pd.DataFrame,
) -> Estimates:
    """Return the estimates with the risk of what is held and not allocated; see `exposed.fixed_risk`."""
    if not exposed or not nav_usd:
        return estimates
    lines = [exposed[line] for line in sorted(exposed)]
    found = fixed_risk(lines, nav_usd, panel[list(estimates.lines)], estimates.covariance, others)
    return replace(estimates, fixed=found)


def borrowing_cost(terms: SleeveTerms, policy: Policy) -> float:
    """Return what borrowing the coins that a line sells short costs, per unit of its capital and year."""
    borrowed = sum(
        -leg.quantity_per_unit * (leg.price or 0.0)
        for leg in terms.legs
        if leg.role == "spot" and leg.quantity_per_unit < 0.0
    )
    rate = policy.borrow_rates.get(asset_of(terms.line), policy.borrow_rates.get("default", 0.0))
    return rate * borrowed / terms.capital_per_unit_usd


def verify_estimates(mu: Array, sigma: Array) -> None:
    """Refuse estimates that would make every answer wrong."""
    found = ""
    if not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
        found = "an estimate is not a finite number."
    elif not np.allclose(sigma, sigma.T, rtol=0.0, atol=1e-10):
        found = "the covariance is not symmetric."
    elif float(np.linalg.eigvalsh(sigma).min()) < -1e-8 * max(1.0, float(np.abs(sigma).max())):
        found = "the covariance is not positive semidefinite."
    if found:
        raise AllocationFailure(
            "bad_estimate",
            f"Finite expected returns and a covariance were wanted; {found}",
            "Try another risk_model.",
        )


def standard_errors(panel: pd.DataFrame) -> pd.Series:
    """Return the standard error of each line's annual mean return."""
    return panel.std() * np.sqrt(365.0) / np.sqrt(len(panel) / 365.0)
