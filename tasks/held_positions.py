"""What a portfolio holds, by line: its newest statement, legs paired where the policy has sleeves for them.

Comes in: a point-in-time reader and the prices of the decision. Goes out: positions with their capital,
what nothing prices, and the delta of derivatives that stand alone. Nothing is guessed: what can not be
valued is named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from portfolio.model import Freeze, HeldExposure, Leg, Position, PriceMark, SleeveTerms
from portfolio.pairing import PAIRED, HeldPart, pair_legs
from tasks.context import RunContext
from tasks.held_exposures import Telling, exposures_of, freezes_of
from tasks.held_quotes import DERIVATIVES, Quotes, read_quotes
from tasks.positions import MONEY, held_rows
from warehouse.reader import Reader

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Held:
    """The positions of a decision.

    Attributes:
        positions: by line; those of other sleeves than spot and cash carry their capital in USD.
        outside: what is held and nothing prices, in words; it is not part of the value.
        terms: lines that stand outside the policy's sleeves → what they expose the portfolio to.
        exposed: the same in US dollars, whatever their capital; options are always among them.
        frozen: lines of options whose value is in doubt → why.
    """

    positions: tuple[Position, ...]
    outside: tuple[str, ...]
    terms: dict[str, SleeveTerms] = field(default_factory=dict)
    exposed: dict[str, HeldExposure] = field(default_factory=dict)
    frozen: dict[str, Freeze] = field(default_factory=dict)


def held_positions(
    reader: Reader,
    context: RunContext,
    portfolio: str,
    lines: Collection[str],
    prices: Mapping[str, PriceMark],
    cash: Mapping[str, float],
) -> Held:
    """Read the newest statement and say what of it is which line.

    Args:
        reader: point in time, as of `context.as_of`.
        context: the run.
        portfolio: its name.
        lines: what the policy may hold and the data describe.
        prices: line → mark, of spot lines.
        cash: stablecoin → US dollars.
    """
    rows = reader.rows("portfolio_positions", portfolio=portfolio)
    sleeves = context.settings.portfolios[portfolio].sleeves
    quotes = read_quotes(reader, context, portfolio, prices, cash)
    # A hedge that can not be valued hedges nothing that we could state: its coins stay coins.
    known = [
        row
        for row in rows
        if row["kind"] not in DERIVATIVES or quotes.value(row) is not None or quotes.option(row) is not None
    ]
    outside = {_words(row) for row in rows if row not in known}
    parts = pair_legs(held_rows(known), sleeves, MONEY)
    made: list[Position] = []
    for line in sorted({part.line for part in parts}):
        mine = [part for part in parts if part.line == line]
        if mine[0].sleeve in PAIRED.values():
            found = _paired(mine, known, quotes)
        else:
            found = [p for part in mine if (p := _single(part, known[part.row], lines, quotes)) is not None]
            outside |= {_words(known[p.row]) for p in mine} if not found else set[str]()
        made += found
    kept = {p.line for p in made if p.sleeve == "options" or p.sleeve not in {*sleeves, "spot", "cash"}}
    notice = context.settings.portfolios[portfolio].exit_notice_days
    telling = Telling(context.as_of, notice)
    exposed = exposures_of(parts, known, quotes, kept, telling)
    return Held(
        positions=tuple(made),
        outside=tuple(sorted(outside)),
        terms=_terms(parts, known, quotes, [p for p in made if p.line in kept]),
        exposed=exposed,
        frozen=freezes_of(exposed, quotes, telling),
    )


def _single(part: HeldPart, row: Row, lines: Collection[str], quotes: Quotes) -> Position | None:
    """A part that stands by itself; None where nothing prices it."""
    plain = part.sleeve in {"spot", "cash"}
    value = quotes.value(row)
    if part.sleeve == "spot" and part.line not in lines:
        return None
    if not plain and value is None and quotes.option(row) is None:
        return None
    share = float(part.quantity) / row["quantity"]
    return Position(
        sleeve=part.sleeve,
        asset=part.asset,
        venue=row["venue"],
        account=row["account"],
        kind=row["kind"],
        quantity=part.quantity,
        immovable=bool(row["is_immovable"]),
        cost_basis_usd=None if row["cost_basis_usd"] is None else row["cost_basis_usd"] * share,
        capital_usd=None if plain or value is None else value * share,
    )


def _paired(parts: Sequence[HeldPart], rows: Sequence[Row], quotes: Quotes) -> list[Position]:
    """Coins and the contracts that hedge them as one position at the venue of the largest contract."""
    coins = [part for part in parts if rows[part.row]["kind"] not in PAIRED]
    hedges = [part for part in parts if rows[part.row]["kind"] in PAIRED]
    largest = rows[min(hedges, key=lambda part: (part.quantity, part.row)).row]
    values = [quotes.value(rows[part.row]) for part in parts]
    shares = [float(part.quantity) / rows[part.row]["quantity"] for part in parts]
    known = [value * share for value, share in zip(values, shares, strict=True) if value is not None]
    position = Position(
        sleeve=parts[0].sleeve,
        asset=parts[0].asset,
        venue=largest["venue"],
        account=largest["account"],
        kind=largest["kind"],
        quantity=sum((part.quantity for part in coins), Decimal(0)),
        # Without a price of the coin the line has no value, and the decision says so.
        capital_usd=sum(known) if len(known) == len(parts) else None,
    )
    return [position]


def _terms(
    parts: Sequence[HeldPart],
    rows: Sequence[Row],
    quotes: Quotes,
    positions: Sequence[Position],
) -> dict[str, SleeveTerms]:
    """What lines that nobody rebalances expose the portfolio to, per US dollar of their capital."""
    found: dict[str, SleeveTerms] = {}
    capital: dict[str, float] = {}
    unknown = {p.line for p in positions if p.capital_usd is None}
    for position in positions:
        capital[position.line] = capital.get(position.line, 0.0) + (position.capital_usd or 0.0)
    for line, usd in capital.items():
        mine = [part for part in parts if part.line == line]
        units = sum(abs(float(part.quantity)) for part in mine)
        if abs(usd) < 1e-9 or not units or line in unknown:
            continue
        shares = [(rows[part.row], float(part.quantity) / rows[part.row]["quantity"]) for part in mine]
        found[line] = SleeveTerms(
            line=line,
            legs=tuple(_leg(part, rows[part.row], units, quotes) for part in mine),
            capital_per_unit_usd=abs(usd) / units,
            net_delta=sum(quotes.exposure(row) * share for row, share in shares) / usd,
            gross_notional=sum(quotes.notional(row) * share for row, share in shares) / abs(usd),
            venue=rows[mine[0].row]["venue"],
            detail="Held outside the policy: kept as it is, its exposure counted.",
        )
    return found


def _leg(part: HeldPart, row: Row, units: float, quotes: Quotes) -> Leg:
    roles = {"lending": "pool", "staking": "pool", "perp": "perp", "future": "future", "option": "option"}
    return Leg(
        role=roles.get(row["kind"], "spot"),  # pyright: ignore[reportArgumentType] - the values above are roles
        venue=row["venue"],
        market_id=row["market_id"] or "",
        symbol="",
        market_type=row["kind"],
        base=part.asset,
        quote=row["quote"] or "USD",
        quantity_per_unit=float(part.quantity) / units,
        price=quotes.price(row),
    )


def _words(row: Row) -> str:
    return f"{row['asset']} ({row['kind']})"
