"""Coins that one line gives up and another takes: they are kept, not sold and bought again."""

from dataclasses import dataclass
from decimal import Decimal

from portfolio.desk import Desk, exact, floor_step
from portfolio.hedges import size_legs
from portfolio.markets import Legs
from portfolio.model import Freeze, asset_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a line is to change by.

    Attributes:
        usd: negative where the line shrinks.
        share: of what is held, where the line shrinks.
        legs: None for a plain coin.
    """

    line: str
    usd: Decimal
    share: Decimal
    legs: Legs | None


def units_of(desk: Desk, change: Change) -> Decimal:
    """Units of the line that change hands, positive."""
    if change.legs is None:
        return abs(change.usd) / exact(desk.price[change.line])
    if change.usd < 0:
        return desk.held.get(change.line, Decimal(0)) * change.share
    return change.usd / exact(change.legs.terms.capital_per_unit_usd)


def kept_coins(desk: Desk, changes: list[Change]) -> dict[str, Decimal]:
    """Return line → base units of its coin that need no order, because another line gives or takes them.

    What leaves a pool arrives later and is not counted on.
    """
    kept: dict[str, Decimal] = {}
    by_asset: dict[str, list[tuple[Change, Decimal]]] = {}
    for change in changes:
        coins = _coins(desk, change)
        if coins > 0:
            by_asset.setdefault(asset_of(change.line), []).append((change, coins))
    for _, found in sorted(by_asset.items()):
        if len(found) < 2:
            continue
        step = max(_lot(change) for change, _ in found)
        gives = [(c, q) for c, q in found if c.usd < 0]
        takes = [(c, q) for c, q in found if c.usd > 0]
        shared = floor_step(min(_total(gives), _total(takes)), step)
        kept |= _share_out(gives, shared) | _share_out(takes, shared)
    return kept


def _coins(desk: Desk, change: Change) -> Decimal:
    """Base units of the coin that the change gives or takes; 0 where it could not be carried out."""
    line, legs = change.line, change.legs
    if legs is None:
        have = desk.held.get(line, Decimal(0))
        wanted = units_of(desk, change)
        return min(wanted, have) if change.usd < 0 else wanted
    units = units_of(desk, change)
    if legs.pool is not None:
        is_coin = legs.pool.base not in desk.cash_price
        each = abs(exact(legs.pool.quantity_per_unit))
        return units * each if is_coin and change.usd > 0 else Decimal(0)
    size = size_legs(desk, legs, units, "sell" if change.usd < 0 else "buy", Decimal(0))
    if isinstance(size, Freeze):
        return Decimal(0)
    ratio = sum((exact(x.quantity_per_unit) for x, m in legs.markets if m.market_type == "spot"), Decimal(0))
    return max(Decimal(0), size.units * ratio)


def _lot(change: Change) -> Decimal:
    steps = [m.base_step for _, m in change.legs.markets] if change.legs is not None else []
    return max(steps, default=Decimal(0))


def _total(found: list[tuple[Change, Decimal]]) -> Decimal:
    return sum((q for _, q in found), Decimal(0))


def _share_out(found: list[tuple[Change, Decimal]], shared: Decimal) -> dict[str, Decimal]:
    out: dict[str, Decimal] = {}
    for change, quantity in sorted(found, key=lambda x: (x[0].legs is None, -x[1], x[0].line)):
        out[change.line] = min(quantity, shared)
        shared -= out[change.line]
    return {line: q for line, q in out.items() if q > 0}
