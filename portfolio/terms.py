"""What one unit of a sleeve is made of: its legs, its capital, what is contracted and what can be lost.

A sleeve other than spot and cash is held in *units*: one coin of a carry's spot leg with its short perpetual
and margin, one stablecoin in a pool, one staked coin. Its weight is capital over NAV; delta, notional and
tail losses stand beside it, because variance sees none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["spot", "perp", "future", "option", "pool", "margin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One market of a unit.

    Attributes:
        role: what the leg is for; `pool` and `margin` are no markets and are moved by hand.
        quantity_per_unit: base units per unit of the line; negative where it is sold short.
        price: last price in quote units; None where the leg has none.
        contract_size: base units per contract; 1 where quantities are in base units.
    """

    role: Role
    venue: str
    market_id: str
    symbol: str
    market_type: str
    base: str
    quote: str
    quantity_per_unit: float
    price: float | None = None
    contract_size: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFacts:
    """What the sources say of a protocol; None where they say nothing."""

    tvl_usd: float | None = None
    incidents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SleeveTerms:
    """The terms of one line of a sleeve other than spot and cash, as known at `as_of`.

    Attributes:
        capital_per_unit_usd: price of one unit in USD: all legs paid for and the margin posted.
        net_delta: USD of price exposure to the asset per USD of capital: spot 1, carry 0.
        gross_notional: USD of |notional| of derivatives and coins per USD of capital: carry at 3× 1.5.
        expected_return: annual simple return on capital, contracted or forward-looking, haircut already
            taken off, beside what its net delta earns with the asset; None where only history speaks.
        haircut: annual fraction of capital taken off for what can be lost.
        liquidation_distance: adverse relative move to liquidation of the derivative leg at this margin.
        exit_days: how long getting out takes.
        losses: scenario → fraction of capital lost when it happens, such as {"venue_loss": 1.0}.
        is_indicative: shown, never proposed unless the owner raises its cap above 0.
        detail: one sentence for people, such as the funding rate and interval it rests on.
    """

    line: str
    legs: tuple[Leg, ...]
    capital_per_unit_usd: float
    net_delta: float = 0.0
    gross_notional: float = 0.0
    expected_return: float | None = None
    haircut: float = 0.0
    liquidation_distance: float | None = None
    exit_days: float = 0.0
    venue: str = ""
    protocol: str = ""
    issuer: str = ""
    losses: Mapping[str, float] = field(default_factory=dict)
    is_indicative: bool = False
    detail: str = ""
