"""The capital asset pricing model: a line earns what its market beta pays.

W. Sharpe, "Capital asset prices", Journal of Finance 19 (1964): μ = r + β · (market premium), β the
covariance with the market over the market's variance. The market is the coins by capitalisation; its
premium is the assumed Sharpe ratio times its volatility, for a year's mean of a market that can halve says
little. Unlike `black_litterman` it hears no views, and its betas come from the returns themselves, not from
the shrunk covariance.
"""

import numpy as np
import pandas as pd

from portfolio.estimates import Panel
from portfolio.expected_returns.black_litterman import market_weights
from portfolio.model import DAYS_PER_YEAR, Attempt, asset_of


def estimate(panel: Panel) -> tuple[pd.Series, tuple[Attempt, ...]]:
    """Return the annual expected return by line; cash 0."""
    risky, coins = panel.risky(), panel.coins()
    result = pd.Series(0.0, index=panel.returns.columns)
    if not risky or not coins:
        return result, ()
    caps = dict(panel.market_caps or {})
    weights = market_weights(coins, caps)
    market = panel.returns[coins].to_numpy(dtype="float64") @ weights[coins].to_numpy(dtype="float64")
    centred = market - market.mean()
    variance = float(centred @ centred)
    if variance <= 0.0:
        return result, ()
    betas = centred @ panel.returns[risky].to_numpy(dtype="float64") / variance
    volatility = float(np.sqrt(variance / len(market) * DAYS_PER_YEAR))
    result[risky] = panel.risk_free_rate + betas * panel.market_sharpe_ratio * volatility
    known = any(caps.get(asset_of(line), 0.0) > 0.0 for line in coins)
    text = "no market capitalisations: equal weights stand for the market portfolio"
    return result, () if known else (Attempt("capm", text),)
