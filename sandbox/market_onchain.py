"""Daily on-chain metrics: tied to price and mood, published with a lag, revised a day or two later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.market import Market
from sandbox.market_coins import COINS, STABLES
from sandbox.market_paths import trend
from sandbox.noise import (
    DAY_MS,
    HOUR_MS,
    START_MS,
    Floats,
    autoregress,
    chance,
    keep_for,
    normals,
    stationary,
)

# At 2026 levels: addresses a day, transactions per address, share of capitalisation moved a day, fees (USD).
_ACTIVITY = {
    "BTC": (8.4e5, 0.55, 0.0065, 6.0e5),
    "ETH": (5.6e5, 2.40, 0.0110, 1.1e6),
    "XRP": (4.8e4, 34.0, 0.0060, 1.4e3),
    "ADA": (3.4e4, 1.30, 0.0140, 7.0e3),
    "LINK": (5.2e3, 1.60, 0.0050, 0.0),
    "DOGE": (6.5e4, 0.90, 0.0120, 3.0e3),
    "LTC": (3.3e5, 0.55, 0.0180, 1.1e3),
    "USDT": (3.0e5, 0.95, 0.0700, 0.0),
    "USDC": (1.1e5, 1.30, 0.1800, 0.0),
    "DAI": (6.0e3, 2.10, 0.1300, 0.0),
}
# Terahashes a second in 2018 and 2026.
_HASHES = {"BTC": (1.5e7, 1.05e9), "LTC": (180.0, 3_000.0), "DOGE": (160.0, 2_900.0)}
_FIRST_DAYS = {"SOL": 1195, "ADA": 334, "LINK": 262, "USDC": 635, "DAI": 1051}
"""Days into the grid (2017-01-01) at which an asset's metrics begin; the others cover the whole grid."""

# Relative standard deviation of the first published value against the final one.
_REVISION = {
    "AdrActCnt": 0.006,
    "TxCnt": 0.002,
    "TxTfrValAdjUSD": 0.025,
    "FeeTotUSD": 0.003,
    "HashRate": 0.015,
    "SplyCur": 2e-6,
}
_COUNTS = {"AdrActCnt", "TxCnt"}
_ON_EXCHANGES = {"BTC": 0.125, "ETH": 0.105}
"""The share of coins that lie with exchanges; flows to and from them are published for these assets only."""
_LAST_REVISED_DAYS = 6
_QUICK = {"PriceUSD", "ReferenceRateUSD"}


