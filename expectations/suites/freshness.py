"""Judges how old the newest closed datum of each dataset and source is: one row for each.

What a portfolio requires and is too old is critical; what only informs is a warning. A dataset without any
datum has no age, and is not fresh.
"""

import pandas as pd

from expectations import checks
from expectations.rules import Column, Parameters, Rule, Suite

COLUMNS = (
    Column("dataset", "text"),
    Column("source", "text"),
    Column("age_seconds", "number", is_nullable=True),
    Column("limit_seconds", "number"),
    Column("is_required", "flag"),
)


def suite(_parameters: Parameters) -> Suite:
    """The promises."""
    return Suite(
        table="ops.freshness",
        key=("dataset", "source"),
        columns=COLUMNS,
        rules=(_fresh(required=True), _fresh(required=False)),
    )


def _fresh(*, required: bool) -> Rule:
    def holds(frame: pd.DataFrame) -> object:
        young = checks.is_finite(frame["age_seconds"]) & (frame["age_seconds"] <= frame["limit_seconds"])
        return (frame["is_required"].astype(bool) != required) | young

    return Rule(
        name="required_data_is_fresh" if required else "other_data_is_fresh",
        wanted=f"data that {'a portfolio requires' if required else 'only inform'} keep their limit of age",
        reason_code="stale_required_data" if required else "stale_data",
        columns=("age_seconds", "limit_seconds"),
        severity="critical" if required else "warning",
        holds=holds,  # pyright: ignore[reportArgumentType] - pandas types the combination as object
    )
