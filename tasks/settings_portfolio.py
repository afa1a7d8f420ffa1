"""The shape of one `[portfolios.<name>]` table: every key, type, bound and default.

Comes in: the parsed table. Goes out: a frozen model, a named profile's figures filled in where the owner
wrote none. What the keys mean is said in `portfolio/policy.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from portfolio.profiles import PROFILES
from tasks.settings_kinds import Asset, Bounds, Fraction, Section

Sleeve = Literal["spot", "carry", "basis", "yield", "staking", "options", "cash"]
Signal = Literal[
    "all", "momentum_30", "momentum_90", "funding_7", "funding_percentile", "basis", "perp_premium",
    "open_interest_to_cap", "active_address_growth", "fee_growth", "issuance", "mvrv", "nvt",
    "exchange_inflow", "tvl_growth", "fee_yield", "revenue_yield", "stablecoin_supply_growth",
    "cme_leveraged_net", "cme_asset_manager_net", "correlation_sp500", "correlation_dgs10",
    "correlation_dtwexbgs",
    "correlation_vixcls", "volatility_regime", "venue_share_break", "lead_lag_btc",
]  # fmt: skip
DEFAULT_SLEEVES = ("spot", "cash")
DEFAULT_SCENARIO_LOSS = 0.10


class RebalanceSettings(Section):
    """When a trade is worth recommending."""

    period_hours: int = Field(default=24, ge=1, le=24 * 31)
    horizon_days: int = Field(default=30, ge=1, le=730)
    band_absolute: Fraction = 0.03
    band_relative: float = Field(default=0.25, ge=0, le=10)
    min_benefit_over_cost: float = Field(default=1.5, ge=0, le=100)
    cooldown_hours: float = Field(default=20, ge=0, le=24 * 365)
    valid_hours: float = Field(default=24, gt=0, le=24 * 31)
    mode: Literal["full", "cash_flow_only", "sell_only"] = "full"


class HoldingsSettings(Section):
    """Where the positions are."""

    file: Path


class LimitSettings(Section):
    """One bound on capital, net delta or gross notional by asset, class, venue, protocol or issuer."""

    measure: Literal["capital", "net_delta", "gross_notional"] = "capital"
    by: Literal["portfolio", "asset", "class", "venue", "protocol", "issuer"]
    of: str = ""
    lower: float | None = Field(default=None, ge=-20, le=20)
    upper: float | None = Field(default=None, ge=-20, le=20)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.lower is None and self.upper is None:
            raise ValueError("wanted a lower or an upper bound (fractions of NAV), found neither: add one")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower {self.lower:g} is above upper {self.upper:g}: swap them")
        if (self.by == "portfolio") == bool(self.of):
            raise ValueError(f'by = "{self.by}" wants {"no" if self.of else "an"} "of"')
        return self


class ProtocolTierSettings(Section):
    """What a protocol must be, by facts, to hold up to `cap`; the best tier first."""

    name: str
    cap: Fraction
    min_age_days: int = Field(default=0, ge=0)
    min_audits: int = Field(default=0, ge=0)
    min_tvl_usd: float = Field(default=0, ge=0)
    max_incidents: int | None = Field(default=None, ge=0)


class ProtocolFactSettings(Section):
    """What the owner has looked up about a protocol."""

    launched: date | None = None
    audits: int | None = Field(default=None, ge=0)


class PortfolioSettings(Section):
    """One portfolio's policy."""

    profile: Literal["conservative", "balanced", "aggressive"] | None = None
    reference_currency: Literal["USD"] = "USD"
    sleeves: tuple[Sleeve, ...] = DEFAULT_SLEEVES
    objective: str = "max_quadratic_utility"
    target_weights: dict[str, Fraction] | None = None
    risk_aversion: float = Field(default=3.0, gt=0, le=1000)
    risk_free_rate: float = Field(default=0.0, ge=-0.1, le=1)
    market_sharpe_ratio: float = Field(default=0.5, ge=0, le=5)
    target_volatility: float = Field(default=0.20, gt=0, le=5)
    target_return: float = Field(default=0.10, ge=-1, le=10)
    cvar_level: float = Field(default=0.95, ge=0.5, lt=1)
    max_unstable_turnover: float = Field(default=0.20, gt=0, le=2)
    expected_returns: str = "shrunk_mean"
    view_confidence: Literal["idzorek", "he_litterman"] = "idzorek"
    signals: tuple[Signal, ...] = ()
    risk_model: str = "ledoit_wolf"
    regularisation: float = Field(default=0.0, ge=0, le=10)
    resampling_draws: int = Field(default=0, ge=0, le=200)
    lookback_days: int = Field(default=365, ge=60, le=3650)
    requires: tuple[str, ...] = ("candles_1d",)
    on_stale: Literal["block", "degrade"] = "block"
    weight_bounds: dict[str, Bounds] = Field(default_factory=lambda: {"default": (0.0, 1.0)})
    class_bounds: dict[Sleeve, Bounds] = Field(default_factory=dict)
    limits: tuple[LimitSettings, ...] = ()
    max_turnover: float = Field(default=1.0, gt=0, le=2)
    max_participation: float = Field(default=0.02, gt=0, le=1)
    min_position: float = Field(default=0.0, ge=0, le=0.5)
    net_delta_bounds: dict[Asset, Bounds] = Field(default_factory=dict)
    gross_notional_limit: float = Field(default=2.0, gt=0, le=20)
    min_liquidation_distance: Fraction = 0.30
    scenario_loss_caps: dict[str, Fraction] = Field(
        default_factory=lambda: {"default": DEFAULT_SCENARIO_LOSS}
    )
    protocol_tiers: tuple[ProtocolTierSettings, ...] = ()
    protocol_facts: dict[str, ProtocolFactSettings] = Field(default_factory=dict)
    borrow_rates: dict[str, Annotated[float, Field(ge=0, le=10)]] = Field(default_factory=dict)
    tax_rate: Fraction | None = None
    exit_notice_days: int = Field(default=7, ge=0, le=365)
    cash_floor_usd: float = Field(default=0.0, ge=0)
    planned_monthly_outflow_usd: float = Field(default=0.0, ge=0)
    cash_floor_months: float = Field(default=0.0, ge=0, le=120)
    fallbacks: tuple[str, ...] = ("min_volatility", "hrp", "hold")
    rebalance: RebalanceSettings = Field(default_factory=RebalanceSettings)
    holdings: HoldingsSettings | None = None

    @model_validator(mode="after")
    def _signals_are_heard(self) -> Self:
        if self.signals and self.expected_returns != "black_litterman":
            raise ValueError(
                f'signals need expected_returns = "black_litterman", found "{self.expected_returns}": '
                "no other estimator hears views"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, value: Any) -> Any:  # noqa: ANN401 - a table as TOML gives it
        if not isinstance(value, Mapping):
            return value
        given = {str(key): item for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        profile = PROFILES.get(str(given.get("profile")))
        caps = given.get("scenario_loss_caps")
        if isinstance(caps, Mapping):
            default = profile.scenario_loss if profile else DEFAULT_SCENARIO_LOSS
            given["scenario_loss_caps"] = {"default": default, **caps}
        if profile is None:
            return given
        given.setdefault("risk_aversion", profile.risk_aversion)
        given.setdefault("scenario_loss_caps", {"default": profile.scenario_loss})
        own = given.get("class_bounds", {})
        if isinstance(own, Mapping) and given.get("objective") != "policy":
            sleeves = given.get("sleeves", DEFAULT_SLEEVES)
            held = {k: v for k, v in profile.class_bounds.items() if k in sleeves}
            given["class_bounds"] = held | {str(k): v for k, v in own.items()}  # pyright: ignore[reportUnknownVariableType]
        return given