@dataclass(frozen=True)
class Metric:
    """One metric of one asset, a value a day from the grid's start: as first published and as it stands."""

    asset: str
    name: str
    first_day: int
    first: Floats
    final: Floats

    def texts(self, days: range, market: Market, now_ms: int) -> list[str | None]:
        """Return the days' values as known at *now*, None before publication."""
        settled = max(days.start, min(days.stop, (now_ms - START_MS) // DAY_MS - _LAST_REVISED_DAYS))
        old = self._written(self.final[days.start : settled].tolist())
        for day in range(days.start, min(settled, self.first_day)):
            old[day - days.start] = None
        return old + [self._fresh(day, market, now_ms) for day in range(settled, days.stop)]

    def _written(self, values: list[float]) -> list[str | None]:
        if self.name in _COUNTS:
            return [f"{value:.0f}" for value in values]
        return [f"{value:.10f}".rstrip("0").rstrip(".") for value in values]

    def _fresh(self, day: int, market: Market, now_ms: int) -> str | None:
        """Return a recent day's value: none, the first, or the final one."""
        published = START_MS + (day + 1) * DAY_MS + self._lag_ms(market.seed, day)
        if day < self.first_day or now_ms < published:
            return None
        wait = (0.9 + 1.4 * chance(market.seed, self.asset, self.name, day, "revised")) * DAY_MS
        values = self.first if now_ms < published + wait else self.final
        return self._written([float(values[day])])[0]

    def _lag_ms(self, seed: int, day: int) -> int:
        shortest, spread = (0.4, 0.5) if self.name in _QUICK else (1.5, 4.0)
        return int((shortest + spread * chance(seed, self.asset, self.name, day, "lag")) * HOUR_MS)


def metric_names(asset: str) -> list[str]:
    """Return the metrics the community tier has for an asset, [] for an unknown one."""
    if asset not in COINS and asset not in STABLES:
        return []
    names = ["PriceUSD", "ReferenceRateUSD", "SplyCur", "CapMrktCurUSD"]
    if asset in _ACTIVITY:
        names += ["AdrActCnt", "TxCnt", "TxTfrValAdjUSD", "NVTAdj"]
        names += ["FeeTotUSD"] if _ACTIVITY[asset][3] else []
    names += ["CapMVRVCur"] if asset in {"BTC", "ETH", "ADA", "LINK", "DOGE", "LTC"} else []
    names += ["HashRate", "IssTotUSD"] if asset in _HASHES else []
    names += ["FlowInExUSD", "FlowOutExUSD", "SplyExNtv"] if asset in _ON_EXCHANGES else []
    return sorted(names)


def supply(market: Market, asset: str) -> Floats:
    """Coins in existence at the end of each day."""
    years = market.climate.years[23::24]
    if asset in COINS:
        return np.exp(trend(COINS[asset].supply, years, growth=0.008))
    drift = stationary(
        market.seed, asset + "/supply", market.last_year, half_life=90, deviation=0.10, step_hours=24
    )
    mood = autoregress(market.climate.factor[23::24] * (1 - keep_for(120)), keep_for(120))
    return np.exp(trend(STABLES[asset].supply, years, growth=0.12) + drift + 0.25 * mood)


def build_metrics(market: Market, asset: str) -> dict[str, Metric]:
    """Build every metric of an asset."""
    price = market.dollars(asset)[23::24]
    coins = supply(market, asset)
    final = {"PriceUSD": price, "ReferenceRateUSD": price, "SplyCur": coins, "CapMrktCurUSD": price * coins}
    if asset in _ACTIVITY:
        final |= _activity(market, asset, price, coins)
    if asset in _HASHES:
        wobble = stationary(
            market.seed, asset + "/hash", market.last_year, half_life=4, deviation=0.05, step_hours=24
        )
        final["HashRate"] = np.exp(trend(_HASHES[asset], market.climate.years[23::24], growth=0.15) + wobble)
        final["IssTotUSD"] = price * np.maximum(np.diff(coins, prepend=coins[:1]), 0.0)
    if asset in _ON_EXCHANGES:
        final |= _exchanges(market, asset, price, coins, final["TxTfrValAdjUSD"])
    keep = keep_for(200.0)
    final["CapMVRVCur"] = price / autoregress((1 - keep) * price, keep, first=float(price[0]))
    first = {name: _as_first_seen(market, asset, name, values) for name, values in final.items()}
    if asset in _ACTIVITY:
        for version in (first, final):
            version["NVTAdj"] = version["CapMrktCurUSD"] / version["TxTfrValAdjUSD"]
    begin = _FIRST_DAYS.get(asset, 0)
    return {name: Metric(asset, name, begin, first[name], final[name]) for name in metric_names(asset)}


def _activity(market: Market, asset: str, price: Floats, coins: Floats) -> dict[str, Floats]:
    addresses, per_address, moved, fees = _ACTIVITY[asset]

    def wander(name: str, half_life: float, deviation: float) -> Floats:
        label = f"{asset}/{name}"
        return stationary(
            market.seed, label, market.last_year, half_life=half_life, deviation=deviation, step_hours=24
        )

    years = market.climate.years[23::24]
    mood = np.log(price) - trend(COINS[asset].levels, years) if asset in COINS else np.zeros(len(price))
    stress = np.log(market.climate.stress.reshape(-1, 24).mean(axis=1))
    weekend = np.where((np.arange(len(price)) + 6) % 7 >= 5, -0.10, 0.04)
    active = addresses * np.exp(
        0.06 * (years - 2026)
        + 0.25 * mood
        + weekend
        + wander("active", 25, 0.15)
        + wander("active-day", 1, 0.04)
    )
    return {
        "AdrActCnt": np.round(active),
        "TxCnt": np.round(active * per_address * np.exp(wander("transactions", 12, 0.07))),
        "TxTfrValAdjUSD": price * coins * moved * np.exp(0.45 * stress + weekend + wander("moved", 15, 0.22)),
        "FeeTotUSD": np.maximum(fees, 1.0) * np.exp(0.9 * mood + 0.5 * stress + wander("fees", 10, 0.35)),
    }


def _exchanges(market: Market, asset: str, price: Floats, coins: Floats, moved: Floats) -> dict[str, Floats]:
    """Coins with exchanges, and what goes there and comes back: a day's difference is what they gain."""
    wander = stationary(
        market.seed, asset + "/exchanges", market.last_year, half_life=200, deviation=0.12, step_hours=24
    )
    held = coins * _ON_EXCHANGES[asset] * np.exp(wander)
    gained = price * np.diff(held, prepend=held[:1])
    share = 0.13 * moved
    into, out = share + np.maximum(gained, 0.0), share + np.maximum(-gained, 0.0)
    return {"FlowInExUSD": into, "FlowOutExUSD": out, "SplyExNtv": held}


def _as_first_seen(market: Market, asset: str, name: str, final: Floats) -> Floats:
    deviation = _REVISION.get(name, 0.0)
    if not deviation:
        return final
    miss = normals(market.seed, f"{asset}/{name}/first", market.last_year, step_hours=24)
    first = final * (1.0 + deviation * miss)
    return np.round(first) if name in _COUNTS else first
