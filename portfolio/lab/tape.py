"""What really happened to each line, day by day: the prices a backtest executes and values at.

A tape is history, not knowledge: no decision ever sees it. A day ends at 00:00 UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.model import is_cash

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tape:
    """Daily closes.

    Attributes:
        lines: columns of `closes`.
        ends: the instants at which the days end, aware UTC, increasing.
        closes: days × lines, USD per unit; NaN where the line had no price that day. A line without a price
            of its own (a hedged pair) has the index of its total return, funding included.
    """

    lines: tuple[str, ...]
    ends: tuple[datetime, ...]
    closes: Array

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


def tape_of(closes: pd.DataFrame) -> Tape:
    """Return the tape of a frame of closes: naive UTC dates × lines."""
    stamps = pd.DatetimeIndex(closes.index).tz_localize("UTC")
    return Tape(
        lines=tuple(str(c) for c in closes.columns),
        ends=tuple(stamp.to_pydatetime() for stamp in stamps),
        closes=closes.to_numpy(dtype="float64"),
    )


def weights_of(quantity: Mapping[str, float], price: Mapping[str, float]) -> dict[str, float]:
    """Return each line's share of the whole value."""
    value = {x: q * price[x] for x, q in quantity.items() if x in price}
    total = sum(value.values())
    return {x: v / total for x, v in value.items()} if total > 0.0 else {}
