"""What a portfolio's owner has decided: the settings of one `[portfolios.<name>]` table, as plain values.

A `Policy` comes from the configuration and goes into `decide` unchanged; nothing here reads a file. Fractions
are fractions of the portfolio's value (NAV), rates are annual, and a *line* is the string "sleeve:asset".
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
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
class Limit:
    """One bound on what several lines hold together, in fractions of NAV.

    Attributes:
        measure: `capital`, `net_delta` (price exposure) or `gross_notional` (|notional| of all legs).
        by: over the lines of an asset, a class (sleeve), a venue, a protocol, an issuer, or all of them.
        of: which one: "BTC", "carry", "binance", "aave-v3"; an issuer by its coin, "USDT".
        name: as the owner knows it where it is not one of `limits`.
    """

    measure: Literal["capital", "net_delta", "gross_notional"] = "capital"
    by: Literal["portfolio", "asset", "class", "venue", "protocol", "issuer"]
    of: str = ""
    lower: float = -math.inf
    upper: float = math.inf
    name: str = ""

    def title(self) -> str:
        """Return the name in explanations."""
        return self.name or f"limit {self.measure} of {self.by} {self.of}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolTier:
    """What a protocol must be to hold up to `cap` of NAV; a demand of 0 or None is no demand."""

    name: str
    cap: float
    min_age_days: int = 0
    min_audits: int = 0
    min_tvl_usd: float = 0.0
    max_incidents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolRecord:
    """What the owner has looked up about a protocol and no source tells: its launch and its audits."""

    launched: date | None = None
    audits: int | None = None


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
        net_delta_bounds: asset → (lower, upper) of net delta over NAV.
        gross_notional_limit: total notional over NAV.
        min_liquidation_distance: a line nearer to liquidation than this adverse move is not held.
        limits: further bounds by asset, class, venue, protocol or issuer.
        scenario_loss_caps: scenario → fraction of NAV that it may cost; `default` for those not named.
        protocol_tiers: best first; empty: protocols are not tiered. `protocol_facts`: by protocol.
        min_position: a line holds nothing or at least this much.
        target_volatility: annual, of the objective `efficient_risk`; `target_return`: annual, of
            `efficient_return`; `cvar_level`: of the objective `min_cvar`.
        view_confidence: how a view's confidence becomes its variance (`black_litterman`).
        regularisation: share of the average variance added to every line's own before solving.
        resampling_draws: answers to resampled expected returns that are averaged; 0 is none.
        borrow_rates: coin → annual rate paid on what is sold short; `default` for those not named.
        tax_rate: on realised gains; None: every cost is before tax.
        exit_notice_days: a line whose market closes within this time is sold.
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
    limits: tuple[Limit, ...] = ()
    scenario_loss_caps: Mapping[str, float] = field(default_factory=lambda: {"default": 0.10})
    protocol_tiers: tuple[ProtocolTier, ...] = ()
    protocol_facts: Mapping[str, ProtocolRecord] = field(default_factory=dict)
    min_position: float = 0.0
    target_volatility: float = 0.20
    target_return: float = 0.10
    cvar_level: float = 0.95
    view_confidence: Literal["idzorek", "he_litterman"] = "idzorek"
    regularisation: float = 0.0
    resampling_draws: int = 0
    borrow_rates: Mapping[str, float] = field(default_factory=dict)
    tax_rate: float | None = None
    exit_notice_days: int = 7

    def bounds_of(self, line: str) -> Bounds:
        """Return the (lower, upper) weight of one line; cash is not bound by the default."""
        if line in self.weight_bounds:
            return self.weight_bounds[line]
        return (0.0, 1.0) if line.startswith("cash:") else self.default_bounds
