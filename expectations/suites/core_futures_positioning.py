"""Promises of a batch of weekly reports on who holds a future.

Parameters:
    as_of: The run's data time; a report is stored only after its day ended.
"""

import pandas as pd

from expectations.promises import in_era, instant, known_in_time, not_negative, on_whole_day
from expectations.rules import Column, Parameters, Rule, Suite

DAY = pd.Timedelta(days=1)
CLASSES = ("dealer", "asset_manager", "leveraged", "other", "small")
LONGS = tuple(f"{trader}_long" for trader in CLASSES)
SHORTS = tuple(f"{trader}_short" for trader in CLASSES)
COUNTS = ("open_interest", *(f"{trader}_{side}" for trader in CLASSES for side in ("long", "short")))
COLUMNS = (
    Column("provider", "text"),
    Column("market_id", "text"),
    Column("asset", "text"),
    Column("period_start", "time"),
    *(Column(name, "number") for name in COUNTS),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.futures_positioning",
        key=("provider", "market_id", "period_start"),
        columns=COLUMNS,
        rules=(
            in_era("period_start", as_of),
            on_whole_day("period_start"),
            known_in_time(as_of, lambda frame: frame["period_start"] + DAY, "the end of the day"),
            *(not_negative(name, also_null=False) for name in COUNTS),
            _fits_open_interest(),
        ),
    )


def _fits_open_interest() -> Rule:
    def fits(frame: pd.DataFrame) -> "pd.Series[bool]":
        total = frame["open_interest"]
        return (frame[list(LONGS)].sum(axis=1) <= total) & (frame[list(SHORTS)].sum(axis=1) <= total)

    return Rule(
        name="positions_fit_open_interest",
        wanted="neither the long nor the short positions of all traders exceed the open interest",
        reason_code="inconsistent_positions",
        columns=("open_interest", *COUNTS[1:]),
        holds=fits,
    )
