"""Promises of a batch of pool readings: what deposits earn, what loans cost, and how much is there.

Parameters:
    as_of: The run's data time; a day is stored only after it ended.
"""

import pandas as pd

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

DAY = pd.Timedelta(days=1)
RATES = ("apy_base", "apy_reward", "apy_base_borrow")
COLUMNS = (
    Column("provider", "text"),
    Column("pool", "text"),
    Column("chain", "text"),
    Column("project", "text"),
    Column("symbol", "text"),
    Column("period_start", "time"),
    Column("apy_base", "number", is_nullable=True),
    Column("apy_reward", "number", is_nullable=True),
    Column("apy_base_borrow", "number", is_nullable=True),
    Column("tvl_usd", "number", is_nullable=True),
    Column("total_borrow_usd", "number", is_nullable=True),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.yield_pools",
        key=("provider", "pool", "period_start"),
        columns=COLUMNS,
        rules=(
            in_era("period_start", as_of),
            on_whole_day("period_start"),
            known_in_time(as_of, lambda frame: frame["period_start"] + DAY, "the end of the day"),
            *(finite(rate, also_null=True) for rate in RATES),
            # A pool that was just opened or drained shows rates that nobody earns: 10,000 % a year at most.
            *(between(rate, -1.0, 100.0, "implausible_rate") for rate in RATES),
            as_warning(between("apy_base", 0.0, 1.0, "unusual_rate"), "apy_base_is_usual"),
            not_negative("tvl_usd"),
            not_negative("total_borrow_usd"),
            _says_something(),
        ),
    )


def _says_something() -> Rule:
    return Rule(
        name="rate_or_size_given",
        wanted="a reading gives a rate or a size",
        reason_code="missing_value",
        columns=("apy_base", "apy_reward", "tvl_usd"),
        holds=lambda frame: frame[["apy_base", "apy_reward", "tvl_usd"]].notna().any(axis=1),
    )
