"""Promises of a batch of DeFi metrics: value locked per chain or protocol, fees and revenue of protocols.

Parameters:
    as_of: The run's data time; nothing may lie after it.
"""

from typing import Any

import pandas as pd

from expectations import checks
from expectations.promises import finite, in_era, instant, known_in_time, on_whole_day, one_of
from expectations.rules import Column, Parameters, Rule, Suite

SERIES = ["provider", "entity_kind", "entity", "metric"]
DOUBLED = 1.8
SUBSTANTIAL = 1e6
TVL, REVENUE = "tvl_usd", "revenue_usd"
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
            _sign(),
            _zero_after_value(),
            _doubled(),
        ),
    )


def _sign() -> Rule:
    return Rule(
        name="value_not_negative",
        wanted="value locked and fees are at least 0 (revenue may be negative: a protocol can pay out more)",
        reason_code="negative_value",
        columns=("value", "metric", "entity"),
        holds=lambda frame: (frame["metric"] == REVENUE) | (frame["value"] >= 0),
    )


def _before(frame: pd.DataFrame) -> "pd.Series[Any]":
    """The value of the same series one row earlier in time; missing for a series' first row."""
    ordered = frame.sort_values([*SERIES, "period_start"], kind="stable")
    return ordered.groupby(SERIES, sort=False)["value"].shift(1).reindex(frame.index)


def _largest_before(frame: pd.DataFrame) -> "pd.Series[Any]":
    """The largest value of the same series on the days of the batch up to each row's."""
    ordered = frame.sort_values([*SERIES, "period_start"], kind="stable")
    return ordered.groupby(SERIES, sort=False)["value"].cummax().reindex(frame.index)


def _zero_after_value() -> Rule:
    # A week is read again each time: while the days before the fall are in the batch, its zeros are kept out.
    # A fall that lasts comes in after that week, and the audit of the whole table tells of it.
    return Rule(
        name="no_zero_after_value",
        wanted="value locked above 1 million does not fall to 0 (an adapter that broke looks like this)",
        reason_code="zero_after_value",
        columns=("value", "entity"),
        holds=lambda frame: (
            (frame["metric"] != TVL) | (frame["value"] != 0) | ~(_largest_before(frame) > SUBSTANTIAL)
        ),
    )


def _doubled() -> Rule:
    def steady(frame: pd.DataFrame) -> "pd.Series[Any]":
        before = _before(frame)
        jumped = checks.is_finite(frame["value"]) & (frame["value"] > DOUBLED * before)
        return ~((frame["metric"] == TVL) & (before > SUBSTANTIAL) & jumped)

    return Rule(
        name="no_sudden_doubling",
        wanted="value locked above 1 million does not nearly double in a day (counted twice looks like this)",
        reason_code="sudden_jump",
        columns=("value", "entity"),
        severity="warning",
        holds=steady,
    )
