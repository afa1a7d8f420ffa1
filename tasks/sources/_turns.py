"""One queue per limit for all processes of a home: who asks next, and when.

Two runs at once share one address, and a venue counts them together. Each request takes the next free
instant from a small file under a lock that is held for microseconds; nobody waits for a lock.
"""

import fcntl
import os
import re
import struct
import threading
from pathlib import Path

from tasks.clock import Clock

INSTANT = struct.Struct("<d")
# A free instant further ahead than this is no queue: a clock was set back, or the file is broken.
LONGEST_QUEUE_SECONDS = 900.0
# A turn shorter than what it takes to ask for it holds nobody: whoever configured it lifted the limit.
SHORTEST_TURN_SECONDS = 1e-6


class Turns:
    """The turns of one home; safe to use from several threads and processes."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()

    def reserve(self, name: str, seconds: float) -> float:
        """Take the next turn, which lasts so many seconds; returns how long to wait for it."""
        return self.reserve_one_of(name, 1, seconds)

    def reserve_one_of(self, name: str, count: int, seconds: float) -> float:
        """Take one of `count` turns in any so many seconds; returns how long to wait for it."""
        if seconds <= 0:
            return 0.0
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        file = self._folder / re.sub(r"[^a-z0-9_-]", "_", name.lower())
        with self._lock:
            handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                now = self._clock.now().timestamp()
                free_at = _free_at(os.pread(handle, INSTANT.size * count, 0), now)
                # The oldest of the turns is the next to be free.
                start = max(free_at[0], now) if len(free_at) == count else now
                kept = [*free_at[-(count - 1) :], start + seconds] if count > 1 else [start + seconds]
                os.pwrite(handle, b"".join(map(INSTANT.pack, kept)), 0)
                os.ftruncate(handle, INSTANT.size * len(kept))
            finally:
                os.close(handle)
        return start - now


def _free_at(stored: bytes, now: float) -> list[float]:
    """When the turns that were taken are free again, in the order in which they were taken."""
    usable = stored[: len(stored) // INSTANT.size * INSTANT.size]
    found = [free_at for (free_at,) in INSTANT.iter_unpack(usable)]
    is_sound = all(
        a <= b < now + LONGEST_QUEUE_SECONDS for a, b in zip(found, [*found[1:], *found[-1:]], strict=True)
    )
    return found if is_sound else []
