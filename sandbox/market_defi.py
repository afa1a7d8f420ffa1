"""DeFi: value locked follows coin prices, pool yields follow the market's mood. All daily."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np

from sandbox.market import Market
from sandbox.market_coins import COINS
from sandbox.noise import DAY_MS, START_MS, Floats, autoregress, chance, keep_for, stationary

RESTATED_DAYS = 2
"""How long a day's first value of locked value stands before it is restated."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain: the coin its value follows, USD locked at that coin's 2026 level, and its first year."""

    name: str
    coin: str
    locked_2026: float
    born: float
    gecko_id: str | None
    symbol: str | None


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol and the share of each chain's value it holds."""

    number: str
    slug: str
    name: str
    symbol: str
    category: str
    shares: dict[str, float]


@dataclass(frozen=True, slots=True)
class Pool:
    """One yield pool: yields in percent a year; `heat` is how much a hot market multiplies the yield."""

    project: str
    symbol: str
    chain: str
    base_yield: float
    reward_yield: float
    heat: float
    locked: float
    born: float
    is_stable: bool

    @property
    def number(self) -> str:
        """The pool's id, derived from its name."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.project}/{self.chain}/{self.symbol}"))


CHAINS = {
    chain.name: chain
    for chain in (
        Chain("Ethereum", "ETH", 62e9, 2017.6, "ethereum", "ETH"),
        Chain("Solana", "SOL", 9.5e9, 2021.1, "solana", "SOL"),
        Chain("BSC", "BTC", 7.0e9, 2020.7, "binancecoin", "BNB"),
        Chain("Bitcoin", "BTC", 6.2e9, 2020.9, "bitcoin", "BTC"),
        Chain("Tron", "USDT", 5.0e9, 2019.9, "tron", "TRX"),
        Chain("Base", "ETH", 4.4e9, 2023.6, None, None),
        Chain("Arbitrum", "ETH", 3.0e9, 2021.7, "arbitrum", "ARB"),
        Chain("Cardano", "ADA", 0.32e9, 2022.0, "cardano", "ADA"),
    )
}

PROTOCOLS = {
    protocol.slug: protocol
    for protocol in (
        Protocol("182", "lido", "Lido", "LDO", "Liquid Staking", {"Ethereum": 0.38}),
        Protocol(
            "1599",
            "aave-v3",
            "Aave V3",
            "AAVE",
            "Lending",
            {"Ethereum": 0.30, "Arbitrum": 0.28, "Base": 0.13},
        ),
        Protocol("118", "sky-lending", "Sky Lending", "SKY", "CDP", {"Ethereum": 0.09}),
        Protocol(
            "2198",
            "uniswap-v3",
            "Uniswap V3",
            "UNI",
            "Dexs",
            {"Ethereum": 0.04, "Base": 0.09, "Arbitrum": 0.11},
        ),
        Protocol(
            "2088",
            "compound-v3",
            "Compound V3",
            "COMP",
            "Lending",
            {"Ethereum": 0.03, "Base": 0.03, "Arbitrum": 0.05},
        ),
        Protocol(
            "2308", "jito-liquid-staking", "Jito Liquid Staking", "JTO", "Liquid Staking", {"Solana": 0.27}
        ),
        Protocol("3770", "kamino-lend", "Kamino Lend", "KMNO", "Lending", {"Solana": 0.24}),
        Protocol("494", "justlend", "JustLend", "JST", "Lending", {"Tron": 0.62}),
    )
}

POOLS = {
    pool.number: pool
    for pool in (
        Pool("aave-v3", "USDC", "Ethereum", 3.8, 0.0, 0.50, 2.6e9, 2023.1, True),
        Pool("aave-v3", "USDT", "Ethereum", 3.7, 0.0, 0.55, 3.4e9, 2023.1, True),
        Pool("aave-v3", "DAI", "Ethereum", 3.6, 0.0, 0.45, 1.4e8, 2023.1, True),
        Pool("aave-v3", "USDC", "Base", 4.3, 0.0, 0.55, 3.2e8, 2023.7, True),
        Pool("aave-v3", "WETH", "Ethereum", 1.9, 0.0, 0.20, 5.2e9, 2023.1, False),
        Pool("compound-v3", "USDC", "Ethereum", 3.6, 0.6, 0.45, 4.6e8, 2022.7, True),
        Pool("compound-v3", "USDT", "Ethereum", 3.5, 0.7, 0.45, 2.2e8, 2024.6, True),
        Pool("sky-lending", "SUSDS", "Ethereum", 4.5, 0.0, 0.15, 2.4e9, 2024.7, True),
        Pool("kamino-lend", "USDC", "Solana", 5.0, 0.4, 0.60, 2.9e8, 2023.9, True),
        Pool("justlend", "USDT", "Tron", 3.2, 0.0, 0.30, 1.1e9, 2021.0, True),
        Pool("lido", "STETH", "Ethereum", 2.9, 0.0, 0.08, 2.6e10, 2021.0, False),
        Pool("jito-liquid-staking", "JITOSOL", "Solana", 7.0, 0.0, 0.10, 2.9e9, 2022.9, False),
    )
}

STABLE_IDS = {
    "1": ("USDT", "tether", "fiat-backed"),
    "2": ("USDC", "usd-coin", "fiat-backed"),
    "5": ("DAI", "dai", "crypto-backed"),
}


def _wander(market: Market, label: str, half_life: float, deviation: float) -> Floats:
    return stationary(
        market.seed, label, market.last_year, half_life=half_life, deviation=deviation, step_hours=24
    )


def day_of(at_ms: int) -> int:
    """Return the grid day that contains the instant."""
    return (at_ms - START_MS) // DAY_MS


def day_starts_s(day: int) -> int:
    """Return the day's first second since the epoch."""
    return START_MS // 1000 + day * 86_400


