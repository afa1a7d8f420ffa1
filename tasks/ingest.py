"""Fetch what is missing: from every configured source through the gate into the warehouse.

Sources work at the same time, one thread each; one writer takes their pages, lets the gate judge them in
batches and loads what passes. A source or a series that fails is named, and everything else goes on; the
next run resumes where each series stands.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from tasks._ingest_batches import Batches
from tasks._ingest_clocks import Clocks
from tasks._ingest_gaps import EARLIEST, earliest_in, gaps_to_ask, settle
from tasks._ingest_marks import RunMark
from tasks._ingest_threads import Channel, at_work, configured_sources
from tasks.context import RunContext
from tasks.settings import ConfigError
from tasks.sources._hosts import Hosts
from tasks.sources._model import (
    Advanced,
    Assignment,
    ClockRead,
    Event,
    Failure,
    Gap,
    Note,
    Page,
    SeriesKey,
    SeriesState,
    Source,
    Started,
)
from tasks.sources._received import Received
from tasks.stated_tables import store_stated
from warehouse.home import Home


@dataclass(frozen=True)
class DatasetSummary:
    """What came of one dataset of one source."""

    source: str
    dataset: str
    rows_received: int
    rows_new: int
    rows_revised: int
    rows_unchanged: int
    rows_quarantined: int
    loads: int


@dataclass(frozen=True)
class SourceFailure:
    """What could not be fetched; `is_required` tells whether the run's status follows from it."""

    source: str
    dataset: str
    series: str
    kind: str
    message: str
    is_required: bool

    @property
    def sentence(self) -> str:
        """For a person."""
        series = "" if self.series == "*" else f" {self.series}"
        return f"{self.source}{series} ({self.dataset}, {self.kind}): {self.message}"


@dataclass(frozen=True)
class IngestSummary:
    """What one ingest did.

    Attributes:
        datasets: counts per source and dataset.
        requests: requests sent, per source.
        failures: what could not be fetched.
        not_listed: series that provably have no rows yet, neither missing nor stale.
        unsupported: series that a source does not serve.
        notes: what a person should know and that is no failure.
        required_failed: a venue, or a source whose dataset a portfolio requires, failed: exit status 3.
    """

    datasets: tuple[DatasetSummary, ...]
    requests: tuple[tuple[str, int], ...]
    failures: tuple[SourceFailure, ...]
    not_listed: tuple[str, ...]
    unsupported: tuple[str, ...]
    notes: tuple[str, ...]
    required_failed: bool

    @property
    def rows_new(self) -> int:
        """Rows never seen before."""
        return sum(part.rows_new for part in self.datasets)

    @property
    def sentence(self) -> str:
        """One sentence for a person."""
        revised = sum(part.rows_revised for part in self.datasets)
        kept_out = sum(part.rows_quarantined for part in self.datasets)
        told = f"Fetched {self.rows_new:,} new rows from {len(self.requests)} sources"
        told += f", {revised:,} revised" if revised else ""
        told += f", {kept_out:,} kept out by the gate" if kept_out else ""
        if not self.failures:
            return f"{told}."
        names = ", ".join(dict.fromkeys(failure.source for failure in self.failures))
        return f"{told}; {len(self.failures)} requests failed ({names}). {self.failures[0].sentence}"


