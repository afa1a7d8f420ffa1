"""Promises of a batch of instruments: what a venue says about its markets.

Parameters:
    as_of: The run's data time; nothing may be known after it.
"""

from expectations import checks
from expectations.promises import above_zero, in_era, instant, not_negative, one_of
from expectations.rules import Column, Parameters, Rule, Suite

COLUMNS = (
    Column("venue", "text"),
    Column("market_id", "text"),
    Column("symbol", "text"),
    Column("base", "text"),
    Column("quote", "text"),
    Column("market_type", "text"),
    Column("contract_size", "number", is_nullable=True),
    Column("amount_step", "decimal", is_nullable=True),
    Column("price_step", "decimal", is_nullable=True),
    Column("min_amount", "decimal", is_nullable=True),
    Column("min_cost", "decimal", is_nullable=True),
    Column("maker_fee", "number", is_nullable=True),
    Column("taker_fee", "number", is_nullable=True),
    Column("expires_at", "time", is_nullable=True),
    Column("is_active", "flag"),
    Column("known_at", "time"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.instruments",
        key=("venue", "market_type", "market_id"),
        columns=COLUMNS,
        rules=(
            one_of("market_type", ("spot", "perp", "future", "option"), "unknown_market_type"),
            in_era("known_at", as_of),
            above_zero(("amount_step", "price_step"), name="steps_are_positive", also_null=True),
            above_zero(("contract_size",), name="contract_size_is_positive", also_null=True),
            not_negative("min_amount"),
            not_negative("min_cost"),
            _fee("maker_fee"),
            _fee("taker_fee"),
            _steps_known(),
            _dated(),
        ),
    )


def _fee(column: str) -> Rule:
    return Rule(
        name=f"{column}_is_plausible",
        wanted=f"{column} is a fraction between -0.01 and 0.05, or is missing",
        reason_code="implausible_fee",
        columns=(column,),
        holds=lambda frame: frame[column].isna() | frame[column].between(-0.01, 0.05),
    )


def _steps_known() -> Rule:
    return Rule(
        name="active_market_has_steps",
        wanted="an active market says its amount and price steps (orders can not be rounded without them)",
        reason_code="steps_unknown",
        columns=("amount_step", "price_step"),
        severity="warning",
        holds=lambda frame: (
            ~frame["is_active"].astype(bool) | (frame["amount_step"].notna() & frame["price_step"].notna())
        ),
    )


def _dated() -> Rule:
    return Rule(
        name="dated_contract_expires",
        wanted="a future or option says when it expires, between 2009 and 2100",
        reason_code="expiry_unknown",
        columns=("expires_at", "market_type"),
        holds=lambda frame: (
            ~frame["market_type"].isin(["future", "option"])
            | checks.is_between_times(
                frame["expires_at"].astype("datetime64[us]"), checks.FIRST_BLOCK, checks.LAST_EXPIRY
            )
        ),
    )
