"""The writer's lock: one process at a time, by name, released by the system when its holder dies.

An advisory lock on <home>/writer.lock with the holder's pid, start and purpose written inside, so that
whoever waits can say for whom. The file itself means nothing; only the lock on it does.
"""

import errno
import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from warehouse.errors import DiskTrouble, NoSpace, WarehouseError, WriterBusy
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
        LeaseLost: The home's fence is no longer the newest.
        NoSpace: The disk became full.
        DiskTrouble: The file system refused to write.
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
        if home.fence is not None:
            home.fence.check()
        yield
    except OSError as error:
        told = _disk_trouble(home, error)
        if told is None:
            raise
        raise told from error
    finally:
        os.close(descriptor)


def _disk_trouble(home: Home, error: OSError) -> WarehouseError | None:
    """What the file system's refusal means; None for an OSError that is not about a disk."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpace(
            f"{home.root} has no space left: {error.strerror}. What was acknowledged is kept, and readers "
            "see what they saw. Free some space and run it again."
        )
    if error.errno in {errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM}:
        return DiskTrouble(
            f"{error.filename or home.root} should be writable, but the disk says: {error.strerror}. What "
            "was acknowledged is kept, and readers see what they saw. Look at the disk, its mount and the "
            "owner of the folder, and run it again."
        )
    return None


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
