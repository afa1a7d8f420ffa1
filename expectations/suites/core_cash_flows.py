"""Promises of imported cash flows: what went into a portfolio and out of it.

Parameters:
    as_of: The run's data time; no flow may lie after it.
"""

from expectations.promises import finite, in_era, instant, known_in_time, one_of
from expectations.rules import Column, Parameters, Rule, Suite

INFLOWS = ("deposit", "income")
OUTFLOWS = ("withdrawal", "fee")
COLUMNS = (
    Column("portfolio", "text"),
    Column("flow_id", "text"),
    Column("statement_id", "text"),
    Column("happened_at", "time"),
    Column("kind", "text"),
    Column("asset", "text"),
    Column("quantity", "number"),
    Column("value_usd", "number", is_nullable=True),
    Column("note", "text", may_be_blank=True),
    Column("known_at", "time"),
)


def suite(parameters: Parameters) -> Suite:
    """The promises, for one as_of."""
    as_of = instant(parameters)
    return Suite(
        table="core.cash_flows",
        key=("portfolio", "flow_id", "statement_id"),
        columns=COLUMNS,
        rules=(
            one_of("kind", (*INFLOWS, *OUTFLOWS), "unknown_kind"),
            finite("quantity"),
            _has_its_sign(),
            _value_has_the_sign(),
            in_era("happened_at", as_of),
            known_in_time(as_of, lambda frame: frame["happened_at"], "the flow"),
        ),
    )


def _has_its_sign() -> Rule:
    return Rule(
        name="quantity_has_its_sign",
        wanted="deposits and income are not negative, withdrawals and fees not positive",
        reason_code="wrong_sign",
        columns=("kind", "quantity"),
        holds=lambda frame: (
            ~(frame["kind"].isin(INFLOWS) & (frame["quantity"] < 0))
            & ~(frame["kind"].isin(OUTFLOWS) & (frame["quantity"] > 0))
        ),
    )


def _value_has_the_sign() -> Rule:
    return Rule(
        name="value_has_the_sign_of_the_quantity",
        wanted="a value in US dollars is finite and has the sign of its quantity",
        reason_code="wrong_sign",
        columns=("value_usd", "quantity"),
        holds=lambda frame: (
            frame["value_usd"].isna()
            | ((frame["value_usd"] * frame["quantity"] >= 0) & (frame["value_usd"].abs() < float("inf")))
        ),
    )
