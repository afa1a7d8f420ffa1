"""Prices as the value of a position needs them: coins and cash, marks of contracts, options at their quotes.

Comes in: a point-in-time reader and the prices of the decision. Goes out: US dollars of any row of a
statement, and what it moves with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portfolio.held_options import HeldOption
from portfolio.model import PriceMark, asset_of, sleeve_of
from tasks.context import RunContext
from tasks.option_quotes import OptionQuotes, read_options
from tasks.positions import MONEY
from warehouse.reader import Reader

Row = Mapping[str, Any]
DERIVATIVES = ("perp", "future", "option")


@dataclass(frozen=True)
class Quotes:
    """Prices as a position's value needs them.

    Attributes:
        coins: asset → US dollars; stablecoins and currencies among them.
        marks: (venue, kind, market id) → US dollars of one unit; of a perpetual also (venue, kind, asset,
            quote).
        options: what is known of the options that are held.
    """

    coins: Mapping[str, float]
    marks: Mapping[tuple[str, ...], float]
    options: OptionQuotes

    def option(self, row: Row) -> HeldOption | None:
        """The option that a row holds, valued; None where it holds none that is known."""
        return self.options.held(row) if row["kind"] == "option" else None

    def price(self, row: Row) -> float | None:
        """US dollars of one unit of what the row holds; None where nothing prices it."""
        kind, asset = row["kind"], row["asset"]
        if kind not in DERIVATIVES:
            return self.coins.get(asset)
        if kind == "option":
            held = self.option(row)
            return None if held is None or held.value_usd is None else held.value_usd / row["quantity"]
        if row["market_id"]:
            found = self.marks.get((row["venue"], kind, row["market_id"]))
        else:
            found = self.marks.get((row["venue"], kind, asset, row["quote"]))
        # Funding ties a perpetual to its coin; a dated contract may stand far from it.
        return self.coins.get(asset) if found is None and kind == "perp" else found

    def value(self, row: Row) -> float | None:
        """US dollars that the whole row is worth: derivatives at margin plus unrealised profit."""
        price, quote = self.price(row), self.coins.get(row["quote"] or "USD")
        if price is None:
            return None
        if row["kind"] not in DERIVATIVES:
            return row["quantity"] * price
        entry = 0.0 if row["kind"] == "option" else row["entry_price"]
        if quote is None or entry is None:
            return None
        return (row["margin"] or 0.0) * quote + row["quantity"] * (price - entry * quote)

    def exposure(self, row: Row) -> float:
        """US dollars of price exposure to the asset: 0 for cash, delta times forward for an option."""
        if row["asset"] in MONEY:
            return 0.0
        held = self.option(row)
        return row["quantity"] * (self.price(row) or 0.0) if held is None else held.delta_usd

    def notional(self, row: Row) -> float:
        """US dollars of the coins that the row is about, without a sign."""
        held = self.option(row)
        return abs(self.exposure(row)) if held is None else held.notional_usd


def read_quotes(
    reader: Reader,
    context: RunContext,
    portfolio: str,
    prices: Mapping[str, PriceMark],
    cash: Mapping[str, float],
) -> Quotes:
    """The newest prices of coins, stablecoins and contracts that are not older than daily candles may be."""
    spot = {line: mark for line, mark in prices.items() if sleeve_of(line) == "spot"}
    coins = {asset_of(line): mark.price_usd for line, mark in spot.items()}
    coins |= {**cash, "USD": 1.0}
    oldest: datetime = context.as_of - context.settings.gate.freshness["candles_1d"]
    marks: dict[tuple[str, ...], float] = {}
    for row in reader.rows("contract_prices", as_of=context.as_of, oldest=oldest):
        quote = coins.get(row["quote"])
        if quote is None or row["quote"] == row["asset"]:
            continue
        usd = float(row["price_quote"]) * float(quote)
        marks[row["venue"], row["market_type"], row["market_id"]] = usd
        if row["market_type"] == "perp":
            marks.setdefault((row["venue"], "perp", row["asset"], row["quote"]), usd)
    return Quotes(coins, marks, read_options(reader, context, portfolio, coins))
