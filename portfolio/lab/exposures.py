"""What each line of a portfolio depends on: price, venues, a protocol, an issuer.

These are the declared edges along which a shock travels: lines that name the same venue, protocol or issuer
fall together. Everything is a fraction; nothing here knows a price feed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from portfolio.exposed import HeldExposure
from portfolio.model import Policy, Position, SleeveTerms, asset_of, is_cash, sleeve_of

Array = NDArray[np.float64]
Shares = Mapping[str, float]
Beside = tuple[Mapping[str, HeldExposure], float]
DUST = 1e-9  # of NAV


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One line as a shock meets it.

    Attributes:
        weight: capital over NAV; may be negative where a derivative stands at a loss.
        net_delta: USD of price exposure to the asset per USD of capital.
        venues: venue → share of the capital that lies there; empty where no venue is known.
        hedged_at: venue of the short contract that hedges the line; empty where nothing hedges it.
        protocol: that holds the capital; empty for none.
        issuer: of the stablecoin that the capital is worth; empty for none.
        rate: annual rate that the line earns now on capital, before haircuts; 0 where nothing is contracted.
        liquidation_distance: adverse relative move to liquidation of the short; None without one.
        losses: scenario → fraction of capital lost, as in `SleeveTerms`.
        held: what is held there and not allocated, options among it; it moves with its asset's series.
        nav_usd: the portfolio's value, where `held` is known.
    """

    line: str
    weight: float
    net_delta: float
    venues: Shares = field(default_factory=dict)
    hedged_at: str = ""
    protocol: str = ""
    issuer: str = ""
    rate: float = 0.0
    liquidation_distance: float | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    held: HeldExposure | None = None
    nav_usd: float = 0.0

    @property
    def series(self) -> str:
        """The line whose daily returns this one moves with: its own, or those of its asset."""
        return self.line if self.held is None else self.held.series

    @property
    def delta(self) -> float:
        """Price exposure to the asset, a fraction of NAV."""
        return self.weight * self.net_delta if self.held is None else self.held.delta_usd / self.nav_usd

    @property
    def size(self) -> float:
        """What the line counts for in the coverage of a figure, a fraction of NAV."""
        return abs(self.weight) if self.held is None else max(abs(self.weight), abs(self.delta))

    @property
    def claim(self) -> float:
        """What its venue owes, a fraction of NAV; a debt is no gain where the venue fails."""
        return self.weight if self.held is None else max(self.weight, 0.0)

    def gain(self, returns: Array, days: float = 0.0, factors: Sequence[float] = (1.0,)) -> Array:
        """Fractions of NAV gained where its series returns so much; options are re-priced.

        Args:
            returns: simple returns of the series.
            days: that pass meanwhile.
            factors: of implied volatility that are tried; the worst for the line counts.
        """
        if self.held is None:
            return self.weight * returns
        return self.held.gain(returns, days, factors) / self.nav_usd


def exposures_of(
    weights: Mapping[str, float],
    terms: Mapping[str, SleeveTerms],
    places: Mapping[str, Shares],
    policy: Policy,
    stablecoins: Collection[str],
    beside: Beside | None = None,
) -> tuple[Exposure, ...]:
    """Say what each line with a weight depends on, in the order of the lines.

    Args:
        weights: line → capital over NAV.
        terms: of the lines that are made of legs.
        places: line → venue → share, for lines that are held as they are; see `places_of`.
        policy: the reference currency has no issuer that could fail.
        stablecoins: assets that are worth what somebody promises.
        beside: what is held and not allocated, and the value that it is a part of.
    """
    held, nav_usd = beside or ({}, 0.0)
    made: list[Exposure] = []
    for line, weight in sorted({**dict.fromkeys(held, 0.0), **weights}.items()):
        if abs(weight) <= DUST and line not in held:
            continue
        known, asset = terms.get(line), asset_of(line)
        if line in held:
            made.append(
                Exposure(
                    line=line,
                    weight=weight,
                    net_delta=0.0,
                    venues=_claims(known) if known else places.get(line, {}),
                    protocol=known.protocol if known else "",
                    held=held[line],
                    nav_usd=nav_usd,
                )
            )
            continue
        is_promise = (is_cash(line) or asset in stablecoins) and asset != policy.reference_currency
        if known is None:
            own = Exposure(
                line=line,
                weight=weight,
                net_delta=0.0 if is_cash(line) or is_promise else 1.0,
                venues=places.get(line, {}),
                issuer=asset if is_promise else "",
            )
        else:
            own = _built(line, weight, known, asset if is_promise else known.issuer)
        made.append(own)
    return tuple(made)


def _built(line: str, weight: float, terms: SleeveTerms, issuer: str) -> Exposure:
    hedges = [x.venue for x in terms.legs if x.role in {"perp", "future"} and x.quantity_per_unit < 0.0]
    is_hedged = sleeve_of(line) in {"carry", "basis"} and bool(hedges)
    return Exposure(
        line=line,
        weight=weight,
        net_delta=terms.net_delta,
        venues=_claims(terms),
        hedged_at=hedges[0] if is_hedged else "",
        protocol=terms.protocol,
        issuer=issuer,
        rate=0.0 if terms.expected_return is None else terms.expected_return + terms.haircut,
        liquidation_distance=terms.liquidation_distance,
        losses=terms.losses,
    )


def _claims(terms: SleeveTerms) -> dict[str, float]:
    """Where the capital of a unit lies: a coin and margin are claims, a contract by itself is none."""
    found: dict[str, float] = {}
    for leg in terms.legs:
        if leg.role in {"spot", "margin"} and leg.venue and leg.price is not None:
            found[leg.venue] = found.get(leg.venue, 0.0) + abs(leg.quantity_per_unit) * leg.price
    total = sum(found.values())
    if total > 0.0:
        return {venue: usd / total for venue, usd in sorted(found.items())}
    return {terms.venue: 1.0} if terms.venue else {}


def places_of(positions: Sequence[Position]) -> dict[str, dict[str, float]]:
    """Return line → venue → share of what is held of it, by capital where known, else by quantity."""
    sums: dict[str, dict[str, float]] = {}
    for p in positions:
        if not p.venue:
            continue
        amount = abs(float(p.quantity) if p.capital_usd is None else p.capital_usd)
        at = sums.setdefault(p.line, {})
        at[p.venue] = at.get(p.venue, 0.0) + amount
    return {
        line: {venue: x / total for venue, x in sorted(at.items())}
        for line, at in sums.items()
        if (total := sum(at.values())) > 0.0
    }
