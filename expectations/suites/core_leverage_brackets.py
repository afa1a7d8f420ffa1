"""Promises of a batch of leverage brackets.

Parameters:
    as_of: The run's data time; nothing may be known after it.
"""

from expectations.promises import above_zero, between, finite, in_era, instant, not_negative, one_of
from expectations.rules import Column, Parameters, Rule, Suite

COLUMNS = (
    Column("venue", "text"),
    Column("market_id", "text"),
    Column("symbol", "text"),
    Column("base", "text"),
    Column("market_type", "text"),
    Column("bracket", "number"),
    Column("brackets", "number"),
    Column("notional_floor", "number"),
    Column("notional_cap", "number", is_nullable=True),
    Column("maintenance_margin_rate", "number"),
    Column("max_leverage", "number", is_nullable=True),
    Column("known_at", "time"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.leverage_brackets",
        key=("venue", "market_type", "market_id", "bracket"),
        columns=COLUMNS,
        rules=(
            one_of("market_type", ("perp", "future"), "unknown_market_type"),
            in_era("known_at", as_of),
            finite("maintenance_margin_rate"),
            above_zero(("maintenance_margin_rate",), name="margin_is_positive"),
            between("maintenance_margin_rate", 0, 1, "implausible_margin"),
            between("max_leverage", 1, 1000, "implausible_leverage"),
            not_negative("notional_floor", also_null=False),
            _ends_after_its_beginning(),
            _is_one_of_them(),
        ),
    )


def _ends_after_its_beginning() -> Rule:
    return Rule(
        name="cap_above_floor",
        wanted="a bracket ends above the notional at which it begins, or has no end",
        reason_code="broken_brackets",
        columns=("notional_cap", "notional_floor"),
        holds=lambda frame: frame["notional_cap"].isna() | (frame["notional_cap"] > frame["notional_floor"]),
    )


def _is_one_of_them() -> Rule:
    return Rule(
        name="bracket_is_one_of_the_market",
        wanted="brackets are numbered from 1 to as many as the market has",
        reason_code="broken_brackets",
        columns=("bracket", "brackets"),
        holds=lambda frame: (frame["bracket"] >= 1) & (frame["bracket"] <= frame["brackets"]),
    )
