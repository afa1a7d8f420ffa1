"""Lines of several legs as orders: a carry is a coin bought and a contract sold, both or none.

Legs are sized to the coarser one, so that what is left unhedged is less than one of its steps. A pool is no
market: its line becomes a step by hand, with the coin bought or sold around it where that is needed.
"""

from dataclasses import dataclass
from decimal import Decimal

from portfolio.desk import Desk, Order, ceil_step, exact, floor_step
from portfolio.markets import Legs, called
from portfolio.model import DEFAULT_STEP, Freeze, Instrument, Leg, asset_of, is_cash, line_of
from portfolio.outcome import Side

SOON_DAYS = 1.0  # what comes back within a day can be spent by the same plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a line is traded: units, and base units per market leg.

    `in_kind` base units of the coin are not traded, because another line of the plan has or takes them.
    """

    units: Decimal
    quantities: tuple[Decimal, ...]
    in_kind: Decimal = Decimal(0)
    was_cut: bool = False


def coin_usd(desk: Desk, asset: str, legs: Legs) -> Decimal:
    """USD per unit of the coin that a line is made of."""
    line = line_of("spot", asset)
    if line in desk.price:
        return exact(desk.price[line])
    for leg, market in legs.markets:
        if market.market_type == "spot" and leg.price:
            return exact(leg.price) * exact(desk.cash_price[market.quote])
    return exact(legs.terms.capital_per_unit_usd)


def size_legs(desk: Desk, legs: Legs, units: Decimal, side: Side, in_kind: Decimal) -> Size | Freeze:
    """Return the legs of so many units, in whole steps and within participation; or why there are none.

    Args:
        desk: the plan so far.
        legs: the line's legs.
        units: wanted of the line.
        side: buy opens the line, sell closes it.
        in_kind: base units of the coin that need not be traded.
    """
    cut = _in_lots(legs, _room(desk, legs, units, in_kind))
    quantities: list[Decimal] = []
    taken = Decimal(0)
    for leg, market in legs.markets:
        wanted = _steps_of(leg, market, cut)
        if market.market_type == "spot":
            taken = min(in_kind, wanted)
            wanted = _ordered(desk, leg, market, wanted - taken, side)
        fault = desk.below_minimum(market, wanted, leg.price or 0.0)
        if fault and not (market.market_type == "spot" and taken > 0 and wanted == 0):
            verb = "Opening" if side == "buy" else "Closing"
            usd = float(units) * legs.terms.capital_per_unit_usd
            what = f"{verb} {called(legs.terms.line)} for about {usd:,.2f} USD"
            text = f"{what}: its leg {market.symbol} would be {fault} on {market.venue}. All legs or none."
            return Freeze("below_minimum", text)
        quantities.append(wanted)
    return Size(units=cut, quantities=tuple(quantities), in_kind=taken, was_cut=cut < _in_lots(legs, units))


def _room(desk: Desk, legs: Legs, units: Decimal, in_kind: Decimal) -> Decimal:
    for leg, market in legs.markets:
        ratio = abs(exact(leg.quantity_per_unit))
        free = in_kind if market.market_type == "spot" else Decimal(0)
        traded = max(Decimal(0), units * ratio - free)
        price = (leg.price or 0.0) * desk.cash_price[market.quote]
        units = min(units, (desk.room(market, traded, price)[0] + free) / ratio)
    return units


def _in_lots(legs: Legs, units: Decimal) -> Decimal:
    """Floor to the coarsest leg: then every other leg is within one of its own steps."""
    lots = [m.base_step / abs(exact(leg.quantity_per_unit)) for leg, m in legs.markets]
    return floor_step(units, max(lots, default=None))


def _steps_of(leg: Leg, market: Instrument, units: Decimal) -> Decimal:
    wanted = units * abs(exact(leg.quantity_per_unit))
    nearest = (wanted / market.base_step).to_integral_value() * market.base_step
    is_whole = abs(nearest - wanted) < market.base_step * Decimal("1e-9")
    return nearest if is_whole else floor_step(wanted, market.base_step)


def _ordered(desk: Desk, leg: Leg, market: Instrument, arriving: Decimal, side: Side) -> Decimal:
    """Return what has to be ordered for so much to arrive, where the venue takes its fee from the coin."""
    if arriving <= 0:
        return Decimal(0)
    if side == "sell" or market.fee_side != "received":
        return arriving
    fee = desk.draft("", market, "buy", arriving, leg.price or 0.0).fee_rate
    return ceil_step(arriving / (1 - fee), market.amount_step)


def needs_of(desk: Desk, legs: Legs, size: Size) -> dict[str, Decimal]:
    """USD of each cash asset that opening the legs takes: coins, margin and all costs."""
    needs: dict[str, Decimal] = {}
    for (leg, market), quantity in zip(legs.markets, size.quantities, strict=True):
        order = desk.draft("", market, "buy", quantity, leg.price or 0.0)
        usd = (order.fee + order.slippage) * order.quote_usd
        usd += order.notional * order.quote_usd if market.market_type == "spot" else Decimal(0)
        needs[market.quote] = needs.get(market.quote, Decimal(0)) + usd
    if legs.contract is not None:
        needs[legs.contract.quote] += legs.margin_usd * size.units
    return needs


def trade_legs(desk: Desk, line: str, legs: Legs, size: Size, side: Side, margin_usd: Decimal) -> list[Order]:
    """Book the orders of a line's legs.

    Args:
        desk: the plan so far.
        line: the line.
        legs: its legs.
        size: from `size_legs`.
        side: buy opens, sell closes.
        margin_usd: per unit, posted when opened and given back when closed.
    """
    desk.pairs += 1
    sign = 1 if side == "buy" else -1
    orders: list[Order] = []
    for (leg, market), quantity in zip(legs.markets, size.quantities, strict=True):
        is_long = leg.quantity_per_unit > 0
        leg_side: Side = "buy" if is_long == (side == "buy") else "sell"
        if quantity == 0:
            continue
        order = desk.draft(line, market, leg_side, quantity, leg.price or 0.0)
        order.action, order.pair = side, desk.pairs
        order.reason_code = "open_pair" if side == "buy" else "close_pair"
        if market is legs.contract:
            posted = floor_step(abs(margin_usd) * size.units / order.quote_usd, DEFAULT_STEP)
            order.margin = posted if (margin_usd > 0) == (side == "buy") else -posted
            order.reduce_only = side == "sell"
            desk.shift(line, market.quote, order.margin)
        if market.market_type == "spot":
            # what the venue keeps of the coin is a cost, not part of the line
            desk.shift(line, market.quote, order.base_change * order.price)
        desk.book(order)
        orders.append(order)
    desk.held[line] = desk.held.get(line, Decimal(0)) + sign * size.units
    if size.in_kind:
        give_coin(desk, line, legs, size.in_kind * sign)
    for order in orders:
        order.note = _pair_note(orders, size, side, order)
        if size.was_cut:
            mark_cut(desk, order)
    return orders


def mark_cut(desk: Desk, order: Order) -> None:
    """Say of a leg that the pair is smaller than wanted, and why."""
    order.reason_code = "participation_capped"
    share = f"{desk.max_participation:.1%} of the average daily volume of a leg's market"
    order.note = f"{order.note} Cut to {share}; the rest later.".strip()


def give_coin(desk: Desk, line: str, legs: Legs, quantity: Decimal) -> None:
    """Move coins between the line and the plain holding of the same coin; positive: into the line."""
    coins = line_of("spot", asset_of(line))
    desk.held[coins] = desk.held.get(coins, Decimal(0)) - quantity
    desk.move(coins, line, quantity * coin_usd(desk, asset_of(line), legs))


def _pair_note(orders: list[Order], size: Size, side: Side, order: Order) -> str:
    others = [o for o in orders if o is not order]
    parts = [f"Together with {o.side} {o.quantity.normalize():f} {o.market.symbol}." for o in others]
    if order.margin_step is not None:
        parts.append(order.margin_step.sentence)
    elif order.margin < 0:
        parts.append(
            f"Frees about {-order.margin:,.2f} {order.market.quote} of margin at {order.market.venue}."
        )
    if size.in_kind and order is orders[0]:
        where = "already held" if side == "buy" else "kept"
        parts.append(f"{size.in_kind.normalize():f} {asset_of(order.line)} of the coins are {where}.")
    if order.base_fee:
        kept = f"{order.base_fee:.8f}".rstrip("0")
        parts.append(f"{order.market.venue} keeps {kept} {order.market.base} of it as its fee.")
    return " ".join(parts)


def pool_order(desk: Desk, line: str, legs: Legs, units: Decimal, side: Side) -> Order:
    """Book a deposit into a pool or a withdrawal from it: done by hand, at no venue.

    A withdrawal that takes longer than a day is value that this plan can not spend yet.
    """
    pool, terms = legs.pool, legs.terms
    if pool is None:
        raise AssertionError(f"{line} has no pool")
    each = abs(exact(pool.quantity_per_unit))
    quantity = floor_step(units * each, DEFAULT_STEP)
    units = quantity / each
    own = line_of("cash", pool.base) if pool.base in desk.cash_price else line_of("spot", pool.base)
    usd = exact(desk.cash_price[pool.base]) if is_cash(own) else coin_usd(desk, pool.base, legs)
    protocol = terms.protocol or pool.venue
    order = Order(
        line=line,
        market=Instrument(
            venue=protocol,
            market_id=pool.market_id,
            symbol=pool.symbol,
            base=pool.base,
            quote="USD",
            market_type="pool",
        ),
        side=side,
        quantity=quantity,
        price=usd,
        fee_rate=Decimal(0),
        slippage=Decimal(0),
        quote_usd=Decimal(1),
        reason_code="deposit" if side == "buy" else "withdraw",
        action=side,
    )
    sign = 1 if side == "buy" else -1
    desk.held[line] = desk.held.get(line, Decimal(0)) + sign * units
    if side == "buy" or terms.exit_days < SOON_DAYS:
        desk.held[own] = desk.held.get(own, Decimal(0)) - sign * quantity
    desk.move(own, line, sign * quantity * usd)
    desk.orders.append(order)
    order.note = _pool_note(order, terms.exit_days)
    return order


def _pool_note(order: Order, exit_days: float) -> str:
    days = f"{exit_days:g} day{'' if exit_days == 1 else 's'}"
    if order.side == "buy":
        out = f" Getting out takes {days}." if exit_days else ""
        return f"By hand.{out}"
    waits = f" It arrives after {days}: what it pays for is planned then." if exit_days >= SOON_DAYS else ""
    return f"By hand.{waits}"
