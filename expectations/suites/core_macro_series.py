"""Promises of a batch of macro series. A missing value is legal: the source says so on holidays.

Parameters:
    as_of: The run's data time; nothing may lie after it.
"""

from expectations import checks
from expectations.promises import between, finite, in_era, instant, known_in_time, not_all_null, on_whole_day
from expectations.rules import Column, Parameters, Suite

COLUMNS = (
    Column("provider", "text"),
    Column("series_id", "text"),
    Column("period_start", "time"),
    Column("value", "number", is_nullable=True),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.macro_series",
        key=("provider", "series_id", "period_start"),
        columns=COLUMNS,
        rules=(
            in_era("period_start", as_of, first=checks.FIRST_STATISTICS),
            on_whole_day("period_start"),
            known_in_time(as_of, lambda frame: frame["period_start"], "the day"),
            finite("value", also_null=True),
            between("value", -1e15, 1e15, "implausible_value"),
            not_all_null("value"),
        ),
    )