def ingest(
    context: RunContext,
    sources: tuple[str, ...] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> IngestSummary:
    """Fetch what is missing up to the run's as_of.

    Args:
        context: the run.
        sources: names of sources, such as `binance` or `fred`; none means all that are configured.
        since: begin here instead of at the configured start of history (aware UTC).
        until: end here (exclusive, aware UTC).

    Raises:
        ConfigError: a name that is not configured.
        WarehouseError: the home can not be written, another writer holds it, or it holds the other kind
            of data.
    """
    chosen = _chosen(configured_sources(context.settings), sources)
    context.home.prepare()
    return _Run(context, context.home).fetch(chosen, since, until)


class _Run:
    """The state of one ingest."""

    def __init__(self, context: RunContext, home: Home) -> None:
        self._context = context
        self._home = home
        self._batches = Batches(context, home)
        self._states: dict[tuple[str, SeriesKey], SeriesState] = {}
        self._mark = RunMark(home.state / "unsettled", context.run_id)
        self._touched: dict[str, datetime] = {}
        self._failures: list[Failure] = []
        self._notes: list[str] = []
        self._clocks = Clocks(context)
        self._requests: dict[str, int] = {}
        self._totals: dict[str, int] = {}

    def fetch(
        self, sources: Sequence[Source], since: datetime | None, until: datetime | None
    ) -> IngestSummary:
        context, channel = self._context, Channel()
        kept = context.settings.warehouse.keep_received_days
        received = Received(self._home.received, context.run_id, kept, context.clock)
        hosts = Hosts(self._home.state / "held_hosts.json", context.clock)
        stored, gaps = self._stored(sources)
        if self._mark.open():
            self._touched = {venue.id: EARLIEST for venue in context.settings.venues}
        work = [
            (
                source,
                Assignment(
                    settings=context.settings,
                    as_of=context.as_of,
                    since=since,
                    until=until,
                    states={key: state for (name, key), state in stored.items() if name == source.name},
                    gaps=gaps.get(source.name, ()),
                    home=self._home.root,
                    clock=context.clock,
                    hosts=hosts,
                    received=received,
                    emit=channel.emit,
                    stop=channel.stop,
                    offer=channel.offer,
                ),
            )
            for source in sources
        ]
        with closing(received), closing(self._mark):
            with at_work(work, channel):
                for event in channel.events(len(work)):
                    self._take(event)
            self._batches.flush()
            self._settle()
            self._mark.settled()
        return self._summary(sources)

    def _stored(
        self, sources: Sequence[Source]
    ) -> tuple[dict[tuple[str, SeriesKey], SeriesState], dict[str, list[Gap]]]:
        with self._batches.open("ingest: see where each series stands") as master:
            store_stated(master, self._context.settings)
            extents = {
                (
                    row["source"],
                    (row["dataset"], row["market_type"], row["market_id"], row["timeframe"]),
                ): row["held_from"]
                for row in master.rows("series_extent")
            }
            states = [SeriesState(**row) for row in master.rows("series_states")]
            as_of, now = self._context.as_of, self._context.clock.now()
            gaps = {
                source.name: gaps_to_ask(master, source.name, as_of, now)
                for source in sources
                if source.is_venue
            }
        return {
            (state.source, state.key): replace(state, held_from=extents.get((state.source, state.key)))
            for state in states
        }, gaps

    def _take(self, event: Event) -> None:
        reporter = self._context.reporter
        if isinstance(event, Page):
            self._take_page(event)
        elif isinstance(event, Failure):
            self._failures.append(event)
        elif isinstance(event, Started):
            # A venue's spot and perpetual faces each announce their own part.
            label = f"{event.source} {event.dataset}"
            self._totals[label] = self._totals.get(label, 0) + event.total
            reporter.start(label, self._totals[label])
        elif isinstance(event, Advanced):
            reporter.advance(f"{event.source} {event.dataset}", event.n)
        elif isinstance(event, Note):
            self._note(f"{event.source}: {event.text}")
        elif isinstance(event, ClockRead):
            self._clocks.take(event)
        else:
            self._requests[event.source] = event.requests

    def _take_page(self, page: Page) -> None:
        self._states.update({(page.source, state.key): state for state in page.series})
        earliest = earliest_in(page)
        if earliest is not None:
            self._mark.note(page.source, page.asked_gaps)
            self._touched[page.source] = min(earliest, self._touched.get(page.source, earliest))
        self._batches.take(page)

    def _settle(self) -> None:
        context = self._context
        for venue, earliest in self._touched.items():
            asked = self._mark.asked(venue)
            with self._batches.open(f"ingest {venue}: gaps") as master:
                settle(master, venue, earliest, asked, context.as_of, context.clock.now())

        with self._batches.open("ingest: clocks") as master:
            wrong = self._clocks.settle(master)
        if wrong:
            self._note(wrong)

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._context.reporter.note(text)

    def _summary(self, sources: Sequence[Source]) -> IngestSummary:
        required = {source.name for source in sources if _is_required(source, self._context)}
        failures = tuple(
            SourceFailure(**asdict(failure), is_required=failure.source in required)
            for failure in (*self._failures, *self._batches.failures)
        )
        return IngestSummary(
            datasets=tuple(
                DatasetSummary(source, dataset, **asdict(tally))
                for (source, dataset), tally in sorted(self._batches.tallies.items())
            ),
            requests=tuple(sorted(self._requests.items())),
            failures=failures,
            not_listed=self._named("not_listed"),
            unsupported=self._named("unsupported"),
            notes=tuple(self._notes),
            required_failed=any(failure.is_required for failure in failures),
        )

    def _named(self, status: str) -> tuple[str, ...]:
        return tuple(
            " ".join(part for part in (source, *state.key) if part)
            for (source, _), state in sorted(self._states.items())
            if state.status == status
        )


def _chosen(configured: Sequence[Source], names: Sequence[str]) -> list[Source]:
    known = [source.name for source in configured]
    for name in names:
        if name not in known:
            raise ConfigError(f"Wanted a configured source, found {name!r}. Configured: {', '.join(known)}.")
    return [source for source in configured if not names or source.name in names]


def _is_required(source: Source, context: RunContext) -> bool:
    """A venue always; another source where a portfolio cannot decide without one of its datasets."""
    needed = {name for portfolio in context.settings.portfolios.values() for name in portfolio.requires}
    return source.is_venue or any(dataset in needed for dataset in source.datasets)
