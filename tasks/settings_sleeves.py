"""The section [sleeves]: how a line of carry, basis, yield, staking or options is built, for every portfolio.

Comes in: the parsed tables. Goes out: frozen models. Each series of returns has one rule, so that the
warehouse and every portfolio speak of the same carry.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from portfolio.sleeves import SCENARIOS
from tasks.settings_kinds import Asset, Fraction, Section


def _scenarios(value: dict[str, float]) -> dict[str, float]:
    unknown = sorted(set(value) - set(SCENARIOS))
    if unknown:
        raise ValueError(f"no scenario {unknown[0]!r}; valid: {', '.join(SCENARIOS)}")
    return value


Losses = Annotated[dict[str, Fraction], AfterValidator(_scenarios)]
Haircut = Annotated[float, Field(ge=0, le=0.5)]
Days = Annotated[float, Field(ge=0, le=365)]


class HedgedSettings(Section):
    """What carry and basis share: a coin, a short contract on it, and margin beside.

    `leverage` is notional over margin, restored every day at 00:00 UTC. `haircut` is an annual fraction of
    capital taken off what is contracted. `losses` replaces the assumed loss of a scenario, as a fraction of
    capital. Without `venues`, every venue whose contracts are followed serves, in the configuration's order.
    """

    venues: tuple[str, ...] = ()
    leverage: float = Field(default=3.0, gt=0, le=20)
    haircut: Haircut = 0.02
    exit_days: Days = 1.0
    depeg_fall: Fraction = 0.10
    unhedged_move: Fraction = 0.10
    losses: Losses = Field(default_factory=dict)


class CarrySettings(HedgedSettings):
    """Coin and short perpetual; the rate counted on is the median of the last settlements."""

    funding_settlements: int = Field(default=21, ge=3, le=1000)


class BasisSettings(HedgedSettings):
    """Coin and short dated contract, left `roll_days` before it expires for the next one."""

    roll_days: float = Field(default=7, ge=1, le=60)


class PoolSettings(Section):
    """What yield and staking share: asset → DefiLlama's id of the pool.

    `reward_share` is how much of the reward tokens counts as yield.
    """

    pools: dict[Asset, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    haircut: Haircut = 0.02
    reward_share: Fraction = 0.0
    exit_days: Days = 1.0
    depeg_fall: Fraction = 0.10
    losses: Losses = Field(default_factory=dict)


class StakingSettings(PoolSettings):
    """Staked coins: the way out is a queue of days."""

    haircut: Haircut = 0.01
    exit_days: Days = 7.0


class OptionsSettings(Section):
    """Covered calls, indicative: never proposed unless a cap above 0 is set for the line or the class."""

    tenor_days: float = Field(default=30, gt=0, le=365)
    roll_days: float = Field(default=7, ge=1, le=60)
    delta: float = Field(default=0.25, gt=0, lt=1)
    haircut: Haircut = 0.05
    losses: Losses = Field(default_factory=dict)


class SleevesSettings(Section):
    """One section for each sleeve other than spot and cash; all have defaults."""

    model_config = ConfigDict(populate_by_name=True)

    carry: CarrySettings = Field(default_factory=CarrySettings)
    basis: BasisSettings = Field(default_factory=BasisSettings)
    yield_: PoolSettings = Field(default_factory=PoolSettings, alias="yield")
    staking: StakingSettings = Field(default_factory=StakingSettings)
    options: OptionsSettings = Field(default_factory=OptionsSettings)
