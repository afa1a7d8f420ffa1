"""Putting the master back from a verified snapshot.

In: a home whose master is lost or damaged. Out: a master equal to a published snapshot; the damaged files
are kept beside it. At most one cycle is lost, and the sources can be read again.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse.connection import connect, first_row
from warehouse.errors import DamagedWarehouse, NothingPublished, WarehouseError
from warehouse.home import FILE_MODE, Home, sync_folder
from warehouse.lock import Clock, hold_lock
from warehouse.manifest import Manifest, SnapshotRecord, read_manifest, write_manifest
from warehouse.master import DEFAULT_ENGINE, WAIT_SECONDS, Master
from warehouse.opening import log_of, opened_file
from warehouse.points import reached
from warehouse.preimage import forget
from warehouse.snapshots import SnapshotInfo, copy_durably, file_sha256, repoint, snapshot_info
from warehouse.statements import statement


def restore(
    home: Home, clock: Clock, snapshot_id: int | None = None, *, wait_seconds: float = WAIT_SECONDS
) -> SnapshotInfo:
    """Put the master back from a verified snapshot; the present file is kept beside it under another name.

    Args:
        home: The home.
        clock: The real clock.
        snapshot_id: Which one; None for the newest that is intact.
        wait_seconds: How long to wait for another writer.

    Raises:
        NothingPublished: No such snapshot, or none at all.
        DamagedWarehouse: The snapshot itself is damaged.
    """
    deadline = clock.monotonic() + wait_seconds
    with hold_lock(home, clock, "restore", wait_seconds):
        manifest = _known_snapshots(home)
        record = _choose(home, manifest, snapshot_id)
        fresh = home.root / "restored.duckdb"
        copy_durably(home.snapshot(record.snapshot_id), fresh, FILE_MODE)
        _set_aside(home, clock.now())
        forget(home)
        fresh.replace(home.master)
        sync_folder(home.root)
        reached("restored")
        # The manifest comes last: until then an opening still says that the master is behind it.
        write_manifest(home, replace(manifest, commit_id=record.commit_id, load_id=record.load_id, rows={}))
        with opened_file(home, clock, DEFAULT_ENGINE, deadline) as opened:
            info = snapshot_info(opened.connection)
            Master(home, clock, opened).acknowledge()
        repoint(home, home.snapshot(record.snapshot_id))
    if info is None:
        raise DamagedWarehouse(
            f"Snapshot {record.snapshot_id} should know its own number, but does not. Try an older one."
        )
    return info


def _known_snapshots(home: Home) -> Manifest:
    try:
        manifest = read_manifest(home)
    except DamagedWarehouse:
        manifest = None
    if manifest is not None and manifest.snapshots:
        return manifest
    # Without a manifest the files speak for themselves: each one is opened, which checks its blocks.
    records = [_read_record(home, int(path.stem.removeprefix("snapshot-"))) for path in _snapshot_files(home)]
    return replace(
        manifest or Manifest(), snapshots=tuple(record for record in records if record is not None)
    )


def _snapshot_files(home: Home) -> list[Path]:
    return sorted(home.published.glob("snapshot-[0-9]*.duckdb"))


def _read_record(home: Home, snapshot_id: int) -> SnapshotRecord | None:
    path = home.snapshot(snapshot_id)
    try:
        connection = connect(path, DEFAULT_ENGINE, read_only=True)
    except WarehouseError:
        return None
    try:
        info, state = snapshot_info(connection), first_row(connection, statement("state"))
    except duckdb.Error:
        return None
    finally:
        connection.close()
    if info is None or state is None:
        return None
    return SnapshotRecord(
        snapshot_id=snapshot_id,
        bytes=path.stat().st_size,
        sha256=file_sha256(path),
        load_id=info.load_id,
        commit_id=int(state[0]),
        as_of=info.as_of.isoformat(),
        published_at=info.published_at.isoformat(),
    )


def _choose(home: Home, manifest: Manifest, snapshot_id: int | None) -> SnapshotRecord:
    wanted = [r for r in reversed(manifest.snapshots) if snapshot_id in (None, r.snapshot_id)]
    if not wanted:
        known = ", ".join(str(r.snapshot_id) for r in manifest.snapshots) or "none"
        raise NothingPublished(
            f"Snapshot {snapshot_id or ''} was wanted, and these are there: {known}. Name one of them."
        )
    for record in wanted:
        path = home.snapshot(record.snapshot_id)
        if path.exists() and path.stat().st_size == record.bytes and file_sha256(path) == record.sha256:
            return record
    raise DamagedWarehouse(
        f"An intact snapshot was wanted under {home.published}, but the files differ from their checksums: "
        f"{', '.join(str(r.snapshot_id) for r in wanted)}. Name another with `trimtab restore SNAPSHOT`."
    )


def _set_aside(home: Home, now: datetime) -> None:
    for path in (log_of(home.master), home.master):
        if path.exists():
            path.replace(home.root / f"damaged-{now:%Y%m%dT%H%M%S}-{path.name}")
    sync_folder(home.root)
