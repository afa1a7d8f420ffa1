"""What the cash of a plan is spent on: wishes, the stablecoins they need, and what there is to pay them.

Wishes share what there is: each is scaled down alike where its quote's cash, or all cash above the floor,
does not suffice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from portfolio.book import Book, markets_of
from portfolio.costs import trading_cost
from portfolio.desk import Desk, exact
from portfolio.hedges import mark_cut, needs_of, pool_order, size_legs, trade_legs
from portfolio.inkind import Change, units_of
from portfolio.markets import Legs, buying_markets, called, choose_market
from portfolio.model import Freeze, Instrument, Policy, asset_of, line_of
from portfolio.orders import place, say_cut
from portfolio.outcome import Side

CONVERSION_DUST = 1e-3  # of NAV: costs alone shift cash by about this much
NEARLY_ALL = Decimal("0.999")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something to buy or open.

    Attributes:
        needs: cash asset → USD, all costs included.
        place: books it at a scale between 0 and 1.
    """

    line: str
    needs: Mapping[str, Decimal]
    place: Callable[[Decimal], None]


def wishes_of(
    desk: Desk, changes: list[Change], kept: Mapping[str, Decimal], book: Book, policy: Policy
) -> list[Wish]:
    """Return what is to be bought, largest first; what can not be is listed as skipped."""
    found: list[Wish] = []
    for change in sorted(changes, key=lambda c: (-c.usd, c.line)):
        own = kept.get(change.line, Decimal(0))
        if change.legs is None:
            found += _coin_wishes(desk, change.line, units_of(desk, change) - own, book, policy)
        elif change.legs.pool is None:
            found += _pair_wishes(desk, change, change.legs, own)
        else:
            found += _pool_wishes(desk, change, change.legs, own, book, policy)
    return found


def _coin_wishes(desk: Desk, line: str, quantity: Decimal, book: Book, policy: Policy) -> list[Wish]:
    if quantity <= 0:
        return []
    parts = _split(desk, line, quantity, book, policy)
    if not parts:
        desk.skipped[line] = Freeze("no_market", f"No active market trades {asset_of(line)}.")
    return [_coin_wish(desk, line, *part) for part in parts]


def _split(
    desk: Desk, line: str, quantity: Decimal, book: Book, policy: Policy
) -> list[tuple[Instrument, Decimal, Decimal]]:
    """Return the markets to buy in: the best one, and the next where participation fills it up.

    With each what is wanted of it and what it can take; what nobody can take is wanted of the first.
    """
    usd = float(quantity) * desk.price[line]
    markets = buying_markets(line, usd, book, desk.inputs, policy)
    parts: list[tuple[Instrument, Decimal]] = []
    left = quantity
    for market in (m for m in markets if m.quote == markets[0].quote):
        fits, was_cut = desk.room(market, left, desk.price[line])
        if fits > 0 and not desk.below_minimum(market, fits, desk.quote_price(line, market)):
            parts.append((market, fits))
            left -= fits
        if not was_cut:
            break
    if not parts:
        return [(markets[0], quantity, quantity)] if markets else []
    # the first market's own limit cuts it, and says so
    return [(market, fits + (left if i == 0 else 0), fits) for i, (market, fits) in enumerate(parts)]


def _coin_wish(desk: Desk, line: str, market: Instrument, quantity: Decimal, fits: Decimal) -> Wish:
    usd = fits * exact(desk.price[line])  # what will not be bought keeps no cash from the others
    need = usd * (1 + exact(trading_cost(market, desk.inputs).rate(float(usd))))

    def go(scale: Decimal) -> None:
        order = place(desk, line, market, "buy", fits * scale, _scaled(scale))
        if order is not None and fits < quantity and order.reason_code != "participation_capped":
            say_cut(desk, order)

    return Wish(line=line, needs={market.quote: need}, place=go)


def _pair_wishes(desk: Desk, change: Change, legs: Legs, own: Decimal) -> list[Wish]:
    units = units_of(desk, change)
    full = size_legs(desk, legs, units, "buy", own)
    if isinstance(full, Freeze):
        desk.skipped[change.line] = full
        return []

    def go(scale: Decimal) -> None:
        size = size_legs(desk, legs, full.units * scale, "buy", own)
        if isinstance(size, Freeze):
            desk.skipped[change.line] = size
            return
        for order in trade_legs(desk, change.line, legs, size, "buy", legs.margin_usd):
            order.note = f"{order.note} {_scaled(scale)}".strip()
            if full.was_cut and not size.was_cut:
                mark_cut(desk, order)

    return [Wish(line=change.line, needs=needs_of(desk, legs, full), place=go)]


