"""What has to lie where before an order can be placed: coins and cash between venues, margin behind shorts.

Orders are walked through in their sequence with what each venue holds; what is missing at a venue comes from
where most of it lies. A holding without a venue is taken to be at hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from portfolio.book import sound_positions
from portfolio.desk import CASH_UNIT, Order, exact
from portfolio.hedges import SOON_DAYS
from portfolio.model import DecisionInputs, Step, is_cash

COIN_UNIT = Decimal("0.00000001")
ANYWHERE = ""


@dataclass(slots=True)
class _Vault:
    """Units per asset and venue."""

    at: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, asset: str, venue: str, quantity: Decimal) -> None:
        self.at[asset, venue] = self.at.get((asset, venue), Decimal(0)) + quantity

    def get(self, asset: str, venue: str) -> Decimal:
        return self.at.get((asset, venue), Decimal(0))

    def others(self, asset: str, venue: str) -> list[str]:
        """Venues that hold some of it, where no venue is named first, then the largest holding first."""
        found = [v for (a, v), q in self.at.items() if a == asset and v != venue and q > 0]
        return sorted(found, key=lambda v: (v != ANYWHERE, -self.at[asset, v], v))


def with_transfers(orders: list[Order], inputs: DecisionInputs) -> list[Order]:
    """Return the orders with the steps before each; transfers are joined where they are first needed."""
    vault = _open_vault(inputs)
    moves: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
    for number, order in enumerate(orders):
        for asset, change in _flows(order, inputs):
            if change < 0:
                unit = COIN_UNIT if asset == order.market.base else CASH_UNIT
                for source, quantity in _fetch(vault, asset, order.market.venue, -change, unit):
                    key = (asset, source, order.market.venue)
                    first, so_far = moves.get(key, (number, Decimal(0)))
                    moves[key] = (first, so_far + quantity)
            vault.add(asset, order.market.venue, change)
    for number, order in enumerate(orders):
        margin = order.margin_step
        order.steps = (*_steps(number, moves), *(() if margin is None else (margin,)))
    return orders


def _open_vault(inputs: DecisionInputs) -> _Vault:
    vault = _Vault()
    for p in sound_positions(inputs):
        if p.immovable:
            continue
        if is_cash(p.line) or p.sleeve == "spot":
            vault.add(p.asset, p.venue, p.quantity)
        elif (terms := inputs.terms.get(p.line)) is not None:
            for leg in (x for x in terms.legs if x.role == "spot" and x.quantity_per_unit > 0):
                vault.add(leg.base, p.venue or leg.venue, p.quantity * exact(leg.quantity_per_unit))
    return vault


def _flows(order: Order, inputs: DecisionInputs) -> Iterable[tuple[str, Decimal]]:
    """What an order takes from its venue (negative) and brings there."""
    if order.market.market_type == "pool":
        if order.side == "buy":
            return ((order.market.base, -order.quantity),)
        waits = inputs.terms[order.line].exit_days >= SOON_DAYS
        return ((order.market.base, Decimal(0) if waits else order.quantity),)
    return ((order.market.base, order.base_change), (order.market.quote, order.cash_change))


def _fetch(
    vault: _Vault, asset: str, venue: str, needed: Decimal, unit: Decimal
) -> list[tuple[str, Decimal]]:
    """Take what is missing at a venue from the others; return the moves that people have to make."""
    found: list[tuple[str, Decimal]] = []
    for source in vault.others(asset, venue):
        missing = needed - vault.get(asset, venue)
        if missing <= 0:
            break
        there = vault.get(asset, source)
        quantity = min(missing.quantize(unit, ROUND_CEILING), there)
        vault.add(asset, source, -quantity)
        vault.add(asset, venue, quantity)
        if source != ANYWHERE:
            found.append((source, quantity))
    return found


def _steps(number: int, moves: dict[tuple[str, str, str], tuple[int, Decimal]]) -> list[Step]:
    return [
        Step(kind="transfer", asset=asset, quantity=quantity, source=source, destination=venue)
        for (asset, source, venue), (first, quantity) in sorted(moves.items())
        if first == number
    ]
