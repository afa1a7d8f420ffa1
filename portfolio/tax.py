"""What realising gains costs, where the owner has named a rate and what the positions cost is known."""

from collections.abc import Iterable

from portfolio.book import sound_positions
from portfolio.desk import Order
from portfolio.model import DecisionInputs, Policy


def tax_usd(orders: Iterable[Order], inputs: DecisionInputs, policy: Policy) -> float | None:
    """Return the tax on the gains that the sells realise, average cost; None where it can not be told.

    Losses are not set off: what they save depends on what else the owner realises this year.
    """
    if policy.tax_rate is None:
        return None
    total = 0.0
    for order in orders:
        if order.side != "sell" or order.line.startswith("cash:"):
            continue
        held = [p for p in sound_positions(inputs) if p.line == order.line and p.quantity > 0]
        if not held or any(p.cost_basis_usd is None for p in held):
            return None
        quantity = float(sum(p.quantity for p in held))
        basis = sum(p.cost_basis_usd or 0.0 for p in held) / quantity
        total += policy.tax_rate * max(0.0, order.notional_usd - basis * float(order.quantity))
    return total