def _pool_wishes(
    desk: Desk, change: Change, legs: Legs, own: Decimal, book: Book, policy: Policy
) -> list[Wish]:
    """A deposit of cash, or of a coin that is held, kept from another line, or bought for it."""
    pool, line = legs.pool, change.line
    if pool is None:
        return []
    units = units_of(desk, change)
    each = abs(exact(pool.quantity_per_unit))
    if pool.base in desk.cash_price:

        def deposit(scale: Decimal) -> None:
            pool_order(desk, line, legs, units * scale, "buy").note += f" {_scaled(scale)}".rstrip()

        return [Wish(line=line, needs={pool.base: change.usd}, place=deposit)]
    coins = line_of("spot", pool.base)
    market = choose_market(coins, book, desk.inputs, policy)
    missing = max(Decimal(0), units * each - own)
    if market is None or coins not in desk.price:
        desk.skipped[line] = Freeze("no_market", f"No active market trades {pool.base} for {line}.")
        return []

    def go(scale: Decimal) -> None:
        before = desk.held.get(coins, Decimal(0))
        bought = missing * scale
        if bought > 0:
            place(desk, coins, market, "buy", bought, _scaled(scale))
        arrived = desk.held.get(coins, Decimal(0)) - before
        pool_order(desk, line, legs, (own + arrived) / each, "buy")

    usd = missing * exact(desk.price[coins])
    rate = exact(trading_cost(market, desk.inputs).rate(float(usd)))
    return [Wish(line=line, needs={market.quote: usd * (1 + rate)}, place=go)]


def _scaled(scale: Decimal) -> str:
    if scale > NEARLY_ALL:
        return ""
    return f"Scaled to {float(scale):.0%} of what is wanted by the cash there is."


def place_wishes(
    desk: Desk, wishes: list[Wish], targets: Mapping[str, float], nav: float, book: Book
) -> None:
    """Exchange stablecoins where that is needed, then spend what there is."""
    _convert(desk, wishes, targets, nav, book)
    need: dict[str, Decimal] = {}
    for wish in wishes:
        for quote, usd in wish.needs.items():
            need[quote] = need.get(quote, Decimal(0)) + usd
    total = sum(need.values(), Decimal(0))
    overall = min(Decimal(1), desk.spendable_usd() / total) if total > 0 else Decimal(1)
    have = {quote: desk.cash(quote) * exact(desk.cash_price[quote]) for quote in need}
    for wish in wishes:
        scale = overall
        for quote in (q for q in wish.needs if need[q] > 0):
            scale = min(scale, have[quote] / need[quote])
        if scale <= 0:
            what = " and ".join(sorted(wish.needs))
            sentence = f"There is no {what} to buy {called(wish.line)} with."
            desk.skipped[wish.line] = Freeze("no_cash", sentence)
            continue
        wish.place(scale)


def _convert(desk: Desk, wishes: list[Wish], targets: Mapping[str, float], nav: float, book: Book) -> None:
    """Exchange stablecoins so that buys can be paid and cash lines come to their targets."""
    gap: dict[str, Decimal] = {}
    for asset, price in desk.cash_price.items():
        need = sum((w.needs.get(asset, Decimal(0)) for w in wishes), Decimal(0))
        gap[asset] = need + exact(targets.get(asset, 0.0)) - desk.cash(asset) * exact(price)
    dust = exact(CONVERSION_DUST * nav)
    for short in sorted((a for a in gap if gap[a] > dust), key=lambda a: (-gap[a], a)):
        for rich in sorted((a for a in gap if gap[a] < 0), key=lambda a: (gap[a], a)):
            usd = min(gap[short], -gap[rich])
            if usd <= dust:
                continue
            if _exchange(desk, rich, short, usd, book):
                gap[short] -= usd
                gap[rich] += usd


def _exchange(desk: Desk, rich: str, short: str, usd: Decimal, book: Book) -> bool:
    """Place the order that turns one cash asset into another, or list it for doing by hand."""
    line = line_of("cash", short)
    if short in book.depegged:
        desk.skipped[line] = Freeze("depeg", f"{short} has lost its peg: nothing is turned into it.")
        return False
    ways: tuple[tuple[str, str, Side], ...] = ((rich, short, "sell"), (short, rich, "buy"))
    for base, quote, side in ways:
        for market in markets_of(base, desk.inputs, [quote]):
            units = usd / exact(desk.cash_price[base])
            gross = 1 + exact(trading_cost(market, desk.inputs).rate(float(usd)))
            units = min(units * gross, desk.cash(rich)) if side == "sell" else units / gross
            order = place(desk, line_of("cash", base), market, side, units)
            if order is not None:
                order.reason_code = "convert_cash"
                desk.skipped.pop(line, None)
                return True
    sentence = f"No market turns {rich} into {short}: convert about {usd:,.0f} USD of it by hand."
    desk.skipped.setdefault(line, Freeze("convert_by_hand", sentence))
    return False
