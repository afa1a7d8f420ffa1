"""Instants as sources count them, and the one rule for when a datum was first known.

Milliseconds since 1970 UTC at the boundary, numpy `datetime64[us]` (naive UTC) in frames, aware `datetime`
in plans.
"""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
# The first block of the first coin was mined in January 2009: nothing in this field is older.
EARLIEST_MS = 1_230_768_000_000
UNIT_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}

Instants = NDArray[np.datetime64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 UTC of an aware datetime, rounded down."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The aware UTC datetime of milliseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def from_instant(at: np.datetime64) -> datetime:
    """The aware UTC datetime of a naive UTC `datetime64`."""
    return from_ms(int(at.astype("datetime64[ms]").astype(np.int64)))


def start_ms(at: date) -> int:
    """Milliseconds since 1970 of an aware datetime, or of a date's midnight UTC."""
    return to_ms(at if isinstance(at, datetime) else datetime.combine(at, time(), UTC))


def timeframe_ms(timeframe: str) -> int:
    """The length of a candle such as `15m`, `1h` or `1d`, in milliseconds."""
    return int(timeframe[:-1]) * UNIT_MS[timeframe[-1]]


def instants(ms: Integers) -> Instants:
    """Milliseconds as naive UTC `datetime64[us]`."""
    return ms.astype("datetime64[ms]").astype("datetime64[us]")


def known_at(available_ms: Integers, period_ms: int, as_of: datetime) -> tuple[Instants, Flags]:
    """When each datum was first known, and whether that had to be reconstructed.

    A datum is available when its period has ended and the source's documented publication lag has passed.
    If that was within two periods (at least two hours) of `as_of`, this run is the one that learns it:
    known at `as_of`. Otherwise it is backfilled: known at its availability, marked as reconstructed. Never
    later than `as_of`.

    Args:
        available_ms: when each datum became available, in milliseconds.
        period_ms: the length of a period.
        as_of: the run's data time.
    """
    is_reconstructed = (to_ms(as_of) - available_ms) > max(2 * period_ms, 2 * HOUR_MS)
    stamp = np.datetime64(as_of.replace(tzinfo=None), "us")
    return np.where(is_reconstructed, instants(available_ms), stamp), is_reconstructed
