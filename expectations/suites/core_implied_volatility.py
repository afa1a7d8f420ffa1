"""Promises of a batch of implied volatilities: index values and options.

Parameters:
    as_of: The run's data time; no value may lie after it.
"""

from expectations.promises import above_zero, between, in_era, instant, known_in_time, not_negative, one_of
from expectations.rules import Column, Parameters, Rule, Suite

LARGEST = 10.0  # 1000 % a year
FIGURES = ("underlying_price", "mark_price", "open_interest")
COLUMNS = (
    Column("venue", "text"),
    Column("market_id", "text"),
    Column("kind", "text"),
    Column("base", "text"),
    Column("option_type", "text", may_be_blank=True),
    Column("expires_at", "time", is_nullable=True),
    Column("strike", "number", is_nullable=True),
    Column("observed_at", "time"),
    Column("implied_volatility", "number"),
    *(Column(name, "number", is_nullable=True) for name in (*FIGURES, "delta", "gamma", "vega", "theta")),
    Column("known_at", "time"),
    Column("is_reconstructed", "flag"),
    Column("bid_price", "number", is_nullable=True),
    Column("ask_price", "number", is_nullable=True),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.implied_volatility",
        key=("venue", "market_id", "observed_at"),
        columns=COLUMNS,
        rules=(
            one_of("kind", ("index", "option"), "unknown_kind"),
            in_era("observed_at", as_of),
            known_in_time(as_of, lambda frame: frame["observed_at"], "the instant"),
            above_zero(("implied_volatility",), name="volatility_is_positive"),
            between("implied_volatility", 0, LARGEST, "implausible_volatility"),
            above_zero(("strike", "underlying_price"), name="strike_is_positive", also_null=True),
            not_negative("mark_price"),
            not_negative("open_interest"),
            not_negative("gamma"),
            not_negative("vega"),
            above_zero(("bid_price", "ask_price"), name="quotes_are_positive", also_null=True),
            _quotes_do_not_cross(),
            _options_described(),
            _delta_fits(),
        ),
    )


def _options_described() -> Rule:
    return Rule(
        name="option_is_described",
        wanted="an option is a call or a put, has a strike and expires after it was read",
        reason_code="option_unknown",
        columns=("market_id", "option_type", "strike", "expires_at", "kind"),
        holds=lambda frame: (
            (frame["kind"] == "index")
            | (
                frame["option_type"].isin(["call", "put"])
                & frame["strike"].notna()
                & (frame["expires_at"].astype("datetime64[us]") > frame["observed_at"])
            )
        ),
    )


def _quotes_do_not_cross() -> Rule:
    return Rule(
        name="quotes_do_not_cross",
        wanted="the best bid is not above the best ask",
        reason_code="crossed_book",
        columns=("bid_price", "ask_price"),
        holds=lambda frame: (
            frame["bid_price"].isna() | frame["ask_price"].isna() | (frame["bid_price"] <= frame["ask_price"])
        ),
    )


def _delta_fits() -> Rule:
    return Rule(
        name="delta_fits_the_option",
        wanted="delta lies between 0 and 1 for a call, between -1 and 0 for a put",
        reason_code="implausible_greeks",
        columns=("delta", "option_type"),
        holds=lambda frame: (
            frame["delta"].isna()
            | ((frame["option_type"] == "call") & frame["delta"].between(0, 1))
            | ((frame["option_type"] == "put") & frame["delta"].between(-1, 0))
        ),
    )
