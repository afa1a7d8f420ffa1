"""Clocks, frames and small homes for the warehouse's tests."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from warehouse.home import Home
from warehouse.master import LoadResult, Master, open_master
from warehouse.points import listen

AS_OF = datetime(2020, 7, 20, 18, 20, tzinfo=UTC)


@dataclass
class FakeClock:
    """Time that only passes when somebody waits."""

    present: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    elapsed: float = 0.0

    def now(self) -> datetime:
        return self.present + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


class YieldingClock(FakeClock):
    """A real monotonic clock; a wait only yields the processor."""

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        os.sched_yield()


def candles(
    closes: list[float | None],
    *,
    start: str = "2020-01-01",
    timeframe: str = "1d",
    known_at: datetime | None = None,
    **fields: Any,
) -> pd.DataFrame:
    """Candles with the given closes; base volume 10, known at their close unless told."""
    step = pd.Timedelta({"1d": "1D", "1h": "1h"}[timeframe])
    open_time = pd.Series(pd.Timestamp(start) + step * i for i in range(len(closes))).astype("datetime64[us]")
    close = pd.Series(closes, dtype="float64")
    market = {
        "venue": "binance",
        "market_id": "BTCUSDT",
        "base": "BTC",
        "quote": "USDT",
        "market_type": "spot",
    } | fields
    frame = pd.DataFrame(
        {
            **{name: pd.Series([value] * len(closes), dtype="str") for name, value in market.items()},
            "symbol": f"{market['base']}/{market['quote']}",
            "timeframe": timeframe,
            "open_time": open_time,
            "open": close,
            "high": close,
            "low": close,
            "close": close,
            "base_volume": 10.0,
            "quote_volume": float("nan"),
            "known_at": open_time + step if known_at is None else pd.Timestamp(known_at).tz_localize(None),
            "is_reconstructed": True,
        }
    )
    frame["known_at"] = frame["known_at"].astype("datetime64[us]")
    return frame


def daily(start: str = "2020-01-01", **columns: Any) -> pd.DataFrame:
    """Rows of a daily table; each argument is a value or a list of values, one a day."""
    length = max(len(value) for value in columns.values() if isinstance(value, list))
    period_start = pd.Series(pd.date_range(start, periods=length, freq="D").astype("datetime64[us]"))
    frame = pd.DataFrame({"period_start": period_start, **columns})
    frame["known_at"] = frame["period_start"] + pd.Timedelta("1D")
    frame["is_reconstructed"] = True
    return frame


def load(
    master: Master, frame: pd.DataFrame, table: str = "candles", as_of: datetime = AS_OF, **more: Any
) -> LoadResult:
    return master.load(
        table,
        frame,
        source="binance",
        dataset=table,
        as_of=as_of,
        started_at=as_of,
        rows_received=len(frame),
        **more,
    )


def stored(home: Home, *batches: tuple[str, pd.DataFrame]) -> Home:
    """The home with the batches loaded."""
    with open_master(home, FakeClock(), "prepare a test") as master:
        for table, frame in batches:
            load(master, frame, table)
    return home


def in_child(work: Callable[[], object]) -> int:
    """Run in a forked process; returns its exit status, negative for the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at(point: str, occurrence: int = 1) -> None:
    """Let this process be killed when it reaches a point for the nth time."""
    left = [occurrence]

    def listener(reached: str) -> None:
        if reached == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    listen(listener)
