"""Orders for a plain coin: sold where it lies, bought where it is cheapest, in whole lots above minimums."""

from decimal import Decimal

from portfolio.book import Book, sound_positions
from portfolio.costs import trading_cost
from portfolio.desk import Desk, Order, exact, floor_step
from portfolio.markets import choose_market, spot_markets
from portfolio.model import Freeze, Instrument, Policy, asset_of
from portfolio.outcome import Side


def place(
    desk: Desk, line: str, market: Instrument, side: Side, wanted: Decimal, note: str = ""
) -> Order | None:
    """Round, cut to participation, check minimums and book; or list the line as skipped."""
    wanted, was_cut = desk.room(market, wanted, desk.price[line])
    quantity = floor_step(wanted, market.amount_step)
    price = desk.quote_price(line, market)
    fault = desk.below_minimum(market, quantity, price)
    if fault:
        usd = float(wanted) * desk.price[line]
        verb = "Selling" if side == "sell" else "Buying"
        sentence = f"{verb} {asset_of(line)} for about {usd:,.2f} USD would be {fault} on {market.venue}."
        desk.skipped[line] = Freeze("below_minimum", sentence)
        return None
    order = desk.fill(line, market, side, quantity, note)
    if was_cut:
        say_cut(desk, order)
    return order


def say_cut(desk: Desk, order: Order) -> None:
    """Say of an order that its market would not take more."""
    order.reason_code = "participation_capped"
    share = f"{desk.max_participation:.1%} of its average daily volume"
    order.note = f"{order.note} Cut to {share}; the rest later.".strip()


def sell_coin(desk: Desk, line: str, usd: Decimal, kept: Decimal, book: Book, policy: Policy) -> None:
    """Sell a coin where it is held; what lies where it can not be sold is to be moved first.

    Args:
        desk: the plan so far.
        line: the coin's line.
        usd: value to be sold.
        kept: units of it that another line takes over.
        book: the holdings.
        policy: the owner's rules.
    """
    best = choose_market(line, book, desk.inputs, policy)
    if best is None:
        desk.skipped[line] = Freeze("no_market", f"No active market trades {asset_of(line)}.")
        return
    if best.quote in book.depegged:
        sentence = f"{asset_of(line)} is not sold for {best.quote}, which has lost its peg."
        desk.skipped[line] = Freeze("depeg", sentence)
        return
    have = desk.held.get(line, Decimal(0))
    wanted = min(usd / exact(book.price[line]), have)
    if have - wanted < (best.amount_step or Decimal(0)):
        wanted = have
    wanted -= kept
    failed: Freeze | None = None
    for market, most in _places(desk, line, best, book, policy):
        part = min(wanted, most)
        if part <= 0:
            continue
        order = place(desk, line, market, "sell", part)
        if order is None:
            failed = desk.skipped.pop(line)
            continue
        wanted -= order.quantity
        _note_dust(order, most - order.quantity, part)
    if failed is not None and not any(o.line == line for o in desk.orders):
        desk.skipped[line] = failed


def _places(
    desk: Desk, line: str, best: Instrument, book: Book, policy: Policy
) -> list[tuple[Instrument, Decimal]]:
    """Return where the coin can be sold and how much of it, the cheapest market first.

    What lies at venues without a market goes to the best one.
    """
    at: dict[str, Decimal] = {}
    for p in sound_positions(desk.inputs):
        if p.line == line and not p.immovable and p.quantity > 0:
            at[p.venue] = at.get(p.venue, Decimal(0)) + p.quantity
    markets = [m for m in spot_markets(line, book, desk.inputs, policy) if m.quote not in book.depegged]
    preferred = [m for m in markets if m.quote == policy.quote] + markets
    local = {v: m for v in at if (m := next((m for m in preferred if m.venue == v), None)) is not None}
    away = sum((q for v, q in at.items() if v not in local), Decimal(0))
    found = {m.key: (m, at[v]) for v, m in local.items()}
    found[best.key] = (best, found.get(best.key, (best, Decimal(0)))[1] + away)

    def rank(item: tuple[Instrument, Decimal]) -> tuple[float, str, str]:
        usd = float(item[1]) * desk.price[line]
        return (trading_cost(item[0], desk.inputs).rate(usd), item[0].venue, item[0].market_id)

    return sorted(found.values(), key=rank)


def _note_dust(order: Order, left: Decimal, wanted: Decimal) -> None:
    step = order.market.base_step
    if order.quantity < wanted and 0 < left < step:
        dust = f"{left.normalize():f} {order.market.base} stays: less than one step of the market."
        order.note = f"{order.note} {dust}".strip()
