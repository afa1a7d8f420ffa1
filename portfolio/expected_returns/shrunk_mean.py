"""Sample means shrunk towards the mean of the minimum-variance portfolio.

P. Jorion, "Bayes-Stein estimation for portfolio analysis", Journal of Financial and Quantitative Analysis
21 (1986), equations 14 and 17: the further the means lie apart for their covariance and the more days there
are, the less they are shrunk. Estimated over coins; a hedged or lent line, whose return is contracted as a
rule, keeps its own mean and moves no coin's.
"""

import numpy as np
import pandas as pd

from portfolio.estimates import Panel
from portfolio.model import DAYS_PER_YEAR, Attempt


def estimate(panel: Panel) -> tuple[pd.Series, tuple[Attempt, ...]]:
    """Return the annual shrunk mean by line; cash 0."""
    result = panel.returns.mean() * DAYS_PER_YEAR
    result[[x for x in result.index if x not in panel.risky()]] = 0.0
    risky = panel.coins()
    if not risky:
        return result, ()
    values = panel.returns[risky].to_numpy(dtype="float64")
    precision = np.linalg.pinv(panel.covariance.loc[risky, risky].to_numpy(dtype="float64") / DAYS_PER_YEAR)
    mean = values.mean(axis=0)
    ones = np.ones(len(risky))
    grand = float(ones @ precision @ mean) / float(ones @ precision @ ones)
    apart = mean - grand
    pull = len(risky) + 2.0
    shrink = pull / (pull + len(values) * float(apart @ precision @ apart))
    result[risky] = ((1.0 - shrink) * mean + shrink * grand) * DAYS_PER_YEAR
    return result, ()
