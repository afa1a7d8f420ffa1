"""What DeFi protocols earn, and what happens to them: daily fees and revenue, and rare incidents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.market import Market
from sandbox.market_defi import CHAINS, PROTOCOLS, born_on, locked_by_protocol
from sandbox.noise import FIRST_YEAR, Floats, chance, stationary

# Fees a year over value locked, and the part of them that the protocol keeps.
_EARNINGS = {
    "lido": (0.029, 0.10),
    "aave-v3": (0.024, 0.14),
    "sky-lending": (0.055, 0.55),
    "uniswap-v3": (0.30, 0.0),
    "compound-v3": (0.022, 0.12),
    "jito-liquid-staking": (0.075, 0.06),
    "kamino-lend": (0.040, 0.15),
    "justlend": (0.012, 0.10),
}
_INCIDENTS_PER_YEAR = 0.05


@dataclass(frozen=True, slots=True)
class Incident:
    """One exploit: the grid day, whom it hit, and the USD lost."""

    day: int
    slug: str
    lost_usd: float


def fees(market: Market, slug: str) -> tuple[Floats, Floats]:
    """USD of fees and of protocol revenue on each day; stress raises both, trading fees most."""
    rate, kept = _EARNINGS[slug]
    held = np.sum(list(locked_by_protocol(market, PROTOCOLS[slug]).values()), axis=0)
    stress = market.climate.stress.reshape(-1, 24).mean(axis=1)
    elasticity = 0.9 if PROTOCOLS[slug].category == "Dexs" else 0.15
    own = stationary(
        market.seed, slug + "/fees", market.last_year, half_life=6, deviation=0.15, step_hours=24
    )
    paid = held * rate / 365.0 * stress**elasticity * np.exp(own)
    return paid, paid * kept


def protocol_born(slug: str) -> int:
    """Return the grid day on which the protocol begins."""
    return born_on(min(CHAINS[name].born for name in PROTOCOLS[slug].shares) + 0.2)


def incidents(market: Market) -> list[Incident]:
    """Every incident of the grid, in time order: a protocol is hit about once in twenty years."""
    found: list[Incident] = []
    for slug in PROTOCOLS:
        for year in range(FIRST_YEAR, market.last_year + 1):
            day = int((year - FIRST_YEAR) * 365.25 + 365 * chance(market.seed, slug, year, "incident-day"))
            hit = chance(market.seed, slug, year, "incident") < _INCIDENTS_PER_YEAR
            if hit and protocol_born(slug) < day:
                held = sum(
                    float(values[day]) for values in locked_by_protocol(market, PROTOCOLS[slug]).values()
                )
                share = 0.002 + 0.05 * chance(market.seed, slug, year, "incident-size") ** 3
                found.append(Incident(day, slug, round(held * share)))
    return sorted(found, key=lambda incident: incident.day)
