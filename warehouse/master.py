"""The master: the private database that one process at a time writes.

In: validated batches and rows. Out: committed transactions, each acknowledged in the manifest. Readers never
open it; they get the published snapshots.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from warehouse.arrow import frame_to_arrow
from warehouse.catalogue import load_catalogue
from warehouse.connection import Engine, first_row
from warehouse.errors import BadRows
from warehouse.headers import Table
from warehouse.home import Home
from warehouse.loading import LoadCounts, load_batch
from warehouse.lock import Clock, hold_lock
from warehouse.opening import opened_file
from warehouse.snapshots import MIN_FREE_BYTES, refuse_little_space
from warehouse.statements import statement
from warehouse.writing import Writer

WAIT_SECONDS = 30.0
DEFAULT_ENGINE = Engine()


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did.

    Attributes:
        load_id: Its number.
        rows_new: Keys never seen before.
        rows_revised: Keys whose values changed.
        rows_unchanged: Rows that were already there.
    """

    load_id: int
    rows_new: int
    rows_revised: int
    rows_unchanged: int


class Master(Writer):
    """The open master; made by `open_master` only."""

    def load(  # noqa: PLR0913 - the bookkeeping of one batch, every part named at the call
        self,
        table: str,
        frame: pd.DataFrame,
        *,
        source: str,
        dataset: str,
        as_of: datetime,
        started_at: datetime,
        rows_received: int,
        rows_quarantined: int = 0,
        message: str = "",
        quarantine: pd.DataFrame | None = None,
        series: Sequence[Mapping[str, Any]] | None = None,
    ) -> LoadResult:
        """Put one validated batch into raw and core, with its bookkeeping, in one transaction.

        Args:
            table: Name of a core table, such as "candles".
            frame: The rows: every column but load_id; timestamps naive UTC.
            source: Where they came from.
            dataset: The dataset they belong to.
            as_of: Data time of the run, aware UTC; revised values are known from then on.
            started_at: When fetching began, aware UTC.
            rows_received: Rows the source sent.
            rows_quarantined: Rows the gate kept out.
            message: What the operator should know.
            quarantine: The rows kept out, with the further columns reason_code and reason.
            series: Rows of ops.series to store over the old ones.

        Returns:
            The load's number and how many rows were new, revised or unchanged.

        Raises:
            ConflictingBatch: Two different values for one key; nothing was written.
            BadRows: Columns are missing, unknown or do not fit; nothing was written.
        """
        target = load_catalogue().table(f"core.{table}")
        with self.transaction():
            load_id = self.newest_load() + 1
            counts = LoadCounts(0, 0, 0)
            if len(frame):
                self.wrote(*filter(None, (target.like, target.full_name)))
                batch = frame_to_arrow(
                    self._complete(target, frame), self._types[target.full_name], target.full_name
                )
                counts = self._run_load(target, batch, load_id, as_of)
            facts = {
                "load_id": load_id,
                "source": source,
                "dataset": dataset,
                "as_of": as_of,
                "message": message,
            }
            times = {"started_at": started_at, "finished_at": self._clock.now()}
            received = {
                "rows_received": rows_received,
                "rows_quarantined": rows_quarantined,
                "status": "loaded",
            }
            self.append(
                "ops.loads",
                [facts | times | received | _counts(counts) | {"is_simulated": self._simulated()}],
            )
            if quarantine is not None and len(quarantine):
                self._quarantine(target, quarantine, load_id, dataset)
            if series:
                self.upsert("ops.series", series)
        return LoadResult(load_id, counts.rows_new, counts.rows_revised, counts.rows_unchanged)

    def refuse(
        self,
        table: str,
        *,
        source: str,
        dataset: str,
        as_of: datetime,
        started_at: datetime,
        rows_received: int,
        message: str,
        quarantine: pd.DataFrame | None = None,
    ) -> int:
        """Record that the gate refused a whole batch; nothing of it reaches raw or core.

        Returns:
            The load's number.
        """
        target = load_catalogue().table(f"core.{table}")
        kept_out = 0 if quarantine is None else len(quarantine)
        with self.transaction():
            load_id = self.newest_load() + 1
            facts = {
                "load_id": load_id,
                "source": source,
                "dataset": dataset,
                "as_of": as_of,
                "message": message,
            }
            times = {"started_at": started_at, "finished_at": self._clock.now()}
            received = {"rows_received": rows_received, "rows_quarantined": kept_out, "status": "refused"}
            none = _counts(LoadCounts(0, 0, 0))
            self.append("ops.loads", [facts | times | received | none | {"is_simulated": self._simulated()}])
            if quarantine is not None and kept_out:
                self._quarantine(target, quarantine, load_id, dataset)
        return load_id

    def newest_load(self) -> int:
        """Number of the newest load, 0 if there is none."""
        row = first_row(self._connection, statement("newest_load"))
        return int(row[0]) if row else 0

    def _simulated(self) -> bool:
        return self._home.is_simulated() is True

    def _complete(self, table: Table, frame: pd.DataFrame) -> pd.DataFrame:
        wanted = [name for name in table.column_names if name != "load_id"]
        missing = [name for name in wanted if name not in frame.columns]
        extra = [str(name) for name in frame.columns if name not in wanted]
        if missing or extra:
            raise BadRows(
                f"A batch for {table.full_name} needs exactly these columns: {', '.join(wanted)}. "
                f"Missing: {', '.join(missing) or 'none'}; not known: {', '.join(extra) or 'none'}."
            )
        return frame[wanted]

    def _run_load(self, target: Table, batch: pa.Table, load_id: int, as_of: datetime) -> LoadCounts:
        try:
            return load_batch(self._connection, target, batch, load_id=load_id, as_of=as_of)
        except duckdb.ConstraintException as error:
            raise BadRows(f"The batch for {target.full_name} breaks a rule of the table: {error}") from error

    def _quarantine(self, target: Table, frame: pd.DataFrame, load_id: int, dataset: str) -> None:
        now, reasons = self._clock.now(), {"reason_code", "reason"}
        clean = frame.astype(object).where(frame.notna(), None)
        rows = [
            {
                "load_id": load_id,
                "dataset": dataset,
                "key": json.dumps({name: row.get(name) for name in target.key}, default=str),
                "row": json.dumps({str(k): v for k, v in row.items() if k not in reasons}, default=str),
                "reason_code": row["reason_code"],
                "reason": row["reason"],
                "quarantined_at": now,
            }
            for row in clean.to_dict("records")
        ]
        self.append("ops.quarantine", rows)


