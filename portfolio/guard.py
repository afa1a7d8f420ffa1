"""Risks that need no optimiser: what a holder must hear of at once, whatever the allocation says.

Pure: the legs held with today's prices go in, breaches come out. Each has a level, a measure and the limit it
broke; whether it is news is for whoever keeps the episodes.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from portfolio.guarded import Breach, GuardInputs, GuardRules, HeldLeg
from portfolio.margins import DERIVATIVES, margin_breaches

DAYS_PER_YEAR = 365.0
CRITICAL_DEPEG = 0.05
CRITICAL_NET_DELTA = 0.10  # of NAV, beyond the bound


def breaches(inputs: GuardInputs, rules: GuardRules) -> tuple[Breach, ...]:
    """Find what a holder must hear of, worst first, each subject once per kind.

    The same inputs give the same breaches in the same order.
    """
    found = [
        *margin_breaches(inputs.legs, rules),
        *_deltas(inputs.legs, rules),
        *_net_deltas(inputs.legs, rules),
        *_depegs(inputs, rules),
        *_funding(inputs.legs, rules),
        *_markets(inputs, rules),
        *_incidents(inputs),
        *_cash(inputs, rules),
    ]
    found.sort(key=lambda one: (one.level != "critical", one.kind, one.subject, -one.excess))
    worst: dict[tuple[str, str], Breach] = {}
    for one in found:  # coins of which a part is hedged come as two legs of one market
        worst.setdefault((one.kind, one.subject), one)
    return tuple(worst.values())


def _deltas(legs: Sequence[HeldLeg], rules: GuardRules) -> Iterable[Breach]:
    """A hedge whose legs do not match: part of a short has no coins any more, or the reverse."""
    hedged: dict[str, float] = defaultdict(float)
    alone: dict[str, float] = defaultdict(float)
    for leg in legs:
        if leg.kind in DERIVATIVES:
            (hedged if leg.sleeve in {"carry", "basis"} else alone)[leg.asset] += leg.notional_usd
    for asset in sorted(alone):
        whole = abs(hedged[asset]) + abs(alone[asset])
        share = abs(alone[asset]) / whole if whole > 0.0 else 0.0
        if not hedged[asset] or share <= rules.delta_tolerance:
            continue
        side = "short" if alone[asset] < 0 else "long"
        yield Breach(
            kind="delta",
            subject=asset,
            level="critical" if share > 5 * rules.delta_tolerance else "warning",
            measure=share,
            limit=rules.delta_tolerance,
            excess=share / rules.delta_tolerance - 1.0,
            sentence=(
                f"The hedge of {asset} does not match: {abs(alone[asset]):,.0f} USD are {side} without a "
                f"partner, {share:.1%} of the derivative legs."
            ),
            action=f"Close {abs(alone[asset]):,.0f} USD of {asset} contracts, or bring the coins back.",
        )


def _net_deltas(legs: Sequence[HeldLeg], rules: GuardRules) -> Iterable[Breach]:
    """Price exposure that left the bounds its owner set: prices moved, or a hedge is gone.

    NAV is what is held plus margin and unrealised profit of derivatives. Nothing is claimed where a price or
    a price of entry is missing, nor beside options, whose delta is not a quantity.
    """
    if not rules.net_delta_bounds or any(leg.price_usd is None or leg.kind == "option" for leg in legs):
        return
    contracts = [leg for leg in legs if leg.kind in DERIVATIVES]
    if any(leg.entry_usd is None for leg in contracts):
        return
    nav = sum(leg.notional_usd for leg in legs if leg.kind not in DERIVATIVES)
    nav += sum(leg.margin_usd + leg.profit_usd for leg in contracts)
    if nav <= 0.0:
        return
    for asset, (lower, upper) in sorted(rules.net_delta_bounds.items()):
        delta = sum(leg.notional_usd for leg in legs if leg.asset == asset) / nav
        slack = rules.net_delta_slack(lower, upper)
        is_long = delta > upper + slack
        if not is_long and delta >= lower - slack:
            continue
        bound = upper if is_long else lower
        beyond = abs(delta - bound)
        yield Breach(
            kind="delta",
            subject=f"{asset} net",
            level="critical" if beyond > CRITICAL_NET_DELTA else "warning",
            measure=delta,
            limit=bound,
            excess=beyond / CRITICAL_NET_DELTA,
            sentence=f"Net delta of {asset} is {delta:.1%} of NAV; {lower:.0%} to {upper:.0%} is allowed.",
            action=(
                f"{'Sell' if is_long else 'Buy'} about {beyond * nav:,.0f} USD of {asset}, or look whether a "
                "hedge is gone."
            ),
        )


def _depegs(inputs: GuardInputs, rules: GuardRules) -> Iterable[Breach]:
    held = {leg.asset for leg in inputs.legs if leg.sleeve in {"cash", "yield"} and leg.quantity > 0}
    for asset, price in sorted(inputs.stablecoins.items()):
        off = abs(price - 1.0)
        if asset not in held or not math.isfinite(price) or off <= rules.peg_tolerance:
            continue
        worth = sum(leg.notional_usd for leg in inputs.legs if leg.asset == asset)
        yield Breach(
            kind="depeg",
            subject=asset,
            level="critical" if off >= CRITICAL_DEPEG else "warning",
            measure=price,
            limit=rules.peg_tolerance,
            excess=off / rules.peg_tolerance - 1.0,
            sentence=f"{asset} costs {price:.4f} USD; {worth:,.0f} USD of it are held.",
            action=f"Decide on {asset}: redeem it, exchange it, or wait. Buy nothing with it blindly.",
        )


def _funding(legs: Sequence[HeldLeg], rules: GuardRules) -> Iterable[Breach]:
    """Funding that turned against a hedge costs more over the horizon than leaving it would."""
    for leg in legs:
        if leg.sleeve != "carry" or leg.kind != "perp" or leg.funding_annual is None:
            continue
        received = -math.copysign(1.0, leg.quantity) * leg.funding_annual
        loss = -received * rules.horizon_days / DAYS_PER_YEAR
        if loss <= leg.exit_cost * (1.0 - rules.hysteresis):
            continue
        yield Breach(
            kind="funding",
            subject=leg.name,
            level="warning",
            measure=received,
            limit=-leg.exit_cost * DAYS_PER_YEAR / rules.horizon_days,
            excess=loss / leg.exit_cost - 1.0 if leg.exit_cost > 0 else math.inf,
            sentence=(
                f"{leg.name} pays {-received:.1%} a year of funding; over {rules.horizon_days} days that is "
                f"{1e4 * loss:.0f} bps of its notional, leaving costs {1e4 * leg.exit_cost:.0f}."
            ),
            action=f"Close the hedge of {leg.asset} at {leg.venue}, or wait knowing what it costs.",
        )


def _markets(inputs: GuardInputs, rules: GuardRules) -> Iterable[Breach]:
    for leg in inputs.legs:
        if leg.kind not in DERIVATIVES and (leg.kind != "spot" or leg.sleeve == "cash"):
            continue
        days = (leg.expires_at - inputs.as_of).total_seconds() / 86_400 if leg.expires_at else math.inf
        if not leg.is_active or days < rules.delisting_days:
            when = f"ends {leg.expires_at:%Y-%m-%d %H:%M} UTC" if leg.expires_at else "is no longer listed"
            yield Breach(
                kind="delisting",
                subject=leg.name,
                level="critical" if not leg.is_active or days < 1.0 else "warning",
                measure=max(days, 0.0) if leg.expires_at else 0.0,
                limit=rules.delisting_days,
                excess=1.0 - max(days, 0.0) / rules.delisting_days if leg.expires_at else 1.0,
                sentence=f"{leg.name} {when}; {abs(leg.notional_usd):,.0f} USD are held there.",
                action=f"Close or roll {leg.name} while it trades.",
            )
        elif leg.hours_behind is not None and leg.hours_behind > rules.halt_hours:
            yield Breach(
                kind="halt",
                subject=leg.name,
                level="warning",
                measure=leg.hours_behind,
                limit=rules.halt_hours,
                excess=leg.hours_behind / rules.halt_hours - 1.0,
                sentence=f"The prices of {leg.name} lag other markets by {leg.hours_behind:.1f} hours.",
                action=f"Look whether {leg.venue} is open; its other leg is unhedged while it is not.",
            )


def _incidents(inputs: GuardInputs) -> Iterable[Breach]:
    held = tuple(name.casefold() for name in inputs.entities if name)
    for one in inputs.incidents:
        # Lists name versions, holders seldom do: an incident of "Aave V3" concerns what lies at "aave".
        hit = one.entity.casefold()
        if not any(hit == name or hit.startswith(f"{name} ") for name in held):
            continue
        lost = f", {one.amount_usd:,.0f} USD lost" if one.amount_usd else ""
        yield Breach(
            kind="incident",
            subject=f"{one.entity} {one.occurred_at:%Y-%m-%d}",
            level="critical",
            measure=one.amount_usd or 0.0,
            limit=0.0,
            excess=1.0,
            sentence=f"{one.entity} was hit on {one.occurred_at:%Y-%m-%d}{lost}; assets are held there.",
            action=f"Withdraw from {one.entity} if it can be done safely.",
        )


def _cash(inputs: GuardInputs, rules: GuardRules) -> Iterable[Breach]:
    cash = sum(leg.notional_usd for leg in inputs.legs if leg.sleeve == "cash")
    if rules.cash_floor_usd > 0.0 and cash < rules.cash_floor_usd and inputs.legs:
        yield Breach(
            kind="cash_floor",
            subject="cash",
            level="critical" if cash < rules.cash_floor_usd / 2.0 else "warning",
            measure=cash,
            limit=rules.cash_floor_usd,
            excess=1.0 - cash / rules.cash_floor_usd,
            sentence=f"Cash is {cash:,.0f} USD, its floor {rules.cash_floor_usd:,.0f} USD.",
            action=f"Raise {rules.cash_floor_usd - cash:,.0f} USD of cash.",
        )
