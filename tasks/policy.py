"""A portfolio's section of the configuration as the pure `Policy` that decides, with its hash and its text.

Comes in: settings. Goes out: plain values. The hash covers all that can change a decision and nothing else,
so that moving a home or adding a channel does not make yesterday's recommendation a different one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from portfolio.policy import Limit, Policy, ProtocolRecord, ProtocolTier, RebalanceRules
from tasks.known_assets import REFERENCE_CURRENCIES, STABLECOINS
from tasks.settings_portfolio import PortfolioSettings
from tasks.settings_schema import Settings
from tasks.sleeve_parameters import SLEEVES, sleeve_assets

# Settings that become something else on their way into the policy.
TRANSLATED = {
    "profile", "weight_bounds", "rebalance", "holdings", "limits", "protocol_tiers", "protocol_facts",
    "cash_floor_usd", "planned_monthly_outflow_usd", "cash_floor_months", "signals",
}  # fmt: skip


def lines_of(settings: Settings, name: str) -> tuple[str, ...]:
    """The lines ("sleeve:asset") that a portfolio may hold, in the order of the configuration."""
    portfolio = settings.portfolios[name]
    spot = [f"spot:{asset}" for asset in settings.universe.assets] if "spot" in portfolio.sleeves else []
    others = [
        f"{sleeve}:{asset}"
        for sleeve in SLEEVES
        if sleeve in portfolio.sleeves
        for asset in sleeve_assets(settings, sleeve)
    ]
    return (*spot, *others, *(f"cash:{asset}" for asset in cash_of(settings, name)))


def cash_of(settings: Settings, name: str) -> tuple[str, ...]:
    """The cash assets of a portfolio: the quote, those in universe.cash, and those among its targets."""
    portfolio = settings.portfolios[name]
    named = [line.partition(":")[2] for line in portfolio.target_weights or {} if line.startswith("cash:")]
    known = STABLECOINS | REFERENCE_CURRENCIES | set(settings.universe.cash)
    return tuple(
        dict.fromkeys(
            [settings.universe.quote, *settings.universe.cash, *(asset for asset in named if asset in known)]
        )
    )


def execution_venues(settings: Settings) -> list[str]:
    """The venues on whose markets trades may be proposed."""
    return [venue.id for venue in settings.venues if "execution" in venue.roles]


def policy_of(settings: Settings, name: str) -> Policy:
    """The rules by which one portfolio is decided."""
    portfolio = settings.portfolios[name]
    bounds = dict(portfolio.weight_bounds)
    rebalance = portfolio.rebalance.model_dump(exclude={"period_hours"})
    months = portfolio.cash_floor_months * portfolio.planned_monthly_outflow_usd
    copied = portfolio.model_dump(exclude=TRANSLATED)
    return Policy(
        name=name,
        quote=settings.universe.quote,
        default_bounds=bounds.pop("default", (0.0, 1.0)),
        weight_bounds=bounds,
        rebalance=RebalanceRules(**rebalance),
        max_frozen_share=settings.gate.max_frozen_share,
        min_venues=settings.gate.min_venues,
        peg_tolerance=settings.gate.peg_tolerance,
        cash_floor_usd=max(portfolio.cash_floor_usd, months),
        limits=tuple(Limit(**limit.model_dump(exclude_none=True)) for limit in portfolio.limits),
        protocol_tiers=tuple(ProtocolTier(**tier.model_dump()) for tier in portfolio.protocol_tiers),
        protocol_facts={
            k: ProtocolRecord(**fact.model_dump()) for k, fact in portfolio.protocol_facts.items()
        },
        **copied,
    )


def deciding_settings(settings: Settings, name: str) -> dict[str, Any]:
    """What of the configuration can change a decision, as plain TOML-able values."""
    portfolio: PortfolioSettings = settings.portfolios[name]
    sleeves = settings.sleeves.model_dump(mode="json", by_alias=True)
    used = {sleeve: _plain(stated) for sleeve, stated in sleeves.items() if sleeve in portfolio.sleeves}
    # What is not used changes no hash.
    unused = {"holdings"} if portfolio.signals else {"holdings", "signals"}
    return {
        **({"sleeves": used} if used else {}),
        "portfolios": {name: _plain(portfolio.model_dump(mode="json", exclude=unused))},
        "universe": _plain(settings.universe.model_dump(mode="json", exclude=_empty(settings))),
        "gate": _plain(settings.gate.model_dump(mode="json")),
        "venues": [
            {"id": venue.id, "markets": list(venue.markets), "roles": sorted(venue.roles)}
            for venue in settings.venues
        ],
        "seed": settings.seed,
    }


def config_hash(settings: Settings, name: str) -> str:
    """A sha256 over `deciding_settings`, equal for equal rules whatever the order or spacing of the file."""
    text = json.dumps(deciding_settings(settings, name), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _empty(settings: Settings) -> set[str]:
    return set() if settings.universe.exits else {"exits"}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a JSON-like tree has no narrower type
    """Without None, which TOML can not say."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
