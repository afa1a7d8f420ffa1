"""What the portfolio holds, what that is worth, and which of its lines may be traded.

Everything is valued in USD; a stablecoin at its own price, never at 1. A line that may not be traded keeps
its quantity, whatever the reason, and stays in the portfolio's value.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from portfolio.model import (
    DecisionInputs,
    Freeze,
    Instrument,
    Policy,
    Position,
    SleeveTerms,
    asset_of,
    is_cash,
    line_of,
    sleeve_of,
)

SPOT_PRICED = ("staking", "yield", "lending")  # sleeves whose units are the coin itself
MIN_PRICE_USD, MAX_PRICE_USD = 1e-15, 1e12  # beyond these a price is a unit error; NaN is neither
DEFAULT_PRICE_LIMIT = timedelta(hours=72)
PLAIN_SLEEVES = ("spot", "cash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The portfolio at `as_of`. Mappings are by line.

    Attributes:
        lines: sorted; everything that is held or could be.
        nav_usd: None where positions are unknown or unusable.
        weight: of NAV; empty where NAV is unknown.
        immovable: the part of `weight` that can not be moved.
        frozen: lines whose data may not decide anything; `stuck`: lines that can not be traded for other
            reasons.
        left_out: held lines that are not part of NAV.
        depegged: stablecoins off their peg.
    """

    lines: tuple[str, ...]
    nav_usd: float | None
    price: Mapping[str, float]
    quantity: Mapping[str, Decimal]
    weight: Mapping[str, float]
    immovable: Mapping[str, float]
    frozen: Mapping[str, Freeze]
    stuck: Mapping[str, Freeze]
    left_out: Mapping[str, Freeze]
    depegged: frozenset[str]
    flags: tuple[str, ...]

    def keeps(self, line: str) -> Freeze | None:
        """Return why a line keeps its quantity, or None."""
        return self.frozen.get(line) or self.stuck.get(line)

    def cash_weight(self) -> float:
        """Return the weight of all cash lines."""
        return sum(w for line, w in self.weight.items() if is_cash(line))


def usd_price(inputs: DecisionInputs, policy: Policy, line: str) -> float | None:
    """Return the USD price of one unit of a line, or None where it can not be known."""
    asset = asset_of(line)
    if is_cash(line) and asset == policy.reference_currency:
        return 1.0
    terms = inputs.terms.get(line)
    found = inputs.prices.get(line)
    if found is None and sleeve_of(line) in SPOT_PRICED:
        found = inputs.prices.get(line_of("spot", asset))
    price = found.price_usd if found is not None else None
    if terms is not None:
        price = terms.capital_per_unit_usd
    if price is None and is_cash(line):
        price = inputs.quote_price_usd.get(asset)
    return price if price is not None and MIN_PRICE_USD < price < MAX_PRICE_USD else None


def unusable_positions(positions: Iterable[Position]) -> str:
    """Return what is wrong with the positions of the plain sleeves, or an empty string."""
    for p in positions:
        if p.sleeve in PLAIN_SLEEVES and (not p.quantity.is_finite() or p.quantity < 0):
            return f"{p.asset} at {p.venue} has the quantity {p.quantity}"
    return ""


def sound_positions(inputs: DecisionInputs) -> tuple[Position, ...]:
    """Return the positions, or none where one of them is impossible: then no amount can be trusted."""
    return () if unusable_positions(inputs.positions) else inputs.positions


def unpriced(inputs: DecisionInputs, policy: Policy) -> list[str]:
    """Return held lines without a price that are not known to be unlisted."""
    held = {p.line for p in sound_positions(inputs) if p.quantity != 0 and p.capital_usd is None}
    return sorted(x for x in held if usd_price(inputs, policy, x) is None and x not in inputs.unlisted)


def open_book(inputs: DecisionInputs, policy: Policy) -> Book:
    """Value the positions and say what may be traded."""
    positions = sound_positions(inputs)
    flags = ["bad_positions"] if inputs.positions and not positions else []
    quantity: dict[str, Decimal] = {}
    for p in positions:
        quantity[p.line] = quantity.get(p.line, Decimal(0)) + p.quantity
    lines = _lines(inputs, policy, {p.line for p in positions if p.quantity != 0})
    price = {x: v for x in lines if (v := usd_price(inputs, policy, x)) is not None}
    value = _values(positions, price)
    stays = _values((p for p in positions if p.immovable), price)
    nav = math.fsum(value.values())
    known = nav > 0.0
    return Book(
        lines=lines,
        nav_usd=nav if known else None,
        price=price,
        quantity=quantity,
        weight={x: value.get(x, 0.0) / nav for x in lines} if known else {},
        immovable={x: v / nav for x, v in stays.items()} if known else {},
        frozen=_frozen(inputs, policy, lines, value),
        stuck=_stuck(inputs, policy, lines) if known else {},
        left_out={x: _left_out(x, inputs) for x in quantity if x not in value},
        depegged=depegged(inputs, policy, lines),
        flags=tuple(flags if known else ["no_positions", *flags]),
    )


