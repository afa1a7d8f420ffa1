"""Judges a decision before it is stored: one row per target line, the decision's own figures beside each.

Nothing of a decision that breaks a promise may be recommended, so every promise speaks of the whole of it.

Columns: sleeve, asset, current_weight, target_weight, lower_bound, upper_bound (fractions of NAV); status,
reason_code, turnover (½ Σ|Δweight|), benefit_bps, cost_bps, sensitivity (turnover under a 0.1 % change of the
inputs).

Parameters:
    max_unstable_turnover: Largest sensitivity of what is proposed (default 0.20).
    tolerance: How far weights may be off their sum and bounds (default 1e-6).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from expectations import checks
from expectations.promises import one_of
from expectations.rules import Check, Column, Parameters, Rule, Suite

COLUMNS = (
    Column("sleeve", "text"),
    Column("asset", "text"),
    Column("current_weight", "number", is_nullable=True),
    Column("target_weight", "number", is_nullable=True),
    Column("lower_bound", "number", is_nullable=True),
    Column("upper_bound", "number", is_nullable=True),
    Column("status", "text"),
    Column("reason_code", "text"),
    Column("turnover", "number", is_nullable=True),
    Column("benefit_bps", "number", is_nullable=True),
    Column("cost_bps", "number", is_nullable=True),
    Column("sensitivity", "number", is_nullable=True),
)
CODE = "failed_decision_check"
# Weights without trades, and the cure of a broken hard limit, are told even if unstable (and graded so).
NEED_NO_STABILITY = ("weights_only", "hard_limit")


def suite(parameters: Parameters) -> Suite:
    """The promises."""
    tolerance = float(parameters.get("tolerance", 1e-6))
    unstable = float(parameters.get("max_unstable_turnover", 0.20))
    return Suite(
        table="decision",
        key=("sleeve", "asset"),
        columns=COLUMNS,
        rules=(
            one_of("status", ("proposed", "hold", "blocked"), "unknown_status"),
            _whole("weights_are_finite", "every target weight is a finite number", _finite("target_weight")),
            _whole(
                "weights_sum_to_one",
                "the target weights sum to 1",
                lambda frame: bool(abs(frame["target_weight"].sum() - 1) <= tolerance),
                lambda frame: f"a sum of {frame['target_weight'].sum():.6g}",
            ),
            _whole("weights_within_bounds", "every target lies within its bounds", _bounded(tolerance)),
            _whole(
                "turnover_is_plausible",
                "the turnover is between 0 and 2 and is the one that the weights amount to",
                _turnover(tolerance),
            ),
            _whole("figures_are_finite", "benefit and cost are finite where given", _figures),
            _whole(
                "proposal_is_stable",
                f"a 0.1 % change of the inputs changes at most {unstable:.0%} of what is proposed",
                lambda frame: bool(
                    frame["status"].iloc[0] != "proposed"
                    or frame["reason_code"].iloc[0] in NEED_NO_STABILITY
                    or not (checks.as_float(frame["sensitivity"]) > unstable).any()
                ),
            ),
        ),
    )


def _whole(name: str, wanted: str, holds: Check, found: Callable[[pd.DataFrame], str] | None = None) -> Rule:
    return Rule(
        name=name,
        wanted=wanted,
        reason_code=CODE,
        columns=("target_weight",),
        names_rows=False,
        holds=holds,
        found=found,
    )


def _finite(column: str) -> Check:
    return lambda frame: bool(checks.is_finite(frame[column]).all())


def _bounded(tolerance: float) -> Check:
    def holds(frame: pd.DataFrame) -> bool:
        low, high = checks.as_float(frame["lower_bound"]), checks.as_float(frame["upper_bound"])
        target = checks.as_float(frame["target_weight"])
        return bool(((target >= low - tolerance) & (target <= high + tolerance)).all())

    return holds


def _turnover(tolerance: float) -> Check:
    def holds(frame: pd.DataFrame) -> bool:
        told = checks.as_float(frame["turnover"])[0]
        current: Any = checks.as_float(frame["current_weight"])
        if bool(np.isnan(told)) or bool(np.isnan(current).any()):  # weights only
            return True
        moved = 0.5 * abs(checks.as_float(frame["target_weight"]) - current).sum()
        return bool(0 <= told <= 2 + tolerance and abs(moved - told) <= 1e-4)

    return holds


def _figures(frame: pd.DataFrame) -> bool:
    columns = ("benefit_bps", "cost_bps", "turnover", "sensitivity")
    return all(bool(checks.is_finite(frame[name], also_null=True).all()) for name in columns)