def _counts(counts: LoadCounts) -> dict[str, int]:
    return {
        "rows_new": counts.rows_new,
        "rows_revised": counts.rows_revised,
        "rows_unchanged": counts.rows_unchanged,
    }


@contextmanager
def open_master(
    home: Home,
    clock: Clock,
    purpose: str,
    *,
    wait_seconds: float = WAIT_SECONDS,
    engine: Engine = DEFAULT_ENGINE,
    min_free_bytes: int = MIN_FREE_BYTES,
) -> Generator[Master]:
    """Open the master for one batch; create it on first use.

    Args:
        home: Where it lives.
        clock: The real clock: waits and stamps.
        purpose: What for, shown to those who wait, such as "ingest binance".
        wait_seconds: How long to wait for another writer.
        engine: How much of the machine may be used.
        min_free_bytes: Least free disk space to begin with.

    Raises:
        NoSpace: Too little free space; nothing was changed.
        WriterBusy: Another writer still holds it after the wait.
        DamagedWarehouse: The file is behind what was acknowledged, or unreadable.
        UnsafeHome: A path of the home is a link or belongs to somebody else.
    """
    deadline = clock.monotonic() + wait_seconds
    with hold_lock(home, clock, purpose, wait_seconds):
        refuse_little_space(home, min_free_bytes)
        with opened_file(home, clock, engine, deadline) as opened:
            yield Master(home, clock, opened)
