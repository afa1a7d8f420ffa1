"""Promises of a batch of funding settlements. A negative rate is legal: shorts pay longs.

Parameters:
    as_of: The run's data time; no settlement may lie after it.
    max_funding_rate: Largest believable size of one settlement's rate, as a fraction (default 0.10; the
        venues' own caps lie at 0.003 to 0.04).
"""

import pandas as pd

from expectations import checks
from expectations.promises import above_zero, as_warning, between, finite, in_era, instant, known_in_time
from expectations.rules import Column, Parameters, Rule, Suite

UNUSUAL = 0.03
COLUMNS = (
    Column("venue", "text"),
    Column("market_id", "text"),
    Column("symbol", "text"),
    Column("base", "text"),
    Column("settled_at", "time"),
    Column("funding_rate", "number"),
    Column("interval_hours", "number"),
    Column("mark_price", "number", is_nullable=True),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    limit = float(parameters.get("max_funding_rate", 0.10))
    return Suite(
        table="core.funding_rates",
        key=("venue", "market_id", "settled_at"),
        columns=COLUMNS,
        rules=(
            in_era("settled_at", as_of),
            _on_second(),
            known_in_time(as_of, lambda frame: frame["settled_at"], "the settlement"),
            finite("funding_rate"),
            between("funding_rate", -limit, limit, "implausible_rate"),
            as_warning(between("funding_rate", -UNUSUAL, UNUSUAL, "unusual_rate"), "funding_rate_is_usual"),
            finite("interval_hours"),
            between("interval_hours", 1 / 60, 24, "implausible_interval"),
            above_zero(("mark_price",), name="mark_price_is_positive", also_null=True),
        ),
    )


def _on_second() -> Rule:
    return Rule(
        name="settled_at_on_second",
        wanted="settled_at is rounded to a whole second (venues jitter by milliseconds)",
        reason_code="off_grid",
        columns=("settled_at",),
        holds=lambda frame: checks.is_whole(frame["settled_at"], pd.Timedelta(seconds=1)),
    )
