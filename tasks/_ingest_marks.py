"""Whether the runs before this one lived to write their gaps down.

A run stores rows page by page and settles gaps at its end. One that is killed in between leaves a mark in
`<home>/state/unsettled`, and the next run looks for holes in the whole history once.
"""

import fcntl
import os
from pathlib import Path


class RunMark:
    """The mark of one run; a lock on its file tells others that the run is alive.

    Attributes:
        is_after_a_torn_run: a run before this one ended without settling its gaps.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._torn = [file for file in sorted(folder.iterdir()) if _is_dead(file)]
        self._file = folder / run_id
        self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        self.is_after_a_torn_run = bool(self._torn)

    def settled(self) -> None:
        """This run's gaps, and those of the torn ones before it, are written down."""
        for file in (*self._torn, self._file):
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go; a mark that is still there is a torn run's from now on."""
        os.close(self._handle)


def _is_dead(file: Path) -> bool:
    try:
        handle = os.open(file, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
