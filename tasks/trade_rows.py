"""The trades of a decision as rows, as facts of an alert, and as a hash that tells new from old."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from portfolio.model import Trade
from tasks.trade_lines import TradeFacts

Row = dict[str, Any]


def trade_rows(identity: str, trades: Sequence[Trade]) -> list[Row]:
    """Return the rows of mart.recommendation_trades."""
    return [_row(identity, trade) for trade in trades]


def trade_facts(trades: Sequence[Trade]) -> tuple[TradeFacts, ...]:
    """Return what an alert says of the trades."""
    return tuple(
        TradeFacts(
            side=trade.side,
            asset=trade.asset,
            venue=trade.venue,
            quantity=trade.quantity,
            notional_usd=trade.notional_usd,
            sleeve=trade.sleeve,
            market_type=trade.market_type,
            pair=trade.pair,
            reduce_only=trade.reduce_only,
            steps=tuple(step.sentence for step in trade.steps),
        )
        for trade in trades
    )


def trades_hash_of(trades: Sequence[Trade]) -> str:
    """Return the same text for the same orders, whatever they cost and why they are placed."""
    # One id may name two markets of a venue; a spot trade's text stays what it always was.
    names = (t.market_id if t.market_type == "spot" else f"{t.market_id} {t.market_type}" for t in trades)
    told = zip(names, trades, strict=True)
    text = "\n".join(f"{t.venue} {name} {t.side} {t.quantity.normalize():f}" for name, t in told)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _row(identity: str, trade: Trade) -> Row:
    steps = [
        {**asdict(step), "quantity": f"{step.quantity.normalize():f}", "sentence": step.sentence}
        for step in trade.steps
    ]
    row = {name: value for name, value in asdict(trade).items() if name not in ("steps", "reduce_only")}
    return {"recommendation_id": identity, **row, "is_reduce_only": trade.reduce_only, "steps_before": steps}
