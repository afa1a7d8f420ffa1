"""Promises of a batch of incidents: hacks, exploits and thefts.

Parameters:
    as_of: The run's data time; nothing may lie after it.
"""

from expectations.promises import in_era, instant, known_in_time, not_negative, on_whole_day
from expectations.rules import Column, Parameters, Suite

COLUMNS = (
    Column("provider", "text"),
    Column("incident_id", "text"),
    Column("occurred_at", "time"),
    Column("entity", "text"),
    Column("entity_id", "text", may_be_blank=True),
    Column("chains", "text", may_be_blank=True),
    Column("classification", "text", may_be_blank=True),
    Column("technique", "text", may_be_blank=True),
    Column("amount_usd", "number", is_nullable=True),
    Column("returned_usd", "number", is_nullable=True),
    Column("is_bridge", "flag"),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.incidents",
        key=("provider", "occurred_at", "incident_id"),
        columns=COLUMNS,
        rules=(
            in_era("occurred_at", as_of),
            on_whole_day("occurred_at"),
            known_in_time(as_of, lambda frame: frame["occurred_at"], "the day"),
            not_negative("amount_usd"),
            not_negative("returned_usd"),
        ),
    )
