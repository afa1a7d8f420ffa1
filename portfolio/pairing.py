"""Legs into lines: a short perpetual or future and the coins it hedges are one carry or basis position.

Comes in: the rows of one statement. Goes out: parts of these rows, each with the sleeve it belongs to; the
parts of a row add up to it. A short perpetual with its coins is `carry`, a short dated future with its coins
is `basis` (cash-and-carry: Hull, Options, Futures, and Other Derivatives, ch. 5). What no partner is found
for keeps a line of its own: coins stay `spot`, a derivative is `perp`, `future` or `options`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portfolio.model import line_of

PAIRED = {"perp": "carry", "future": "basis"}
ALONE = {"lending": "yield", "staking": "staking", "option": "options", "bank": "cash"}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """One row of a statement; `quantity` in units of the asset, negative where it is sold short."""

    venue: str
    account: str
    kind: str
    asset: str
    market_id: str
    quantity: Decimal
    is_immovable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPart:
    """A part of a row, and the sleeve it belongs to.

    Attributes:
        row: the row's place in the statement.
        quantity: the part's share of the row's quantity, with its sign.
    """

    row: int
    sleeve: str
    asset: str
    quantity: Decimal

    @property
    def line(self) -> str:
        """The line key of the part."""
        return line_of(self.sleeve, self.asset)


def pair_legs(
    rows: Sequence[HeldRow], sleeves: Collection[str], money: Collection[str]
) -> tuple[HeldPart, ...]:
    """Say which line each row, or each part of a row, belongs to.

    Coins of the same venue are taken first, then those of other venues; perpetuals before dated futures;
    otherwise in the order of venue, account and market, so that the order of the rows changes nothing.
    Only movable coins are paired: what can not be sold can not be unwound with its hedge.

    Args:
        rows: the statement.
        sleeves: the policy's sleeves; a derivative is paired only into `carry` or `basis` that is among them.
        money: assets that are cash: stablecoins and currencies.

    Returns:
        Parts in the order of the rows; a row's parts add up to its quantity. A row of nothing has no part.
    """
    order = sorted(range(len(rows)), key=lambda i: _place(rows[i]))
    coins = {i: rows[i].quantity for i in order if _is_coin(rows[i], money)}
    parts: dict[int, list[HeldPart]] = {i: [] for i in order}
    shorts = [i for i in order if rows[i].quantity < 0 and PAIRED.get(rows[i].kind) in sleeves]
    left = {i: -rows[i].quantity for i in shorts}
    for i, j in _meetings(rows, shorts, list(coins)):
        taken = min(left[i], coins[j])
        if taken > 0:
            left[i] -= taken
            coins[j] -= taken
            sleeve, asset = PAIRED[rows[i].kind], rows[i].asset
            parts[i].append(HeldPart(row=i, sleeve=sleeve, asset=asset, quantity=-taken))
            parts[j].append(HeldPart(row=j, sleeve=sleeve, asset=asset, quantity=taken))
    rest = {**{i: row.quantity for i, row in enumerate(rows)}, **coins, **{i: -q for i, q in left.items()}}
    for i in order:
        if rest[i] != ZERO:
            sleeve = _own_sleeve(rows[i], money)
            parts[i].append(HeldPart(row=i, sleeve=sleeve, asset=rows[i].asset, quantity=rest[i]))
    return tuple(part for i in range(len(rows)) for part in _joined(parts[i]))


def units_of(parts: Sequence[HeldPart], rows: Sequence[HeldRow]) -> Mapping[str, Decimal]:
    """Units of every line: coins of the spot leg of carry and basis, else the quantity with its sign."""
    units: dict[str, Decimal] = {}
    for part in parts:
        if part.sleeve in PAIRED.values() and rows[part.row].kind in PAIRED:
            continue
        units[part.line] = units.get(part.line, ZERO) + part.quantity
    return units


def _meetings(
    rows: Sequence[HeldRow], shorts: Sequence[int], coins: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Shorts and coins of one asset in the order in which they meet: at one venue first."""
    for same_venue in (True, False):
        for i in shorts:
            for j in coins:
                if rows[i].asset == rows[j].asset and same_venue == (rows[i].venue == rows[j].venue):
                    yield i, j


def _is_coin(row: HeldRow, money: Collection[str]) -> bool:
    return row.kind == "spot" and row.quantity > 0 and not row.is_immovable and row.asset not in money


def _own_sleeve(row: HeldRow, money: Collection[str]) -> str:
    if row.kind == "spot":
        return "cash" if row.asset in money else "spot"
    return ALONE.get(row.kind, row.kind)


def _place(row: HeldRow) -> tuple[str, ...]:
    kind = {"perp": "0", "future": "1"}.get(row.kind, "2")
    return kind, row.venue, row.account, row.market_id, row.asset, row.kind


def _joined(parts: Sequence[HeldPart]) -> list[HeldPart]:
    """One part per sleeve of a row, whatever the number of partners."""
    joined: dict[str, HeldPart] = {}
    for part in parts:
        held = joined.get(part.sleeve)
        total = part.quantity + (ZERO if held is None else held.quantity)
        joined[part.sleeve] = HeldPart(row=part.row, sleeve=part.sleeve, asset=part.asset, quantity=total)
    return list(joined.values())
