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
Place = tuple[str, str]  # an asset, and where it lies: coin, contract, pool, option


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

    What goes into a pool leaves the coins, and may be late in coming back: of a coin that is ordered and
    deposited or withdrawn in one plan, either the order alone or both together count as done.

    Args:
        trades: rows of `trade_prices_now`.
        holdings: rows of `holdings_moved`; stablecoins pay and are not looked at unless an order names them.
    """
    wanted: dict[Place, float] = {}
    deposited: dict[Place, float] = {}
    for trade in trades:
        key = (str(trade["base"]), str(trade["place"]))
        signed = float(trade["quantity"]) * (1.0 if trade["side"] == "buy" else -1.0)
        wanted[key] = wanted.get(key, 0.0) + signed
        if trade["place"] == "pool":
            coin = (key[0], "coin")
            deposited[coin] = deposited.get(coin, 0.0) - signed
    moved = {
        (str(row["asset"]), str(row["place"])): float(row["quantity_now"]) - float(row["quantity_before"])
        for row in holdings
        if abs(float(row["quantity_now"]) - float(row["quantity_before"]))
        > SAME_HOLDING * max(1.0, abs(float(row["quantity_before"])))
    }
    if not any(key in moved for key in wanted):
        return "unchanged"
    carried = all(_is_done(moved.get(k, 0.0), q, deposited.get(k, 0.0)) for k, q in wanted.items() if q)
    return "carried_out" if carried else "otherwise"


def _is_done(moved: float, ordered: float, deposited: float) -> bool:
    near = DONE_SHARE * abs(ordered)
    return min(abs(moved - ordered), abs(moved - ordered - deposited)) <= near
