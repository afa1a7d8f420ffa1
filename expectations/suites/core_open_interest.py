"""Promises of a batch of hourly open interest.

Parameters:
    as_of: The run's data time; no point may lie after it.
"""

import pandas as pd

from expectations import checks
from expectations.promises import in_era, instant, known_in_time, not_negative, one_of
from expectations.rules import Column, Parameters, Rule, Suite

COLUMNS = (
    Column("venue", "text"),
    Column("market_id", "text"),
    Column("symbol", "text"),
    Column("base", "text"),
    Column("quote", "text"),
    Column("market_type", "text"),
    Column("observed_at", "time"),
    Column("open_interest", "number", is_nullable=True),
    Column("open_interest_quote", "number", is_nullable=True),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.open_interest",
        key=("venue", "market_type", "market_id", "observed_at"),
        columns=COLUMNS,
        rules=(
            one_of("market_type", ("perp", "future"), "unknown_market_type"),
            in_era("observed_at", as_of),
            _on_hour(),
            known_in_time(as_of, lambda frame: frame["observed_at"], "the instant"),
            not_negative("open_interest"),
            not_negative("open_interest_quote"),
            _says_something(),
        ),
    )


def _on_hour() -> Rule:
    return Rule(
        name="observed_at_on_hour",
        wanted="observed_at is a whole hour",
        reason_code="off_grid",
        columns=("observed_at",),
        holds=lambda frame: checks.is_whole(frame["observed_at"], pd.Timedelta(hours=1)),
    )


def _says_something() -> Rule:
    return Rule(
        name="amount_or_value_given",
        wanted="the amount in base or the value in quote is given",
        reason_code="missing_value",
        columns=("open_interest", "open_interest_quote"),
        holds=lambda frame: frame["open_interest"].notna() | frame["open_interest_quote"].notna(),
    )
