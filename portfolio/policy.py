"""What a portfolio's owner has decided: the settings of one `[portfolios.<name>]` table, as plain values.

A `Policy` comes from the configuration and goes into `decide` unchanged; nothing here reads a file. Fractions
are fractions of the portfolio's value (NAV), rates are annual, and a *line* is the string "sleeve:asset".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

DAYS_PER_YEAR = 365  # crypto trades every day
Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RebalanceRules:
    """When a difference between holdings and target becomes a recommendation.

    Attributes:
        horizon_days: holding horizon over which a benefit is counted.
        band_absolute: a line may drift this far from its target, in fractions of NAV.
        band_relative: the same as a fraction of the target; whichever band is narrower triggers.
        min_benefit_over_cost: a computed objective trades only above this ratio.
        cooldown_hours: quiet time after the last trade.
        valid_hours: how long a recommendation may be acted on.
        mode: `full`; `cash_flow_only` deploys surplus cash or raises missing cash, never swaps;
            `sell_only` never buys.
    """

    horizon_days: int = 30
    band_absolute: float = 0.03
    band_relative: float = 0.25
    min_benefit_over_cost: float = 1.5
    cooldown_hours: float = 20.0
    valid_hours: float = 24.0
    mode: Literal["full", "cash_flow_only", "sell_only"] = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One portfolio's rules.

    Attributes:
        quote: the stablecoin trades are settled in by preference (`universe.quote`).
        objective: a file name of `portfolio/optimisers`; `policy` means fixed `target_weights` with bands.
        target_weights: line → weight, only with objective `policy`; lines not named have target 0.
        expected_returns: a file name of `portfolio/expected_returns`.
        risk_model: a file name of `portfolio/risk_models`.
        default_bounds: `weight_bounds.default`; binds every line without its own entry, except cash.
        weight_bounds: line → (lower, upper), without the `default` entry.
        class_bounds: sleeve → (lower, upper) on the sum of its lines.
        max_turnover: ½ Σ|Δweight| including cash; 1 never binds.
        max_participation: of average daily volume, per line and recommendation.
        fallbacks: objectives tried in order when one fails; `hold` keeps everything.
        max_frozen_share: above this share of NAV in frozen lines nothing is recommended.
        min_venues: venues that must agree on a price before it may decide anything.
        risk_free_rate: annual, subtracted in Sharpe ratios and in utilities' return part.
        market_sharpe_ratio: assumed for the market portfolio where its weights are turned into expected
            returns.
        peg_tolerance: a stablecoin further than this from 1 USD is depegged.
        max_unstable_turnover: a 0.1 % change of the inputs may not move more than this (95th percentile).
        net_delta_bounds: asset → (lower, upper) of net delta over NAV; binds only derivative sleeves.
        gross_notional_limit: total notional over NAV; binds only derivative sleeves.
        min_liquidation_distance: adverse move to liquidation; binds only derivative sleeves.
    """

    name: str = "core"
    reference_currency: str = "USD"
    quote: str = "USDT"
    sleeves: tuple[str, ...] = ("spot", "cash")
    objective: str = "max_quadratic_utility"
    target_weights: Mapping[str, float] | None = None
    risk_aversion: float = 3.0
    expected_returns: str = "black_litterman"
    risk_model: str = "ledoit_wolf"
    lookback_days: int = 365
    requires: tuple[str, ...] = ("candles_1d",)
    on_stale: Literal["block", "degrade"] = "block"
    default_bounds: Bounds = (0.0, 1.0)
    weight_bounds: Mapping[str, Bounds] = field(default_factory=dict)
    class_bounds: Mapping[str, Bounds] = field(default_factory=dict)
    max_turnover: float = 1.0
    max_participation: float = 1.0
    cash_floor_usd: float = 0.0
    fallbacks: tuple[str, ...] = ("hold",)
    rebalance: RebalanceRules = field(default_factory=RebalanceRules)
    max_frozen_share: float = 0.35
    min_venues: int = 1
    risk_free_rate: float = 0.0
    market_sharpe_ratio: float = 0.5
    peg_tolerance: float = 0.02
    max_unstable_turnover: float = 0.20
    net_delta_bounds: Mapping[str, Bounds] = field(default_factory=dict)
    gross_notional_limit: float | None = None
    min_liquidation_distance: float | None = None

    def bounds_of(self, line: str) -> Bounds:
        """Return the (lower, upper) weight of one line; cash is not bound by the default."""
        if line in self.weight_bounds:
            return self.weight_bounds[line]
        return (0.0, 1.0) if line.startswith("cash:") else self.default_bounds
