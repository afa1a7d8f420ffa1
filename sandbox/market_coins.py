"""What is listed: coins, stablecoins and the rules of their markets. Levels are plausible, not recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """One market's trading rules, written as a venue writes them."""

    tick: str
    lot: str
    min_notional: str
    listed: datetime

    def is_listed(self, now_ms: int) -> bool:
        """Return whether the market trades at *now*."""
        return self.listed.timestamp() * 1000 <= now_ms


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin: its place in the market model and the rules of its Binance markets.

    `own_volatility` is annual, of log returns; `beta` is the weight of the market factor. `levels` (USD, at
    the start of 2018 and of 2026) anchor the path it reverts to; `supply` likewise, in coins. `daily_usd` is
    the ordinary spot turnover of a day in recent years. `funding_cap` is the largest rate of one settlement.
    """

    name: str
    full_name: str
    levels: tuple[float, float]
    supply: tuple[float, float]
    beta: float
    own_volatility: float
    daily_usd: float
    half_spread_bps: float
    funding_cap: float
    spot: Rules
    perp: Rules


@dataclass(frozen=True, slots=True)
class Stable:
    """One dollar stablecoin: how much its price wobbles and how often it breaks.

    `wobble` is the standard deviation of the log price; `breaks_per_year` the rate of sudden depegs,
    `break_depth` their mean size; `supply` in coins at the start of 2018 and of 2026.
    """

    name: str
    full_name: str
    wobble: float
    breaks_per_year: float
    break_depth: float
    supply: tuple[float, float]


def _rules(tick: str, lot: str, listed: str, min_notional: str = "5") -> Rules:
    return Rules(tick, lot, min_notional, datetime.fromisoformat(listed).replace(tzinfo=UTC))


COINS = {
    coin.name: coin
    for coin in (
        Coin("BTC", "Bitcoin", (7_000, 85_000), (16.8e6, 19.97e6), 1.0, 0.27, 1.6e9, 0.3, 0.003,
             _rules("0.01", "0.00001", "2017-08-17T04:00"), _rules("0.1", "0.001", "2019-09-08T17:00", "10")),
        Coin("ETH", "Ethereum", (500, 3_300), (96.7e6, 120.7e6), 1.2, 0.40, 0.9e9, 0.4, 0.003,
             _rules("0.01", "0.0001", "2017-08-17T04:00"), _rules("0.01", "0.001", "2019-11-27T07:00", "10")),
        Coin("SOL", "Solana", (4.0, 150), (8.2e6, 545e6), 1.35, 0.56, 0.45e9, 0.8, 0.02,
             _rules("0.01", "0.001", "2020-08-11T06:00"), _rules("0.01", "0.01", "2020-09-14T07:00")),
        Coin("XRP", "XRP", (0.45, 1.70), (38.7e9, 60.5e9), 1.15, 0.54, 0.40e9, 0.8, 0.02,
             _rules("0.0001", "0.1", "2018-05-04T08:00"), _rules("0.0001", "0.1", "2020-01-06T08:00")),
        Coin("ADA", "Cardano", (0.12, 0.70), (25.9e9, 36.0e9), 1.25, 0.52, 0.12e9, 1.2, 0.02,
             _rules("0.0001", "0.1", "2018-04-17T04:00"), _rules("0.0001", "1", "2020-01-31T08:00")),
        Coin("LINK", "Chainlink", (1.2, 15.0), (350e6, 690e6), 1.3, 0.52, 0.09e9, 1.2, 0.02,
             _rules("0.001", "0.01", "2019-01-16T10:00"), _rules("0.001", "0.01", "2020-01-17T08:00")),
        Coin("DOGE", "Dogecoin", (0.004, 0.19), (112.7e9, 151e9), 1.3, 0.60, 0.25e9, 1.0, 0.02,
             _rules("0.00001", "1", "2019-07-05T12:00"), _rules("0.00001", "1", "2020-07-10T09:00")),
        Coin("LTC", "Litecoin", (75, 95), (54.6e6, 76.5e6), 1.15, 0.44, 0.08e9, 1.2, 0.02,
             _rules("0.01", "0.001", "2017-12-13T03:00"), _rules("0.01", "0.001", "2020-01-09T08:00")),
    )
}  # fmt: skip

STABLES = {
    stable.name: stable
    for stable in (
        Stable("USDT", "Tether", 0.00035, 0.18, 0.025, (1.4e9, 186e9)),
        Stable("USDC", "USD Coin", 0.00020, 0.12, 0.035, (1.0e6, 76e9)),
        Stable("DAI", "Dai", 0.00055, 0.25, 0.022, (1.0e6, 5.2e9)),
    )
}
