"""The mirror: core, mart and ops of the newest snapshot as Parquet files, for tools that do not speak DuckDB.

In: a published snapshot. Out: <home>/published/parquet-NNNNNN/<layer>/<table>.parquet behind the link
`parquet`, which leads to a whole mirror at every moment. Everything in it can be made again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb
from pyarrow import parquet

from warehouse.catalogue import load_catalogue
from warehouse.connection import Engine, connect, lock_down
from warehouse.errors import NothingPublished, WarehouseError
from warehouse.home import FOLDER_MODE, SNAPSHOT_MODE, Home, sync_folder
from warehouse.points import reached
from warehouse.snapshots import newest_snapshot, sync_file
from warehouse.statements import quote, statement

LAYERS = ("core", "mart", "ops")
CHUNK_ROWS = 50_000
ATTEMPTS = 3
KEPT = 2  # the newest, and the one that somebody may still be reading


def write_mirror(home: Home, engine: Engine) -> Path:
    """Write the newest snapshot as Parquet, unless that was done; the writer is not needed for it.

    Args:
        home: The home.
        engine: How much of the machine may be used.

    Returns:
        The folder of the mirror.

    Raises:
        NothingPublished: There is no snapshot yet.
    """
    for attempt in range(ATTEMPTS):
        snapshot = newest_snapshot(home)
        folder = home.published / snapshot.name.replace("snapshot-", "parquet-").removesuffix(".duckdb")
        try:
            _build(home, snapshot, folder, engine)
        except WarehouseError:
            # Meanwhile a newer one may have been published and this one removed.
            if snapshot.exists() or attempt == ATTEMPTS - 1:
                raise
        else:
            _repoint(home, folder)
            return folder
    raise NothingPublished(f"The newest snapshot under {home.published} vanished again and again. Try again.")


def _build(home: Home, snapshot: Path, folder: Path, engine: Engine) -> None:
    if folder.exists():
        return
    building = home.published / f".{folder.name}.{os.getpid()}.tmp"
    shutil.rmtree(building, ignore_errors=True)
    connection = connect(snapshot, engine, read_only=True)
    try:
        lock_down(connection)
        for table in load_catalogue().tables.values():
            if table.layer in LAYERS:
                _write(connection, table.full_name, building / table.layer / f"{table.name}.parquet")
    finally:
        connection.close()
    reached("mirrored")
    try:
        building.rename(folder)
    except OSError:  # another process was first; both are the same
        shutil.rmtree(building, ignore_errors=True)
    sync_folder(home.published)


def _write(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    for made in (path.parent.parent, path.parent):
        made.mkdir(mode=FOLDER_MODE, exist_ok=True)
        made.chmod(FOLDER_MODE)
    reader = connection.sql(statement("pass_through", source=quote(name))).to_arrow_reader(CHUNK_ROWS)
    with parquet.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
    path.chmod(SNAPSHOT_MODE)
    sync_file(path)


def _repoint(home: Home, folder: Path) -> None:
    link = home.published / "parquet"
    if not link.is_symlink() or link.readlink().name < folder.name:
        temporary = home.published / f".parquet.{os.getpid()}.tmp"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(folder.name)
        temporary.replace(link)
        sync_folder(home.published)
    for leftover in home.published.glob(".parquet-*.tmp"):
        if leftover.is_dir() and leftover.stat().st_mtime < folder.stat().st_mtime:
            shutil.rmtree(leftover, ignore_errors=True)
    old = sorted(path for path in home.published.glob("parquet-[0-9]*") if path.is_dir())[:-KEPT]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
