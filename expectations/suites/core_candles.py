"""Promises of a batch of candles, judged before it may reach core.candles.

Parameters:
    as_of: The run's data time; no candle may close after it.
"""

import pandas as pd

from expectations import checks
from expectations.promises import (
    above_zero,
    in_era,
    instant,
    known_in_time,
    not_all_null,
    not_negative,
    one_of,
)
from expectations.rules import Column, Parameters, Rule, Suite

MARKET_TYPES = ("spot", "perp", "future", "option")
COLUMNS = (
    Column("venue", "text"),
    Column("market_id", "text"),
    Column("symbol", "text"),
    Column("base", "text"),
    Column("quote", "text"),
    Column("market_type", "text"),
    Column("timeframe", "text"),
    Column("open_time", "time"),
    Column("open", "number"),
    Column("high", "number"),
    Column("low", "number"),
    Column("close", "number"),
    Column("base_volume", "number", is_nullable=True),
    Column("quote_volume", "number", is_nullable=True),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.candles",
        key=("venue", "market_type", "market_id", "timeframe", "open_time"),
        columns=COLUMNS,
        rules=(
            one_of("market_type", MARKET_TYPES, "unknown_market_type"),
            one_of("timeframe", (*checks.TIMEFRAMES, checks.MONTH), "unknown_timeframe"),
            in_era("open_time", as_of),
            _on_grid(),
            _closed(as_of),
            known_in_time(as_of, checks.close_time, "the candle's close"),
            above_zero(("open", "high", "low", "close")),
            _low_is_lowest(),
            _high_is_highest(),
            not_negative("base_volume"),
            not_negative("quote_volume"),
            not_all_null("base_volume"),
        ),
    )


def _on_grid() -> Rule:
    return Rule(
        name="open_time_on_grid",
        wanted="every candle opens on a whole multiple of its timeframe (UTC)",
        reason_code="off_grid",
        columns=("open_time", "timeframe"),
        holds=checks.is_on_grid,
    )


def _closed(as_of: pd.Timestamp) -> Rule:
    return Rule(
        name="candle_is_closed",
        wanted=f"every candle has closed by {as_of:%Y-%m-%d %H:%M:%S} UTC",
        reason_code="not_closed",
        columns=("open_time", "timeframe"),
        holds=lambda frame: checks.close_time(frame) <= as_of,
    )


def _low_is_lowest() -> Rule:
    return Rule(
        name="low_is_lowest",
        wanted="low is at most open, high and close",
        reason_code="ohlc_inconsistent",
        columns=("low", "open", "high", "close"),
        holds=lambda frame: frame["low"] <= frame[["open", "high", "close"]].min(axis=1, skipna=False),
    )


def _high_is_highest() -> Rule:
    return Rule(
        name="high_is_highest",
        wanted="high is at least open, low and close",
        reason_code="ohlc_inconsistent",
        columns=("high", "open", "low", "close"),
        holds=lambda frame: frame["high"] >= frame[["open", "low", "close"]].max(axis=1, skipna=False),
    )
