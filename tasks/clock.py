"""The real clock: the only place in the house that reads time or waits.

A run has two times. `as_of` is data time and is a plain value in the run's context. The clock here is real
and monotonic; flows inject it, and it is used only for waits, bans, leases, timeouts and send expiry. It must
never decide what data a run may see.
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a task may ask of real time; tests pass one that they move by hand."""

    def now(self) -> datetime:
        """Return the real time, timezone-aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps back; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait in this thread."""
        ...

    async def sleep_async(self, seconds: float) -> None:
        """Wait without holding up the other coroutines."""
        ...


class RealClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time, timezone-aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this file is the one clock

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()  # noqa: TID251 - this file is the one clock

    def sleep(self, seconds: float) -> None:
        """Wait in this thread; a negative wait is none."""
        time.sleep(max(0.0, seconds))  # noqa: TID251 - this file is the one clock

    async def sleep_async(self, seconds: float) -> None:
        """Wait without holding up the other coroutines; a negative wait is none."""
        await asyncio.sleep(max(0.0, seconds))
