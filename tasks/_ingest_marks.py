"""What a run leaves behind while it lives, so that the next one knows what a killed one had not written down.

A run stores rows page by page and settles gaps at its end. Until then a file of its own in
`<home>/state/unsettled` says that it has not, and which stretches it asked its venues for. Where a run was
killed, the next one looks for holes in the whole history once, and counts the asks of the dead as asks.
"""

import fcntl
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tasks.sources._model import Gap

INSTANTS = ("start", "end")


class RunMark:
    """The mark of one run; a lock on its file tells others that the run is alive."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder = folder
        self._file = folder / run_id
        self._torn: list[Path] = []
        self._asked: dict[str, list[Gap]] = {}
        self._handle = -1

    def open(self) -> bool:
        """Make the mark; True where a run before this one ended without settling its gaps."""
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._torn = [file for file in sorted(self._folder.iterdir()) if _is_dead(file)]
        for file in self._torn:
            self._remember(file)
        self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        return bool(self._torn)

    def note(self, source: str, gaps: Sequence[Gap]) -> None:
        """Write down what was asked for before the answer is stored: an ask counts even if that is lost."""
        if gaps:
            self._asked.setdefault(source, []).extend(gaps)
            line = json.dumps([source, [vars(gap) for gap in gaps]], default=datetime.isoformat)
            os.write(self._handle, f"{line}\n".encode())

    def asked(self, source: str) -> Sequence[Gap]:
        """What this run, and the torn ones before it, asked a source for."""
        return self._asked.get(source, ())

    def settled(self) -> None:
        """This run's gaps, and those of the torn ones before it, are written down."""
        for file in (*self._torn, self._file):
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go; a mark that is still there is a torn run's from now on."""
        os.close(self._handle)

    def _remember(self, file: Path) -> None:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            # The last line may have been cut by the kill.
            if line.endswith("\n"):
                source, gaps = json.loads(line)
                self._asked.setdefault(source, []).extend(_gap(facts) for facts in gaps)


def _gap(facts: dict[str, object]) -> Gap:
    instants = {name: datetime.fromisoformat(str(facts[name])) for name in INSTANTS}
    return Gap(**{**facts, **instants})  # type: ignore[arg-type]  # what vars() of a Gap wrote


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
