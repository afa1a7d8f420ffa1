"""What a source is given and what it hands on: plain values, no connection and no client.

A source runs in a thread of its own and emits events; the one writer takes them. A `Page` carries rows
together with the state of the series they belong to, so that a cursor can move in the transaction that
stores its rows and never without them.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from tasks.clock import Clock
from tasks.settings_schema import Settings
from tasks.sources._hosts import Hosts
from tasks.sources._received import Received

Column = NDArray[Any]
# dataset, market_type, market_id, timeframe
SeriesKey = tuple[str, str, str, str]


@dataclass(frozen=True)
class SeriesState:
    """One series and how far it was read: a row of `ops.series` (instants are aware UTC).

    `held_from` is not stored: it is the first datum the warehouse holds, so that a longer history can be
    asked for.
    """

    source: str
    dataset: str
    market_type: str
    market_id: str
    timeframe: str
    asset: str
    status: str = "active"
    first_data_at: datetime | None = None
    newest_data_at: datetime | None = None
    fetched_until: datetime | None = None
    checked_at: datetime | None = None
    message: str = ""
    held_from: datetime | None = field(default=None, compare=False)

    @property
    def key(self) -> SeriesKey:
        """The key of `ops.series` within its source."""
        return (self.dataset, self.market_type, self.market_id, self.timeframe)


@dataclass(frozen=True)
class Gap:
    """A stretch without rows: from the first missing instant to the first that is there (aware UTC).

    Asked for, `attempts` is how often in this run; `is_lost` says that the source serves so old rows no more.
    """

    dataset: str
    market_type: str
    market_id: str
    timeframe: str
    start: datetime
    end: datetime
    attempts: int
    is_lost: bool = False

    @property
    def series(self) -> SeriesKey:
        """The series the gap is in."""
        return (self.dataset, self.market_type, self.market_id, self.timeframe)


@dataclass(frozen=True)
class Page:
    """Rows of one dataset, column by column, with the states of their series after them.

    Attributes:
        source: who sent them.
        dataset: the core table they are for.
        columns: one array per column, all of the same length.
        constants: columns that have one value in the whole page.
        series: the states that hold once these rows are stored.
        asked_gaps: stretches that were asked for, with how often; a hole that begins in one was asked for.
        is_simulated: whether the answers said that they come from a simulated market.
    """

    source: str
    dataset: str
    columns: Mapping[str, Column | Sequence[object]]
    constants: Mapping[str, object]
    series: tuple[SeriesState, ...]
    asked_gaps: tuple[Gap, ...] = ()
    is_simulated: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values()))) if self.columns else 0


@dataclass(frozen=True)
class Failure:
    """What could not be fetched and why; everything else went on."""

    source: str
    dataset: str
    series: str
    kind: str
    message: str


@dataclass(frozen=True)
class Started:
    """A source begins with a dataset of `total` series."""

    source: str
    dataset: str
    total: int


@dataclass(frozen=True)
class Advanced:
    """A source has finished `n` more series of a dataset."""

    source: str
    dataset: str
    n: int = 1


@dataclass(frozen=True)
class Note:
    """Something that a person should know and that is not a failure."""

    source: str
    text: str


@dataclass(frozen=True)
class Finished:
    """A source is done, whatever came of it."""

    source: str
    requests: int


@dataclass(frozen=True)
class ClockRead:
    """What a source's own clock said: its instant, and how many seconds that is ahead of this machine's."""

    source: str
    told_at: datetime
    skew_seconds: float


Event = Page | Failure | Started | Advanced | Note | ClockRead | Finished


def _decline(_: Event) -> bool:
    return False


@dataclass(frozen=True)
class Assignment:
    """What one source is asked to do in one run.

    Attributes:
        settings: the configuration.
        as_of: data time; nothing that became known later may be handed on.
        since: start of a range asked for by hand, None for what is missing.
        until: end of that range (exclusive).
        states: the series of this source as stored, by their key.
        gaps: stretches to be asked for again.
        home: the warehouse's folder, for what must outlive the run (bans, received bytes).
        clock: real time, for waits.
        hosts: which hosts asked us to stay away.
        received: where raw answers are kept.
        emit: takes an event; may hold the caller until the writer has caught up.
        stop: set when the run is to end early.
        offer: takes an event at once or answers False; for a caller that others wait for.
    """

    settings: Settings
    as_of: datetime
    since: datetime | None
    until: datetime | None
    states: Mapping[SeriesKey, SeriesState]
    gaps: Sequence[Gap]
    home: Path
    clock: Clock
    hosts: Hosts
    received: Received
    emit: Callable[[Event], None]
    stop: threading.Event
    offer: Callable[[Event], bool] = _decline


class Source(Protocol):
    """One provider of data; a file in this folder offers its own through `build(settings)`."""

    @property
    def name(self) -> str:
        """How the provider is called in tables and messages."""
        ...

    @property
    def datasets(self) -> tuple[str, ...]:
        """The core tables it fills."""
        ...

    @property
    def is_venue(self) -> bool:
        """True for an exchange: always required."""
        ...

    def run(self, assignment: Assignment) -> None:
        """Fetch what is missing and emit it; what fails is emitted as a `Failure`, never raised."""
        ...
