"""Opening the master's file: created whole or not at all, checked against its manifest.

In: a home whose lock is held. Out: a connection that is up to date, verified and locked down.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.connection import Engine, connect, lock_down
from warehouse.errors import DamagedWarehouse, WriterBusy
from warehouse.home import FILE_MODE, Home, sync_folder
from warehouse.lock import POLL_SECONDS, Clock
from warehouse.manifest import RESTORE, Manifest, acknowledge, read_manifest, verify
from warehouse.points import reached
from warehouse.preimage import Preimage, forget
from warehouse.schema import create_schema, upgrade_schema
from warehouse.seal import is_sealed, seal


@dataclass(frozen=True, slots=True)
class Opened:
    """The open master.

    Attributes:
        connection: Up to date, verified and locked down.
        manifest: What was acknowledged so far.
        preimage: To be kept before anything is written.
    """

    connection: duckdb.DuckDBPyConnection
    manifest: Manifest
    preimage: Preimage


@contextmanager
def opened_file(
    home: Home, clock: Clock, engine: Engine, deadline: float, *, recount: bool = False
) -> Generator[Opened]:
    """The open master for the length of a block.

    Args:
        home: The home; its lock is held by the caller.
        clock: Waits and stamps.
        engine: How much of the machine may be used.
        deadline: On the clock's monotonic time: until then, wait for somebody who opened the file by hand.
        recount: Count all rows also of a file that nobody touched since it was closed.

    Raises:
        WriterBusy: Somebody opened the file itself and keeps it.
        DamagedWarehouse: The file is missing, unreadable, or behind what was acknowledged.
    """
    engine = engine.within(home.memory_limit)
    umask = os.umask(0o077)  # DuckDB creates its files readable by all otherwise
    try:
        manifest = read_manifest(home)
        if not home.master.exists():
            _create(home, clock, engine, manifest)
        kept = _keep_log(home)
        with Preimage(home) as preimage:
            connection = _connect_patiently(home, clock, engine, deadline, preimage)
            try:
                # Asked while DuckDB holds the file: somebody may have written it while we waited.
                untouched = kept is None and not log_of(home.master).exists()
                sealed = untouched and not recount and manifest is not None and is_sealed(home, manifest)
                preimage.keep(connection)
                verified = _verified(home, clock, connection, manifest, kept, sealed=sealed)
                yield Opened(connection, verified, preimage)
            finally:
                connection.close()
        _seal(home)
    finally:
        os.umask(umask)


def _create(home: Home, clock: Clock, engine: Engine, manifest: Manifest | None) -> None:
    if manifest is not None and manifest.commit_id > 0:
        raise DamagedWarehouse(f"{home.master} should exist, its manifest says so, but it is gone. {RESTORE}")
    # Built beside and renamed, so that a kill leaves either no master or a whole one.
    building = home.root / ".master.new.duckdb"
    for leftover in (building, log_of(building)):
        leftover.unlink(missing_ok=True)
    build_empty(building, clock, engine)
    building.chmod(FILE_MODE)
    reached("created")
    forget(home)
    building.replace(home.master)
    sync_folder(home.root)


def build_empty(path: Path, clock: Clock, engine: Engine) -> None:
    """Write a new file with every table, view and macro, and no rows of data."""
    connection = connect(path, engine)
    try:
        create_schema(connection, clock.now())
        connection.execute("checkpoint")
    finally:
        connection.close()


def _keep_log(home: Home) -> Path | None:
    """After a crash, copy the log before DuckDB replays and removes it: damage can then be looked into."""
    log = log_of(home.master)
    if not log.exists():
        return None
    kept = home.root / "master.duckdb.wal.kept"
    shutil.copyfile(log, kept)
    kept.chmod(FILE_MODE)
    return kept


def _connect_patiently(
    home: Home, clock: Clock, engine: Engine, deadline: float, preimage: Preimage
) -> duckdb.DuckDBPyConnection:
    while True:
        preimage.put_back()
        try:
            return connect(home.master, engine)
        except WriterBusy:
            if clock.monotonic() >= deadline:
                raise
            clock.sleep(POLL_SECONDS)


def _verified(
    home: Home,
    clock: Clock,
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest | None,
    kept: Path | None,
    *,
    sealed: bool,
) -> Manifest:
    try:
        ahead = verify(home, connection, manifest, sealed=sealed)
    except DamagedWarehouse:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        raise
    changed = upgrade_schema(connection, clock.now())
    lock_down(connection)
    if kept is not None:
        kept.unlink(missing_ok=True)
    if manifest is None or ahead or changed or not manifest.rows:
        return acknowledge(home, connection, manifest or Manifest())
    return manifest


def _seal(home: Home) -> None:
    manifest = read_manifest(home)
    if manifest is not None and not log_of(home.master).exists():
        seal(home, manifest)


def log_of(path: Path) -> Path:
    """Path of a database file's write-ahead log."""
    return path.with_name(path.name + ".wal")
