"""How far a derivative account is from liquidation, at the newest price and at the extremes of its hour.

All prices of an account are assumed to move by the same fraction. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from portfolio.guarded import LITTLE_CLEAR, Breach, GuardRules, HeldLeg

DERIVATIVES = ("perp", "future")
# Beyond every excess that a mere approach can have (1 at most), so that it is always told as worse.
LIQUIDATED = 4.0
NOTHING_LEFT = -1.0  # no price falls by more than all of it


@dataclass(frozen=True, slots=True)
class _Account:
    """What is left of one collateral above its maintenance margin, as a function of the common move x.

    Attributes:
        equity: collateral and unrealised profit at x = 0, USD.
        net: sum of the signed notionals.
        contracts: gross notional of each contract and its steps: from a notional on, so much more margin.
    """

    equity: float
    net: float
    contracts: tuple[tuple[float, tuple[tuple[float, float], ...]], ...]

    def room(self, x: float) -> float:
        """Return E + x ΣN − M(x), M the maintenance of every contract at the notional it moves to."""
        wanted = sum(
            extra * max(0.0, gross * (1.0 + x) - floor)
            for gross, steps in self.contracts
            for floor, extra in steps
        )
        return self.equity + x * self.net - wanted

    def crossing(self, sign: float) -> float | None:
        """Return the move of that sign at which no room is left; None where some always is."""
        corners = {floor / gross - 1.0 for gross, steps in self.contracts if gross for floor, _ in steps}
        stops = sorted({NOTHING_LEFT, *corners}, key=abs)
        at, left = 0.0, self.room(0.0)
        for stop in (x for x in stops if x * sign > 0.0 and x >= NOTHING_LEFT):
            then = self.room(stop)
            if then < 0.0:
                return at + (stop - at) * left / (left - then)
            at, left = stop, then
        lost = left - self.room(at + 1.0) if sign > 0.0 else 0.0
        return at + left / lost if lost > 0.0 else None


def liquidation_move(legs: Sequence[HeldLeg], collateral_usd: float) -> float | None:
    """Return the nearest common move of all prices of an account that liquidates it, with its sign.

    Equity E is collateral plus unrealised profit, maintenance M of each contract by its brackets at the
    price it moves to: E + x ΣN = M(1 + x), N signed. A rise hurts net shorts, a fall net longs; a hedged
    account may be hurt by both. For one contract this is the formula of Binance USD-M with its maintenance
    amounts, and of Bybit's linear contracts, closing fees aside.

    Args:
        legs: derivatives that share one collateral, all with prices and maintenance rates.
        collateral_usd: of the account, without unrealised profit.

    Returns:
        0 where it is liquidated already; None where no move does it.
    """
    account = _account(legs, collateral_usd)
    if account.room(0.0) <= 0.0:
        return 0.0
    found = [x for x in (account.crossing(1.0), account.crossing(-1.0)) if x is not None]
    return min(found, key=abs, default=None)


def liquidation_distance(legs: Sequence[HeldLeg], collateral_usd: float) -> float | None:
    """Return how far the nearest liquidating move is, as a positive fraction; see `liquidation_move`."""
    move = liquidation_move(legs, collateral_usd)
    return None if move is None else abs(move)


def _account(legs: Sequence[HeldLeg], collateral_usd: float) -> _Account:
    """A contract of which a part is hedged comes as two legs: its brackets go by the whole of it."""
    whole: dict[tuple[str, tuple[tuple[float, float], ...]], float] = defaultdict(float)
    for leg in legs:
        whole[leg.name, _steps(leg)] += abs(leg.notional_usd)
    return _Account(
        equity=collateral_usd + sum(leg.profit_usd for leg in legs),
        net=sum(leg.notional_usd for leg in legs),
        contracts=tuple((gross, steps) for (_, steps), gross in whole.items()),
    )


def _steps(leg: HeldLeg) -> tuple[tuple[float, float], ...]:
    """From which notional on how much more margin is wanted: one step where a rate holds for all of it."""
    if not leg.maintenance_steps:
        return ((0.0, leg.maintenance_rate or 0.0),)
    rates = [0.0, *(rate for _, rate in leg.maintenance_steps)]
    return tuple(
        (floor, rate - before) for (floor, rate), before in zip(leg.maintenance_steps, rates, strict=False)
    )


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
    """Collateral with which the account would be that far from liquidation, whichever way prices go."""
    bare = _account(legs, 0.0)
    return -min(bare.room(distance), bare.room(-distance))
