"""From target weights to orders: what to sell and buy, where, in lots the venue accepts.

Sells come first and pay for the buys; what cannot be funded is scaled down rather than dropped; what cannot
be traded is listed with its reason. The order of the plan depends on nothing but its content.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from portfolio.book import Book, cash_assets, sound_positions
from portfolio.costs import TradingCost
from portfolio.desk import Desk, Order, exact
from portfolio.hedges import pool_order, size_legs, trade_legs
from portfolio.inkind import Change, kept_coins
from portfolio.markets import Legs, legs_of, market_costs
from portfolio.model import DecisionInputs, Freeze, Policy, is_cash, line_of
from portfolio.orders import sell_coin
from portfolio.spending import place_wishes, wishes_of
from portfolio.transfers import with_transfers

__all__ = ["DUST_WEIGHT", "Plan", "TradingCost", "market_costs", "plan_trades"]

DUST_WEIGHT = 1e-6  # of NAV: below this a difference is rounding, not a wish to trade
DIGITS = 90  # products of four figures stay exact, so that what is sold, bought and paid sums to zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done.

    Attributes:
        skipped: line → why it is not traded although it should be.
        achieved: line → weight of the old NAV after the orders, cash holding the rest (costs not taken off).
        residual: line → target − achieved weight, where more than dust is left.
        moved_usd: line → USD of value that came or went, before costs; sums to exactly zero.
        held: line → units after the orders, costs paid.
        cost_usd: fees, half-spreads and impact of all orders.
    """

    orders: tuple[Order, ...]
    skipped: Mapping[str, Freeze]
    achieved: Mapping[str, float]
    residual: Mapping[str, float]
    moved_usd: Mapping[str, Decimal]
    held: Mapping[str, Decimal]
    cost_usd: float


def plan_trades(book: Book, target: Mapping[str, float], inputs: DecisionInputs, policy: Policy) -> Plan:
    """Return the orders that lead from the book to the target weights, as far as they can be placed.

    The book must have a NAV; lines the target does not name keep their quantity.
    """
    with localcontext(prec=DIGITS):
        desk = _open_desk(book, inputs, policy)
        changes = _changes(desk, book, target)
        kept = kept_coins(desk, changes)
        for change in (c for c in changes if c.usd < 0):
            _release(desk, change, kept.get(change.line, Decimal(0)), book, policy)
        wishes = wishes_of(desk, [c for c in changes if c.usd > 0], kept, book, policy)
        nav = book.nav_usd or 0.0
        targets = {a: target.get(line_of("cash", a), 0.0) * nav for a in desk.cash_price}
        place_wishes(desk, wishes, targets, nav, book)
        orders = with_transfers(desk.orders, inputs)
        cost = sum((o.fee + o.slippage) * o.quote_usd for o in orders)
    achieved = _achieved(book, desk)
    residual = {x: w - achieved.get(x, 0.0) for x, w in target.items()}
    return Plan(
        orders=tuple(orders),
        skipped=dict(desk.skipped),
        achieved=achieved,
        residual={x: r for x, r in sorted(residual.items()) if abs(r) > DUST_WEIGHT},
        moved_usd=dict(desk.moved_usd),
        held=dict(desk.held),
        cost_usd=float(cost),
    )


def _open_desk(book: Book, inputs: DecisionInputs, policy: Policy) -> Desk:
    assets = [a for a in cash_assets(book.lines, policy) if line_of("cash", a) in book.price]
    return Desk(
        inputs=inputs,
        held=_movable(book, inputs),
        price=book.price,
        cash_price={a: book.price[line_of("cash", a)] for a in assets},
        floor_usd=exact(policy.cash_floor_usd),
        max_participation=policy.max_participation,
    )


def _movable(book: Book, inputs: DecisionInputs) -> dict[str, Decimal]:
    """Quantities that may be moved; an immovable part is not there for selling or spending."""
    held = dict(book.quantity)
    for p in sound_positions(inputs):
        if p.immovable and p.line in held:
            held[p.line] -= p.quantity
    return held


def _changes(desk: Desk, book: Book, target: Mapping[str, float]) -> list[Change]:
    """Return what is to be traded, the largest sells first; what may not be is listed as skipped."""
    nav = book.nav_usd or 0.0
    found: list[Change] = []
    for line, weight in target.items():
        now = book.weight.get(line, 0.0)
        if is_cash(line) or not abs(weight - now) > DUST_WEIGHT:
            continue
        kept = book.keeps(line)
        if kept is None and weight > now and line in desk.inputs.unlisted:
            kept = Freeze("unlisted", desk.inputs.unlisted[line])
        terms = desk.inputs.terms.get(line)
        legs = legs_of(terms, desk.inputs, desk.cash_price) if terms is not None else None
        fault = kept or (legs if isinstance(legs, Freeze) else None)
        if fault is not None or isinstance(legs, Freeze):
            desk.skipped[line] = fault or Freeze("no_market", f"{line} can not be traded.")
            continue
        found.append(Change(line=line, usd=exact((weight - now) * nav), share=_share(weight, now), legs=legs))
    return sorted(found, key=lambda c: (c.usd, c.line))


def _share(weight: float, now: float) -> Decimal:
    """The part of what is held that goes."""
    return exact(min(1.0, (now - weight) / now)) if now > weight else Decimal(0)


def _release(desk: Desk, change: Change, kept: Decimal, book: Book, policy: Policy) -> None:
    """Sell a coin, close a hedged line or take something out of a pool."""
    line, legs = change.line, change.legs
    if legs is None:
        sell_coin(desk, line, -change.usd, kept, book, policy)
        return
    have = desk.held.get(line, Decimal(0))
    units = have * change.share
    if units <= 0:
        return
    if legs.pool is not None:
        pool_order(desk, line, legs, units, "sell")
        return
    size = size_legs(desk, legs, units, "sell", kept)
    if isinstance(size, Freeze):
        desk.skipped[line] = size
        return
    trade_legs(desk, line, legs, size, "sell", _freed_usd(book, line, legs))


def _freed_usd(book: Book, line: str, legs: Legs) -> Decimal:
    """USD per unit that closing gives back beside the coins: margin and unrealised profit or loss."""
    held = book.quantity.get(line, Decimal(0))
    if held <= 0:
        return legs.margin_usd
    capital = exact(book.weight[line] * (book.nav_usd or 0.0)) / held
    return capital - (exact(legs.terms.capital_per_unit_usd) - legs.margin_usd)


def _achieved(book: Book, desk: Desk) -> dict[str, float]:
    """Weights of the old NAV after the orders, before their costs, so that they sum to one."""
    nav = book.nav_usd or 1.0
    weights = dict(book.weight)
    for line, usd in desk.moved_usd.items():
        if usd or line in weights:
            weights[line] = weights.get(line, 0.0) + float(usd) / nav
    return weights
