"""How far a derivative account is from liquidation, at the newest price and at the extremes of its hour.

All prices of an account are assumed to move by the same fraction. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from portfolio.guarded import LITTLE_CLEAR, Breach, GuardRules, HeldLeg

DERIVATIVES = ("perp", "future")
# Beyond every excess that a mere approach can have (1 at most), so that it is always told as worse.
LIQUIDATED = 4.0


def liquidation_distance(legs: Sequence[HeldLeg], collateral_usd: float) -> float | None:
    """Return the common move of all prices of an account that liquidates it, as a positive fraction.

    Equity E is collateral plus unrealised profit, maintenance M a fraction of each notional at the price it
    moves to: E + x ΣN = M (1 + x), N signed. A rise hurts net shorts, a fall net longs. For an isolated short
    this is Binance's USD-M formula in the first bracket (60,000 at 3× and 0.5 %: 32.67 %).

    Args:
        legs: derivatives that share one collateral, all with prices and maintenance rates.
        collateral_usd: of the account, without unrealised profit.

    Returns:
        0 where it is liquidated already; None where no move does it.
    """
    net = sum(leg.notional_usd for leg in legs)
    maintenance = sum(abs(leg.notional_usd) * (leg.maintenance_rate or 0.0) for leg in legs)
    room = collateral_usd + sum(leg.profit_usd for leg in legs) - maintenance
    if room <= 0.0:
        return 0.0
    slope = maintenance - net
    if slope > 0.0:
        return room / slope
    return room / -slope if room < -slope else None  # no price falls by more than all of it


def nearest_distance(legs: Sequence[HeldLeg], collateral_usd: float) -> float | None:
    """Return the least distance within the newest hour: at its close, all at their lows, all at their highs.

    Args:
        legs: as for `liquidation_distance`; where one has no extremes, its price stands for them.
        collateral_usd: likewise.
    """
    moments = (
        legs,
        [leg if leg.low_usd is None else replace(leg, price_usd=leg.low_usd) for leg in legs],
        [leg if leg.high_usd is None else replace(leg, price_usd=leg.high_usd) for leg in legs],
    )
    found = [liquidation_distance(moment, collateral_usd) for moment in moments]
    return min((one for one in found if one is not None), default=None)


def margin_breaches(legs: Sequence[HeldLeg], rules: GuardRules) -> Iterable[Breach]:
    """Name each account that came nearer to liquidation within the newest hour than the rules allow."""
    for subject, members, collateral in accounts(legs):
        if any(leg.price_usd is None or leg.maintenance_rate is None for leg in members):
            continue
        distance = nearest_distance(members, collateral)
        limit = rules.min_liquidation_distance
        if distance is None or distance >= limit:
            continue
        need = _margin_for(members, limit * (1.0 + LITTLE_CLEAR)) - collateral
        yield Breach(
            kind="margin",
            subject=subject,
            level="critical" if distance < limit / 2.0 else "warning",
            measure=distance,
            limit=limit,
            excess=1.0 - distance / limit if distance > 0.0 else LIQUIDATED,
            sentence=_sentence(subject, distance, liquidation_distance(members, collateral), limit),
            action=_action(subject, distance, need),
        )


def _sentence(subject: str, nearest: float, now: float | None, limit: float) -> str:
    wanted = f"at least {limit:.0%} is wanted."
    if nearest <= 0.0:
        return f"{subject} reached its liquidation price within the newest hour; {wanted}"
    if now is None or now > nearest * 1.001:
        far = "no move" if now is None else f"{now:.1%}"
        return (
            f"{subject} was {nearest:.1%} from liquidation within the newest hour, {far} at its end; {wanted}"
        )
    return f"{subject} is {nearest:.1%} from liquidation; {wanted}"


def _action(subject: str, nearest: float, need: float) -> str:
    if nearest <= 0.0:
        return f"Look whether {subject} still exists: its coins may be unhedged. Then import the positions."
    if need <= 0.0:
        return f"Look at {subject}: its margin is enough at the newest price, and was not within the hour."
    return f"Add about {need:,.0f} USD of margin at {subject}, or close a part."


def accounts(legs: Sequence[HeldLeg]) -> Iterable[tuple[str, list[HeldLeg], float]]:
    """Each collateral with the legs it stands for: an isolated contract its own, cross legs their account's.

    A contract of which a part is hedged comes as two legs, and is still one position.
    """
    isolated: dict[str, list[HeldLeg]] = defaultdict(list)
    shared: dict[tuple[str, str], list[HeldLeg]] = defaultdict(list)
    for leg in legs:
        if leg.kind not in DERIVATIVES or leg.quantity == 0.0:
            continue
        if leg.is_cross:
            shared[leg.venue, leg.account].append(leg)
        else:
            isolated[leg.name].append(leg)
    for name, members in sorted(isolated.items()):
        yield name, members, sum(leg.margin_usd for leg in members)
    for (venue, account), members in sorted(shared.items()):
        cash = sum(
            leg.notional_usd
            for leg in legs
            if leg.sleeve == "cash" and (leg.venue, leg.account) == (venue, account)
        )
        place = f"{venue} {account}".strip() + " (cross margin)"
        yield place, members, cash + sum(leg.margin_usd for leg in members)


def _margin_for(legs: Sequence[HeldLeg], distance: float) -> float:
    """Collateral with which the account would be that far from liquidation."""
    net = sum(leg.notional_usd for leg in legs)
    maintenance = sum(abs(leg.notional_usd) * (leg.maintenance_rate or 0.0) for leg in legs)
    profit = sum(leg.profit_usd for leg in legs)
    return maintenance - profit + distance * abs(maintenance - net)
