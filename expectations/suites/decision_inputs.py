"""Promises of what a decision is made from: one row per line (sleeve and asset) of a portfolio.

A broken row freezes its line (it keeps its quantity, the rest is decided); a broken promise of the whole
frame blocks the recommendation. Cash may be constant; a coin that is constant is a feed that froze.

Columns: sleeve, asset; observations (days with a return); newest_data_age_hours (age of the newest daily
return); price_usd, price_age_hours; min_return, max_return (simple, per day); zero_return_share (days with
exactly 0); volatility (daily standard deviation); venues (how many agree on the price).

Parameters:
    min_observations: Fewest days with a return (default 60).
    max_data_age_hours: Oldest newest return (default 54: one day and the 30 hours that the gate grants).
    max_price_age_hours: Oldest price (default 30).
    min_venues: Venues that must give a price (default 1); cash:USD needs none.
    max_zero_share: Largest share of days without any move (default 0.2; cash is exempt).
    min_volatility: Smallest daily volatility of what is not cash (default 0.0005).
    extreme_return: Size of a daily return from which a warning is given (default 0.4).
    peg_tolerance: Distance of a cash line's price from 1 USD from which a warning is given (default 0.02).
"""

from typing import Any

import pandas as pd

from expectations import checks
from expectations.rules import Column, Parameters, Rule, Suite, above_zero, finite, one_of

SLEEVES = ("spot", "carry", "basis", "yield", "staking", "options", "cash")
COLUMNS = (
    Column("sleeve", "text"),
    Column("asset", "text"),
    Column("observations", "number", is_nullable=True),
    Column("newest_data_age_hours", "number", is_nullable=True),
    Column("price_usd", "number", is_nullable=True),
    Column("price_age_hours", "number", is_nullable=True),
    Column("min_return", "number", is_nullable=True),
    Column("max_return", "number", is_nullable=True),
    Column("zero_return_share", "number", is_nullable=True),
    Column("volatility", "number", is_nullable=True),
    Column("venues", "number", is_nullable=True),
)


def suite(parameters: Parameters) -> Suite:
    """The promises; a value that is missing breaks its line, it does not refuse the frame."""
    get = parameters.get
    return Suite(
        table="decision.inputs",
        key=("sleeve", "asset"),
        columns=COLUMNS,
        rules=(
            one_of("sleeve", SLEEVES, "unknown_sleeve"),
            above_zero(("price_usd",), name="price_is_positive"),
            _at_most("price_age_hours", float(get("max_price_age_hours", 30)), "stale_price"),
            _at_least("observations", float(get("min_observations", 60)), "too_little_history"),
            _at_most("newest_data_age_hours", float(get("max_data_age_hours", 54)), "stale_history"),
            finite("min_return"),
            finite("max_return"),
            _possible_returns(),
            _not_frozen(float(get("max_zero_share", 0.2)), float(get("min_volatility", 0.0005))),
            _at_least("venues", float(get("min_venues", 1)), "too_few_venues"),
            _usual_returns(float(get("extreme_return", 0.4))),
            _near_peg(float(get("peg_tolerance", 0.02))),
        ),
    )


def _at_most(column: str, limit: float, reason_code: str) -> Rule:
    return Rule(
        name=f"{column}_at_most",
        wanted=f"{column} is at most {limit:g}",
        reason_code=reason_code,
        columns=(column,),
        holds=lambda frame: checks.is_finite(frame[column]) & (frame[column] <= limit),
    )


def _at_least(column: str, limit: float, reason_code: str) -> Rule:
    return Rule(
        name=f"{column}_at_least",
        wanted=f"{column} is at least {limit:g}",
        reason_code=reason_code,
        columns=(column,),
        holds=lambda frame: checks.is_finite(frame[column]) & (frame[column] >= limit),
    )


def _possible_returns() -> Rule:
    return Rule(
        name="returns_are_possible",
        wanted="a daily simple return lies above −1 (a total loss) and below 10 (eleven times the price)",
        reason_code="impossible_return",
        columns=("min_return", "max_return"),
        holds=lambda frame: (frame["min_return"] > -1) & (frame["max_return"] < 10),
    )


def _not_frozen(max_zero_share: float, min_volatility: float) -> Rule:
    def moves(frame: pd.DataFrame) -> "pd.Series[Any]":
        alive = (frame["zero_return_share"] <= max_zero_share) & (frame["volatility"] >= min_volatility)
        return (frame["sleeve"] == "cash") | (alive & checks.is_finite(frame["volatility"]))

    return Rule(
        name="price_moves",
        wanted=(
            f"what is not cash moves: at most {max_zero_share:.0%} of days without any move and a daily "
            f"volatility of at least {min_volatility:g} (a frozen feed looks safe)"
        ),
        reason_code="frozen_feed",
        columns=("zero_return_share", "volatility"),
        holds=moves,
    )


def _usual_returns(limit: float) -> Rule:
    return Rule(
        name="returns_are_usual",
        wanted=f"no daily return of the lookback is larger than {limit:.0%} either way",
        reason_code="extreme_move",
        columns=("min_return", "max_return"),
        severity="warning",
        holds=lambda frame: (frame["min_return"] >= -limit) & (frame["max_return"] <= limit),
    )


def _near_peg(tolerance: float) -> Rule:
    return Rule(
        name="cash_near_peg",
        wanted=f"a stablecoin is worth 1 USD within {tolerance:.1%}",
        reason_code="depeg",
        columns=("price_usd", "asset"),
        severity="warning",
        holds=lambda frame: (frame["sleeve"] != "cash") | ((frame["price_usd"] - 1).abs() <= tolerance),
    )
