"""The simulated account of a backtest: quantities, orders at the next close, fees, spread, impact, drift.

Quantities are Decimal like in a live plan, so that an unchanged holding stays the same value to the last
digit. Money comes from nowhere: a buy is cut to the cash there is when it is executed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from portfolio.costs import trading_cost
from portfolio.desk import exact, floor_step
from portfolio.model import DecisionInputs, Instrument, Position, Trade, line_of

SIMULATED_SLEEVES = ("spot", "cash")


@dataclass(frozen=True, slots=True)
class Fill:
    """What one order did: line, signed quantity, USD traded, and USD of fee, spread and impact."""

    line: str
    quantity: Decimal
    notional_usd: float
    cost_usd: float


@dataclass(slots=True)
class Account:
    """Holdings as positions, changed by fills.

    Attributes:
        positions: what is held; one that is immovable is never touched.
        missed: orders that could not be executed, for want of a price, of cash or of a market.
    """

    positions: tuple[Position, ...]
    missed: int = 0
    _fills: list[Fill] = field(default_factory=list[Fill])

    def quantities(self) -> dict[str, float]:
        """Return units held by line."""
        held: dict[str, float] = {}
        for p in self.positions:
            held[p.line] = held.get(p.line, 0.0) + float(p.quantity)
        return held

    def value(self, price: Mapping[str, float]) -> float:
        """Return the USD value at given prices; what has no price counts nothing."""
        return sum(q * price[x] for x, q in self.quantities().items() if x in price)

    def execute(
        self, trades: Sequence[Trade], inputs: DecisionInputs, price: Mapping[str, float]
    ) -> tuple[Fill, ...]:
        """Execute orders in their sequence at given prices, with the costs known when they were decided."""
        self._fills = []
        markets = {(m.venue, m.market_id): m for m in inputs.instruments if m.market_type == "spot"}
        for trade in trades:
            market = markets.get((trade.venue, trade.market_id))
            line = line_of(trade.sleeve, trade.asset)
            quote = line_of("cash", market.quote) if market else ""
            if market is None or trade.sleeve not in SIMULATED_SLEEVES or not {line, quote} <= set(price):
                self.missed += 1
                continue
            self._fill(trade, market, inputs, price)
        return tuple(self._fills)

    def _fill(
        self, trade: Trade, market: Instrument, inputs: DecisionInputs, price: Mapping[str, float]
    ) -> None:
        line, cash = line_of(trade.sleeve, trade.asset), line_of("cash", market.quote)
        unit = exact(price[line])
        if trade.side == "sell":
            quantity = min(trade.quantity, self._movable(line))
            rate = exact(trading_cost(market, inputs).rate(float(quantity * unit)))
        else:
            rate = exact(trading_cost(market, inputs).rate(float(trade.quantity * unit)))
            there = self._movable(cash) * exact(price[cash]) / (unit * (1 + rate))
            fits = trade.quantity <= there
            quantity = trade.quantity if fits else floor_step(there, market.amount_step)
        if quantity <= 0:
            self.missed += 1
            return
        notional = quantity * unit
        paid = notional * rate / exact(price[cash])
        received = notional / exact(price[cash])
        sign = Decimal(1) if trade.side == "buy" else Decimal(-1)
        self._move(line, trade.venue, sign * quantity)
        self._move(cash, trade.venue, -sign * received - paid)
        self._fills.append(Fill(line, sign * quantity, float(notional), float(notional * rate)))

    def _movable(self, line: str) -> Decimal:
        return sum((p.quantity for p in self.positions if p.line == line and not p.immovable), Decimal(0))

    def _move(self, line: str, venue: str, change: Decimal) -> None:
        """Add to the venue's own position, or take from the line's positions, the venue's own first."""
        mine = [i for i, p in enumerate(self.positions) if p.line == line and not p.immovable]
        mine.sort(key=lambda i: self.positions[i].venue != venue)
        left = list(self.positions)
        if change > 0:
            at = next((i for i in mine if left[i].venue == venue), mine[0] if mine else None)
            if at is None:
                sleeve, _, asset = line.partition(":")
                left.append(Position(sleeve=sleeve, asset=asset, venue=venue, quantity=change))
            else:
                left[at] = replace(left[at], quantity=left[at].quantity + change)
        for i in mine if change < 0 else ():
            taken = min(left[i].quantity, -change)
            left[i] = replace(left[i], quantity=left[i].quantity - taken)
            change += taken
        self.positions = tuple(p for p in left if p.quantity != 0)
