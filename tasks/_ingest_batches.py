"""From pages to the warehouse: pages of one dataset become a batch, the gate judges it, the rest is loaded.

The write lock is taken per flush, not per run; judging happens before it. A cursor moves in the
transaction that stores its rows: where a batch is refused, its series stand still for the rest of the
run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

import numpy as np
import pandas as pd

from expectations.gate import Judgement, judge
from tasks.context import RunContext
from tasks.sources._model import Failure, Page, SeriesKey, SeriesState
from warehouse.connection import Engine
from warehouse.errors import BadRows, ConflictingBatch
from warehouse.home import Home
from warehouse.master import Master, open_master

# Judging and loading cost something per batch, memory per row.
ROWS_PER_BATCH = 100_000
# A slow source must not keep in memory for long what a crash would lose.
SECONDS_PER_FLUSH = 15.0
TEXT = pd.StringDtype(storage="pyarrow", na_value=np.nan)


@dataclass
class Tally:
    """What came of one dataset of one source."""

    rows_received: int = 0
    rows_new: int = 0
    rows_revised: int = 0
    rows_unchanged: int = 0
    rows_quarantined: int = 0
    loads: int = 0


@dataclass
class Pending:
    """Pages of one dataset of one source that wait for the writer."""

    source: str
    dataset: str
    started_at: datetime
    pages: list[Page] = field(default_factory=list[Page])
    rows: int = 0
    newest: dict[SeriesKey, SeriesState] = field(default_factory=dict[SeriesKey, SeriesState])
    flags: set[bool] = field(default_factory=set[bool])

    def take(self, page: Page) -> None:
        """Add a page; one without rows only tells how its series stand."""
        if page.rows:
            self.pages.append(page)
            self.flags.add(page.is_simulated)
        self.rows += page.rows
        self.newest.update({state.key: state for state in page.series})

    def frame(self) -> pd.DataFrame:
        """All rows as one frame; the pages are let go, for they are as large again."""
        frame = frame_of(self.pages)
        self.pages.clear()
        return frame


@dataclass(frozen=True)
class Judged:
    """A batch after the gate: what may be stored and what is kept out."""

    pending: Pending
    judgement: Judgement | None
    good: pd.DataFrame
    kept_out: pd.DataFrame

    @property
    def states(self) -> list[SeriesState]:
        """The newest state of every series in the batch."""
        return list(self.pending.newest.values())


class Batches:
    """The one writer of a run."""

    def __init__(self, context: RunContext, home: Home) -> None:
        self._context = context
        self._home = home
        self._engine = Engine(memory_limit=context.settings.warehouse.memory_limit)
        self._pending: dict[tuple[str, str], Pending] = {}
        self._stuck: set[tuple[str, SeriesKey]] = set()
        self._flushed_at = context.clock.monotonic()
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.failures: list[Failure] = []

    def open(self, purpose: str) -> Any:  # noqa: ANN401 - the context manager that open_master returns
        """Open the master with this configuration's limits."""
        return open_master(self._home, self._context.clock, purpose, engine=self._engine)

    def take(self, page: Page) -> None:
        """Take a page; write when enough has come together or time has passed."""
        if any((page.source, state.key) in self._stuck for state in page.series):
            return
        key = (page.source, page.dataset)
        waiting = self._pending.setdefault(key, Pending(*key, self._context.clock.now()))
        waiting.take(page)
        if self._context.clock.monotonic() - self._flushed_at > SECONDS_PER_FLUSH:
            self.flush()
        elif waiting.rows >= ROWS_PER_BATCH:
            self._flush([self._pending.pop(key)])

    def flush(self) -> None:
        """Judge and write everything that waits."""
        waiting, self._pending = list(self._pending.values()), {}
        self._flush(waiting)
        self._flushed_at = self._context.clock.monotonic()

    def _flush(self, waiting: Sequence[Pending]) -> None:
        if waiting:
            judged = [self._judge(pending) for pending in waiting]
            for batch in judged:
                self._stamp(batch.pending)
            self._store(judged)

    def _store(self, judged: list[Judged]) -> None:
        """Write all; each is let go before the file is closed, when DuckDB needs memory to compress."""
        names = dict.fromkeys(batch.pending.source for batch in judged)
        judged.reverse()
        with self.open(f"ingest {', '.join(names)}") as master:
            while judged:
                self._write(master, judged.pop())

    def _judge(self, pending: Pending) -> Judged:
        if not pending.pages:
            return Judged(pending, None, pd.DataFrame(), pd.DataFrame())
        frame = pending.frame()
        judgement = judge(
            f"core_{pending.dataset}",
            frame,
            dataset=pending.dataset,
            run_id=self._context.run_id,
            judged_at=self._context.clock.now(),
            parameters={"as_of": self._context.as_of},
        )
        if not judgement.offending:
            return Judged(pending, judgement, frame, frame.iloc[:0])
        positions = sorted(judgement.offending)
        kept_out = frame.iloc[positions].copy()
        kept_out["reason_code"] = [judgement.offending[at][0] for at in positions]
        kept_out["reason"] = [judgement.offending[at][1] for at in positions]
        return Judged(pending, judgement, frame.drop(index=frame.index[positions]), kept_out)

    def _stamp(self, pending: Pending) -> None:
        """Simulated and live data never share a home; raises MixedHome."""
        for flag in pending.flags:
            self._home.stamp(flag)

    def _write(self, master: Master, batch: Judged) -> None:
        pending, judgement = batch.pending, batch.judgement
        tally = self.tallies.setdefault((pending.source, pending.dataset), Tally())
        tally.rows_received += pending.rows
        if judgement is None:
            master.upsert("ops.series", [_series_row(state) for state in batch.states])
            return
        if judgement.refused:
            self._refuse(master, batch, judgement.reason)
            master.append("ops.validations", [verdict.row() for verdict in judgement.verdicts])
            return
        try:
            self._load(master, batch, judgement, tally)
        except (ConflictingBatch, BadRows) as error:
            self._refuse(master, batch, str(error))

    def _load(self, master: Master, batch: Judged, judgement: Judgement, tally: Tally) -> None:
        pending = batch.pending
        with master.transaction():
            done = master.load(
                pending.dataset,
                batch.good,
                source=pending.source,
                dataset=pending.dataset,
                as_of=self._context.as_of,
                started_at=pending.started_at,
                rows_received=pending.rows,
                rows_quarantined=len(batch.kept_out),
                message="" if judgement.passed else judgement.reason,
                quarantine=batch.kept_out,
                series=[_series_row(state) for state in batch.states],
            )
            master.append("ops.validations", [verdict.row() for verdict in judgement.verdicts])
        tally.rows_new += done.rows_new
        tally.rows_revised += done.rows_revised
        tally.rows_unchanged += done.rows_unchanged
        tally.rows_quarantined += len(batch.kept_out)
        tally.loads += 1

    def _refuse(self, master: Master, batch: Judged, reason: str) -> None:
        """Nothing of the batch is stored, its series stand still, and the reason is on record."""
        pending = batch.pending
        master.refuse(
            pending.dataset,
            source=pending.source,
            dataset=pending.dataset,
            as_of=self._context.as_of,
            started_at=pending.started_at,
            rows_received=pending.rows,
            message=reason,
            quarantine=batch.kept_out,
        )
        self._stuck |= {(pending.source, state.key) for state in batch.states}
        self.failures.append(Failure(pending.source, pending.dataset, "*", "gate", reason))


def frame_of(pages: Sequence[Page]) -> pd.DataFrame:
    """One frame of pages of the same dataset: column by column, without a row ever being an object."""
    counts = [page.rows for page in pages]
    codes = np.repeat(np.arange(len(pages)), counts)
    columns: dict[str, Any] = {}
    for name in pages[0].constants:
        values = pd.array([page.constants[name] for page in pages], dtype=TEXT)
        columns[name] = values.take(codes)
    for name in pages[0].columns:
        joined = np.concatenate([np.asarray(page.columns[name]) for page in pages])
        is_text = joined.dtype == object and all(isinstance(value, str) for value in joined[:1])
        columns[name] = pd.array(cast("Sequence[str]", joined), dtype=TEXT) if is_text else joined
    return pd.DataFrame(columns)


def _series_row(state: SeriesState) -> Mapping[str, Any]:
    row = dict(vars(replace(state)))
    row.pop("held_from")
    return row
