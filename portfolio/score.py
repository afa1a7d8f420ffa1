"""What a recommendation came to: its weights over its horizon against doing nothing and against a reference.

Weights are bought at the first day's opening and held; no rebalancing between. Returns are simple, daily,
in US dollars; weights are fractions of NAV and include cash.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.policy import DAYS_PER_YEAR

Array = NDArray[np.float64]
Weights = Mapping[str, float]
NOTHING = 1e-9  # a weight below it needs no price
NO_LOSS_BPS = 0.01  # what a hold may miss and still be called right


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of one recommendation.

    Attributes:
        hold_return: over the horizon, of the weights that were held.
        proposed_return: of the proposed weights, less the estimated cost; costs are paid at the beginning.
        reference_return: of the target in force, before costs; None where it is unknown.
        return_bps: gain of the proposed weights over those held, before costs.
        risk_bps: −½ · risk aversion · difference of realised variances, over the horizon: the same measure
            as the expected benefit.
    """

    hold_return: float
    proposed_return: float
    reference_return: float | None
    return_bps: float
    risk_bps: float

    @property
    def benefit_bps(self) -> float:
        """Both parts, before costs, as the expected benefit is."""
        return self.return_bps + self.risk_bps


def needed(*weights: Weights) -> tuple[str, ...]:
    """The lines whose returns must be known."""
    return tuple(sorted({x for one in weights for x, w in one.items() if abs(w) > NOTHING}))


def incomplete(returns: pd.DataFrame, lines: Iterable[str]) -> tuple[str, ...]:
    """The lines that lack a day."""
    return tuple(x for x in lines if x not in returns.columns or not np.isfinite(returns[x]).all())


def score(
    returns: pd.DataFrame,
    current: Weights,
    target: Weights,
    reference: Weights | None,
    terms: tuple[float, float],
) -> Score:
    """Measure one recommendation.

    Args:
        returns: one row per day of the horizon, one column per line that any of the weights needs.
        current: weights that were held.
        target: weights that were proposed.
        reference: the target in force; None where it is unknown.
        terms: estimated cost in bps of NAV, and risk aversion.
    """
    cost_bps, aversion = terms
    held, proposed = _value(returns, current), _value(returns, target)
    gain = float(proposed[-1] - held[-1])
    relief = -0.5 * aversion * (_variance(proposed) - _variance(held)) * len(returns) / DAYS_PER_YEAR
    return Score(
        hold_return=float(held[-1]) - 1.0,
        proposed_return=float(proposed[-1]) - 1.0 - cost_bps / 1e4,
        reference_return=None if reference is None else float(_value(returns, reference)[-1]) - 1.0,
        return_bps=gain * 1e4,
        risk_bps=relief * 1e4,
    )


def is_hit(decision: str, benefit_bps: float, cost_bps: float) -> bool:
    """Tell whether a decision was right afterwards: a trade paid for itself, or a hold missed nothing."""
    return benefit_bps > cost_bps if decision == "proposed" else benefit_bps <= cost_bps + NO_LOSS_BPS


def _value(returns: pd.DataFrame, weights: Weights) -> Array:
    """Value of one dollar at the end of each day, the beginning first."""
    lines = list(needed(weights))
    growth = np.cumprod(1.0 + returns[lines].to_numpy(dtype=np.float64), axis=0)
    kept = np.array([weights[x] for x in lines])
    return np.concatenate([[1.0], 1.0 + (growth - 1.0) @ kept])


def _variance(value: Array) -> float:
    """Annualised variance of the days' returns; 0 of a single day."""
    days = value[1:] / value[:-1] - 1.0
    return float(np.var(days, ddof=1)) * DAYS_PER_YEAR if len(days) > 1 else 0.0
