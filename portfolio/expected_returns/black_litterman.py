"""Black-Litterman: what the market's own weights imply, moved by views where there are any.

G. He and R. Litterman, "The intuition behind Black-Litterman model portfolios", Goldman Sachs (1999). The
prior is the reverse-optimised market portfolio, π = δΣw, over the coins whose capitalisation is known; any
other line enters with weight 0 and gets the return its covariance with the market implies. δ = S/σ from an
assumed Sharpe ratio S of the market, not from past returns (which give a negative δ after a fall) and not
from the owner's own risk aversion (which would make every owner hold the market and no cash).
Capitalisations say nothing about cash; its prior is 0.

A view's confidence c becomes the variance of its error either as T. Idzorek, "A step-by-step guide to the
Black-Litterman model" (2005) has it, ω = p'τΣp · (1 − c)/c in the closed form of J. Walters (2014): a view
alone moves its line by c times what certainty would; or as He and Litterman have it, ω = p'τΣp for every
view, whatever its confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.estimates import Panel
from portfolio.failure import AllocationFailure
from portfolio.model import Attempt, asset_of
from portfolio.views import View

TAU = 0.05  # weight of the prior's uncertainty, as in He and Litterman


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Views:
    """Views on portfolios of lines.

    Attributes:
        picks: views × lines, labelled by line; missing labels count as 0.
        returns: annual expected return of each picked portfolio.
        variances: variance of each view's error, annual and already scaled by tau where the source does so.
    """

    picks: pd.DataFrame
    returns: NDArray[np.float64]
    variances: NDArray[np.float64]


def implied_returns(covariance: pd.DataFrame, weights: pd.Series, risk_aversion: float) -> pd.Series:
    """Return π = δΣw by label; annual covariance in, annual excess returns out."""
    aligned = weights.reindex(covariance.index, fill_value=0.0)
    product = covariance.to_numpy(dtype="float64") @ aligned.to_numpy(dtype="float64")
    return pd.Series(risk_aversion * product, index=covariance.index)


def view_variances(
    covariance: pd.DataFrame, picks: pd.DataFrame, confidences: Sequence[float], method: str, tau: float = TAU
) -> NDArray[np.float64]:
    """Return ω of each view; `method` is `idzorek` or `he_litterman`.

    Raises:
        AllocationFailure: a confidence outside (0, 1].
    """
    p = picks.reindex(columns=covariance.index, fill_value=0.0).fillna(0.0).to_numpy(dtype="float64")
    spread = tau * np.einsum("ki,ij,kj->k", p, covariance.to_numpy(dtype="float64"), p)
    sure = np.asarray(confidences, dtype="float64")
    if not ((sure > 0.0) & (sure <= 1.0)).all():
        raise AllocationFailure(
            "bad_view", f"Confidences above 0 and up to 1 were wanted, found {sure}.", "Leave the view out."
        )
    return spread * (1.0 - sure) / sure if method == "idzorek" else spread


def posterior(
    covariance: pd.DataFrame, prior: pd.Series, views: Views, tau: float = TAU
) -> tuple[pd.Series, pd.DataFrame]:
    """Return posterior expected returns and covariance (Σ plus the uncertainty of the mean), by label.

    Computed as Σ̄ = Σ + M with M = τΣ − τΣP'(PτΣP' + Ω)⁻¹PτΣ, which needs no inverse of Ω: a certain view
    has none.

    Raises:
        AllocationFailure: a view names an unknown line, or two certain views contradict each other.
    """
    unknown = sorted(set(views.picks.columns) - set(covariance.index))
    if unknown:
        raise AllocationFailure("bad_view", f"A view names unknown lines: {unknown}.", "Name lines in use.")
    sigma = covariance.to_numpy(dtype="float64")
    pi = prior.reindex(covariance.index).to_numpy(dtype="float64")
    p = views.picks.reindex(columns=covariance.index, fill_value=0.0).fillna(0.0).to_numpy(dtype="float64")
    across = tau * sigma @ p.T
    try:
        gain = np.linalg.solve(p @ across + np.diag(views.variances), across.T)
    except np.linalg.LinAlgError as error:
        raise AllocationFailure(
            "bad_view", "Views that can be true together were wanted.", "Lower a confidence."
        ) from error
    mean = pi + gain.T @ (views.returns - p @ pi)
    total = sigma + tau * sigma - gain.T @ across.T
    names = covariance.index
    return pd.Series(mean, index=names), pd.DataFrame((total + total.T) / 2.0, index=names, columns=names)


def market_weights(coins: list[str], caps: dict[str, float]) -> pd.Series:
    """Return weights by capitalisation, zero where unknown; equal weights where none is known."""
    raw = pd.Series({line: caps.get(asset_of(line), 0.0) for line in coins}, dtype="float64")
    raw = raw.where(np.isfinite(raw) & (raw > 0.0), 0.0)
    total = float(raw.sum())
    return raw / total if total > 0.0 else pd.Series(1.0 / len(coins), index=coins)


def estimate(panel: Panel) -> tuple[pd.Series, tuple[Attempt, ...]]:
    """Return the annual prior by line (risk-free rate included), moved by the panel's views; cash 0."""
    risky, coins = panel.risky(), panel.coins()
    result = pd.Series(0.0, index=panel.returns.columns)
    if not risky or not coins:
        return result, ()
    caps = dict(panel.market_caps or {})
    weights = market_weights(coins, caps).reindex(risky, fill_value=0.0)
    sigma = panel.covariance.loc[risky, risky]
    variance = float(weights @ sigma.to_numpy(dtype="float64") @ weights)
    risk_aversion = panel.market_sharpe_ratio / np.sqrt(variance)
    prior = implied_returns(sigma, weights, risk_aversion)
    result[risky] = moved(sigma, prior, panel.views, panel.view_confidence) + panel.risk_free_rate
    if any(caps.get(asset_of(line), 0.0) > 0.0 for line in coins):
        return result, ()
    return result, (
        Attempt("black_litterman", "no market capitalisations: equal weights stand for the market portfolio"),
    )


def moved(covariance: pd.DataFrame, prior: pd.Series, opinions: Sequence[View], method: str) -> pd.Series:
    """Return the prior moved by the views on lines it knows; an opinion without confidence is none."""
    heard = sorted(
        (
            v
            for v in opinions
            if v.line in covariance.index and 0.0 < v.confidence <= 1.0 and np.isfinite(v.value)
        ),
        key=lambda v: (v.line, v.signal),
    )
    if not heard:
        return prior
    picks = pd.DataFrame(
        [{x: float(x == v.line) for x in covariance.index} for v in heard], columns=covariance.index
    )
    returns = np.array([float(prior[v.line]) + v.value for v in heard])
    variances = view_variances(covariance, picks, [v.confidence for v in heard], method)
    return posterior(covariance, prior, Views(picks=picks, returns=returns, variances=variances))[0]
