"""Publishing the master as a snapshot for readers.

In: a home. Out: <home>/published/snapshot-NNNNNN.duckdb behind the link current.duckdb. The database is
checkpointed and closed before its file is copied, so a snapshot is always whole; the writer's lock is held
throughout.
"""

from dataclasses import replace
from datetime import datetime

from warehouse.connection import Engine
from warehouse.errors import WarehouseError
from warehouse.home import SNAPSHOT_MODE, Home
from warehouse.lock import Clock, hold_lock
from warehouse.manifest import Manifest, SnapshotRecord, write_manifest
from warehouse.master import DEFAULT_ENGINE, WAIT_SECONDS, Master
from warehouse.opening import log_of, opened_file
from warehouse.points import reached
from warehouse.snapshots import (
    MIN_FREE_BYTES,
    SnapshotInfo,
    copy_durably,
    refuse_little_space,
    remove_others,
    repoint,
    snapshot_info,
)


def publish(
    home: Home,
    clock: Clock,
    *,
    as_of: datetime,
    keep: int,
    wait_seconds: float = WAIT_SECONDS,
    engine: Engine = DEFAULT_ENGINE,
    min_free_bytes: int = MIN_FREE_BYTES,
) -> SnapshotInfo:
    """Make what is committed visible to readers; does nothing when the newest snapshot already shows it.

    Args:
        home: The home.
        clock: The real clock.
        as_of: Data time of the run, aware UTC.
        keep: How many snapshots to keep, at least one.
        wait_seconds: How long to wait for another writer.
        engine: How much of the machine may be used.
        min_free_bytes: Least free space; twice the master's size is wanted in any case.

    Raises:
        WriterBusy: Another writer holds the master.
        NoSpace: Too little free space for the copy; nothing was changed.
        DamagedWarehouse: The master is behind what was acknowledged, or has not its rows.
    """
    deadline = clock.monotonic() + wait_seconds
    with hold_lock(home, clock, "publish", wait_seconds):
        size = home.master.stat().st_size if home.master.exists() else 0
        refuse_little_space(home, max(2 * size, min_free_bytes))
        # What is published is counted as the last checkpoint left it, not as it was before.
        with opened_file(home, clock, engine, deadline, recount=True) as opened:
            master = Master(home, clock, opened)
            newest = snapshot_info(opened.connection)
            if (
                newest is not None
                and newest.as_of == as_of
                and _is_current(home, opened.manifest, newest.snapshot_id)
            ):
                return newest
            info = _announce(master, home, clock, as_of, newest)
        _copy_out(home, master.manifest, info, max(keep, 1))
    return info


def _is_current(home: Home, manifest: Manifest, snapshot_id: int) -> bool:
    shown = manifest.snapshots[-1] if manifest.snapshots else None
    return (
        shown is not None
        and (shown.snapshot_id, shown.commit_id) == (snapshot_id, manifest.commit_id)
        and home.current.is_symlink()
        and home.current.readlink().name == home.snapshot(snapshot_id).name
        and home.snapshot(snapshot_id).exists()
    )


def _announce(
    master: Master, home: Home, clock: Clock, as_of: datetime, newest: SnapshotInfo | None
) -> SnapshotInfo:
    # Numbers go on after a restore: a snapshot that is on disk keeps its number for good.
    used = [record.snapshot_id for record in master.manifest.snapshots]
    used.append(newest.snapshot_id if newest else 0)
    info = SnapshotInfo(
        snapshot_id=max(used) + 1,
        published_at=clock.now(),
        load_id=master.newest_load(),
        is_simulated=home.is_simulated() is True,
        as_of=as_of,
    )
    row = {
        name: getattr(info, name)
        for name in ("snapshot_id", "published_at", "as_of", "load_id", "is_simulated")
    }
    master.append("ops.publications", [row | {"bytes": home.master.stat().st_size}])
    master.checkpoint()
    return info


def _copy_out(home: Home, manifest: Manifest, info: SnapshotInfo, keep: int) -> None:
    if log_of(home.master).exists():
        raise WarehouseError(
            f"{log_of(home.master)} should be gone after a checkpoint. Close whoever opened the master."
        )
    target = home.snapshot(info.snapshot_id)
    digest = copy_durably(home.master, target, SNAPSHOT_MODE)
    record = SnapshotRecord(
        snapshot_id=info.snapshot_id,
        bytes=target.stat().st_size,
        sha256=digest,
        load_id=info.load_id,
        commit_id=manifest.commit_id,
        as_of=info.as_of.isoformat(),
        published_at=info.published_at.isoformat(),
    )
    known = [r for r in manifest.snapshots if home.snapshot(r.snapshot_id).exists()]
    write_manifest(home, replace(manifest, snapshots=(*known, record)))
    reached("before_repoint")
    repoint(home, target)
    kept = (*known, record)[-keep:]
    write_manifest(home, replace(manifest, snapshots=kept))
    remove_others(home, {r.snapshot_id for r in kept})
