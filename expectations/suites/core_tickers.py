"""Promises of a batch of tickers: best prices, the last trade, a day's volume.

Parameters:
    as_of: The run's data time; no ticker may be observed after it.
"""

from expectations.promises import in_era, instant, known_in_time, not_negative, one_of
from expectations.rules import Column, Parameters, Rule, Suite

PRICES = ("bid", "ask", "last")
COLUMNS = (
    Column("venue", "text"),
    Column("market_id", "text"),
    Column("symbol", "text"),
    Column("base", "text"),
    Column("quote", "text"),
    Column("market_type", "text"),
    Column("observed_at", "time"),
    *(Column(name, "number", is_nullable=True) for name in PRICES),
    Column("base_volume_24h", "number", is_nullable=True),
    Column("quote_volume_24h", "number", is_nullable=True),
    Column("known_at", "time"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.tickers",
        key=("venue", "market_type", "market_id", "observed_at"),
        columns=COLUMNS,
        rules=(
            one_of("market_type", ("spot", "perp", "future", "option"), "unknown_market_type"),
            in_era("observed_at", as_of),
            known_in_time(as_of, lambda frame: frame["observed_at"], "the observation"),
            *(_positive(name) for name in PRICES),
            _says_a_price(),
            _not_crossed(),
            not_negative("base_volume_24h"),
            not_negative("quote_volume_24h"),
        ),
    )


def _positive(name: str) -> Rule:
    return Rule(
        name=f"{name}_above_zero",
        wanted=f"{name} is finite and above 0, where it is told",
        reason_code="impossible_price",
        columns=(name,),
        holds=lambda frame: frame[name].isna() | ((frame[name] > 0) & (frame[name] < float("inf"))),
    )


def _says_a_price() -> Rule:
    return Rule(
        name="a_price_is_told",
        wanted="a bid, an ask or a last price is given",
        reason_code="missing_value",
        columns=PRICES,
        holds=lambda frame: frame[list(PRICES)].notna().any(axis=1),
    )


def _not_crossed() -> Rule:
    return Rule(
        name="bid_not_above_ask",
        wanted="the bid is not above the ask, where both are told",
        reason_code="crossed_book",
        columns=("bid", "ask"),
        holds=lambda frame: ~(frame["bid"] > frame["ask"]),
    )
