"""What a checkpoint overwrites in place, kept beside the file until the checkpoint is done.

DuckDB never overwrites data that the header in force names, but it does rewrite blocks of metadata where they
lie, because old and new metadata share them. A kill in the middle of such a write leaves a block that is
half of each: its checksum is wrong, and the file can no longer be opened (seen once in 2,000 kills, DuckDB
2.0). As long as the header did not move, the blocks as they were, with the log, are the whole truth: they are
kept in `<home>/state/metadata.before` and put back before the file is opened.
"""

from __future__ import annotations

import fcntl
import json
import os
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from warehouse.home import FILE_MODE, Home
from warehouse.statements import statement

HEADERS = (4096, 8192)  # where the two headers lie that take turns, and their length
FIRST_BLOCK = 12_288


class Preimage:
    """The metadata of one file before its next checkpoint.

    Its handle stays open as long as the connection does: closing any handle of a file gives back the lock
    that DuckDB holds on it.
    """

    def __init__(self, home: Home) -> None:
        self._path = home.state / "metadata.before"
        self._handle = os.open(home.master, os.O_RDWR)
        self._kept = self._headers_kept()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)

    def put_back(self) -> int:
        """Undo a checkpoint that did not come to its end; returns how many blocks it had changed.

        Nothing is done while somebody else has the file open, or where the header moved on: then the
        checkpoint had written all its metadata.
        """
        if self._kept is None or self._kept != self._headers() or not self._is_ours():
            return 0
        found = _read(self._path)
        if found is None:
            self._kept = None  # not whole: to be kept anew
            return 0
        size, blocks = found
        torn = [at for at, block in blocks.items() if os.pread(self._handle, size, at) != block]
        for at in torn:
            _write_all(self._handle, blocks[at], at)
        if torn:
            os.fsync(self._handle)
        return len(torn)

    def keep(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep the metadata as it is in force now, unless that is kept already."""
        headers = self._headers()
        if headers == self._kept:
            return
        rows = connection.execute(statement("metadata_blocks")).fetchall()
        size = int(rows[0][1]) if rows else 0
        places = [FIRST_BLOCK + int(row[0]) * size for row in rows]
        body = headers + b"".join(os.pread(self._handle, size, at) for at in places)
        head = json.dumps({"bytes": size, "places": places, "sha256": sha256(body).hexdigest()})
        _replace(self._path, head.encode() + b"\n" + body)
        self._kept = headers

    def _headers(self) -> bytes:
        start, length = HEADERS
        return os.pread(self._handle, length, start)

    def _headers_kept(self) -> bytes | None:
        try:
            with self._path.open("rb") as file:
                file.readline()
                return file.read(HEADERS[1])
        except FileNotFoundError:
            return None

    def _is_ours(self) -> bool:
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        fcntl.lockf(self._handle, fcntl.LOCK_UN)
        return True


def forget(home: Home) -> None:
    """Before another file takes the master's place: its headers may look like those of the one before."""
    (home.state / "metadata.before").unlink(missing_ok=True)


def _read(path: Path) -> tuple[int, dict[int, bytes]] | None:
    """The length of a block and the blocks by their place; None where the file is not whole."""
    with path.open("rb") as file:
        try:
            head = json.loads(file.readline())
        except ValueError:
            return None
        body = file.read()
    if sha256(body).hexdigest() != head["sha256"]:
        return None
    size, blocks = int(head["bytes"]), body[HEADERS[1] :]
    return size, {int(at): blocks[i * size : (i + 1) * size] for i, at in enumerate(head["places"])}


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, FILE_MODE)
    try:
        _write_all(handle, content, 0)
        os.fdatasync(handle)
    finally:
        os.close(handle)
    fresh.replace(path)


def _write_all(handle: int, content: bytes, at: int) -> None:
    done = 0
    while done < len(content):
        done += os.pwrite(handle, content[done:], at + done)
