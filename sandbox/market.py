"""The simulated market: everything the faces serve, built when first asked for, the same for the same seed.

A `Market` knows its grid's future; every method that answers a venue's question takes *now* and never tells.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np

from sandbox.market_bars import Bars, hour_index, hour_opens_ms
from sandbox.market_climate import Climate, build_climate
from sandbox.market_coins import COINS, STABLES, Coin, Rules
from sandbox.market_paths import CoinPath, build_coin, build_stable
from sandbox.noise import START_MS, Floats, chance, normals

FUNDING_HOURS = 8
INTEREST_RATE = 0.0001
_FUNDING_BAND = 0.0005
_PERP_TURNOVER = 4.5

Part = TypeVar("Part")


class Funding(NamedTuple):
    """One settlement: when, the rate that longs paid to shorts, and the mark price it was charged on."""

    settled_ms: int
    rate: float
    mark: float


class Book(NamedTuple):
    """An order book: (price, amount) from the best level outwards."""

    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


def funding_rate(premium: float, cap: float) -> float:
    """Binance's rule: premium plus the interest rate's distance to it clamped to ±0.05 %, then capped."""
    rate = premium + min(max(INTEREST_RATE - premium, -_FUNDING_BAND), _FUNDING_BAND)
    return round(min(max(rate, -cap), cap), 8)


class Market:
    """One seed's market from 2017 to the end of `last_year`."""

    stable_rules = Rules("0.0001", "1", "5", COINS["BTC"].spot.listed)

    def __init__(self, seed: int, last_year: int) -> None:
        self.seed, self.last_year = seed, last_year
        self._kept: dict[tuple[str, ...], Any] = {}

    def keep(self, key: tuple[str, ...], build: Callable[[], Part]) -> Part:
        """Build a part of the market once; it lives as long as the market does."""
        if key not in self._kept:
            self._kept[key] = build()
        return self._kept[key]

    @cached_property
    def climate(self) -> Climate:
        """The shared weather."""
        return build_climate(self.seed, self.last_year)

    def path(self, base: str) -> CoinPath:
        """Return a coin's dollar path."""
        return self.keep(
            ("path", base), lambda: build_coin(self.seed, COINS[base], self.last_year, self.climate)
        )

    def dollars(self, asset: str) -> Floats:
        """Return the USD price of a coin, a stablecoin or USD itself at the end of every hour."""
        if asset == "USD":
            return np.ones(len(self.climate.factor))
        if asset in COINS:
            return self.path(asset).close
        return self.keep(
            ("stable", asset), lambda: build_stable(self.seed, STABLES[asset], self.last_year, self.climate)
        )

    def spot(self, base: str, quote: str = "USDT") -> Bars:
        """Return the main venue's spot candles of base/quote."""
        return self.venue_spot(
            "main", base, quote, rules=COINS[base].spot if base in COINS else self.stable_rules
        )

    def venue_spot(
        self, venue: str, base: str, quote: str, *, rules: Rules, share: float = 1.0, noise: float = 0.0
    ) -> Bars:
        """Return a venue's spot candles.

        Args:
            venue: names the venue in caches and noise.
            base: coin or stablecoin.
            quote: USDT, USDC or USD.
            rules: steps and listing date.
            share: turnover relative to the main venue.
            noise: standard deviation of the log distance to the main venue's price.
        """

        def build() -> Bars:
            close = self.dollars(base) / self.dollars(quote)
            if noise:
                close = close * np.exp(noise * normals(self.seed, f"{venue}/{base}", self.last_year))
            above, below, turnover = self._shape(base)
            return self._rounded(key, base, rules, (close, above, below, turnover * share))

        key = ("spot", venue, f"{base}/{quote}")
        return self.keep(key, build)

    def perp(self, base: str) -> Bars:
        """Return the candles of the USDT-margined perpetual."""

        def build() -> Bars:
            path = self.path(base)
            close = self.dollars(base) / self.dollars("USDT") * np.exp(path.basis)
            shape = (close, path.above * 1.02, path.below * 1.02, path.turnover * _PERP_TURNOVER)
            return self._rounded(key, base, COINS[base].perp, shape)

        key = ("perp", base)
        return self.keep(key, build)

    def mark(self, base: str) -> Bars:
        """Return the mark price's candles: the index plus the premium's short average; no volume."""

        def build() -> Bars:
            path = self.path(base)
            smooth = (path.basis + np.append(path.basis[0], path.basis[:-1])) / 2.0
            close = self.dollars(base) / self.dollars("USDT") * np.exp(smooth)
            shape = (close, path.above * 0.9, path.below * 0.9, np.zeros(len(close)))
            return self._rounded(key, base, Rules("0.00000001", "1", "5", COINS[base].perp.listed), shape)

        key = ("mark", base)
        return self.keep(key, build)

    def _rounded(
        self, key: tuple[str, ...], base: str, rules: Rules, shape: tuple[Floats, Floats, Floats, Floats]
    ) -> Bars:
        close, above, below, turnover = shape
        return Bars(
            key="/".join(key), path_key=base, seed=self.seed, tick=rules.tick, lot=rules.lot,
            first_hour=hour_index(int(rules.listed.timestamp() * 1000)),
            close=close, above=above, below=below, turnover=turnover,
        )  # fmt: skip

    def _shape(self, base: str) -> tuple[Floats, Floats, Floats]:
        """Excursions and turnover of a base: a stablecoin's are small and follow the market's stress."""
        if base in COINS:
            path = self.path(base)
            return path.above, path.below, path.turnover
        reach = 0.00008 * np.abs(normals(self.seed, base + "/reach", self.last_year))
        climate = self.climate
        growth = np.exp(0.30 * np.minimum(climate.years - 2024.0, 0.0))
        return reach, reach, 4.0e7 * growth * climate.season * climate.stress**0.5

    def premium(self, base: str, settled_hour: int, until_hour: int) -> float:
        """Average premium from the settlement at `settled_hour` to `until_hour`; later hours weigh more."""
        basis = self.path(base).basis[settled_hour:until_hour]
        if not len(basis):
            return float(self.path(base).basis[max(settled_hour - 1, 0)])
        weights = np.arange(1, len(basis) + 1)
        return float((basis * weights).sum() / weights.sum())

    def settled_rates(self, base: str) -> Floats:
        """Return the rate of every settlement of the grid; the k-th settles when hour 8·(k+1) opens."""

        def build() -> Floats:
            weights = np.arange(1.0, FUNDING_HOURS + 1.0)
            premium = (self.path(base).basis.reshape(-1, FUNDING_HOURS) * weights).sum(axis=1) / weights.sum()
            rate = premium + np.clip(INTEREST_RATE - premium, -_FUNDING_BAND, _FUNDING_BAND)
            cap = COINS[base].funding_cap
            return np.round(np.clip(rate, -cap, cap), 8)

        return self.keep(("funding", base), build)

    def funding(self, base: str, first_ms: int, last_ms: int, now_ms: int) -> list[Funding]:
        """Return the settlements in [first, last] that have happened by *now*; none before the listing."""
        marks, rates = self.mark(base), self.settled_rates(base)
        begin = max(marks.first_hour + 1, hour_index(max(first_ms, START_MS) - 1) + 1)
        end = hour_index(min(last_ms, now_ms))
        return [
            Funding(
                hour_opens_ms(hour),
                float(rates[hour // FUNDING_HOURS - 1]),
                float(marks.hourly.open[hour - marks.first_hour]),
            )
            for hour in range(-(-begin // FUNDING_HOURS) * FUNDING_HOURS, end + 1, FUNDING_HOURS)
        ]

    def predicted_funding(self, base: str, now_ms: int) -> float:
        """Return the next settlement's rate if the premium stays as it has been since the last one."""
        hour = hour_index(now_ms)
        return funding_rate(
            self.premium(base, hour // FUNDING_HOURS * FUNDING_HOURS, hour), COINS[base].funding_cap
        )

    def open_interest(self, base: str, at_ms: int) -> float:
        """Return the open interest in coins: part of a day's turnover, higher when the mood is good."""
        hour = hour_index(at_ms) - 1  # the last finished hour: the running one is not known yet
        path = self.path(base)
        week = path.turnover[max(0, hour - 168) : hour + 1].mean() * 24 * _PERP_TURNOVER
        mood = 1.0 + 120.0 * float(np.clip(path.basis[max(0, hour - 24) : hour + 1].mean(), -0.002, 0.002))
        return float(0.65 * week * mood / path.close[hour])

    def book(self, bars: Bars, coin: Coin | None, depth: int, now_ms: int, *, wider: float = 1.0) -> Book:
        """Return an order book around the last price; stress widens the spread and thins the levels."""
        stress = float(self.climate.stress[hour_index(now_ms)])
        tick = float(bars.tick)
        mid = bars.last_price(now_ms)
        half_spread = wider * (coin.half_spread_bps if coin else 0.3) * 1e-4 * mid * max(0.6, stress) ** 0.8
        daily = (coin.daily_usd if coin else 9.0e8) / mid
        spacing = max(1, round(mid * 0.00002 / tick))
        best_bid = int(np.floor((mid - half_spread) / tick))
        best_ask = max(best_bid + 1, int(np.ceil((mid + half_spread) / tick)))
        minute = now_ms // 60_000

        def side(name: str, best: int, away: int) -> list[tuple[float, float]]:
            levels: list[tuple[float, float]] = []
            for level in range(depth):
                size = daily * 2.0e-5 * (1.0 + level) ** 0.35 / max(0.6, stress)
                size *= 0.4 + 1.2 * chance(self.seed, bars.key, name, level, minute)
                amount = max(round(size, bars.amount_decimals), float(bars.lot))
                levels.append((round((best + away * spacing * level) * tick, bars.price_decimals), amount))
            return [level for level in levels if level[0] > 0]

        return Book(side("bid", best_bid, -1), side("ask", best_ask, 1))
