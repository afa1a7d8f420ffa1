"""Published snapshots as files: names, copies, checksums, the link to the newest, and what to keep.

In: a home whose lock is held and a master that is closed. Out: files that readers open and nobody ever edits.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse.connection import first_row
from warehouse.errors import NoSpace, NothingPublished
from warehouse.home import Home, sync_folder
from warehouse.points import reached
from warehouse.statements import statement
from warehouse.values import out_of_database

CHUNK_BYTES = 8 * 1024 * 1024
# What a kernel or a file system answers that can not copy between these two files by itself.
NOT_IN_KERNEL = (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
MIN_FREE_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """One published snapshot.

    Attributes:
        snapshot_id: Ascending number, also in the file's name.
        published_at: Real time, aware UTC.
        load_id: Highest load it contains.
        is_simulated: Its data come from the simulated market.
        as_of: Data time of the run that published it, aware UTC.
    """

    snapshot_id: int
    published_at: datetime
    load_id: int
    is_simulated: bool
    as_of: datetime


def snapshot_info(connection: duckdb.DuckDBPyConnection) -> SnapshotInfo | None:
    """The newest publication the open file knows of, or None."""
    row = first_row(connection, statement("snapshot"))
    if row is None:
        return None
    snapshot_id, published_at, load_id, as_of, is_simulated = (out_of_database(v, "") for v in row)
    return SnapshotInfo(int(snapshot_id), published_at, int(load_id), bool(is_simulated), as_of)


def newest_snapshot(home: Home) -> Path:
    """The file behind the link to the newest snapshot.

    Raises:
        NothingPublished: There is no link, or it leads nowhere.
    """
    try:
        path = home.published / home.current.readlink().name
    except FileNotFoundError:
        path = home.current
    if not path.exists():
        raise NothingPublished(
            f"A published snapshot was wanted at {home.current}, and there is none yet. Run `trimtab run` "
            "first."
        )
    return path


def refuse_little_space(home: Home, wanted: int) -> None:
    """Stop before writing when the disk is nearly full.

    Raises:
        NoSpace: Fewer bytes are free than wanted.
    """
    free = shutil.disk_usage(home.root).free
    if free < wanted:
        raise NoSpace(
            f"{wanted / 1e6:,.0f} MB of free space were wanted under {home.root} before writing, and "
            f"{free / 1e6:,.0f} MB are free. Free some, or lower warehouse.keep_snapshots; nothing was "
            "changed."
        )


def copy_durably(source: Path, target: Path, mode: int) -> str:
    """Copy a file under a temporary name, make it durable, then rename it.

    Returns:
        SHA-256 of the copy.
    """
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        digest = _copy(source, temporary, mode)
    except OSError:
        temporary.unlink(missing_ok=True)  # half a copy would keep a full disk full
        raise
    temporary.chmod(mode)
    temporary.replace(target)
    sync_folder(target.parent)
    return digest


def _copy(source: Path, target: Path, mode: int) -> str:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb", buffering=0) as writing:
        while _copy_some(reading.fileno(), writing.fileno()):
            reached("mid_copy")
        # The disk writes while the processor sums; neither needs the other.
        with ThreadPoolExecutor(1) as beside:
            durable = beside.submit(os.fsync, writing.fileno())
            digest = file_sha256(target)
            durable.result()
    return digest


def _copy_some(source: int, target: int) -> int:
    """Copy the next stretch; returns its length, 0 at the end.

    Inside the kernel where it can: no byte passes through Python, and a file system that shares blocks
    between files shares them.
    """
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, CHUNK_BYTES)
        except OSError as error:
            if error.errno not in NOT_IN_KERNEL:
                raise
    chunk = os.read(source, CHUNK_BYTES // 8)  # larger pieces spend more on fresh memory than they save
    left = memoryview(chunk)
    while left:
        left = left[os.write(target, left) :]
    return len(chunk)


def sync_file(path: Path) -> None:
    """Make a file's content durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def repoint(home: Home, snapshot: Path) -> None:
    """Let the link lead to another snapshot, at once and durably; whoever has the old one open keeps it."""
    temporary = home.published / ".current.tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(snapshot.name)
    temporary.replace(home.current)
    sync_folder(home.published)


def remove_others(home: Home, kept: set[int]) -> None:
    """Remove snapshots that are not kept, and copies that a kill left half done."""
    names = {home.snapshot(snapshot_id).name for snapshot_id in kept}
    for path in home.published.glob("snapshot-*.duckdb"):
        if path.name not in names:
            path.unlink(missing_ok=True)
    for path in home.published.glob(".snapshot-*.tmp"):
        path.unlink(missing_ok=True)
