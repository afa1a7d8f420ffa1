"""What the snapshot knows of the markets and pools that sleeves are built from, as of one instant.

Comes in: a point-in-time reader. Goes out: contracts, spot markets, settlements and pool rates as plain
values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from portfolio.model import Leg
from tasks.context import RunContext
from tasks.policy import execution_venues
from tasks.sleeve_parameters import CONTRACTS, hedge_venues, pool_settings
from warehouse.reader import Reader

POOL_READINGS = 7


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A perpetual or dated contract; prices in quote units."""

    venue: str
    market_id: str
    symbol: str
    base: str
    quote: str
    market_type: str
    contract_size: float
    expires_at: datetime | None
    price: float | None
    price_at: datetime | None
    maintenance_margin_rate: float | None

    def short_leg(self) -> Leg:
        """One coin sold short."""
        return Leg(
            role="perp" if self.market_type == "perp" else "future",
            venue=self.venue,
            market_id=self.market_id,
            symbol=self.symbol,
            market_type=self.market_type,
            base=self.base,
            quote=self.quote,
            quantity_per_unit=-1.0,
            price=self.price,
            contract_size=self.contract_size,
        )

    def margin_leg(self, quantity: float) -> Leg:
        """Margin beside it, in units of the quote."""
        return Leg(
            role="margin",
            venue=self.venue,
            market_id="",
            symbol=self.quote,
            market_type="margin",
            base=self.quote,
            quote=self.quote,
            quantity_per_unit=quantity,
            price=1.0,
        )


@dataclass(frozen=True, kw_only=True)
class Settlements:
    """The last settlements of one perpetual, oldest first."""

    rates: Sequence[float]
    hours: Sequence[float]
    settled_at: datetime


@dataclass(frozen=True, kw_only=True)
class PoolRate:
    """The last daily readings of one pool, oldest first; rates are fractions a year."""

    project: str
    chain: str
    symbol: str
    apy_base: Sequence[float]
    apy_reward: Sequence[float]
    read_at: datetime

    def cautious(self, reward_share: float) -> float:
        """The lower of the newest rate and the median of the last days: a spike of one day is no contract."""
        pairs = zip(self.apy_base, self.apy_reward, strict=True)
        total = [base + reward_share * reward for base, reward in pairs]
        return min(total[-1], median(total))


@dataclass(frozen=True, kw_only=True)
class SleeveFacts:
    """Everything that terms are made of. A spot market is a row of the query `execution_instruments`."""

    contracts: tuple[Contract, ...]
    spot_markets: tuple[Mapping[str, Any], ...]
    funding: Mapping[tuple[str, str], Settlements]
    pools: Mapping[str, PoolRate]

    def contracts_on(self, asset: str, market_type: str, venues: Sequence[str]) -> list[Contract]:
        """The contracts on one coin, by the venues' order of preference and the nearest expiry."""
        found = [x for x in self.contracts if (x.base, x.market_type) == (asset, market_type)]
        return sorted(
            (x for x in found if x.venue in venues),
            # Of two perpetuals the one that stays, whatever its announced end; of dated ones the nearest.
            key=lambda x: (
                venues.index(x.venue),
                market_type == "perp" and x.expires_at is not None,
                str(x.expires_at),
                x.market_id,
            ),
        )

    def spot_market(self, contract: Contract, venues: Sequence[str]) -> Mapping[str, Any] | None:
        """Where the coin beside a contract is bought: at its venue and in its quote where possible."""
        found = [row for row in self.spot_markets if row["base"] == contract.base and row["is_active"]]
        return min(
            found,
            key=lambda row: (
                row["venue"] != contract.venue,
                row["quote"] != contract.quote,
                venues.index(row["venue"]),
                row["market_id"],
            ),
            default=None,
        )


def read_facts(reader: Reader, context: RunContext, sleeves: Sequence[str]) -> SleeveFacts:
    """Read what the lines of these sleeves are made of."""
    settings, assets = context.settings, list(context.settings.universe.assets)
    hedged = [sleeve for sleeve in CONTRACTS if sleeve in sleeves]
    venues = sorted({venue for sleeve in hedged for venue in hedge_venues(settings, sleeve)})
    contracts = (
        reader.rows(
            "sleeve_contracts",
            venues=venues,
            market_types=[CONTRACTS[sleeve] for sleeve in hedged],
            assets=assets,
        )
        if venues
        else []
    )
    spot = reader.rows("execution_instruments", venues=execution_venues(settings), market_types=["spot"])
    settled: list[dict[str, Any]] = []
    if "carry" in hedged:
        count = settings.sleeves.carry.funding_settlements
        settled = reader.rows("newest_funding", assets=assets, settlements=count)
    pools = [
        pool
        for sleeve in ("yield", "staking")
        if sleeve in sleeves
        for pool in pool_settings(settings, sleeve).pools.values()
    ]
    rates = reader.rows("newest_yields", pools=pools, readings=POOL_READINGS) if pools else []
    return SleeveFacts(
        contracts=tuple(Contract(**row) for row in contracts),
        spot_markets=tuple(spot),
        funding={
            (row["venue"], row["market_id"]): Settlements(
                rates=row["rates"], hours=row["hours"], settled_at=row["settled_at"]
            )
            for row in settled
        },
        pools={row.pop("pool"): PoolRate(**row) for row in rates},
    )
