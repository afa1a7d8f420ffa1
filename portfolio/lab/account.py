"""The simulated account of a backtest: quantities, margin of hedges, and what is on its way back.

Quantities are Decimal like in a live plan, so that an unchanged holding stays the same value to the last
digit. Money comes from nowhere: what is taken is what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from portfolio.model import Position, is_cash, line_of


@dataclass(frozen=True, slots=True)
class Fill:
    """What one order did: line, signed quantity, USD traded, and USD of fee, spread and impact."""

    line: str
    quantity: Decimal
    notional_usd: float
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was withdrawn and comes back later: the day of the tape, the line, the venue, the quantity."""

    day: int
    line: str
    venue: str
    quantity: Decimal


@dataclass(slots=True)
class Account:
    """Holdings as positions, changed by fills.

    Attributes:
        positions: what is held; one that is immovable is never touched. A hedged line (carry, basis) is one
            position in coins, its `capital_usd` the coins with the margin.
        missed: orders that could not be executed, for want of a price, of cash or of a market.
        liquidated: hedges whose margin the venue took.
        rolled: dated contracts that were left for a later one; `delivered`: that ended while they were held.
        margin: hedged line → margin that lies beside it, in the contract's quote.
        contracts: line of the sleeve basis → market id of the dated contract that is short.
        arrivals: withdrawals on their way; until then they count as immovable.
    """

    positions: tuple[Position, ...]
    missed: int = 0
    liquidated: int = 0
    rolled: int = 0
    delivered: int = 0
    margin: dict[str, float] = field(default_factory=dict[str, float])
    contracts: dict[str, str] = field(default_factory=dict[str, str])
    arrivals: list[Arrival] = field(default_factory=list[Arrival])

    def quantities(self) -> dict[str, float]:
        """Return units held by line."""
        held: dict[str, float] = {}
        for p in self.positions:
            held[p.line] = held.get(p.line, 0.0) + float(p.quantity)
        return held

    def values(self, price: Mapping[str, float]) -> dict[str, float]:
        """Return USD by line: a position's own capital, else quantity × price; without either nothing."""
        found: dict[str, float] = {}
        for p in self.positions:
            if p.capital_usd is not None or p.line in price:
                worth = float(p.quantity) * price[p.line] if p.capital_usd is None else p.capital_usd
                found[p.line] = found.get(p.line, 0.0) + worth
        return found

    def value(self, price: Mapping[str, float]) -> float:
        """Return the USD value of all that is held."""
        return sum(self.values(price).values())

    def movable(self, line: str) -> Decimal:
        """Return the units of a line that may be traded."""
        return sum((p.quantity for p in self.positions if p.line == line and not p.immovable), Decimal(0))

    def venue_of(self, line: str, otherwise: str) -> str:
        """Return where a line is held; where it is not, where any cash is."""
        kinds = [p for p in self.positions if not p.immovable]
        own = next((p.venue for p in kinds if p.line == line), None)
        return own or next((p.venue for p in kinds if is_cash(p.line)), otherwise)

    def move(self, line: str, venue: str, change: Decimal) -> None:
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

    def state_capital(self, line: str, usd: float) -> None:
        """Write a hedged line's capital into its positions, in proportion to their coins."""
        whole = float(self.movable(line))
        self.positions = tuple(
            replace(p, capital_usd=usd * float(p.quantity) / whole)
            if p.line == line and not p.immovable and whole
            else p
            for p in self.positions
        )

    def send(self, arrival: Arrival) -> None:
        """Let a withdrawal wait: it is worth what it is, and nobody can touch it."""
        sleeve, _, asset = arrival.line.partition(":")
        waiting = Position(
            sleeve=sleeve, asset=asset, venue=arrival.venue, quantity=arrival.quantity, immovable=True,
            account=f"withdrawal {arrival.day}",
        )  # fmt: skip
        self.positions = (*self.positions, waiting)
        self.arrivals.append(arrival)

    def receive(self, day: int) -> None:
        """Take in what has come back by the end of a day."""
        for arrival in [x for x in self.arrivals if x.day <= day]:
            self.arrivals.remove(arrival)
            mark = f"withdrawal {arrival.day}"
            waiting = next(
                p for p in self.positions if p.account == mark and p.line == arrival.line and p.immovable
            )
            left = list(self.positions)
            left.remove(waiting)
            self.positions = tuple(left)
            self.move(arrival.line, arrival.venue, arrival.quantity)


def coin_line(line: str) -> str:
    """Return the line of the plain coin that a line is made of."""
    return line_of("spot", line.partition(":")[2])
