"""Promises of a batch of order-book snapshots: spread and depth.

Parameters:
    as_of: The run's data time; no book may be observed after it.
"""

from typing import Any

import pandas as pd

from expectations.promises import above_zero, in_era, instant, known_in_time, not_negative, one_of
from expectations.rules import Column, Parameters, Rule, Suite

DEPTHS = tuple(f"{side}_depth_{bps}bps" for bps in (10, 50, 100) for side in ("bid", "ask"))
COLUMNS = (
    Column("venue", "text"),
    Column("market_id", "text"),
    Column("symbol", "text"),
    Column("base", "text"),
    Column("quote", "text"),
    Column("market_type", "text"),
    Column("observed_at", "time"),
    Column("bid", "number"),
    Column("ask", "number"),
    Column("mid", "number"),
    Column("spread_bps", "number"),
    *(Column(name, "number", is_nullable=True) for name in DEPTHS),
    Column("known_at", "time"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.order_book_depth",
        key=("venue", "market_type", "market_id", "observed_at"),
        columns=COLUMNS,
        rules=(
            one_of("market_type", ("spot", "perp", "future", "option"), "unknown_market_type"),
            in_era("observed_at", as_of),
            known_in_time(as_of, lambda frame: frame["observed_at"], "the observation"),
            above_zero(("bid", "ask", "mid")),
            _not_crossed(),
            _spread_fits(),
            *(not_negative(name) for name in DEPTHS),
            *(_nested(side) for side in ("bid", "ask")),
        ),
    )


def _not_crossed() -> Rule:
    return Rule(
        name="bid_below_ask",
        wanted="the best bid is below the best ask, with the mid between them",
        reason_code="crossed_book",
        columns=("bid", "ask", "mid"),
        holds=lambda frame: (
            (frame["bid"] < frame["ask"]) & (frame["mid"] >= frame["bid"]) & (frame["mid"] <= frame["ask"])
        ),
    )


def _spread_fits() -> Rule:
    def fits(frame: pd.DataFrame) -> "pd.Series[Any]":
        spread = (frame["ask"] - frame["bid"]) / frame["mid"] * 1e4
        return (frame["spread_bps"] - spread).abs() <= 1e-6 + 1e-6 * spread.abs()

    return Rule(
        name="spread_fits_prices",
        wanted="spread_bps is (ask − bid) / mid in hundredths of a percent",
        reason_code="inconsistent_spread",
        columns=("spread_bps", "bid", "ask"),
        holds=fits,
    )


def _nested(side: str) -> Rule:
    near, middle, far = (f"{side}_depth_{bps}bps" for bps in (10, 50, 100))
    return Rule(
        name=f"{side}_depth_grows",
        wanted=f"{side} depth grows with the distance from mid: 10, 50, 100 bps (where known)",
        reason_code="inconsistent_depth",
        columns=(near, middle, far),
        holds=lambda frame: (
            ~(frame[near] > frame[middle]) & ~(frame[middle] > frame[far]) & ~(frame[near] > frame[far])
        ),
    )