def _values(positions: Iterable[Position], price: Mapping[str, float]) -> dict[str, float]:
    """Return the capital of every priced line, in USD: a position's own figure before quantity × price."""
    parts: dict[str, list[float]] = {}
    for p in positions:
        if p.capital_usd is not None or p.line in price:
            worth = p.capital_usd if p.capital_usd is not None else float(p.quantity) * price[p.line]
            parts.setdefault(p.line, []).append(worth)
    return {line: math.fsum(found) for line, found in parts.items()}  # whatever the order of the positions


def depegged(inputs: DecisionInputs, policy: Policy, lines: Iterable[str]) -> frozenset[str]:
    """Return the stablecoins among the lines' cash, and the quote, that are off their peg."""
    assets = {asset_of(x) for x in lines if is_cash(x)} | {policy.quote}
    off: set[str] = set()
    for asset in assets - {policy.reference_currency}:
        price = usd_price(inputs, policy, line_of("cash", asset))
        if price is not None and abs(price - 1.0) > policy.peg_tolerance:
            off.add(asset)
    return frozenset(off)


def markets_of(asset: str, inputs: DecisionInputs, quotes: Iterable[str]) -> list[Instrument]:
    """Return the active markets of an asset against the given cash assets, in a fixed order."""
    wanted = set(quotes)
    found = [i for i in inputs.instruments if i.base == asset and i.quote in wanted]
    found = [i for i in found if i.is_active and i.market_type == "spot"]
    return sorted(found, key=lambda i: (i.venue, i.market_id))


def cash_assets(lines: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """Return the cash assets of the lines, the preferred quote always among them."""
    return tuple(sorted({asset_of(x) for x in lines if is_cash(x)} | {policy.quote}))


def _left_out(line: str, inputs: DecisionInputs) -> Freeze:
    why = inputs.unlisted.get(line, f"{line} has no market and no price").rstrip(".")
    return Freeze("cannot_price", f"{why}. It is left out of the portfolio's value.")


def _lines(inputs: DecisionInputs, policy: Policy, held: set[str]) -> tuple[str, ...]:
    wanted = set(held)
    if policy.objective == "policy":
        wanted |= set(policy.target_weights or {})
    else:
        possible = {str(c) for c in inputs.returns.columns} | set(inputs.prices) | set(inputs.frozen)
        wanted |= {x for x in possible | set(inputs.unlisted) if sleeve_of(x) in policy.sleeves}
    return tuple(sorted(wanted | {line_of("cash", policy.quote)}))


def _frozen(
    inputs: DecisionInputs, policy: Policy, lines: tuple[str, ...], value: Mapping[str, float]
) -> dict[str, Freeze]:
    limit = next(
        (timedelta(seconds=d.limit_seconds) for d in inputs.datasets if d.dataset == "candles_1d"),
        DEFAULT_PRICE_LIMIT,
    )
    frozen = {x: f for x, f in inputs.frozen.items() if x in lines}
    for line in lines:
        mark = inputs.prices.get(line)
        if line in frozen or is_cash(line) or line in inputs.unlisted:
            continue
        if usd_price(inputs, policy, line) is None and line not in value:
            frozen[line] = Freeze("no_price", f"{line} has no usable price.")
        elif mark is not None and mark.venues < policy.min_venues:
            frozen[line] = Freeze(
                "too_few_venues",
                f"{line} is priced by {mark.venues} venue(s); {policy.min_venues} must agree.",
            )
        elif mark is not None and inputs.as_of - mark.at > max(limit, DEFAULT_PRICE_LIMIT):
            frozen[line] = Freeze(
                "stale_price", f"The last price of {line} is from {mark.at:%Y-%m-%d %H:%M} UTC."
            )
    return frozen


def _stuck(inputs: DecisionInputs, policy: Policy, lines: tuple[str, ...]) -> dict[str, Freeze]:
    quotes = cash_assets(lines, policy)
    stuck: dict[str, Freeze] = {}
    for line in lines:
        if is_cash(line) or (line in inputs.unlisted and sleeve_of(line) not in PLAIN_SLEEVES):
            continue
        if sleeve_of(line) not in policy.sleeves:
            stuck[line] = Freeze("outside_policy", f"The sleeve of {line} is not part of this policy.")
        elif line in inputs.exposed:
            text = f"{line} is held, and no option order is ever proposed."
            stuck[line] = Freeze("held_options", text)
        elif line in inputs.terms:
            # Its legs are priced by the same market as the coin, and it needs all of them.
            coin = inputs.frozen.get(line_of("spot", asset_of(line)))
            missing = coin or _missing_leg(inputs.terms[line], inputs)
            if missing is not None:
                stuck[line] = missing
        elif not markets_of(asset_of(line), inputs, quotes):
            stuck[line] = Freeze(
                "no_market", f"No active market trades {asset_of(line)} against {', '.join(quotes)}."
            )
    return stuck


def _missing_leg(terms: SleeveTerms, inputs: DecisionInputs) -> Freeze | None:
    """Return why a line of legs can not be traded: all of its markets are needed; a pool is moved by hand."""
    known = {(i.venue, i.market_type, i.market_id) for i in inputs.instruments if i.is_active}
    for leg in terms.legs:
        is_market = leg.role in ("spot", "perp", "future")
        if is_market and (leg.venue, leg.market_type, leg.market_id) not in known:
            text = f"{leg.symbol} does not trade on {leg.venue} now, and {terms.line} needs all of its legs."
            return Freeze("no_market", text)
    return None
