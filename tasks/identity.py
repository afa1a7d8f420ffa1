"""Which history belongs to which coin: a ticker is a name, and names are reused, changed and redenominated.

Nothing joins two histories but a dated row of `universe.aliases`. Where a ticker seems to have changed its
meaning, its line is held and the operator is asked, with the exact line that answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from portfolio.model import Freeze
from tasks.context import RunContext
from tasks.settings_schema import AliasSettings, UniverseSettings
from warehouse.reader import Reader

BEGINNING, END = date(1970, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Segment:
    """The part of a line's returns that stands under one ticker: after `after`, up to `until`."""

    line: str
    ticker: str
    after: date
    until: date


@dataclass(frozen=True)
class Identity:
    """What is known of the tickers' meaning.

    Attributes:
        segments: every line's history, in parts.
        questions: coins whose ticker may have changed its meaning without an answer in the configuration.
    """

    segments: tuple[Segment, ...]
    questions: Mapping[str, Freeze]

    def parameters(self) -> dict[str, list[str]]:
        """The segments as the query `decision_returns` wants them."""
        return {
            "lines": [part.line for part in self.segments],
            "tickers": [part.ticker for part in self.segments],
            "after": [part.after.isoformat() for part in self.segments],
            "until": [part.until.isoformat() for part in self.segments],
        }


def identify(
    lines: Sequence[str], universe: UniverseSettings, breaks: Sequence[Mapping[str, Any]]
) -> Identity:
    """Say which history belongs to each line.

    Args:
        lines: of the portfolio.
        universe: with its dated aliases.
        breaks: the answer of the query `identity_breaks`.
    """
    segments: list[Segment] = []
    questions: dict[str, Freeze] = {}
    for line in lines:
        sleeve, _, asset = line.partition(":")
        if sleeve == "cash":
            segments.append(Segment(line, asset, BEGINNING, END))
            continue
        rows = sorted((row for row in universe.aliases if row.asset == asset), key=lambda row: row.since)
        own = [row for row in breaks if row["asset"] == asset]
        open_ones = [row for row in own if not any(_answers(alias, row) for alias in rows)]
        parts = _segments(line, rows)
        if open_ones:
            last = open_ones[-1]
            questions[asset] = _question(last)
            # The first return after a break is null already; what lies before may be another coin's.
            parts = [_from(part, last["as_of_date"] - timedelta(days=1)) for part in parts]
        segments.extend(part for part in parts if part.after < part.until)
    return Identity(tuple(segments), questions)


def delisted_lines(reader: Reader, context: RunContext, lines: Sequence[str]) -> dict[str, str]:
    """Lines whose coin no configured venue trades any more, each with its sentence."""
    assets = [line.partition(":")[2] for line in lines if line.startswith("spot:")]
    venues = [venue.id for venue in context.settings.venues]
    rows = reader.rows("delisted_assets", assets=assets, venues=venues, as_of=context.as_of)
    return {
        f"spot:{row['asset']}": f"cannot price {row['asset']}: {', '.join(row['venues'])} stopped trading it "
        "and a last price is no price."
        for row in rows
    }


def _segments(line: str, rows: Sequence[AliasSettings]) -> list[Segment]:
    """A former ticker serves up to the start of the next; without one, another coin begins there."""
    asset = line.partition(":")[2]
    changes = [row for row in rows if row.former != asset]
    parts: list[Segment] = []
    begins = BEGINNING
    for row in changes:
        if row.former is not None:
            parts.append(Segment(line, row.former, begins, row.since))
        else:
            parts = []
        begins = row.since
    return [*parts, Segment(line, asset, begins, END)]


def _from(part: Segment, after: date) -> Segment:
    return Segment(part.line, part.ticker, max(part.after, after), part.until)


def _answers(alias: AliasSettings, seen: Mapping[str, Any]) -> bool:
    """A row answers a break when it is dated after the last day before it, up to the first day after it."""
    return bool(seen["last_date"] <= alias.since <= seen["as_of_date"])


def _question(seen: Mapping[str, Any]) -> Freeze:
    asset, since = seen["asset"], seen["as_of_date"] - timedelta(days=1)
    prices = f"from {seen['previous_close']:g} to {seen['next_open']:g}"
    if seen["kind"] == "reused":
        what = f"{asset} was absent for {seen['absent_days']} days and came back on {since} {prices}"
        asked = "it may be another coin"
    else:
        what = f"{asset} went {prices} between two candles on {since} (×{seen['price_ratio']:.4g})"
        asked = "it may count in another unit"
    row = f'[[universe.aliases]] asset = "{asset}" since = {since}'
    sentence = (
        f"{what} on {', '.join(seen['venues'])}: {asked}. Nothing is traded until the configuration says: "
        f'{row} former = "{asset}" (the same coin, its histories joined), or the same without former '
        "(another coin begins there)."
    )
    return Freeze("identity_unclear", sentence)
