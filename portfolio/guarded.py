"""What the guard looks at and what it says: legs at today's prices, limits, breaches. Plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

Level = Literal["warning", "critical"]
NET_DELTA_SLACK = 0.005
LITTLE_CLEAR = 0.10  # of a limit: nearer to it, what was broken still counts as broken


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLeg:
    """One leg of the newest statement at today's prices.

    Attributes:
        sleeve: the line's sleeve; `perp` or `future` where a derivative has no partner.
        quantity: in units of the asset, negative where sold short.
        price_usd: of one unit; a derivative's mark. None where there is none.
        entry_usd: average price of entry in USD; None where the statement does not say.
        margin_usd: collateral of its own; 0 in cross mode where the account's cash stands for it.
        maintenance_rate: maintenance margin as a fraction of notional; None where no bracket is stored.
        maintenance_steps: (from this notional on, USD; rate) of each bracket, where the venue counts each
            part of a position by its own bracket; empty where `maintenance_rate` holds for all of it.
        funding_annual: funding of the last days on notional, annual; positive is paid by longs to shorts.
        exit_cost: fees and half-spreads of closing the leg, as a fraction of its notional.
        is_active: False once its venue has closed or will not list the market.
        expires_at: of a dated contract.
        hours_behind: its newest price lags the newest one of any market by so much.
        low_usd, high_usd: extremes of a derivative's mark within the newest hour; None where not recorded.
    """

    venue: str
    account: str
    kind: str
    sleeve: str
    asset: str
    market_id: str
    quantity: float
    price_usd: float | None
    entry_usd: float | None = None
    margin_usd: float = 0.0
    is_cross: bool = False
    maintenance_rate: float | None = None
    maintenance_steps: Sequence[tuple[float, float]] = ()
    funding_annual: float | None = None
    exit_cost: float = 0.0
    is_active: bool = True
    expires_at: datetime | None = None
    hours_behind: float | None = None
    low_usd: float | None = None
    high_usd: float | None = None

    @property
    def name(self) -> str:
        """The leg in words: its contract where it is one, and where it lies."""
        return f"{self.market_id or self.asset} at {self.venue} {self.account}".strip()

    @property
    def notional_usd(self) -> float:
        """Quantity times price, with its sign; 0 without a price."""
        return self.quantity * (self.price_usd or 0.0)

    @property
    def profit_usd(self) -> float:
        """Unrealised profit; 0 where entry or price are not known."""
        if self.entry_usd is None or self.price_usd is None:
            return 0.0
        return self.quantity * (self.price_usd - self.entry_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRules:
    """The limits of one portfolio.

    Attributes:
        min_liquidation_distance: adverse move; below it a warning, below half of it critical.
        horizon_days: over which funding that turned is set against the cost of leaving.
        halt_hours: a held market whose prices lag all others by more has stopped.
        delisting_days: a market that ends sooner is told.
        delta_tolerance: of a hedge's notional: lots and fees leave about this much.
        net_delta_bounds: asset → (lower, upper) of net delta over NAV.
        hysteresis: by which fraction the limits are relaxed; 0: as they are.
    """

    min_liquidation_distance: float = 0.30
    peg_tolerance: float = 0.02
    cash_floor_usd: float = 0.0
    horizon_days: int = 30
    halt_hours: float = 3.0
    delisting_days: float = 7.0
    delta_tolerance: float = 0.02
    net_delta_bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    hysteresis: float = 0.0

    def relaxed(self, fraction: float) -> GuardRules:
        """Return the limits at which an episode ends: what is wanted and a fraction of it more.

        A delisting, an incident and a halt end as they began: they are events and not measures.
        """
        return replace(
            self,
            min_liquidation_distance=self.min_liquidation_distance * (1.0 + fraction),
            peg_tolerance=self.peg_tolerance * (1.0 - fraction),
            cash_floor_usd=self.cash_floor_usd * (1.0 + fraction),
            delta_tolerance=self.delta_tolerance * (1.0 - fraction),
            hysteresis=fraction,
        )

    def net_delta_slack(self, lower: float, upper: float) -> float:
        """Return how far beyond its bounds a net delta may be in fractions of NAV; below 0: how far within.

        Half a point, because lots and fees leave about as much; it narrows with the hysteresis, and wide
        bounds are then left by a part of their width.
        """
        width = upper - lower
        inward = self.hysteresis / 2.0 * width if math.isfinite(width) else 0.0
        return NET_DELTA_SLACK * (1.0 - 5.0 * self.hysteresis) - inward


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as a provider lists it: what was hit, when, and what was lost."""

    entity: str
    occurred_at: datetime
    amount_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardInputs:
    """What is held and known at `as_of`."""

    as_of: datetime
    legs: Sequence[HeldLeg]
    stablecoins: Mapping[str, float] = field(default_factory=dict)
    incidents: Sequence[Incident] = ()
    entities: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One limit that is broken.

    Attributes:
        kind: which rule; with `subject` it names the episode.
        measure: what was found, in the rule's unit; `limit`: what is allowed.
        excess: how far beyond, 0 at the limit and growing: compared to tell worsening.
        action: what to do, beginning with a verb.
    """

    kind: str
    subject: str
    level: Level
    measure: float
    limit: float
    excess: float
    sentence: str
    action: str
