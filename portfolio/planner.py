"""From target weights to orders: what to sell and buy, where, in lots the venue accepts.

Sells come first and pay for the buys; what cannot be funded is scaled down rather than dropped; what cannot
be traded is listed with its reason. The order of the plan depends on nothing but its content.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from portfolio.book import Book, cash_assets, markets_of, sound_positions
from portfolio.costs import TradingCost, trading_cost
from portfolio.desk import Desk, Order, exact, floor_step
from portfolio.model import DecisionInputs, Freeze, Instrument, Policy, asset_of, is_cash, line_of

DUST_WEIGHT = 1e-6  # of NAV: below this a difference is rounding, not a wish to trade
CONVERSION_DUST = 1e-3  # of NAV: costs alone shift cash by about this much


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done.

    Attributes:
        skipped: line → why it is not traded although it should be.
        achieved: line → weight of the old NAV after the orders, cash holding the rest (costs not taken off).
        cost_usd: fees, half-spreads and impact of all orders.
    """

    orders: tuple[Order, ...]
    skipped: Mapping[str, Freeze]
    achieved: Mapping[str, float]
    cost_usd: float


def choose_market(line: str, book: Book, inputs: DecisionInputs, policy: Policy) -> Instrument | None:
    """Return where a line trades: where it is held, in the preferred quote, where it is cheapest."""
    assets = cash_assets(book.lines, policy)
    found = markets_of(asset_of(line), inputs, [a for a in assets if line_of("cash", a) in book.price])
    if is_cash(line):
        found = [m for m in found if m.quote != asset_of(line)]
    venues = {p.venue for p in sound_positions(inputs) if p.line == line and p.quantity > 0}

    def rank(market: Instrument) -> tuple[bool, bool, float, str, str]:
        cost = trading_cost(market, inputs).rate(0.0)
        return (
            market.venue not in venues,
            market.quote != policy.quote,
            cost,
            market.venue,
            market.market_id,
        )

    return min(found, key=rank, default=None)


def market_costs(book: Book, inputs: DecisionInputs, policy: Policy) -> dict[str, TradingCost]:
    """Return the cost model of every line that has a market."""
    chosen = {line: choose_market(line, book, inputs, policy) for line in book.lines}
    return {line: trading_cost(market, inputs) for line, market in chosen.items() if market is not None}


def plan_trades(book: Book, target: Mapping[str, float], inputs: DecisionInputs, policy: Policy) -> Plan:
    """Return the orders that lead from the book to the target weights, as far as they can be placed.

    The book must have a NAV; lines the target does not name keep their quantity.
    """
    nav = book.nav_usd or 0.0
    assets = [a for a in cash_assets(book.lines, policy) if line_of("cash", a) in book.price]
    desk = Desk(
        inputs=inputs,
        held=_movable(book, inputs),
        price=book.price,
        cash_price={a: book.price[line_of("cash", a)] for a in assets},
        floor_usd=exact(policy.cash_floor_usd),
        max_participation=policy.max_participation,
    )
    change = {
        x: w - book.weight.get(x, 0.0)
        for x, w in target.items()
        if abs(w - book.weight.get(x, 0.0)) > DUST_WEIGHT
    }
    coins = sorted((x for x in change if not is_cash(x)), key=lambda x: (change[x], x))
    start = dict(desk.held)
    for line in (x for x in coins if change[x] < 0.0):
        _sell(desk, line, -change[line] * nav, book, policy)
    wanted = _wanted_buys(desk, [(x, change[x] * nav) for x in coins if change[x] > 0.0], book, policy)
    _convert(desk, wanted, {a: target.get(line_of("cash", a), 0.0) * nav for a in assets}, nav, book)
    _buy(desk, wanted)
    achieved = _achieved(book, desk, start)
    cost = sum(o.fee_usd + o.slippage_usd for o in desk.orders)
    return Plan(orders=tuple(desk.orders), skipped=dict(desk.skipped), achieved=achieved, cost_usd=cost)


def _movable(book: Book, inputs: DecisionInputs) -> dict[str, Decimal]:
    """Quantities that may be moved; an immovable part is not there for selling or spending."""
    held = dict(book.quantity)
    for p in sound_positions(inputs):
        if p.immovable and p.line in held:
            held[p.line] -= p.quantity
    return held


def _sell(desk: Desk, line: str, usd: float, book: Book, policy: Policy) -> None:
    market = choose_market(line, book, desk.inputs, policy)
    kept = book.keeps(line)
    if kept is not None or market is None:
        desk.skipped[line] = kept or Freeze("no_market", f"No active market trades {asset_of(line)}.")
        return
    if market.quote in book.depegged:
        sentence = f"{asset_of(line)} is not sold for {market.quote}, which has lost its peg."
        desk.skipped[line] = Freeze("depeg", sentence)
        return
    have = desk.held.get(line, Decimal(0))
    wanted = min(exact(usd) / exact(book.price[line]), have)
    if have - wanted < (market.amount_step or Decimal(0)):
        wanted = have
    _place(desk, line, market, "sell", wanted, _transfer_note(desk.inputs, line, market))


