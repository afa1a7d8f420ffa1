"""The received bytes, kept for some days: what a source really said, when a stored value is in doubt.

One Zstandard file per source and run under `<home>/received/<date>/`, append-only, mode 0600; `zstdcat` reads
it. Each answer is one line of JSON about it (url, status, bytes) followed by the body as received. About a
megabyte becomes one frame, complete in itself, so a kill costs at most the last one. At its fastest level
Zstandard takes a third of gzip's time and less space; `warehouse.keep_received_days = 0` saves all of it.
"""

import json
import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path

from tasks.clock import Clock

FRAME_BYTES = 1 << 20
LEVEL = 1


class Received:
    """Keeps raw answers; with `keep_days` 0 it keeps nothing. Safe to use from several threads."""

    def __init__(self, folder: Path, run_id: str, keep_days: int, clock: Clock) -> None:
        self._folder = folder / clock.now().date().isoformat()
        self._run_id = run_id
        self._is_on = keep_days > 0
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, list[bytes]] = {}
        self._bytes: dict[str, int] = {}
        prune_received(folder, keep_days, clock)

    def keep(self, source: str, url: str, status: int, body: bytes) -> None:
        """Append one answer."""
        if self.note(source, url, status, body):
            self.write(source)

    def note(self, source: str, url: str, status: int, body: bytes) -> bool:
        """Take one answer without touching the disk; True when enough wait for `write`."""
        if not self._is_on:
            return False
        about = {"at": self._clock.now().isoformat(), "url": url, "status": status, "bytes": len(body)}
        pieces = (json.dumps(about).encode(), b"\n", body, b"\n")
        with self._lock:
            self._waiting.setdefault(source, []).extend(pieces)
            self._bytes[source] = self._bytes.get(source, 0) + sum(map(len, pieces))
            return self._bytes[source] >= FRAME_BYTES

    def write(self, source: str) -> None:
        """Write what waits as one frame."""
        with self._lock:
            pieces = self._waiting.pop(source, [])
            self._bytes.pop(source, None)
        if not pieces:
            return
        import pyarrow as pa  # noqa: PLC0415 - only a run that fetches pays

        frame = pa.Codec("zstd", compression_level=LEVEL).compress(b"".join(pieces), asbytes=True)
        with self._lock:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            path = self._folder / f"{source}-{self._run_id}.zst"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(frame)

    def close(self) -> None:
        """Write what still waits."""
        for source in tuple(self._waiting):
            self.write(source)


def prune_received(folder: Path, keep_days: int, clock: Clock) -> int:
    """Remove the days older than wanted, never today or yesterday; returns how many bytes went."""
    oldest = (clock.now() - timedelta(days=max(keep_days, 1))).date().isoformat()
    gone = 0
    for day in folder.iterdir() if folder.is_dir() else ():
        if day.is_dir() and not day.is_symlink() and day.name < oldest:
            gone += sum(file.lstat().st_size for file in day.rglob("*"))
            shutil.rmtree(day, ignore_errors=True)
    return gone
