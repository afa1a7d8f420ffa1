# ruff: noqa: N818 - each name says what happened; "Error" would add nothing
"""What can go wrong in the warehouse, one type per remedy.

Every message says what was wanted, what was found and what to do.
"""

from datetime import datetime


class WarehouseError(Exception):
    """Anything the warehouse refuses or can not do."""


class WriterBusy(WarehouseError):
    """Another process holds the master.

    Attributes:
        pid: Process that holds it; None when it can not be told.
        since: When it took the lock, aware UTC; None when it can not be told.
        purpose: What it said it is doing.
    """

    def __init__(self, pid: int | None, since: datetime | None, purpose: str) -> None:
        self.pid, self.since, self.purpose = pid, since, purpose
        holder = f"process {pid}" if pid is not None else "another process"
        moment = f" since {since:%Y-%m-%d %H:%M:%S} UTC" if since is not None else ""
        super().__init__(
            f"The warehouse could not be opened for writing: {holder} holds it{moment} ({purpose}). "
            "Wait for it to end, or end that process; nothing was changed."
        )


class LeaseHeld(WarehouseError):
    """Another run of the same flow is alive.

    Attributes:
        run_id: That run.
        pid: Its process.
    """

    exit_status = 5

    def __init__(self, flow: str, run_id: str, pid: int, since: datetime) -> None:
        self.run_id, self.pid, self.since = run_id, pid, since
        super().__init__(
            f"This run of {flow} did nothing: {run_id} (process {pid}) is at it since "
            f"{since:%Y-%m-%d %H:%M:%S} UTC. What this one would have done, that one or the next slot does."
        )


class LeaseLost(WarehouseError):
    """Another run took this run's lease over while it gave no sign of life."""

    exit_status = 5


class MixedHome(WarehouseError):
    """Simulated data meets a home with live data, or the reverse."""


class UnsafeHome(WarehouseError):
    """A path of the home is a link or belongs to somebody else."""


class NoSpace(WarehouseError):
    """Too little free disk space to write safely."""


class DiskTrouble(WarehouseError):
    """The file system refuses: read-only, broken, or not ours."""

    exit_status = 3


class DamagedWarehouse(WarehouseError):
    """The master is behind what was acknowledged, or can not be read."""


class SchemaDrift(WarehouseError):
    """The tables in the file differ from the SQL files."""


class NewerHome(WarehouseError):
    """A later version of this code has changed the tables; this one would write them wrongly."""

    exit_status = 2


class ConflictingBatch(WarehouseError):
    """One batch has two different values for one key; nothing of it was written."""


class BadRows(WarehouseError):
    """Rows do not fit the columns they are meant for."""


class NothingPublished(WarehouseError):
    """There is no published snapshot to read yet."""


class UnknownTable(WarehouseError):
    """No such table in the catalogue."""


class UnknownQuery(WarehouseError):
    """No such named query, or its parameters differ."""


class RefusedStatement(WarehouseError):
    """A statement that a reader may not run."""


class QueryFailed(WarehouseError):
    """DuckDB refused a query that was allowed."""
