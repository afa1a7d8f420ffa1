"""Promises of what a decision is made from: one row per line (sleeve and asset) of a portfolio.

A broken row freezes its line (it keeps its quantity, the rest is decided); a broken promise of the whole
frame blocks the recommendation. Cash may be constant, and a gap in its history only warns: freezing the cash
leg would stop every trade. A coin that is constant is a feed that froze. Carry, basis and yield are calm by
what they are: they must only not stand still.

Columns: sleeve, asset; observations (days with a return); newest_data_age_hours (age of the newest daily
return); price_usd, price_age_hours; min_return, max_return (simple, per day); zero_return_share (days with
exactly 0); volatility (daily standard deviation); venues (how many agree on the price).

Parameters:
    min_observations: Fewest days with a return (default 60).
    max_data_age_hours: Oldest newest return (default 54: one day and the 30 hours that the gate grants).
    max_price_age_hours: Oldest price (default 30).
    min_venues: Venues, or sources of a stablecoin, that must give a price (default 1).
    max_zero_share: Largest share of days without any move (default 0.2; cash is exempt).
    min_volatility: Smallest daily volatility of what is neither cash nor calm (default 0.0005).
    extreme_return: Size of a daily return from which a warning is given (default 0.4).
    peg_tolerance: Distance of a cash line's price from 1 USD from which a warning is given (default 0.02).
"""

from collections.abc import Callable
from typing import Any

import pandas as pd

from expectations import checks
from expectations.promises import above_zero, one_of
from expectations.rules import Column, Parameters, Rule, Suite

SLEEVES = ("spot", "carry", "basis", "yield", "staking", "options", "cash")
CALM = ("carry", "basis", "yield")
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
            _price_is_recent(float(get("max_price_age_hours", 30))),
            _venues_agree(float(get("min_venues", 1))),
            *_history(float(get("min_observations", 60)), float(get("max_data_age_hours", 54))),
            _possible_returns(),
            _not_frozen(float(get("max_zero_share", 0.2)), float(get("min_volatility", 0.0005))),
            _usual_returns(float(get("extreme_return", 0.4))),
            _near_peg(float(get("peg_tolerance", 0.02))),
        ),
    )


def _is_cash(frame: pd.DataFrame) -> "pd.Series[Any]":
    return frame["sleeve"] == "cash"


def _at_most(column: str, limit: float) -> "Callable[[pd.DataFrame], pd.Series[Any]]":
    return lambda frame: checks.is_finite(frame[column]) & (frame[column] <= limit)


def _at_least(column: str, limit: float) -> "Callable[[pd.DataFrame], pd.Series[Any]]":
    return lambda frame: checks.is_finite(frame[column]) & (frame[column] >= limit)


def _price_is_recent(hours: float) -> Rule:
    return Rule(
        name="price_is_recent",
        wanted=f"the price is at most {hours:g} hours old",
        reason_code="stale_price",
        columns=("price_age_hours",),
        holds=_at_most("price_age_hours", hours),
    )


def _venues_agree(venues: float) -> Rule:
    return Rule(
        name="enough_venues",
        wanted=f"at least {venues:g} venues or sources agree on the price",
        reason_code="too_few_venues",
        columns=("venues",),
        holds=_at_least("venues", venues),
    )


def _history(days: float, hours: float) -> tuple[Rule, ...]:
    long, recent = _at_least("observations", days), _at_most("newest_data_age_hours", hours)
    return (
        Rule(
            name="history_is_long_enough",
            wanted=f"there are at least {days:g} days with a return",
            reason_code="too_little_history",
            columns=("observations",),
            holds=lambda frame: _is_cash(frame) | long(frame),
        ),
        Rule(
            name="history_is_recent",
            wanted=f"the newest daily return is at most {hours:g} hours old",
            reason_code="stale_history",
            columns=("newest_data_age_hours",),
            holds=lambda frame: _is_cash(frame) | recent(frame),
        ),
        Rule(
            name="cash_history_is_complete",
            wanted=f"a stablecoin has {days:g} days of returns, the newest at most {hours:g} hours old",
            reason_code="cash_history_incomplete",
            columns=("observations", "newest_data_age_hours"),
            severity="warning",
            holds=lambda frame: ~_is_cash(frame) | (long(frame) & recent(frame)),
        ),
    )


def _possible_returns() -> Rule:
    return Rule(
        name="returns_are_possible",
        wanted="a daily simple return lies above −1 (a total loss) and below 10 (eleven times the price)",
        reason_code="impossible_return",
        columns=("min_return", "max_return"),
        holds=lambda frame: _is_cash(frame) | ((frame["min_return"] > -1) & (frame["max_return"] < 10)),
    )


def _not_frozen(max_zero_share: float, min_volatility: float) -> Rule:
    def moves(frame: pd.DataFrame) -> "pd.Series[Any]":
        quiet = frame["sleeve"].isin(CALM) | (frame["volatility"] >= min_volatility)
        alive = (frame["zero_return_share"] <= max_zero_share) & quiet
        return _is_cash(frame) | (alive & checks.is_finite(frame["volatility"]))

    return Rule(
        name="price_moves",
        wanted=(
            f"what is not cash moves: at most {max_zero_share:.0%} of days without any move and a daily "
            f"volatility of at least {min_volatility:g}, carry, basis and yield aside (a frozen feed looks "
            "safe)"
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
        holds=lambda frame: (
            _is_cash(frame) | ((frame["min_return"] >= -limit) & (frame["max_return"] <= limit))
        ),
    )


def _near_peg(tolerance: float) -> Rule:
    return Rule(
        name="cash_near_peg",
        wanted=f"a stablecoin is worth 1 USD within {tolerance:.1%}",
        reason_code="depeg",
        columns=("price_usd", "asset"),
        severity="warning",
        holds=lambda frame: ~_is_cash(frame) | ((frame["price_usd"] - 1).abs() <= tolerance),
    )
