"""Promises of the parts of an imported statement: each position by the lines it belongs to.

Parameters:
    as_of: The run's data time; no part may be known after it.
"""

from expectations.promises import finite, instant, known_in_time, one_of
from expectations.rules import Column, Parameters, Suite

KINDS = ("spot", "perp", "future", "option", "lending", "staking", "bank")
SLEEVES = ("spot", "cash", "carry", "basis", "yield", "staking", "options", "perp", "future")
COLUMNS = (
    Column("portfolio", "text"),
    Column("statement_id", "text"),
    Column("venue", "text", may_be_blank=True),
    Column("account", "text", may_be_blank=True),
    Column("kind", "text"),
    Column("asset", "text"),
    Column("market_id", "text", may_be_blank=True),
    Column("sleeve", "text"),
    Column("quantity", "number"),
    Column("known_at", "time"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.position_legs",
        key=("portfolio", "statement_id", "venue", "account", "kind", "asset", "market_id", "sleeve"),
        columns=COLUMNS,
        rules=(
            one_of("kind", KINDS, "unknown_kind"),
            one_of("sleeve", SLEEVES, "unknown_kind"),
            finite("quantity"),
            known_in_time(as_of, lambda frame: frame["known_at"], "the statement"),
        ),
    )
