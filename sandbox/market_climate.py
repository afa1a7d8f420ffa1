"""The weather all coins share: regimes, the market factor and its volatility. All arrays are hourly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.noise import (
    HOURS_PER_YEAR,
    Floats,
    Ints,
    autoregress,
    fat_tails,
    hours_through,
    keep_for,
    rare,
    stationary,
    uniforms,
)

CALM, BULL, BEAR, CRISIS = range(4)
REGIMES = ("calm", "bull", "bear", "crisis")

# Daily transition probabilities, from row to column. Calm, bull and bear last months, a crisis two weeks.
_DAILY_MOVES = np.array(
    [
        [0.982, 0.010, 0.006, 0.002],
        [0.008, 0.984, 0.005, 0.003],
        [0.010, 0.004, 0.981, 0.005],
        [0.035, 0.010, 0.025, 0.930],
    ]
)
_VOLATILITY = np.array([0.66, 0.92, 1.02, 2.3])
_DRIFT = np.array([0.0, 0.75, -0.55, -2.6])
_FACTOR_VOLATILITY = 0.52
_FACTOR_HALF_LIFE_YEARS = 1.2


@dataclass(frozen=True)
class Climate:
    """Hourly arrays of one seed.

    Attributes:
        regime: index into REGIMES.
        factor: log level of the market factor, reverting to zero.
        volatility: the factor's expected hourly standard deviation.
        stress: volatility relative to its ordinary level (1 is ordinary).
        season: the hour-of-day pattern of activity, mean 1.
        years: fractional calendar year.
    """

    regime: Ints
    factor: Floats
    volatility: Floats
    stress: Floats
    season: Floats
    years: Floats


def daily_regimes(seed: int, last_year: int) -> Ints:
    """One regime a day, a Markov chain that starts calm."""
    draws = uniforms(seed, "market/regime", last_year, step_hours=24)
    ladders = np.cumsum(_DAILY_MOVES, axis=1)
    state, states = CALM, np.empty(len(draws), dtype=np.int64)
    for day, draw in enumerate(draws):
        state = min(int(np.searchsorted(ladders[state], draw)), CRISIS)
        states[day] = state
    return states


def build_climate(seed: int, last_year: int) -> Climate:
    """Build regimes, volatility and the market factor from the grid's start to the end of `last_year`."""
    hours = hours_through(last_year)
    clock = np.arange(hours) % 24
    season = 1.0 + 0.30 * np.cos((clock - 15) * 2 * np.pi / 24) + 0.08 * np.cos((clock - 2) * 4 * np.pi / 24)
    regime = np.repeat(daily_regimes(seed, last_year), 24)
    slow = stationary(seed, "market/slow-volatility", last_year, half_life=24 * 12, deviation=0.30)
    fast = stationary(seed, "market/fast-volatility", last_year, half_life=20, deviation=0.25)
    stress = _VOLATILITY[regime] * np.exp(slow + fast)
    volatility = stress * np.sqrt(season) * _FACTOR_VOLATILITY / np.sqrt(HOURS_PER_YEAR)
    drift = (_DRIFT[regime] - 0.02) / HOURS_PER_YEAR
    jumps = rare(seed, "market/jump", last_year, per_year=5, mean=-0.012, deviation=0.035)
    shocks = volatility * fat_tails(seed, "market", last_year) + drift + jumps
    factor = autoregress(shocks, keep_for(_FACTOR_HALF_LIFE_YEARS * HOURS_PER_YEAR))
    years = 2017.0 + np.arange(hours) / HOURS_PER_YEAR
    return Climate(regime, factor, volatility, stress, season, years)
