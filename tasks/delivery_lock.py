"""One delivery at a time, so that an attempt without an outcome can only be one whose sender died."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tasks.clock import Clock

WAIT_SECONDS = 30.0
_POLL_SECONDS = 0.2


@contextmanager
def delivering(path: Path, clock: Clock, wait_seconds: float = WAIT_SECONDS) -> Generator[bool]:
    """Hold the lock for the length of a block; yields False when another process kept it all the time.

    Args:
        path: The lock's file, in an existing folder; the system frees the lock when its holder dies.
        clock: The real clock.
        wait_seconds: How long to wait for another delivery to end.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        deadline = clock.monotonic() + wait_seconds
        while not (is_ours := _taken(descriptor)) and clock.monotonic() < deadline:
            clock.sleep(_POLL_SECONDS)
        yield is_ours
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
