"""The bookkeeping of a plan: cash per asset, orders in sequence, and lines that could not be traded.

Quantities, steps and cash are Decimal throughout; rates and prices come in as floats and are converted once,
by their shortest text. Cash never goes below zero, for every buy is cut to what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal

from portfolio.costs import TradingCost, trading_cost
from portfolio.model import DEFAULT_STEP, DecisionInputs, Freeze, Instrument, Step, Trade, line_of
from portfolio.outcome import Side

CASH_UNIT = Decimal("0.01")
MarketKey = tuple[str, str, str]


def exact(value: float) -> Decimal:
    """Return the decimal a float is written as."""
    return Decimal(repr(float(value)))


def floor_step(quantity: Decimal, step: Decimal | None) -> Decimal:
    """Round a quantity down to a whole number of steps."""
    size = step if step is not None and step > 0 else DEFAULT_STEP
    return (quantity / size).to_integral_value(rounding=ROUND_DOWN) * size


def ceil_step(quantity: Decimal, step: Decimal | None) -> Decimal:
    """Round a quantity up to a whole number of steps."""
    size = step if step is not None and step > 0 else DEFAULT_STEP
    return (quantity / size).to_integral_value(rounding=ROUND_CEILING) * size


@dataclass(slots=True, kw_only=True)
class Order:
    """One order of the plan, before it gets its number and its sentence.

    Attributes:
        quantity: in base units, of a contract too.
        price: in quote units.
        fee_rate: fraction of the notional.
        slippage: in quote units.
        quote_usd: USD price of the quote.
        action: what happens to the line; a leg sold short opens what is bought.
        pair: orders of the same number are legs of one position.
        margin: quote units posted with it; negative where margin is released.
    """

    line: str
    market: Instrument
    side: Side
    quantity: Decimal
    price: Decimal
    fee_rate: Decimal
    slippage: Decimal
    quote_usd: Decimal
    reason_code: str = "rebalance"
    note: str = ""
    action: Side = "buy"
    pair: int | None = None
    reduce_only: bool = False
    margin: Decimal = Decimal(0)
    steps: tuple[Step, ...] = ()

    @property
    def notional(self) -> Decimal:
        """In quote units."""
        return self.quantity * self.price

    @property
    def fee(self) -> Decimal:
        """Worth in quote units, whatever it is taken from."""
        return self.notional * self.fee_rate

    @property
    def notional_usd(self) -> float:
        """In USD."""
        return float(self.notional * self.quote_usd)

    @property
    def fee_usd(self) -> float:
        """In USD."""
        return float(self.fee * self.quote_usd)

    @property
    def slippage_usd(self) -> float:
        """In USD."""
        return float(self.slippage * self.quote_usd)

    @property
    def base_fee(self) -> Decimal:
        """Base units of a spot buy that do not arrive, because the venue keeps them as its fee."""
        kept = self.market.fee_side == "received" and self.side == "buy" and self.market.market_type == "spot"
        return self.quantity * self.fee_rate if kept else Decimal(0)

    @property
    def base_change(self) -> Decimal:
        """Base units that come in (positive) or go out; nothing changes hands with a contract."""
        if self.market.market_type not in {"spot", "pool"}:
            return Decimal(0)
        return self.quantity - self.base_fee if self.side == "buy" else -self.quantity

    @property
    def cash_change(self) -> Decimal:
        """Quote units that come in (positive) or go out, costs and margin included."""
        paid = self.slippage + (Decimal(0) if self.base_fee else self.fee) + self.margin
        if self.market.market_type != "spot":
            return -paid
        return -paid - (self.notional if self.side == "buy" else -self.notional)

    @property
    def margin_step(self) -> Step | None:
        """What has to be posted before it, in whole cents; None where nothing has."""
        if self.margin <= 0:
            return None
        quantity = self.margin.quantize(CASH_UNIT, ROUND_CEILING)
        venue, quote = self.market.venue, self.market.quote
        return Step(kind="post_margin", asset=quote, quantity=quantity, source=venue, destination=venue)

    @property
    def limit_price(self) -> Decimal | None:
        """The worst price within the estimated slippage, in whole price steps; None where there is no market.

        Rounded away from the reference, so that rounding never makes a limit that can not be filled.
        """
        if self.market.market_type == "pool":
            return None
        rate = self.slippage / self.notional if self.notional > 0 else Decimal(0)
        worst = self.price * (1 + rate if self.side == "buy" else 1 - rate)
        step = self.market.price_step
        size = step if step is not None and step > 0 else DEFAULT_STEP
        way = ROUND_CEILING if self.side == "buy" else ROUND_FLOOR
        return max((worst / size).to_integral_value(rounding=way), Decimal(1)) * size

    def trade(self, number: int, reason: str) -> Trade:
        """Return the published row."""
        market = self.market
        sleeve, _, asset = self.line.partition(":")
        return Trade(
            line=number,
            sleeve=sleeve,
            asset=asset,
            venue=market.venue,
            market_id=market.market_id,
            symbol=market.symbol,
            side=self.side,
            quantity=self.quantity,
            reference_price=float(self.price),
            notional_usd=self.notional_usd,
            estimated_fee_usd=self.fee_usd,
            estimated_slippage_usd=self.slippage_usd,
            reason_code=self.reason_code,
            reason=reason,
            market_type=market.market_type,
            pair=self.pair,
            contracts=self.quantity / market.contract_size,
            limit_price=self.limit_price,
            reduce_only=self.reduce_only,
            steps=self.steps,
        )


@dataclass(slots=True)
class Desk:
    """Holdings while orders are put together.

    Attributes:
        held: line → quantity, cash lines included, changed by every order.
        floor_usd: total cash that must remain.
        cash_price: cash asset → USD.
        moved_usd: line → USD of value that came or went before costs; sums to exactly zero.
        traded_usd: market → USD of all orders on it.
    """

    inputs: DecisionInputs
    held: dict[str, Decimal]
    price: Mapping[str, float]
    cash_price: Mapping[str, float]
    floor_usd: Decimal
    max_participation: float
    orders: list[Order] = field(default_factory=list)
    skipped: dict[str, Freeze] = field(default_factory=dict)
    moved_usd: dict[str, Decimal] = field(default_factory=dict)
    traded_usd: dict[MarketKey, Decimal] = field(default_factory=dict)
    pairs: int = 0

    def cash(self, asset: str) -> Decimal:
        """Units of one cash asset."""
        return self.held.get(line_of("cash", asset), Decimal(0))

    def spendable_usd(self) -> Decimal:
        """USD of all cash above the floor."""
        total = sum((self.cash(a) * exact(p) for a, p in self.cash_price.items()), Decimal(0))
        return max(Decimal(0), total - self.floor_usd)

    def quote_price(self, line: str, market: Instrument) -> float:
        """Price of one unit of the line in the market's quote."""
        mark = self.inputs.prices.get(line)
        price = self.price[line] / self.cash_price[market.quote]
        if mark is not None and mark.price_quote > 0 and abs(mark.price_quote / price - 1.0) < 1e-6:
            return mark.price_quote  # the very figure the venue quoted, where it is the same price
        return price

    def room(self, market: Instrument, quantity: Decimal, price_usd: float) -> tuple[Decimal, bool]:
        """Cut a quantity to what the participation limit leaves in a market; tell whether it was cut."""
        volume = trading_cost(market, self.inputs).average_daily_volume_usd
        if volume is None:
            return quantity, False
        left = exact(self.max_participation * volume) - self.traded_usd.get(market.key, Decimal(0))
        most = max(Decimal(0), left) / exact(price_usd)
        return min(quantity, most), quantity > most

    def below_minimum(self, market: Instrument, quantity: Decimal, price_quote: float) -> str:
        """Return which of the market's minimums a quantity misses, or an empty string."""
        unit = market.base if market.market_type == "spot" else "contracts"
        if quantity <= 0:
            return f"less than one step of {market.base_step.normalize():f} {market.base}"
        if market.min_amount is not None and quantity / market.contract_size < market.min_amount:
            return f"below the market's minimum of {market.min_amount.normalize():f} {unit}"
        if market.min_cost is not None and quantity * exact(price_quote) < market.min_cost:
            return f"below the market's minimum of {market.min_cost.normalize():f} {market.quote}"
        return ""

    def draft(self, line: str, market: Instrument, side: Side, quantity: Decimal, price: float) -> Order:
        """Return an order with its costs, not yet booked. Price in quote, quantity in base units."""
        cost: TradingCost = trading_cost(market, self.inputs)
        quote_usd = exact(self.cash_price[market.quote])
        notional = quantity * exact(price)
        return Order(
            line=line,
            market=market,
            side=side,
            quantity=quantity,
            price=exact(price),
            fee_rate=exact(cost.taker_fee),
            slippage=notional * exact(cost.slippage(float(notional * quote_usd))),
            quote_usd=quote_usd,
            action=side,
        )

    def fill(self, line: str, market: Instrument, side: Side, quantity: Decimal, note: str = "") -> Order:
        """Book a spot order: move the quantity one way and the cash, less or plus all costs, the other."""
        order = self.draft(line, market, side, quantity, self.quote_price(line, market))
        order.note = note
        self.held[line] = self.held.get(line, Decimal(0)) + order.base_change
        self.book(order)
        self.shift(line, market.quote, order.notional if side == "buy" else -order.notional)
        return order

    def book(self, order: Order) -> None:
        """Take an order into the plan: its cash and its share of the market; no units of its line."""
        cash_line = line_of("cash", order.market.quote)
        self.held[cash_line] = self.held.get(cash_line, Decimal(0)) + order.cash_change
        traded = order.notional * order.quote_usd
        key = order.market.key
        self.traded_usd[key] = self.traded_usd.get(key, Decimal(0)) + traded
        self.orders.append(order)

    def shift(self, line: str, asset: str, amount: Decimal) -> None:
        """Note that a line gained value that a cash asset paid for. `amount` in the cash asset's units."""
        self.move(line_of("cash", asset), line, amount * exact(self.cash_price[asset]))

    def move(self, source: str, destination: str, usd: Decimal) -> None:
        """Note that value went from one line to another."""
        self.moved_usd[source] = self.moved_usd.get(source, Decimal(0)) - usd
        self.moved_usd[destination] = self.moved_usd.get(destination, Decimal(0)) + usd
