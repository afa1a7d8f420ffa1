"""Risk budgets with a name: a starting point for an owner who has not written every limit.

A profile sets risk aversion, what each class may hold, and what one scenario may cost; whatever the owner
writes wins over it. The figures are conventions, chosen so that no single failure of a venue, protocol or
issuer costs more than a twentieth, a tenth or a fifth of the portfolio.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One risk budget; the bounds of classes that a portfolio does not hold are left out."""

    risk_aversion: float
    scenario_loss: float
    class_bounds: Mapping[str, tuple[float, float]]


PROFILES: dict[str, Profile] = {
    "conservative": Profile(
        risk_aversion=6.0,
        scenario_loss=0.05,
        class_bounds={
            "cash": (0.30, 1.0),
            "spot": (0.0, 0.40),
            "carry": (0.0, 0.20),
            "basis": (0.0, 0.20),
            "yield": (0.0, 0.20),
            "staking": (0.0, 0.10),
        },
    ),
    "balanced": Profile(
        risk_aversion=3.0,
        scenario_loss=0.10,
        class_bounds={
            "cash": (0.05, 1.0),
            "spot": (0.0, 0.80),
            "carry": (0.0, 0.40),
            "basis": (0.0, 0.40),
            "yield": (0.0, 0.40),
            "staking": (0.0, 0.30),
        },
    ),
    "aggressive": Profile(
        risk_aversion=1.5,
        scenario_loss=0.20,
        class_bounds={
            "cash": (0.0, 1.0),
            "spot": (0.0, 1.0),
            "carry": (0.0, 0.60),
            "basis": (0.0, 0.60),
            "yield": (0.0, 0.60),
            "staking": (0.0, 0.60),
        },
    ),
}
