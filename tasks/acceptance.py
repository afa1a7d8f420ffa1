"""Whether a proposal can still be accepted: the prices it was made at, and the holdings it was made for.

Pure: rows of the warehouse go in, a finding comes out. A proposal whose market moved away, or whose holdings
changed otherwise than it said, is another problem than the one that was solved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# A fill within this share of the recommended quantity counts as carried out: fees and lots take their part.
DONE_SHARE = 0.15
# Holdings that differ by less than this share of themselves did not change.
SAME_HOLDING = 1e-9

Row = Mapping[str, Any]
Execution = Literal["unchanged", "carried_out", "otherwise"]


@dataclass(frozen=True)
class Repriced:
    """The orders at today's prices.

    Attributes:
        worst_move: the largest move of a price since the proposal, as a fraction, signed.
        worst_symbol: where.
        notional_usd: what the orders amount to now.
        unpriced: symbols without a price now.
    """

    worst_move: float
    worst_symbol: str
    notional_usd: float
    unpriced: tuple[str, ...]


def reprice(trades: Sequence[Row]) -> Repriced:
    """Put today's prices on the orders (rows of the query `trade_prices_now`)."""
    worst, symbol, notional = 0.0, "", 0.0
    unpriced: list[str] = []
    for trade in trades:
        now = trade["price_now"]
        if now is None or not trade["reference_price"]:
            unpriced.append(str(trade["symbol"]))
            continue
        move = float(now) / float(trade["reference_price"]) - 1.0
        notional += float(trade["notional_usd"]) * (1.0 + move)
        if abs(move) > abs(worst):
            worst, symbol = move, str(trade["symbol"])
    return Repriced(worst, symbol, notional, tuple(unpriced))


def executed(trades: Sequence[Row], holdings: Sequence[Row]) -> Execution:
    """Say what the newest statement of holdings tells about the orders.

    Args:
        trades: rows of `trade_prices_now`.
        holdings: rows of `holdings_moved`; stablecoins pay and are not looked at unless an order names them.
    """
    wanted: dict[tuple[str, bool], float] = {}
    for trade in trades:
        key = (str(trade["base"]), bool(trade["is_derivative"]))
        signed = float(trade["quantity"]) * (1.0 if trade["side"] == "buy" else -1.0)
        wanted[key] = wanted.get(key, 0.0) + signed
    moved = {
        (str(row["asset"]), bool(row["is_derivative"])): float(row["quantity_now"])
        - float(row["quantity_before"])
        for row in holdings
        if abs(float(row["quantity_now"]) - float(row["quantity_before"]))
        > SAME_HOLDING * max(1.0, abs(float(row["quantity_before"])))
    }
    if not any(key in moved for key in wanted):
        return "unchanged"
    carried = all(abs(moved.get(key, 0.0) - q) <= DONE_SHARE * abs(q) for key, q in wanted.items() if q)
    return "carried_out" if carried else "otherwise"
