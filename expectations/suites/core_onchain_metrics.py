"""Promises of a batch of daily on-chain metrics and reference prices.

Parameters:
    as_of: The run's data time; a day is stored only after it ended.
"""

import pandas as pd

from expectations import checks
from expectations.promises import finite, in_era, instant, known_in_time, on_whole_day
from expectations.rules import Column, Parameters, Rule, Suite

# Returns, net flows and net issuance change sign; every other metric counts or measures something.
SIGNED = ("ROI", "FlowNet", "Iss", "Basis")
PRICES = ("PriceUSD", "ReferenceRateUSD")
DAY = pd.Timedelta(days=1)
COLUMNS = (
    Column("provider", "text"),
    Column("asset", "text"),
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
        table="core.onchain_metrics",
        key=("provider", "asset", "metric", "period_start"),
        columns=COLUMNS,
        rules=(
            in_era("period_start", as_of),
            on_whole_day("period_start"),
            _day_is_over(as_of),
            known_in_time(as_of, lambda frame: frame["period_start"] + DAY, "the end of the day"),
            finite("value"),
            _sign(),
            _price(),
        ),
    )


def _day_is_over(as_of: pd.Timestamp) -> Rule:
    return Rule(
        name="day_is_over",
        wanted=f"the day has ended by {as_of:%Y-%m-%d %H:%M:%S} UTC (a partial day is never used)",
        reason_code="not_closed",
        columns=("period_start",),
        holds=lambda frame: frame["period_start"] + DAY <= as_of,
    )


def _sign() -> Rule:
    return Rule(
        name="value_not_negative",
        wanted="a metric that counts or measures is at least 0",
        reason_code="negative_value",
        columns=("value", "metric"),
        holds=lambda frame: frame["metric"].str.startswith(SIGNED) | (frame["value"] >= 0),
    )


def _price() -> Rule:
    return Rule(
        name="price_is_positive",
        wanted="a reference price lies above 0 and below 1e15",
        reason_code="not_positive",
        columns=("value", "metric"),
        holds=lambda frame: (
            ~frame["metric"].isin(PRICES) | ((frame["value"] > 0) & (frame["value"] < checks.LARGEST))
        ),
    )
