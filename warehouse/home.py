"""The home: the folder that holds the master, its manifest, the published snapshots and received bytes.

Folders are 0750, private files 0600, snapshots 0640. A path that is a link or that belongs to somebody else
is refused, because whoever planted it could read or redirect what is written.
"""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from warehouse.errors import MixedHome, UnsafeHome

FOLDER_MODE = 0o750
FILE_MODE = 0o600
SNAPSHOT_MODE = 0o640


class Fence(Protocol):
    """What a run holds so that it may write; see warehouse/lease.py."""

    def check(self) -> None:
        """Raise `LeaseLost` where another run took over."""
        ...


@dataclass(frozen=True)
class Home:
    """Paths below one root; nothing is created until `prepare`.

    With a `fence` every writing first asks whether the run that holds it still may. DuckDB takes no more
    memory than `memory_limit` for a file of the home; what does not fit is put beside it.
    """

    root: Path
    fence: Fence | None = field(default=None, compare=False)
    memory_limit: str = field(default="2GB", compare=False)

    @property
    def master(self) -> Path:
        """The private database file that only one writer opens."""
        return self.root / "master.duckdb"

    @property
    def manifest(self) -> Path:
        """What was acknowledged, beside the master."""
        return self.root / "manifest.json"

    @property
    def lock(self) -> Path:
        """The writer's lock file."""
        return self.root / "writer.lock"

    @property
    def stamp_file(self) -> Path:
        """Says whether this home holds live or simulated data."""
        return self.root / "stamp.json"

    @property
    def published(self) -> Path:
        """Folder of the snapshots."""
        return self.root / "published"

    @property
    def current(self) -> Path:
        """Link to the newest snapshot."""
        return self.published / "current.duckdb"

    @property
    def received(self) -> Path:
        """Folder of bytes as they came."""
        return self.root / "received"

    @property
    def archive(self) -> Path:
        """Folder of old versions that were moved out of the master."""
        return self.root / "archive"

    @property
    def state(self) -> Path:
        """Folder of small files that outlive a run."""
        return self.root / "state"

    def snapshot(self, snapshot_id: int) -> Path:
        """Path of one snapshot."""
        return self.published / f"snapshot-{snapshot_id:06d}.duckdb"

    def prepare(self) -> None:
        """Create the folders and check that every path is ours.

        Raises:
            UnsafeHome: The master, its log, the manifest or a folder is a link or belongs to another user.
        """
        for folder in (self.root, self.published, self.received, self.state):
            if not folder.exists():
                folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                folder.chmod(FOLDER_MODE)
        wal = self.master.with_name(self.master.name + ".wal")
        for path in (self.published, self.received, self.state, self.master, wal, self.manifest, self.lock):
            _refuse_foreign(path)

    def stamp(self, simulated: bool) -> None:
        """Mark the home as live or simulated on first use; later check that it is the same.

        Raises:
            MixedHome: The home already holds the other kind.
        """
        known = self.is_simulated()
        if known is None:
            self.prepare()
            write_private(self.stamp_file, json.dumps({"simulated": simulated}))
            return
        if known != simulated:
            kinds = {True: "simulated", False: "live"}
            raise MixedHome(
                f"Simulated and live data never share a home. {self.root} holds {kinds[known]} data, and "
                "what just "
                f"arrived is {kinds[simulated]}. Use another folder with --home, or empty this one."
            )

    def is_simulated(self) -> bool | None:
        """True for simulated data, False for live data, None while nothing was stamped."""
        if not self.stamp_file.exists():
            return None
        return bool(json.loads(self.stamp_file.read_text(encoding="utf-8"))["simulated"])


def write_private(path: Path, text: str, mode: int = FILE_MODE) -> None:
    """Replace a small file atomically and durably: temporary file, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.chmod(mode)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_foreign(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise UnsafeHome(
            f"{path} should be the warehouse's own, but it is a link. Remove it or choose another --home."
        )
    if found.st_uid != os.geteuid():
        raise UnsafeHome(
            f"{path} should belong to user {os.geteuid()}, who runs this, but belongs to user "
            f"{found.st_uid}. "
            "Run as its owner, or choose another --home."
        )
