"""The bookkeeping of a plan: cash per asset, orders in sequence, and lines that could not be traded.

Quantities, steps and cash are Decimal throughout; rates and prices come in as floats and are converted once,
by their shortest text. Cash never goes below zero, for every buy is cut to what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from portfolio.costs import TradingCost, trading_cost
from portfolio.model import DEFAULT_STEP, DecisionInputs, Freeze, Instrument, Trade, line_of
from portfolio.outcome import Side


def exact(value: float) -> Decimal:
    """Return the decimal a float is written as."""
    return Decimal(repr(float(value)))


def floor_step(quantity: Decimal, step: Decimal | None) -> Decimal:
    """Round a quantity down to a whole number of steps."""
    size = step if step is not None and step > 0 else DEFAULT_STEP
    return (quantity / size).to_integral_value(rounding=ROUND_DOWN) * size


@dataclass(slots=True)
class Order:
    """One order of the plan, before it gets its number and its sentence."""

    line: str
    market: Instrument
    side: Side
    quantity: Decimal
    price_quote: float
    notional_usd: float
    fee_usd: float
    slippage_usd: float
    reason_code: str = "rebalance"
    note: str = ""

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
            reference_price=self.price_quote,
            notional_usd=self.notional_usd,
            estimated_fee_usd=self.fee_usd,
            estimated_slippage_usd=self.slippage_usd,
            reason_code=self.reason_code,
            reason=reason,
        )


@dataclass(slots=True)
class Desk:
    """Holdings while orders are put together.

    Attributes:
        held: line → quantity, cash lines included, changed by every order.
        floor_usd: total cash that must remain.
        cash_price: cash asset → USD.
    """

    inputs: DecisionInputs
    held: dict[str, Decimal]
    price: Mapping[str, float]
    cash_price: Mapping[str, float]
    floor_usd: Decimal
    max_participation: float
    orders: list[Order] = field(default_factory=list)
    skipped: dict[str, Freeze] = field(default_factory=dict)

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
        """Cut a quantity to the participation limit; tell whether it was cut."""
        volume = trading_cost(market, self.inputs).average_daily_volume_usd
        if volume is None:
            return quantity, False
        most = exact(self.max_participation * volume) / exact(price_usd)
        return min(quantity, most), quantity > most

    def below_minimum(self, market: Instrument, quantity: Decimal, price_quote: float) -> str:
        """Return which of the market's minimums a quantity misses, or an empty string."""
        if quantity <= 0:
            return f"less than one step of {market.amount_step or DEFAULT_STEP} {market.base}"
        if market.min_amount is not None and quantity < market.min_amount:
            return f"below the market's minimum of {market.min_amount.normalize():f} {market.base}"
        if market.min_cost is not None and quantity * exact(price_quote) < market.min_cost:
            return f"below the market's minimum of {market.min_cost.normalize():f} {market.quote}"
        return ""

    def fill(self, line: str, market: Instrument, side: Side, quantity: Decimal, note: str = "") -> Order:
        """Book an order: move the quantity one way and the cash, less or plus all costs, the other."""
        cost: TradingCost = trading_cost(market, self.inputs)
        price = self.quote_price(line, market)
        notional = quantity * exact(price)
        usd = float(notional) * self.cash_price[market.quote]
        slippage = cost.slippage(usd)
        paid = notional * exact(cost.taker_fee + slippage)
        cash_line = line_of("cash", market.quote)
        sign = Decimal(1) if side == "buy" else Decimal(-1)
        self.held[line] = self.held.get(line, Decimal(0)) + sign * quantity
        self.held[cash_line] = self.held.get(cash_line, Decimal(0)) - sign * notional - paid
        order = Order(
            line=line,
            market=market,
            side=side,
            quantity=quantity,
            price_quote=price,
            notional_usd=usd,
            fee_usd=usd * cost.taker_fee,
            slippage_usd=usd * slippage,
            note=note,
        )
        self.orders.append(order)
        return order
