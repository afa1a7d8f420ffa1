"""The writer's lock: one process at a time, by name, released by the system when its holder dies.

An advisory lock on <home>/writer.lock with the holder's pid, start and purpose written inside, so that
whoever waits can say for whom. The file itself means nothing; only the lock on it does.
"""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from warehouse.errors import WriterBusy
from warehouse.home import FILE_MODE, Home

POLL_SECONDS = 0.05


class Clock(Protocol):
    """The real clock that flows inject."""

    def now(self) -> datetime:
        """The present, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@contextmanager
def hold_lock(home: Home, clock: Clock, purpose: str, wait_seconds: float) -> Generator[None]:
    """Hold the writer's lock for the length of a block.

    Args:
        home: The home.
        clock: Waits and stamps.
        purpose: What the holder is doing, for those who wait.
        wait_seconds: How long to wait for another holder.

    Raises:
        WriterBusy: Somebody else still holds it after the wait.
    """
    home.prepare()
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        deadline = clock.monotonic() + wait_seconds
        while not _try_lock(descriptor):
            if clock.monotonic() >= deadline:
                raise _busy(descriptor)
            clock.sleep(POLL_SECONDS)
        note = json.dumps({"pid": os.getpid(), "since": clock.now().isoformat(), "purpose": purpose})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy(descriptor: int) -> WriterBusy:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        return WriterBusy(int(note["pid"]), datetime.fromisoformat(note["since"]), str(note["purpose"]))
    except (ValueError, KeyError, TypeError):
        # The holder has the lock but has not written its note yet.
        return WriterBusy(None, None, "starting")
