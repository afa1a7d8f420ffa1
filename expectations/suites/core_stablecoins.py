"""Promises of a batch of stablecoin supplies and prices.

Parameters:
    as_of: The run's data time; nothing may lie after it.
    peg_tolerance: Distance from 1 USD from which a warning is given (default 0.02).
"""

from expectations.promises import (
    as_warning,
    between,
    finite,
    in_era,
    instant,
    known_in_time,
    not_negative,
    on_whole_day,
)
from expectations.rules import Column, Parameters, Rule, Suite

COLUMNS = (
    Column("provider", "text"),
    Column("asset", "text"),
    Column("period_start", "time"),
    Column("supply", "number", is_nullable=True),
    Column("price_usd", "number", is_nullable=True),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    tolerance = float(parameters.get("peg_tolerance", 0.02))
    return Suite(
        table="core.stablecoins",
        key=("provider", "asset", "period_start"),
        columns=COLUMNS,
        rules=(
            in_era("period_start", as_of),
            on_whole_day("period_start"),
            known_in_time(as_of, lambda frame: frame["period_start"], "the day"),
            _says_something(),
            not_negative("supply"),
            finite("price_usd", also_null=True),
            between("price_usd", 0.5, 1.5, "implausible_price"),
            as_warning(between("price_usd", 1 - tolerance, 1 + tolerance, "off_peg"), "price_usd_near_peg"),
        ),
    )


def _says_something() -> Rule:
    return Rule(
        name="supply_or_price_given",
        wanted="a row gives a supply or a price",
        reason_code="missing_value",
        columns=("supply", "price_usd"),
        holds=lambda frame: frame["supply"].notna() | frame["price_usd"].notna(),
    )
