"""The rows of mart.sleeve_parameters: how each line of a sleeve is built, by the configuration.

An ingest stores them, for people who read mart.sleeve_returns. A decision brings its own: a replay with the
policy of then builds the returns of then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from tasks.settings_schema import Settings
from tasks.settings_sleeves import HedgedSettings, PoolSettings

TABLE = "mart.sleeve_parameters"
SLEEVES = ("carry", "basis", "yield", "staking", "options")
CONTRACTS = {"carry": "perp", "basis": "future"}
# Why a sleeve has no line.
LACKING = {
    "carry": 'no execution venue lists "perp" in its markets',
    "basis": 'no execution venue lists "future" in its markets',
    "yield": "[sleeves.yield] names no pools",
    "staking": "[sleeves.staking] names no pools",
    "options": 'no venue lists "implied_volatility" in its datasets',
}
Row = dict[str, Any]


def sleeve_parameters(settings: Settings, sleeves: Collection[str] = SLEEVES) -> list[Row]:
    """One row for each place that a line of these sleeves can be built from, in order of preference."""
    return [row for sleeve in SLEEVES if sleeve in sleeves for row in _rows(settings, sleeve)]


def sleeve_assets(settings: Settings, sleeve: str) -> tuple[str, ...]:
    """The assets that have a line in a sleeve other than spot and cash, in the configuration's order."""
    return tuple(dict.fromkeys(row["asset"] for row in _rows(settings, sleeve)))


def hedge_venues(settings: Settings, sleeve: str) -> tuple[str, ...]:
    """The venues whose contracts hedge carry or basis, in order of preference."""
    stated: HedgedSettings = getattr(settings.sleeves, sleeve)
    following = [
        venue.id
        for venue in settings.venues
        if CONTRACTS[sleeve] in venue.markets and "execution" in venue.roles
    ]
    return tuple(venue for venue in stated.venues or following if venue in following)


def _rows(settings: Settings, sleeve: str) -> Iterator[Row]:
    if sleeve in CONTRACTS:
        stated: HedgedSettings = getattr(settings.sleeves, sleeve)
        figures = {"leverage": stated.leverage, "roll_days": getattr(stated, "roll_days", None)}
        for place, venue in enumerate(hedge_venues(settings, sleeve), 1):
            for asset in settings.universe.assets:
                yield _row(sleeve, asset, place, venue, stated.haircut, **figures)
    elif sleeve == "options":
        rule = settings.sleeves.options
        venues = [venue.id for venue in settings.venues if "implied_volatility" in venue.datasets]
        figures = {"roll_days": rule.roll_days, "tenor_days": rule.tenor_days, "delta": rule.delta}
        for place, venue in enumerate(venues, 1):
            for asset in settings.universe.assets:
                yield _row(sleeve, asset, place, venue, rule.haircut, **figures)
    else:
        stated_pools = pool_settings(settings, sleeve)
        for asset, pool in stated_pools.pools.items():
            share = stated_pools.reward_share
            yield _row(sleeve, asset, 1, "", stated_pools.haircut, pool=pool, reward_share=share)


def sleeve_pools(settings: Settings) -> tuple[str, ...]:
    """The pools that lines of yield and staking stand on: they are followed without being named twice."""
    stated = (pool_settings(settings, sleeve) for sleeve in ("yield", "staking"))
    return tuple(dict.fromkeys(pool for section in stated for pool in section.pools.values()))


def pool_settings(settings: Settings, sleeve: str) -> PoolSettings:
    """The section of yield or staking."""
    return settings.sleeves.yield_ if sleeve == "yield" else settings.sleeves.staking


def _row(sleeve: str, asset: str, place: int, venue: str, haircut: float, **figures: Any) -> Row:  # noqa: ANN401 - numbers and a pool's id
    empty = dict.fromkeys(("leverage", "reward_share", "roll_days", "tenor_days", "delta"))
    row = {"sleeve": sleeve, "asset": asset, "place": place, "venue": venue, "pool": "", "haircut": haircut}
    return row | empty | figures
