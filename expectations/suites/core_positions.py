"""Promises of one imported statement of what a portfolio holds.

Parameters:
    as_of: The run's data time; a statement can not describe the future.
    max_statement_age_days: Age from which a statement is called old, a warning (default 7).
"""

import pandas as pd

from expectations import checks
from expectations.promises import above_zero, finite, in_era, instant, known_in_time, not_negative, one_of
from expectations.rules import Column, Parameters, Rule, Suite

KINDS = ("spot", "perp", "future", "option", "lending", "staking", "bank")
CAN_BE_SHORT = ("perp", "future", "option")
COLUMNS = (
    Column("portfolio", "text"),
    Column("statement_id", "text"),
    Column("venue", "text", may_be_blank=True),
    Column("account", "text", may_be_blank=True),
    Column("kind", "text"),
    Column("asset", "text"),
    Column("quantity", "number"),
    Column("entry_price", "number", is_nullable=True),
    Column("margin", "number", is_nullable=True),
    Column("margin_mode", "text", is_nullable=True),
    Column("leverage", "number", is_nullable=True),
    Column("cost_basis_usd", "number", is_nullable=True),
    Column("is_immovable", "flag"),
    Column("as_of", "time"),
    Column("known_at", "time"),
    Column("market_id", "text", may_be_blank=True),
    Column("quote", "text"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.positions",
        key=("portfolio", "statement_id", "venue", "account", "kind", "asset", "market_id"),
        columns=COLUMNS,
        rules=(
            one_of("kind", KINDS, "unknown_kind"),
            finite("quantity"),
            _no_short_holding(),
            above_zero(("entry_price",), name="entry_price_is_positive", also_null=True),
            not_negative("margin"),
            one_of("margin_mode", ("cross", "isolated"), "unknown_margin_mode"),
            above_zero(("leverage",), name="leverage_is_positive", also_null=True),
            not_negative("cost_basis_usd"),
            in_era("as_of", as_of),
            known_in_time(as_of, lambda frame: frame["as_of"], "the statement"),
            _recent(as_of, float(parameters.get("max_statement_age_days", 7))),
        ),
    )


def _no_short_holding() -> Rule:
    return Rule(
        name="holding_not_short",
        wanted=f"only {', '.join(CAN_BE_SHORT)} positions are negative (short)",
        reason_code="negative_holding",
        columns=("quantity", "kind", "asset"),
        holds=lambda frame: frame["kind"].isin(CAN_BE_SHORT) | (frame["quantity"] >= 0),
    )


def _recent(as_of: pd.Timestamp, days: float) -> Rule:
    return Rule(
        name="statement_is_recent",
        wanted=f"the statement is at most {days:g} days old",
        reason_code="old_statement",
        columns=("as_of",),
        severity="warning",
        holds=lambda frame: checks.is_between_times(
            frame["as_of"], as_of - pd.Timedelta(days=days), checks.LAST_EXPIRY
        ),
    )
