"""One queue per limit for all processes of a home: who asks next, and when.

Two runs at once share one address, and a venue counts them together. Each request takes the next free
instant from a file of eight bytes under a lock that is held for microseconds; nobody waits for a lock.
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
        if seconds < SHORTEST_TURN_SECONDS:
            return 0.0
        with self._lock:
            handle = self._open(name)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                now = self._clock.now().timestamp()
                start = _start(os.pread(handle, INSTANT.size, 0), now)
                os.pwrite(handle, INSTANT.pack(start + seconds), 0)
            finally:
                os.close(handle)
        return start - now

    def _open(self, name: str) -> int:
        file = self._folder / re.sub(r"[^a-z0-9_-]", "_", name.lower())
        try:
            return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)


def _start(stored: bytes, now: float) -> float:
    free_at = INSTANT.unpack(stored)[0] if len(stored) == INSTANT.size else now
    return free_at if now < free_at < now + LONGEST_QUEUE_SECONDS else now
