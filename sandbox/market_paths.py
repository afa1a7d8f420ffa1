"""Dollar paths: what each coin and stablecoin is worth, hour by hour, before any venue rounds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.market_climate import BEAR, BULL, CALM, CRISIS, Climate
from sandbox.market_coins import Coin, Stable
from sandbox.noise import (
    HOURS_PER_YEAR,
    Floats,
    autoregress,
    fat_tails,
    keep_for,
    normals,
    rare,
    stationary,
    uniforms,
)

_OWN_HALF_LIFE_YEARS = 0.9
_GROWTH_AFTER_2026 = 0.06


@dataclass(frozen=True)
class CoinPath:
    """Hourly arrays of one coin.

    Attributes:
        close: USD at the end of the hour.
        above: log distance from the higher of open and close up to the high.
        below: log distance from the lower of open and close down to the low.
        turnover: USD traded on the main spot venue in the hour.
        basis: log of perpetual over spot at the end of the hour.
    """

    close: Floats
    above: Floats
    below: Floats
    turnover: Floats
    basis: Floats


def trend(levels: tuple[float, float], years: Floats, growth: float = _GROWTH_AFTER_2026) -> Floats:
    """Log of a level that grows evenly from 2018 to 2026 and by `growth` a year afterwards."""
    first, last = np.log(levels[0]), np.log(levels[1])
    before = first + (last - first) * (years - 2018.0) / 8.0
    return np.where(years < 2026.0, before, last + growth * (years - 2026.0))


def _excursions(
    seed: int, name: str, last_year: int, move: Floats, deviation: Floats
) -> tuple[Floats, Floats]:
    """How far the hour went beyond its body: the extremes of a Brownian bridge, in closed form."""
    high = -2.0 * deviation**2 * np.log(uniforms(seed, name + "/high", last_year))
    low = -2.0 * deviation**2 * np.log(uniforms(seed, name + "/low", last_year))
    above = (move + np.sqrt(move**2 + high)) / 2 - np.maximum(move, 0.0)
    below = (-move + np.sqrt(move**2 + low)) / 2 - np.maximum(-move, 0.0)
    return above, below


def _basis(seed: int, name: str, last_year: int, climate: Climate) -> Floats:
    """Perpetual premium: follows the mood of the regime with a day's delay, with noise of its own."""
    target = np.empty(4)
    target[CALM], target[BULL], target[BEAR], target[CRISIS] = 1.5e-4, 6.2e-4, -1.0e-4, -8.0e-4
    keep = keep_for(24.0)
    own = normals(seed, name + "/basis", last_year) * (3.5e-4 * np.sqrt(1.0 - keep * keep))
    flicker = 1.2e-4 * normals(seed, name + "/basis-flicker", last_year)
    return autoregress((1.0 - keep) * target[climate.regime] + own, keep) + flicker


def _turnover(seed: int, coin: Coin, last_year: int, climate: Climate, move: Floats) -> Floats:
    growth = np.exp(0.30 * np.minimum(climate.years - 2024.0, 0.0))
    mood = stationary(seed, coin.name + "/volume", last_year, half_life=60, deviation=0.30)
    flicker = 0.25 * normals(seed, coin.name + "/volume-flicker", last_year)
    surprise = 0.20 * np.minimum(np.abs(move) / climate.volatility, 6.0)
    level = coin.daily_usd / 24.0 * growth * climate.season * climate.stress**0.8
    return level * np.exp(mood + flicker + surprise - 0.25)


def build_coin(seed: int, coin: Coin, last_year: int, climate: Climate) -> CoinPath:
    """Build one coin's path: anchor + beta × market factor + its own reverting part."""
    name = coin.name
    mood = stationary(seed, name + "/volatility", last_year, half_life=24 * 6, deviation=0.30)
    own_deviation = (
        np.exp(mood)
        * np.sqrt(climate.stress * climate.season)
        * (coin.own_volatility / np.sqrt(HOURS_PER_YEAR))
    )
    jumps = rare(seed, name + "/jump", last_year, per_year=4, mean=0.004, deviation=0.055)
    own = autoregress(
        own_deviation * fat_tails(seed, name, last_year) + jumps,
        keep_for(_OWN_HALF_LIFE_YEARS * HOURS_PER_YEAR),
    )
    log_price = trend(coin.levels, climate.years) + coin.beta * climate.factor + own
    move = np.diff(log_price, prepend=log_price[0])
    deviation = np.sqrt((coin.beta * climate.volatility) ** 2 + own_deviation**2)
    above, below = _excursions(seed, name, last_year, move, deviation)
    return CoinPath(
        close=np.exp(log_price),
        above=above,
        below=below,
        turnover=_turnover(seed, coin, last_year, climate, move),
        basis=_basis(seed, name, last_year, climate),
    )


def build_stable(seed: int, stable: Stable, last_year: int, climate: Climate) -> Floats:
    """USD price of a stablecoin at each hour's end: a tight wobble, and rare breaks that heal within days."""
    wobble = stationary(seed, stable.name + "/wobble", last_year, half_life=14, deviation=stable.wobble)
    depth = rare(
        seed, stable.name + "/break", last_year, per_year=stable.breaks_per_year, mean=1.0, deviation=0.3
    )
    breaks = autoregress(-stable.break_depth * np.abs(depth), keep_for(9.0))
    return np.exp(wobble * np.sqrt(np.minimum(climate.stress, 3.0)) + breaks)
