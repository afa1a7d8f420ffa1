"""Promises of a batch of DeFi metrics: value locked per chain or protocol.

Parameters:
    as_of: The run's data time; nothing may lie after it.
"""

from typing import Any

import pandas as pd

from expectations import checks
from expectations.promises import finite, in_era, instant, known_in_time, not_negative, on_whole_day, one_of
from expectations.rules import Column, Parameters, Rule, Suite

SERIES = ["provider", "entity_kind", "entity", "metric"]
DOUBLED = 1.8
COLUMNS = (
    Column("provider", "text"),
    Column("entity_kind", "text"),
    Column("entity", "text"),
    Column("metric", "text"),
    Column("period_start", "time"),
    Column("value", "number"),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.protocol_metrics",
        key=(*SERIES, "period_start"),
        columns=COLUMNS,
        rules=(
            one_of("entity_kind", ("chain", "protocol"), "unknown_entity_kind"),
            in_era("period_start", as_of),
            on_whole_day("period_start"),
            known_in_time(as_of, lambda frame: frame["period_start"], "the day"),
            finite("value"),
            not_negative("value", also_null=False),
            _zero_after_value(),
            _doubled(),
        ),
    )


def _before(frame: pd.DataFrame) -> "pd.Series[Any]":
    """The value of the same series one row earlier in time; missing for a series' first row."""
    ordered = frame.sort_values([*SERIES, "period_start"], kind="stable")
    return ordered.groupby(SERIES, sort=False)["value"].shift(1).reindex(frame.index)


def _zero_after_value() -> Rule:
    return Rule(
        name="no_zero_after_value",
        wanted="a series that had a value does not fall to 0 (a source's adapter that broke looks like this)",
        reason_code="zero_after_value",
        columns=("value", "entity"),
        severity="warning",
        holds=lambda frame: ~((frame["value"] == 0) & (_before(frame) > 0)),
    )


def _doubled() -> Rule:
    def steady(frame: pd.DataFrame) -> "pd.Series[Any]":
        before = _before(frame)
        return ~((before > 1e6) & checks.is_finite(frame["value"]) & (frame["value"] > DOUBLED * before))

    return Rule(
        name="no_sudden_doubling",
        wanted="a series above 1 million does not nearly double within a day (counted twice looks like this)",
        reason_code="sudden_jump",
        columns=("value", "entity"),
        severity="warning",
        holds=steady,
    )
