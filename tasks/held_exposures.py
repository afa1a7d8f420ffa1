"""What is held and rebalanced by nobody: options, and derivatives outside the policy, line by line.

Comes in: the parts of a statement and today's quotes. Goes out: exposures in US dollars with a sentence each,
and for lines whose value is not beyond doubt why they are frozen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from portfolio.exposed import HeldExposure
from portfolio.held_options import BASES, MODEL_DAYS, HeldOption, option_price
from portfolio.model import Freeze
from portfolio.pairing import HeldPart
from tasks.held_quotes import Quotes

Row = Mapping[str, Any]
CODES = {
    "none": "no_option_quote",
    "settled": "option_expired",
    "over": "option_expired",
    "model": "stale_option_quote",
}


@dataclass(frozen=True)
class Telling:
    """What the sentences need beside the options: now, and within how many days an expiry is told."""

    as_of: datetime
    notice_days: float


def exposures_of(
    parts: Sequence[HeldPart], rows: Sequence[Row], quotes: Quotes, lines: Collection[str], telling: Telling
) -> dict[str, HeldExposure]:
    """Say what each of some lines exposes the portfolio to; lines without any exposure are left out.

    Args:
        parts: of the statement.
        rows: the statement, as the parts count its rows.
        quotes: prices.
        lines: that nobody rebalances.
        telling: for the sentences.
    """
    found: dict[str, HeldExposure] = {}
    for line in sorted(lines):
        mine = [(part, rows[part.row]) for part in parts if part.line == line]
        options = tuple(o for _, row in mine if (o := quotes.option(row)) is not None)
        steady = [
            (part, row, quotes.exposure(row) * float(part.quantity) / row["quantity"])
            for part, row in mine
            if row["kind"] != "option"
        ]
        usd = [x for *_, x in steady]
        delta = sum(usd) + sum(o.delta_usd for o in options)
        gross = sum(abs(x) for x in usd) + sum(o.notional_usd for o in options)
        if not options and not gross:
            continue
        told = [_held(*one) for one in steady]
        told += [_option(o, quotes, str(mine[0][0].asset), telling) for o in options]
        found[line] = HeldExposure(
            line=line,
            asset=mine[0][0].asset,
            delta_usd=delta,
            gross_usd=gross,
            steady_usd=sum(usd),
            options=options,
            detail=" ".join(told),
        )
    return found


def freezes_of(exposed: Mapping[str, HeldExposure], quotes: Quotes, telling: Telling) -> dict[str, Freeze]:
    """Return why lines of options whose value is in doubt may decide nothing, the gravest reason first."""
    found: dict[str, Freeze] = {}
    for line, exposure in exposed.items():
        doubtful = [o for o in exposure.options if o.basis in CODES]
        doubtful.sort(key=lambda o: (list(CODES).index(o.basis), o.expires_at, o.market_id))
        if doubtful:
            told = [_doubt(o, quotes, telling) for o in doubtful]
            found[line] = Freeze(CODES[doubtful[0].basis], " ".join(told))
    return found


def _held(part: HeldPart, row: Row, usd: float) -> str:
    where = f" at {row['venue']}" if row["venue"] else ""
    return f"{part.quantity.normalize():+f} {part.asset} ({row['kind']}){where}: exposure {usd:+,.0f} USD."


def _option(option: HeldOption, quotes: Quotes, asset: str, telling: Telling) -> str:
    name = f"{option.quantity:+g} {option.market_id} at {option.venue}"
    if option.value_usd is None:
        text = f"{name}: without a value, for nothing prices it"
    else:
        worth = "" if option.basis in ("over", "none") else f" {option.value_usd:,.0f} USD"
        text = f"{name}:{worth} {BASES[option.basis]}"
    if option.is_alive:
        text += (
            f", delta {option.delta_usd:+,.0f} USD, vega {option.vega_usd:+,.1f} USD a point of volatility"
        )
    elif option.expires_at > telling.as_of:
        text += "; its delta is not known"
    return ". ".join([text, *_expiry(option, quotes, asset, telling)]) + "."


def _expiry(option: HeldOption, quotes: Quotes, asset: str, telling: Telling) -> Iterator[str]:
    """When an option ends; of one that ends soon also what it would settle at with today's price."""
    left = (option.expires_at - telling.as_of).total_seconds() / 86_400.0
    if left <= 0.0:
        return
    when = f"It expires on {option.expires_at:%Y-%m-%d %H:%M} UTC"
    coin = quotes.coins.get(asset)
    if left > telling.notice_days or coin is None:
        yield when
        return
    span = f"{left:.0f} days" if left >= 2.0 else f"{left * 24.0:.0f} hours"
    settles = option.quantity * float(option_price(option, np.array([coin]), 0.0, 0.0)[0])
    yield f"{when}, in {span}; at today's price it settles at {settles + 0.0:,.0f} USD"


def _doubt(option: HeldOption, quotes: Quotes, telling: Telling) -> str:
    name = f"{option.market_id} at {option.venue}"
    if option.expires_at <= telling.as_of:
        text = f"{name} expired on {option.expires_at:%Y-%m-%d %H:%M} UTC"
        if option.basis == "none":
            text += ", and what its coin cost then is not stored"
        elif option.basis == "over":
            text += ", before the positions were stated"
        return f"{text}. Import a statement without it."
    quote = quotes.options.chain.get((option.venue, option.market_id))
    known = quote is not None and quote.observed_at.year > 1970
    if option.basis == "model" and quote is not None:
        hours = quotes.options.limit.total_seconds() / 3600.0
        read = f"{quote.observed_at:%Y-%m-%d %H:%M} UTC"
        return f"The newest quote of {name} is from {read}, older than the limit of {hours:g} hours."
    text = f"Nothing prices {name}"
    if known and quote is not None:
        text += f": its newest quote is from {quote.observed_at:%Y-%m-%d %H:%M} UTC"
        text += f", older than {MODEL_DAYS:g} days" if _is_old(quote.observed_at, telling) else ""
    else:
        text += ": no chain with its strike is stored"
    if option.quantity > 0.0:
        return f"{text}. It is counted at nothing, and its delta not at all."
    remedy = (
        'Add "implied_volatility" to the datasets of a venue that lists it, or take it out of the positions'
    )
    return f"{text}. It was written, and what it may cost has no bound. {remedy}."


def _is_old(observed_at: datetime, telling: Telling) -> bool:
    return (telling.as_of - observed_at).total_seconds() > MODEL_DAYS * 86_400.0
