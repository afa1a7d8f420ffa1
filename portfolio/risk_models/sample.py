"""The sample covariance: unbiased, and noisy where lines are many and days few."""

import pandas as pd

from portfolio.model import DAYS_PER_YEAR


def covariance(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the annual sample covariance (divisor T−1)."""
    return returns.cov() * DAYS_PER_YEAR
