"""The trades of a recommendation as lines of an alert: what to do and USD first, a pair as one."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tasks.plain_text import clean

SHOWN_TRADES = 5
SHOWN_STEPS = 3
SEEN_SHARE = Decimal("0.005")  # of a pair: less is the rounding of its legs to their steps
FREEING = ("sell", "close", "withdraw")  # what frees cash comes first: it funds the rest
VERBS = (*FREEING, "buy", "open", "deposit")


@dataclass(frozen=True, slots=True)
class TradeFacts:
    """One recommended order. `quantity` in units of `asset`; `notional_usd` positive.

    Attributes:
        pair: orders of the same number are legs of one position.
        reduce_only: the leg closes a short position, and the pair with it.
        steps: sentences about what is to be done by hand before it.
    """

    side: str
    asset: str
    venue: str
    quantity: Decimal
    notional_usd: float
    sleeve: str = "spot"
    market_type: str = "spot"
    pair: int | None = None
    reduce_only: bool = False
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Deed:
    """One thing to do: an order, a pair of them, or a step by hand."""

    verb: str
    usd: float
    asset: str
    text: str
    steps: tuple[str, ...]
    sleeve: str = ""

    @property
    def doing(self) -> str:
        """The verb, of a pair with its sleeve: open carry."""
        return f"{self.verb} {self.sleeve}".strip()


def trade_lines(trades: Sequence[TradeFacts]) -> list[str]:
    """Return a line per order or pair, the largest ones where there are many, and what must be done first."""
    if not trades:
        return ["No order to place."]
    deeds = _deeds(trades)
    largest = sorted(deeds, key=lambda deed: (-deed.usd, deed.asset, deed.verb))
    shown, rest = largest[:SHOWN_TRADES], largest[SHOWN_TRADES:]
    lines = [deed.text for deed in sorted(shown, key=lambda deed: deed.verb not in FREEING)]
    if rest:
        lines.append(f"+ {len(rest)} more ({usd(sum(deed.usd for deed in rest))})")
    return [*lines, *_step_lines(deeds)]


def totals(trades: Sequence[TradeFacts]) -> str:
    """Return what is done in all, for a title: sell 23,100 USD, open carry 22,494 USD."""
    sums: dict[str, float] = {}
    for deed in sorted(_deeds(trades), key=lambda deed: (VERBS.index(deed.verb), deed.sleeve)):
        sums[deed.doing] = sums.get(deed.doing, 0.0) + deed.usd
    parts = [f"{doing} {usd(total)}" for doing, total in sums.items() if total]
    return ", ".join(parts) if parts else "new target, no order to place"


def usd(amount: float) -> str:
    """Format an amount: whole dollars from 100 up, cents below; "unknown" where it is not a number."""
    if not math.isfinite(amount):
        return "unknown USD"
    return f"{amount:,.0f} USD" if abs(amount) >= 100 else f"{amount:,.2f} USD"


def _deeds(trades: Sequence[TradeFacts]) -> list[_Deed]:
    pairs: dict[int, list[TradeFacts]] = {}
    found: list[_Deed] = []
    for trade in trades:
        if trade.pair is None:
            found.append(_single(trade))
        else:
            pairs.setdefault(trade.pair, []).append(trade)
    return [*found, *(_pair(legs) for legs in pairs.values())]


def _single(trade: TradeFacts) -> _Deed:
    side, amount, by_hand = clean(trade.side), abs(trade.notional_usd), ""
    if trade.market_type == "pool":
        side, by_hand = ("deposit" if trade.side == "buy" else "withdraw"), " (by hand)"
    place = f"{'at' if by_hand else 'on'} {clean(trade.venue, limit=24)}{by_hand}"
    text = f"{side.upper()} {_amount(trade)} ≈ {usd(amount)} {place}"
    return _Deed(side if side in VERBS else "buy", amount, trade.asset, text, trade.steps)


def _pair(legs: list[TradeFacts]) -> _Deed:
    """OPEN carry BTC ≈ 22,494 USD on binance: buy 2.445 BTC, sell 2.445 BTC perp.

    Where fewer coins are traded than contracts, the rest is held before or kept after.
    """
    closes = any(leg.reduce_only for leg in legs)
    verb, first = ("close" if closes else "open"), legs[0]
    amount = max(abs(leg.notional_usd) for leg in legs)
    venues = " and ".join(sorted({clean(leg.venue, limit=24) for leg in legs}))
    kinds = [f"{clean(leg.side)} {_amount(leg)}{_kind(leg)}" for leg in legs]
    most = max(leg.quantity for leg in legs)
    rest = most - sum((leg.quantity for leg in legs if leg.market_type == "spot"), Decimal(0))
    if rest > most * SEEN_SHARE:
        where = "kept" if closes else "already held"
        kinds.append(f"{quantity(rest)} {clean(first.asset, limit=24)} {where}")
    sleeve = clean(first.sleeve, limit=24)
    line = f"{sleeve} {clean(first.asset, limit=24)}"
    text = f"{verb.upper()} {line} ≈ {usd(amount)} on {venues}: {', '.join(kinds)}"
    return _Deed(verb, amount, first.asset, text, tuple(s for leg in legs for s in leg.steps), sleeve)


def _kind(leg: TradeFacts) -> str:
    return "" if leg.market_type == "spot" else f" {clean(leg.market_type, limit=12)}"


def _amount(trade: TradeFacts) -> str:
    return f"{quantity(trade.quantity)} {clean(trade.asset, limit=24)}"


def _step_lines(deeds: Iterable[_Deed]) -> list[str]:
    steps = [clean(step, limit=120) for deed in deeds for step in deed.steps]
    more = [f"+ {len(steps) - SHOWN_STEPS} more steps by hand"] if len(steps) > SHOWN_STEPS else []
    return [*steps[:SHOWN_STEPS], *more]


def quantity(amount: Decimal) -> str:
    """Format a quantity without trailing zeros or sign."""
    plain = f"{abs(amount):,f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
