"""Seeded noise in yearly blocks: the value at an hour depends on the seed and that hour, never on *now*.

Every series draws each calendar year from its own generator, and filters run forward from a fixed start.
Asking for more years appends; it can not change what was drawn before.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
FIRST_YEAR = 2017
START_MS = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp() * 1000)
HOURS_PER_YEAR = 8_766.0
"""Mean hours in a year: turns annual volatility into hourly."""


def hours_in(year: int) -> int:
    """Return how many hours the calendar year has."""
    return (
        int((datetime(year + 1, 1, 1, tzinfo=UTC) - datetime(year, 1, 1, tzinfo=UTC)).total_seconds()) // 3600
    )


def hours_through(last_year: int) -> int:
    """Return how many hours the grid has from its start to the end of `last_year`."""
    return sum(hours_in(year) for year in range(FIRST_YEAR, last_year + 1))


def block(seed: int, label: str, year: int) -> np.random.Generator:
    """Return the generator that belongs to one label and one calendar year."""
    return np.random.default_rng([seed, zlib.crc32(label.encode()), year])


def normals(seed: int, label: str, last_year: int, *, step_hours: int = 1) -> Floats:
    """Standard normal draws, one per `step_hours`, from the grid's start to the end of `last_year`."""
    years = range(FIRST_YEAR, last_year + 1)
    return np.concatenate(
        [block(seed, label, year).standard_normal(hours_in(year) // step_hours) for year in years]
    )


def fat_tails(seed: int, label: str, last_year: int, *, degrees: float = 5.0) -> Floats:
    """Hourly Student-t draws scaled to unit variance."""
    scale = np.sqrt((degrees - 2.0) / degrees)
    years = range(FIRST_YEAR, last_year + 1)
    return np.concatenate(
        [block(seed, label, year).standard_t(degrees, hours_in(year)) * scale for year in years]
    )


def uniforms(seed: int, label: str, last_year: int, *, step_hours: int = 1) -> Floats:
    """Uniform draws in (0, 1), one per `step_hours`; zero is excluded so that logarithms are safe."""
    years = range(FIRST_YEAR, last_year + 1)
    return np.concatenate(
        [1.0 - block(seed, label, year).random(hours_in(year) // step_hours) for year in years]
    )


def rare(seed: int, label: str, last_year: int, *, per_year: float, mean: float, deviation: float) -> Floats:
    """Hourly shocks that are zero but for about `per_year` normal jumps a year."""
    hit = uniforms(seed, label + "/when", last_year) < per_year / HOURS_PER_YEAR
    size = mean + deviation * normals(seed, label + "/size", last_year)
    return np.where(hit, size, 0.0)


def autoregress(shocks: Floats, keep: float, first: float = 0.0) -> Floats:
    """Run x[t] = keep * x[t-1] + shocks[t] from x[-1] = first.

    A plain forward loop: bit for bit the same whatever the length, which a blocked product would not be.
    """
    states = accumulate(shocks.tolist(), lambda state, shock: keep * state + shock, initial=first)
    return np.fromiter(states, dtype=np.float64, count=len(shocks) + 1)[1:]


def keep_for(half_life_steps: float) -> float:
    """Return the factor per step that halves a deviation in `half_life_steps`."""
    return float(0.5 ** (1.0 / half_life_steps))


def stationary(
    seed: int, label: str, last_year: int, *, half_life: float, deviation: float, step_hours: int = 1
) -> Floats:
    """A mean-zero AR(1) with the given half-life (in steps) and stationary standard deviation."""
    keep = keep_for(half_life)
    shocks = normals(seed, label, last_year, step_hours=step_hours) * (deviation * np.sqrt(1.0 - keep * keep))
    return autoregress(shocks, keep)


def chance(seed: int, *parts: str | int) -> float:
    """One uniform number in [0, 1) that belongs to the given words and numbers."""
    text = "|".join(str(part) for part in (seed, *parts)).encode()
    mixed = (zlib.crc32(text) * 0x9E3779B97F4A7C15 + zlib.adler32(text)) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return ((mixed ^ (mixed >> 31)) >> 11) / float(1 << 53)
