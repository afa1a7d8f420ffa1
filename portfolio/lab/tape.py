"""What really happened to each line, day by day: the prices a backtest executes and values at.

A tape is history, not knowledge: no decision ever sees it. A day ends at 00:00 UTC.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.model import is_cash

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What a coin and the short contract beside it did, day by day; arrays have one value a day.

    Attributes:
        coin_usd: close of the coin; NaN where it had none.
        contract: close of the contract, in its quote; likewise.
        funding: what a short of one coin received over the day that ends, in quote; NaN where not known.
        quote: the currency that the contract is margined in; `quote_usd`: its price.
        leverage: notional over margin, restored at every close.
        maintenance: margin below this share of the notional is taken by the venue.
        market_id: of a dated contract; `expires_at`: when it is delivered, aware UTC; None for a perpetual.
        roll_days: it is left at the first close that is so near to its end.
    """

    coin_usd: Array
    contract: Array
    funding: Array
    quote: str
    quote_usd: Array
    leverage: float
    maintenance: float = 0.025
    market_id: str = ""
    expires_at: datetime | None = None
    roll_days: float = 0.0

    def is_left(self, at: datetime) -> bool:
        """Tell whether the contract is about to end, so that it is not held any longer."""
        return self.expires_at is not None and self.expires_at <= at + timedelta(days=self.roll_days)

    def at(self, day: int) -> "Hedge | None":
        """Return the prices at the end of a day, or None where one of them is missing."""
        found = (float(self.coin_usd[day]), float(self.contract[day]), float(self.quote_usd[day]))
        if not all(math.isfinite(x) and x > 0.0 for x in found):
            return None
        own = float(self.funding[day])
        return Hedge(*found, own if math.isfinite(own) else 0.0, self)


@dataclass(frozen=True, slots=True)
class Hedge:
    """A course at the end of one day; funding that is not known is none."""

    coin_usd: float
    contract: float
    quote_usd: float
    funding: float
    course: Course

    @property
    def margin(self) -> float:
        """Margin beside one coin, in quote."""
        return self.coin_usd / self.quote_usd / self.course.leverage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tape:
    """Daily closes.

    Attributes:
        lines: columns of `closes`.
        ends: the instants at which the days end, aware UTC, increasing.
        closes: days × lines, USD per unit; NaN where the line had no price that day. A line without a price
            of its own (a coin with a short contract) has that of its capital: coin and full margin.
        courses: line → what its legs did, for lines of the sleeve carry.
        dated: line → its contracts, the nearest end first, for lines of the sleeve basis.
        growth: line → what a unit of a deposit grew by over each day, for yield and staking; NaN is nothing.
    """

    lines: tuple[str, ...]
    ends: tuple[datetime, ...]
    closes: Array
    courses: Mapping[str, Course] = field(default_factory=dict[str, Course])
    growth: Mapping[str, Array] = field(default_factory=dict[str, Array])
    dated: Mapping[str, tuple[Course, ...]] = field(default_factory=dict[str, tuple[Course, ...]])

    def course(self, line: str, market_id: str) -> Course | None:
        """Return what the legs of a hedged line did; of the sleeve basis those with that contract."""
        own = self.courses.get(line)
        return own or next((x for x in self.dated.get(line, ()) if x.market_id == market_id), None)

    def contract_at(self, line: str, day: int) -> Course | None:
        """Return the dated contract that a line is hedged with from a close on: the nearest that stays."""
        found = self.dated.get(line, ())
        return next((x for x in found if not x.is_left(self.ends[day]) and x.at(day) is not None), None)

    def content(self) -> bytes:
        """Return every figure of the tape as bytes, the same for the same figures."""
        parts = [self.closes.tobytes()]
        dated = [(f"{x} {c.market_id} {c.expires_at}", c) for x, own in self.dated.items() for c in own]
        for name, course in sorted([*self.courses.items(), *dated], key=lambda pair: pair[0]):
            arrays = (course.coin_usd, course.contract, course.funding, course.quote_usd)
            told = f"{name} {course.quote} {course.leverage!r} {course.roll_days!r}"
            parts += [told.encode(), *(x.tobytes() for x in arrays)]
        for line, rates in sorted(self.growth.items()):
            parts += [line.encode(), rates.tobytes()]
        return b"".join(parts)

    def traded(self, day: int, valued: Array) -> dict[str, float]:
        """Return what could be traded at the end of a day, at its close; cash at its last known price."""
        row = np.where([is_cash(x) for x in self.lines], valued[day], self.closes[day])
        return {x: float(p) for x, p in zip(self.lines, row, strict=True) if np.isfinite(p)}

    def valued(self) -> Array:
        """Return closes with each gap filled by the last price before it; NaN before a line's first."""
        return pd.DataFrame(self.closes).ffill().to_numpy(dtype="float64")

    def after(self, instant: datetime) -> int:
        """Return the first day that ends after an instant; the number of days where there is none."""
        return next((i for i, end in enumerate(self.ends) if end > instant), len(self.ends))


def tape_of(
    closes: pd.DataFrame,
    courses: Mapping[str, Course] | None = None,
    growth: Mapping[str, Array] | None = None,
    dated: Mapping[str, tuple[Course, ...]] | None = None,
) -> Tape:
    """Return the tape of a frame of closes: naive UTC dates × lines, and of arrays over the same dates."""
    stamps = pd.DatetimeIndex(closes.index).tz_localize("UTC")
    return Tape(
        lines=tuple(str(c) for c in closes.columns),
        ends=tuple(stamp.to_pydatetime() for stamp in stamps),
        closes=closes.to_numpy(dtype="float64"),
        courses=dict(courses or {}),
        growth=dict(growth or {}),
        dated=dict(dated or {}),
    )


def weights_of(value: Mapping[str, float]) -> dict[str, float]:
    """Return each line's share of the whole value, from USD by line."""
    total = sum(value.values())
    return {x: v / total for x, v in value.items()} if total > 0.0 else {}
