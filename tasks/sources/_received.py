"""The received bytes, kept for some days: what a source really said, when a stored value is in doubt.

One gzip file per source and run under `<home>/received/<date>/`, append-only, mode 0600. Each answer is one
line of JSON about it (url, status, bytes) followed by the body as received. Compression is at its fastest
level: measured at about a tenth of a long backfill's CPU; `warehouse.keep_received_days = 0` saves it.
"""

import gzip
import json
import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path
from typing import IO

from tasks.clock import Clock


class Received:
    """Keeps raw answers; with `keep_days` 0 it keeps nothing. Safe to use from several threads."""

    def __init__(self, folder: Path, run_id: str, keep_days: int, clock: Clock) -> None:
        self._folder = folder / clock.now().date().isoformat()
        self._run_id = run_id
        self._is_on = keep_days > 0
        self._clock = clock
        self._lock = threading.Lock()
        self._files: dict[str, _OwningGzip] = {}
        prune_received(folder, keep_days, clock)

    def keep(self, source: str, url: str, status: int, body: bytes) -> None:
        """Append one answer."""
        if not self._is_on:
            return
        about = {"at": self._clock.now().isoformat(), "url": url, "status": status, "bytes": len(body)}
        with self._lock:
            file = self._files.get(source) or self._open(source)
            file.write(json.dumps(about).encode() + b"\n" + body + b"\n")

    def close(self) -> None:
        """Finish every file."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()

    def _open(self, source: str) -> "_OwningGzip":
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        path = self._folder / f"{source}-{self._run_id}.gz"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        raw = os.fdopen(descriptor, "ab")
        file = _OwningGzip(raw)
        self._files[source] = file
        return file


class _OwningGzip(gzip.GzipFile):
    """A gzip stream that also closes the file beneath it."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__(fileobj=raw, mode="wb", compresslevel=1)
        self._raw = raw

    def close(self) -> None:
        super().close()
        self._raw.close()


def prune_received(folder: Path, keep_days: int, clock: Clock) -> int:
    """Remove the days older than wanted, never today or yesterday; returns how many bytes went."""
    oldest = (clock.now() - timedelta(days=max(keep_days, 1))).date().isoformat()
    gone = 0
    for day in folder.iterdir() if folder.is_dir() else ():
        if day.is_dir() and not day.is_symlink() and day.name < oldest:
            gone += sum(file.lstat().st_size for file in day.rglob("*"))
            shutil.rmtree(day, ignore_errors=True)
    return gone
