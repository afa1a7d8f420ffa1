"""What is known of the options that a statement names: quotes of the chains, settlements, or only the id.

Comes in: a point-in-time reader and today's prices. Goes out: `HeldOption` for a row of the statement. What
the value rests on is decided in portfolio/held_options.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from portfolio.held_options import ChainQuote, HeldOption, fair_value, value_option
from tasks.context import RunContext
from warehouse.reader import Reader

Row = Mapping[str, Any]
Key = tuple[str, str]
EXPIRY_HOUR = 8  # UTC; Deribit, OKX, Bybit and Binance alike
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
OPTION_ID = re.compile(
    r"(?:.+-)?(?:(?P<day>\d{1,2})(?P<month>[A-Z]{3})(?P<year>\d{2})|(?P<digits>\d{6}))"
    r"-(?P<strike>[\d.D]+)-(?P<side>[CP])(?:-[A-Z]+)?"
)


@dataclass(frozen=True)
class OptionQuotes:
    """The options of one portfolio.

    Attributes:
        chain: (venue, id) → the newest row of its chain, or what its id says.
        settled: (asset, expiry) → US dollars of the coin when it expired.
        coins: asset → US dollars now.
        limit: how old a quote may be.
    """

    chain: Mapping[Key, ChainQuote]
    settled: Mapping[tuple[str, datetime], float]
    coins: Mapping[str, float]
    as_of: datetime
    limit: timedelta

    def held(self, row: Row) -> HeldOption | None:
        """The option of a row, valued; None where its id says nothing."""
        quote = self.chain.get(_key(row))
        if quote is None:
            return None
        return value_option(
            quote,
            venue=row["venue"],
            quantity=float(row["quantity"]),
            as_of=self.as_of,
            limit=self.limit,
            coin_usd=self.coins.get(row["asset"]),
            settled_usd=self.settled.get((row["asset"], quote.expires_at)),
            stated_at=row["as_of"],
        )


def read_options(
    reader: Reader, context: RunContext, portfolio: str, coins: Mapping[str, float]
) -> OptionQuotes:
    """Read what is known of every option that the newest statement of a portfolio names.

    Args:
        reader: point in time, as of `context.as_of`.
        context: the run.
        portfolio: its name.
        coins: asset → US dollars; stablecoins and currencies among them.
    """
    limit = context.settings.gate.freshness["implied_volatility"]
    held = [row for row in reader.rows("portfolio_positions", portfolio=portfolio) if row["kind"] == "option"]
    if not held:
        return OptionQuotes({}, {}, coins, context.as_of, limit)
    chain: dict[Key, ChainQuote] = {}
    for row in reader.rows("option_quotes", portfolio=portfolio, as_of=context.as_of):
        chain[row["venue"], row["option_id"]] = _in_dollars(row, coins)
    for row in held:
        known = described(row["market_id"])
        if known is not None:
            chain.setdefault(_key(row), known)
    expired = {
        (row["asset"], chain[_key(row)].expires_at)
        for row in held
        if _key(row) in chain and chain[_key(row)].expires_at <= context.as_of
    }
    return OptionQuotes(chain, _settlements(reader, expired, coins), coins, context.as_of, limit)


def described(option_id: str) -> ChainQuote | None:
    """What an option's id says by itself: expiry, strike and type, no price; None where it says nothing."""
    found = OPTION_ID.fullmatch(option_id.upper())
    if found is None or (found["month"] and found["month"] not in MONTHS):
        return None
    if found["digits"]:
        year, month, day = (int(found["digits"][i : i + 2]) for i in (0, 2, 4))
    else:
        year, month, day = int(found["year"]), MONTHS.index(found["month"]) + 1, int(found["day"])
    try:
        expires_at = datetime(2000 + year, month, day, EXPIRY_HOUR, tzinfo=UTC)
        strike = float(found["strike"].replace("D", "."))  # Deribit writes the point of a strike as a D
    except ValueError:
        return None
    if strike <= 0.0:
        return None
    return ChainQuote(
        market_id=option_id.upper(), is_call=found["side"] == "C", strike=strike, expires_at=expires_at,
        observed_at=NEVER,
    )  # fmt: skip


def _key(row: Row) -> Key:
    return row["venue"], str(row["market_id"]).upper()


def _in_dollars(row: Row, coins: Mapping[str, float]) -> ChainQuote:
    """A row of a chain with its prices in US dollars; a quote without a dollar price is none."""
    bare = ChainQuote(
        market_id=row["option_id"],
        is_call=row["option_type"] == "call",
        strike=float(row["strike"]),
        expires_at=row["expires_at"],
        observed_at=row["observed_at"],
        forward=_positive(row["underlying_price"]),
        volatility=_positive(row["implied_volatility"]),
    )
    unit = _unit(row, bare, coins)
    if unit is None:
        return bare
    mark, bid, ask = row["mark_price"], _positive(row["bid_price"]), _positive(row["ask_price"])
    return replace(
        bare,
        mark=None if mark is None or not math.isfinite(mark) else float(mark) * unit,
        bid=None if bid is None else bid * unit,
        ask=None if ask is None else ask * unit,
    )


def _unit(row: Row, quote: ChainQuote, coins: Mapping[str, float]) -> float | None:
    """US dollars of the unit that a chain's prices are in: the coin at the forward, or dollars.

    Where no trading rules name it, it is the one at which the chain's mark agrees with its own volatility.
    """
    if row["quote"] is not None and row["quote"] != row["asset"]:
        return coins.get(row["quote"])
    mark, fair = _positive(row["mark_price"]), fair_value(quote)
    if quote.forward is None or row["quote"] is not None or mark is None or not fair:
        return quote.forward
    return min((quote.forward, 1.0), key=lambda unit: abs(math.log(mark * unit / fair)))


def _settlements(
    reader: Reader, expired: Iterable[tuple[str, datetime]], coins: Mapping[str, float]
) -> dict[tuple[str, datetime], float]:
    asked = sorted(expired)
    if not asked:
        return {}
    rows = reader.rows(
        "option_settlements",
        assets=[asset for asset, _ in asked],
        moments=[moment for _, moment in asked],
        quotes=sorted(coins),
    )
    return {(row["asset"], row["moment"]): float(row["price_quote"]) * coins[row["quote"]] for row in rows}


def _positive(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) and value > 0.0 else None