def born_on(year: float) -> int:
    """Return the grid day of a fractional year."""
    return max(1, int((year - 2017.0) * 365.25))


def at_midnight(hourly: Floats) -> Floats:
    """Hourly closes as they stood at the start of each day."""
    return np.concatenate([hourly[:1], hourly[23:-1:24]])


def locked(market: Market, chain: Chain) -> Floats:
    """USD locked on a chain at each day's start: grows from its birth, follows its coin (elasticity 0.75)."""
    years = market.climate.years[::24]
    level = COINS[chain.coin].levels[1] if chain.coin in COINS else 1.0
    price = at_midnight(market.dollars(chain.coin)) / level
    grown = 1.0 - np.exp(-0.9 * np.maximum(years - chain.born, 0.0))
    return chain.locked_2026 * grown * price**0.75 * np.exp(_wander(market, f"{chain.name}/locked", 30, 0.12))


def locked_by_protocol(market: Market, protocol: Protocol) -> dict[str, Floats]:
    """USD locked by a protocol on each of its chains."""
    wander = np.exp(_wander(market, protocol.slug, 45, 0.10))
    return {name: locked(market, CHAINS[name]) * share * wander for name, share in protocol.shares.items()}


def pool_history(market: Market, pool: Pool) -> tuple[Floats, Floats, Floats]:
    """Base yield and reward yield in percent a year, and USD locked, at the end of each day."""
    basis = np.mean([market.path(base).basis.reshape(-1, 24).mean(axis=1) for base in ("BTC", "ETH")], axis=0)
    keep = keep_for(7.0)
    heat = autoregress((1 - keep) * np.clip(basis / 5e-4, -1.0, 3.0), keep)
    own = _wander(market, pool.number + "/yield", 5, 0.12 if pool.is_stable else 0.03)
    base = pool.base_yield * np.exp(pool.heat * heat + own)
    reward = pool.reward_yield * np.exp(_wander(market, pool.number + "/reward", 40, 0.25))
    chain = locked(market, CHAINS[pool.chain])
    size = (
        chain
        / CHAINS[pool.chain].locked_2026
        * pool.locked
        * np.exp(_wander(market, pool.number + "/size", 20, 0.10))
    )
    return base, reward, size


def as_known(market: Market, label: str, value: float, day: int, now_ms: int) -> float:
    """Return a daily value as shown at *now*: the newest days are restated by some tenths of a percent."""
    if now_ms >= START_MS + (day + RESTATED_DAYS) * DAY_MS:
        return value
    return value * (1.0 + 0.006 * (chance(market.seed, label, day, "restated") - 0.5))
