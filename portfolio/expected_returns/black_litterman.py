"""Black-Litterman: what the market's own weights imply, moved by views where there are any.

G. He and R. Litterman, "The intuition behind Black-Litterman model portfolios", Goldman Sachs (1999). The
prior is the reverse-optimised market portfolio, π = δΣw, over the coins whose capitalisation is known; a coin
without one enters with weight 0 and gets the return its covariance with the market implies. δ = S/σ from an
assumed Sharpe ratio S of the market, not from past returns (which give a negative δ after a fall) and not
from the owner's own risk aversion (which would make every owner hold the market and no cash). Capitalisations
say nothing about cash; its prior is 0.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.estimates import Panel
from portfolio.failure import AllocationFailure
from portfolio.model import Attempt, asset_of, sleeve_of

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


def posterior(covariance: pd.DataFrame, prior: pd.Series, views: Views) -> tuple[pd.Series, pd.DataFrame]:
    """Return posterior expected returns and covariance (Σ plus the uncertainty of the mean), by label.

    Raises:
        AllocationFailure: a view names an unknown line.
    """
    from pypfopt import BlackLittermanModel  # noqa: PLC0415 - the library costs seconds; only views need it

    unknown = sorted(set(views.picks.columns) - set(covariance.index))
    if unknown:
        raise AllocationFailure("bad_view", f"A view names unknown lines: {unknown}.", "Name lines in use.")
    model = BlackLittermanModel(
        covariance,
        pi=prior.reindex(covariance.index),
        P=views.picks.reindex(columns=covariance.index, fill_value=0.0).to_numpy(dtype="float64"),
        Q=views.returns,
        omega=np.diag(views.variances),
        tau=TAU,
    )
    return model.bl_returns(), model.bl_cov()


def market_weights(risky: list[str], caps: dict[str, float]) -> pd.Series:
    """Return weights by capitalisation, zero where unknown; equal weights where none is known."""
    own = {line: caps.get(asset_of(line), 0.0) if sleeve_of(line) == "spot" else 0.0 for line in risky}
    raw = pd.Series(own, dtype="float64")
    raw = raw.where(np.isfinite(raw) & (raw > 0.0), 0.0)
    total = float(raw.sum())
    return raw / total if total > 0.0 else pd.Series(1.0 / len(risky), index=risky)


def estimate(panel: Panel) -> tuple[pd.Series, tuple[Attempt, ...]]:
    """Return the annual prior by line (risk-free rate included); cash 0."""
    risky = panel.risky()
    result = pd.Series(0.0, index=panel.returns.columns)
    if not risky:
        return result, ()
    caps = dict(panel.market_caps or {})
    weights = market_weights(risky, caps)
    sigma = panel.covariance.loc[risky, risky]
    variance = float(weights @ sigma.to_numpy(dtype="float64") @ weights)
    risk_aversion = panel.market_sharpe_ratio / np.sqrt(variance)
    result[risky] = implied_returns(sigma, weights, risk_aversion) + panel.risk_free_rate
    if any(caps.get(asset_of(line), 0.0) > 0.0 for line in risky):
        return result, ()
    return result, (
        Attempt("black_litterman", "no market capitalisations: equal weights stand for the market portfolio"),
    )
