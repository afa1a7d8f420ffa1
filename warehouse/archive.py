"""Archive files: rows that were moved out of the master, and how they are written, verified and read back.

In: an open database and a folder. Out: Parquet files that nobody ever edits. A file is durable and compared
row by row with what it replaces before anything is deleted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from warehouse.connection import first_row
from warehouse.errors import DamagedWarehouse
from warehouse.home import FILE_MODE, FOLDER_MODE, sync_folder
from warehouse.points import reached
from warehouse.snapshots import file_sha256
from warehouse.statements import quote, statement
from warehouse.values import into_database

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_ROWS = 50_000
_HERE = "ops.archives"


@dataclass(frozen=True, slots=True)
class Archive:
    """One file of archived rows; see ops.archives."""

    archive_id: int
    table_name: str
    file: str
    sha256: str
    rows: int
    known_before: datetime
    load_before: int


def listed_archives(connection: duckdb.DuckDBPyConnection, archives: str = _HERE) -> list[Archive]:
    """Archives whose rows are nowhere else, oldest first; `known_before` is naive UTC."""
    rows = connection.execute(statement("archives_listed", archives=quote(archives))).fetchall()
    return [Archive(int(i), t, f, s, int(n), before, int(load)) for i, t, f, s, n, before, load in rows]


def needed_archives(
    connection: duckdb.DuckDBPyConnection, present: set[str], as_of: datetime, ceiling: int | None
) -> list[Archive]:
    """Archives of an attached snapshot without which a past moment would be shown wrongly."""
    if _HERE not in present:
        return []
    moment = into_database(as_of)
    return [
        one
        for one in listed_archives(connection, f"snapshot.{_HERE}")
        if moment < one.known_before or (ceiling is not None and ceiling < one.load_before)
    ]


def bring_back(
    connection: duckdb.DuckDBPyConnection, folder: Path, archives: list[Archive]
) -> Mapping[str, str]:
    """Read archives into tables in memory; returns the quoted table for each table they came from.

    Raises:
        DamagedWarehouse: A file is missing or differs from its checksum.
    """
    found: dict[str, str] = {}
    for one in archives:
        connection.register("archived", read_archive(folder, one))
        place = quote(f"memory.main.archived {one.table_name.replace('.', ' ')}")
        name = "archived_more" if one.table_name in found else "archived_table"
        connection.execute(statement(name, name=place))
        connection.unregister("archived")
        found[one.table_name] = place
    return found


def read_archive(folder: Path, one: Archive) -> pa.Table:
    """The rows of one file.

    Raises:
        DamagedWarehouse: The file is missing or differs from its checksum.
    """
    path = folder / one.file
    if not path.is_file() or file_sha256(path) != one.sha256:
        raise DamagedWarehouse(
            f"{path} should hold {one.rows} older rows of {one.table_name} with checksum {one.sha256[:8]}…, "
            "but it is missing or changed. Put it back from a backup; nothing else is affected."
        )
    return _read(path)


def _read(path: Path) -> pa.Table:
    from pyarrow import parquet  # noqa: PLC0415 - every reader imports this module, few read an archive

    return parquet.read_table(path)


def write_archive(connection: duckdb.DuckDBPyConnection, folder: Path, name: str) -> tuple[str, str]:
    """Write what is staged as archivable to a durable file and read it back.

    Args:
        connection: The master's connection; the table archivable is staged.
        folder: Where archives are.
        name: The file's name without its ending; the beginning of its checksum is added.

    Returns:
        The file's name and its SHA-256.

    Raises:
        DamagedWarehouse: The file does not give back the rows; nothing was deleted.
    """
    from pyarrow import parquet  # noqa: PLC0415 - as above

    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    temporary = folder / f".{name}.tmp"
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        reader = connection.sql(statement("archive_select")).to_arrow_reader(CHUNK_ROWS)
        with parquet.ParquetWriter(file, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())
    digest = file_sha256(temporary)
    target = folder / f"{name}-{digest[:8]}.parquet"
    temporary.replace(target)
    sync_folder(folder)
    reached("archived")
    connection.register("archived", _read(target))
    (differing,) = first_row(connection, statement("archive_differs")) or (1,)
    connection.unregister("archived")
    if differing:
        raise DamagedWarehouse(
            f"{target} should hold exactly the rows it was made of, but {differing} differ. Nothing was "
            "deleted; look at the disk and run it again."
        )
    return target.name, digest
