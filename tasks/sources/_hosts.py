"""Which hosts asked us to stay away, and until when; remembered across processes and restarts.

After 429 or 418 no request may go to that host before the stated time. Short pauses live in memory; a long
one is written to `<home>/state/held_hosts.json`, so that a restarted process does not run into the same ban
again.
"""

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from tasks.clock import Clock

# A shorter pause is over before another process could have started.
WRITTEN_FROM_SECONDS = 5.0


class Hosts:
    """The pauses that hosts asked for; safe to use from several threads."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        now, monotonic = clock.now(), clock.monotonic()
        for host, until in _read(file).items():
            seconds = (until - now).total_seconds()
            if seconds > 0:
                self._until[host] = monotonic + seconds

    def seconds_to_wait(self, url: str) -> float:
        """How long no request may go to the host of `url`; 0 when it may go now."""
        with self._lock:
            return max(0.0, self._until.get(urlsplit(url).netloc, 0.0) - self._clock.monotonic())

    def hold(self, url: str, seconds: float) -> None:
        """Send nothing to the host of `url` for so many seconds; never shortens a pause."""
        host = urlsplit(url).netloc
        with self._lock:
            until = self._clock.monotonic() + seconds
            if until <= self._until.get(host, 0.0):
                return
            self._until[host] = until
            if seconds >= WRITTEN_FROM_SECONDS:
                self._write(host, seconds)

    def _write(self, host: str, seconds: float) -> None:
        now = self._clock.now()
        kept = {name: at for name, at in _read(self._file).items() if at > now}
        kept[host] = now + timedelta(seconds=seconds)
        self._file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".tmp")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({name: at.isoformat() for name, at in kept.items()}), encoding="utf-8")
        fresh.replace(self._file)


def _read(file: Path) -> dict[str, datetime]:
    try:
        stored: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return {host: datetime.fromisoformat(at) for host, at in stored.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # no file, or one that a crash left unreadable: the source will tell us again
