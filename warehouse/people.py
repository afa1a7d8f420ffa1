"""One line for a notebook: `from warehouse.people import connect`.

In: the home. Out: a DuckDB connection to the newest snapshot, read-only, in UTC, without any way out of it.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.connection import lock_down
from warehouse.home import Home
from warehouse.reader import DEFAULT_ENGINE, open_newest


def connect(home: str | Path = "data") -> duckdb.DuckDBPyConnection:
    """Open the newest published snapshot; call again for a newer one, an open one never changes.

    Args:
        home: The warehouse's home, `[warehouse] home` in the configuration.

    Raises:
        NothingPublished: Nothing was published there yet.
    """
    _, connection = open_newest(Home(Path(home).expanduser().absolute()), DEFAULT_ENGINE)
    lock_down(connection)
    return connection
