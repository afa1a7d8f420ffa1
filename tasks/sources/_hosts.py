"""Which hosts asked us to stay away, and until when; shared by all processes of a home, also after a restart.

After 429 or 418 no request may go to that host before the stated time. A pause is written to
`<home>/state/held_hosts.json`, so that neither another process nor a restarted one runs into it again; a
request costs one look at the file's date.
"""

import fcntl
import json
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from tasks.clock import Clock
from tasks.sources._turns import Turns


class Hosts:
    """The pauses that hosts asked for; safe to use from several threads and processes."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._seen: tuple[int, int] | None = None
        self._turns = Turns(file.parent / "turns", clock)
        self._refresh()

    def seconds_to_wait(self, url: str) -> float:
        """How long no request may go to the host of `url`; 0 when it may go now."""
        with self._lock:
            self._refresh()
            return max(0.0, self._until.get(urlsplit(url).netloc, 0.0) - self._clock.monotonic())

    def hold(self, url: str, seconds: float) -> None:
        """Send nothing to the host of `url` for so many seconds; never shortens a pause."""
        host = urlsplit(url).netloc
        with self._lock:
            self._refresh()
            until = self._clock.monotonic() + seconds
            if until <= self._until.get(host, 0.0):
                return
            self._until[host] = until
            self._write(host, seconds)

    def reserve(self, name: str, seconds: float) -> float:
        """Take the next turn under a limit that all processes share; returns how long to wait for it."""
        return self._turns.reserve(name, seconds)

    def reserve_one_of(self, name: str, count: int, seconds: float) -> float:
        """Take one of `count` turns in any so many seconds, shared alike; returns how long to wait for it."""
        return self._turns.reserve_one_of(name, count, seconds)

    def _refresh(self) -> None:
        """Take over what another process was told, where the file has changed."""
        try:
            found = self._file.stat()
        except OSError:
            return
        if (found.st_mtime_ns, found.st_ino) == self._seen:
            return
        self._seen = (found.st_mtime_ns, found.st_ino)
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for host, until in _read(self._file).items():
            held = monotonic + (until - now).total_seconds()
            self._until[host] = max(held, self._until.get(host, 0.0))

    def _write(self, host: str, seconds: float) -> None:
        now = self._clock.now()
        self._file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        with _alone(self._file.with_suffix(".lock")):
            kept = {name: at for name, at in _read(self._file).items() if at > now}
            until = now + timedelta(seconds=seconds)
            kept[host] = max(until, kept.get(host, until))
            fresh = self._file.with_suffix(".tmp")
            fresh.touch(mode=0o600)
            text = json.dumps({name: at.isoformat() for name, at in kept.items()})
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self._file)


@contextmanager
def _alone(file: Path) -> Generator[None]:
    """Only one process at a time reads and writes the pauses."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(file: Path) -> dict[str, datetime]:
    try:
        stored: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return {host: datetime.fromisoformat(at) for host, at in stored.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # no file, or one that a crash left unreadable: the source will tell us again
