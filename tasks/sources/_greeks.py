"""Greeks of options on a forward, after Black (1976), without interest.

In the units that Deribit uses: delta per unit of the underlying, gamma per dollar of it, vega in dollars
per percentage point of volatility, theta in dollars per day.
"""

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
DAYS = 365.0
PERCENT = 0.01
_erf = np.vectorize(math.erf, otypes=[np.float64])


def greeks(
    *, is_call: NDArray[np.bool_], forward: Numbers, strike: Numbers, years: Numbers, volatility: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Delta, gamma, vega and theta of European options; NaN where an input is missing.

    With d = (ln(F/K) + σ²T/2) / (σ√T): delta N(d) for a call and N(d) − 1 for a put, gamma n(d)/(F σ√T),
    vega F n(d) √T, theta −F n(d) σ/(2√T).

    Args:
        is_call: True for a call, False for a put.
        forward: price of the underlying for the expiry, in dollars.
        strike: strike price, in dollars.
        years: time to expiry in years of 365 days, above 0.
        volatility: annualised, as a fraction.
    """
    root = np.sqrt(years)
    spread = volatility * root
    with np.errstate(invalid="ignore", divide="ignore"):
        d = (np.log(forward / strike) + spread**2 / 2) / spread
    density = np.exp(-(d**2) / 2) / math.sqrt(2 * math.pi)
    below = (1 + _erf(d / math.sqrt(2))) / 2
    delta = np.where(is_call, below, below - 1)
    gamma = density / (forward * spread)
    vega = forward * density * root * PERCENT
    theta = -forward * density * volatility / (2 * root) / DAYS
    return delta, gamma, vega, theta
