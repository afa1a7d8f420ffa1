"""What is held and not allocated: derivatives and options outside the policy, as a fixed exposure.

Their capital is often next to nothing (an unrealised profit, a premium), their price exposure is not. So it
is counted in US dollars and not per dollar of capital: in the limits as an amount that is there whatever is
decided, in the risk of the whole book as delta times the return of the asset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.held_options import HeldOption, worst_gain
from portfolio.names import line_of
from portfolio.policy import DAYS_PER_YEAR

Array = NDArray[np.float64]
MIN_DAYS = 60  # fewer common days say nothing of a covariance


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldExposure:
    """What a line that nobody rebalances exposes the portfolio to, US dollars.

    Attributes:
        delta_usd: price exposure to the asset, options by their delta.
        gross_usd: |notional| of all its contracts and coins; options by the coins that they are on.
        steady_usd: the part of `delta_usd` that stays as the price moves: what is no option.
        options: re-priced where the price moves far.
        detail: for people, what the line is made of.
    """

    line: str
    asset: str
    delta_usd: float
    gross_usd: float
    steady_usd: float = 0.0
    options: tuple[HeldOption, ...] = ()
    detail: str = ""

    @property
    def vega_usd(self) -> float:
        """US dollars per percentage point of volatility."""
        return sum(x.vega_usd for x in self.options)

    @property
    def series(self) -> str:
        """The line whose returns are those of the asset."""
        return line_of("spot", self.asset)

    def gain(self, moves: Array, days: float = 0.0, factors: Sequence[float] = (1.0,)) -> Array:
        """US dollars gained when the asset moves: contracts in proportion, options re-priced.

        Args:
            moves: simple returns of the asset.
            days: that pass meanwhile.
            factors: of volatility that are tried; the worst for the line counts.
        """
        steady = self.steady_usd * moves
        return steady + worst_gain(self.options, moves, days, factors) if self.options else steady


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedRisk:
    """The risk of all fixed exposures together, annual, in fractions of NAV.

    Attributes:
        lines: the exposures' lines that have a series of returns.
        pull: lines × lines of the estimates: covariance of each exposure with what may be allocated.
        own: lines × lines: covariance of the exposures among themselves.
        returns: of all exposures together on the days of the estimates, simple, on NAV.
    """

    lines: tuple[str, ...]
    pull: Array
    own: Array
    returns: Array

    def total_pull(self) -> Array:
        """Return the covariance of all exposures together with each line of the estimates."""
        return self.pull.sum(axis=0)

    def contributions(self, weights: Array) -> dict[str, float]:
        """Return each exposure's part of the variance of the whole book."""
        parts = self.pull @ weights + self.own.sum(axis=1)
        return {x: float(part) for x, part in zip(self.lines, parts, strict=True)}


def fixed_risk(
    exposures: Sequence[HeldExposure],
    nav_usd: float,
    panel: pd.DataFrame,
    covariance: Array,
    others: pd.DataFrame,
) -> FixedRisk | None:
    """Return the risk of exposures beside the lines of a panel; None where none of them has a series.

    Σ of the estimates where the asset is among their lines, else the sample covariance of its own returns
    with them on the same days.

    Args:
        exposures: what is held.
        nav_usd: the portfolio's value.
        panel: days × lines, simple daily returns, no gaps.
        covariance: lines × lines of the panel, annual.
        others: further series, days × lines, of assets that are no line of the panel.
    """
    inside = [str(x) for x in panel.columns]
    wanted = sorted({e.series for e in exposures} - set(inside))
    extra = [x for x in wanted if _covers(others, x, panel)]
    known = [e for e in exposures if e.series in inside or e.series in extra]
    if not known:
        return None
    beside = others.reindex(index=panel.index, columns=extra).to_numpy(dtype="float64")
    days = np.column_stack([panel.to_numpy(dtype="float64"), beside])
    sigma = np.atleast_2d(np.cov(days, rowvar=False)) * DAYS_PER_YEAR
    sigma[: len(inside), : len(inside)] = covariance
    names = [*inside, *extra]
    shares = np.zeros((len(known), len(names)))
    for row, one in enumerate(known):
        shares[row, names.index(one.series)] = one.delta_usd / nav_usd
    return FixedRisk(
        lines=tuple(one.line for one in known),
        pull=(shares @ sigma)[:, : len(inside)],
        own=shares @ sigma @ shares.T,
        returns=days @ shares.sum(axis=0),
    )


def _covers(others: pd.DataFrame, line: str, panel: pd.DataFrame) -> bool:
    if line not in others or len(panel) < MIN_DAYS:
        return False
    return bool(np.isfinite(others[line].reindex(panel.index).to_numpy(dtype="float64")).all())


def share_of(exposure: HeldExposure, measure: str, nav_usd: float | None) -> float:
    """Return what an exposure adds to a limit's measure, in fractions of NAV; its capital is a weight."""
    if not nav_usd:
        return 0.0
    usd: Mapping[str, float] = {"net_delta": exposure.delta_usd, "gross_notional": exposure.gross_usd}
    return usd.get(measure, 0.0) / nav_usd
