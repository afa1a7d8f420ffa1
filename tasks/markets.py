"""The markets that orders may be placed on: their trading rules, and what trading there costs."""

from __future__ import annotations

from decimal import Decimal

from portfolio.model import Instrument, Liquidity
from tasks.context import RunContext
from tasks.known_assets import FEE_FROM_RECEIVED, REFERENCE_CURRENCIES, STABLECOINS
from tasks.policy import execution_venues
from warehouse.reader import Reader


def _market_types(context: RunContext, portfolio: str) -> list[str]:
    """The kinds of market that the portfolio's sleeves trade on."""
    hedged = {"carry", "basis"} & set(context.settings.portfolios[portfolio].sleeves)
    return ["spot", "perp", "future"] if hedged else ["spot"]


def instruments(reader: Reader, context: RunContext, portfolio: str) -> tuple[Instrument, ...]:
    """Trading rules of the execution venues; an inverse contract, counted in quote, is no leg of ours."""
    wanted = {*context.settings.universe.assets, *STABLECOINS}
    rows = reader.rows(
        "execution_instruments",
        venues=execution_venues(context.settings),
        market_types=_market_types(context, portfolio),
    )
    names = Instrument.__dataclass_fields__.keys() - {"contract_size", "fee_side"}
    return tuple(
        Instrument(
            **{name: row[name] for name in names},
            contract_size=Decimal(repr(row["contract_size"])) if row["market_type"] != "spot" else Decimal(1),
            fee_side="received" if row["venue"] in FEE_FROM_RECEIVED else "quote",
        )
        for row in rows
        if row["base"] in wanted and row["quote"] in STABLECOINS | REFERENCE_CURRENCIES
    )


def liquidity(reader: Reader, context: RunContext, portfolio: str) -> tuple[Liquidity, ...]:
    """Volume, spread and volatility of the markets that the portfolio's sleeves trade on."""
    wanted = {*context.settings.universe.assets, *STABLECOINS}
    rows = reader.rows("decision_liquidity", market_types=_market_types(context, portfolio))
    return tuple(Liquidity(**row) for row in rows if row["asset"] in wanted)