def _place(
    desk: Desk, line: str, market: Instrument, side: str, wanted: Decimal, note: str = ""
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
    order = desk.fill(line, market, "sell" if side == "sell" else "buy", quantity, note)
    if was_cut:
        order.reason_code = "participation_capped"
        order.note = (
            f"{note} Cut to {desk.max_participation:.1%} of its average daily volume; the rest later.".strip()
        )
    return order


def _transfer_note(inputs: DecisionInputs, line: str, market: Instrument) -> str:
    venues = sorted({p.venue for p in sound_positions(inputs) if p.line == line and p.quantity > 0})
    return (
        ""
        if not venues or market.venue in venues
        else f"It is held at {venues[0]}: move it to {market.venue} first."
    )


def _wanted_buys(
    desk: Desk, buys: list[tuple[str, float]], book: Book, policy: Policy
) -> list[tuple[str, Instrument, Decimal]]:
    """Return (line, market, quantity) of the buys that may be placed, largest first."""
    wanted: list[tuple[str, Instrument, Decimal]] = []
    for line, usd in sorted(buys, key=lambda b: (-b[1], b[0])):
        market = choose_market(line, book, desk.inputs, policy)
        kept = book.keeps(line)
        if kept is None and line in desk.inputs.unlisted:
            kept = Freeze("unlisted", desk.inputs.unlisted[line])
        if kept is not None or market is None:
            desk.skipped[line] = kept or Freeze("no_market", f"No active market trades {asset_of(line)}.")
            continue
        wanted.append((line, market, exact(usd) / exact(book.price[line])))
    return wanted


def _need_usd(desk: Desk, line: str, market: Instrument, quantity: Decimal) -> Decimal:
    """USD of cash a buy takes, all costs included."""
    usd = quantity * exact(desk.price[line])
    return usd * (1 + exact(trading_cost(market, desk.inputs).rate(float(usd))))


def _convert(
    desk: Desk,
    wanted: list[tuple[str, Instrument, Decimal]],
    targets: Mapping[str, float],
    nav: float,
    book: Book,
) -> None:
    """Exchange stablecoins so that buys can be paid and cash lines come to their targets."""
    gap: dict[str, Decimal] = {}
    for asset, price in desk.cash_price.items():
        need = sum((_need_usd(desk, x, m, q) for x, m, q in wanted if m.quote == asset), Decimal(0))
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
    for base, quote, side in ((rich, short, "sell"), (short, rich, "buy")):
        for market in markets_of(base, desk.inputs, [quote]):
            units = usd / exact(desk.cash_price[base])
            gross = 1 + exact(trading_cost(market, desk.inputs).rate(float(usd)))
            units = min(units * gross, desk.cash(rich)) if side == "sell" else units / gross
            order = _place(desk, line_of("cash", base), market, side, units)
            if order is not None:
                order.reason_code = "convert_cash"
                desk.skipped.pop(line, None)
                return True
    sentence = f"No market turns {rich} into {short}: convert about {usd:,.0f} USD of it by hand."
    desk.skipped.setdefault(line, Freeze("convert_by_hand", sentence))
    return False


def _buy(desk: Desk, wanted: list[tuple[str, Instrument, Decimal]]) -> None:
    """Place the buys, scaled alike where their quote's cash, or all cash, does not suffice."""
    need: dict[str, Decimal] = {}
    for line, market, quantity in wanted:
        need[market.quote] = need.get(market.quote, Decimal(0)) + _need_usd(desk, line, market, quantity)
    total = sum(need.values(), Decimal(0))
    overall = min(Decimal(1), desk.spendable_usd() / total) if total > 0 else Decimal(1)
    have = {quote: desk.cash(quote) * exact(desk.cash_price[quote]) for quote in need}
    for line, market, quantity in wanted:
        own = min(Decimal(1), have[market.quote] / need[market.quote])
        scale = min(overall, own)
        if scale <= 0:
            sentence = f"There is no {market.quote} to buy {asset_of(line)} with."
            desk.skipped[line] = Freeze("no_cash", sentence)
            continue
        note = (
            ""
            if scale > Decimal("0.999")
            else f"Scaled to {float(scale):.0%} of what is wanted by the cash there is."
        )
        _place(desk, line, market, "buy", quantity * scale, note)


def _achieved(book: Book, desk: Desk, start: Mapping[str, Decimal]) -> dict[str, float]:
    """Weights of the old NAV after the orders, before their costs, so that they sum to one."""
    nav = book.nav_usd or 1.0
    weights = dict(book.weight)
    for line, now in desk.held.items():
        if line in book.price:
            moved = float(now - start.get(line, Decimal(0)))
            weights[line] = weights.get(line, 0.0) + moved * book.price[line] / nav
    cost = sum(o.fee_usd + o.slippage_usd for o in desk.orders)
    cash = max((x for x in weights if is_cash(x)), key=lambda x: (weights[x], x))
    weights[cash] += cost / nav
    return weights
