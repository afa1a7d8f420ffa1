"""What a command's end means to the shell, and which failure means which."""

from __future__ import annotations

from flows.checkout import WrongRoomError
from tasks.settings import ConfigError
from warehouse.errors import (
    DamagedWarehouse,
    MixedHome,
    NoSpace,
    NothingPublished,
    QueryFailed,
    RefusedStatement,
    UnknownTable,
    UnsafeHome,
    WriterBusy,
)

DONE, DEFECT, MISUSE, OUTSIDE, BLOCKED, BUSY = 0, 1, 2, 3, 4, 5
# When several apply, the first of these counts.
ORDER = (BUSY, MISUSE, DEFECT, OUTSIDE, BLOCKED, DONE)
MEANINGS: tuple[tuple[type[Exception], int], ...] = (
    (WriterBusy, BUSY),
    (ConfigError, MISUSE),
    (WrongRoomError, MISUSE),
    (MixedHome, MISUSE),
    (UnsafeHome, MISUSE),
    (NothingPublished, MISUSE),
    (RefusedStatement, MISUSE),
    (QueryFailed, MISUSE),
    (UnknownTable, MISUSE),
    (NoSpace, OUTSIDE),
    (DamagedWarehouse, OUTSIDE),
)


class MisuseError(Exception):
    """A command that can not be carried out as typed; the message says what to type instead."""


def worst(*statuses: int) -> int:
    """The status to end with when several apply."""
    return min(statuses, key=ORDER.index, default=DONE)


def status_of(error: BaseException) -> int | None:
    """The exit status of a failure that we expect, or None for a defect of ours."""
    if isinstance(error, MisuseError):
        return MISUSE
    stated = getattr(error, "exit_status", None)
    if isinstance(stated, int):
        return stated
    return next((status for kind, status in MEANINGS if isinstance(error, kind)), None)
