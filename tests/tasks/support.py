"""What tests of sources and of ingest share: a clock moved by hand, a small configuration, a context."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from tasks.context import RunContext, SilentReporter
from tasks.settings_schema import Settings
from tasks.sources._hosts import Hosts
from tasks.sources._model import Assignment, Event, Failure, Gap, Page, SeriesKey, SeriesState
from tasks.sources._received import Received

AS_OF = datetime(2026, 6, 30, 18, 20, tzinfo=UTC)


class FakeClock:
    def __init__(self, now: datetime = AS_OF) -> None:
        self.at, self.seconds, self.slept = now, 0.0, list[float]()

    def now(self) -> datetime:
        return self.at + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += max(0.0, seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


def small_settings(base_url: str, home: Path, **changes: Any) -> Settings:
    """BTC and ETH, six weeks of days and hours, one venue; `changes` replace whole sections."""
    sections: dict[str, Any] = {
        "config_path": home / "trimtab.toml",
        "warehouse": {"home": home},
        "network": {"attempts": 3},
        "venues": [{"id": "binance", "base_url": base_url}],
        "universe": {
            "quote": "USDT",
            "assets": ["BTC", "ETH"],
            "timeframes": ["1d", "1h"],
            "history_start": "2026-05-20",
        },
    }
    return Settings.model_validate(sections | changes)


def run_source(
    module: str,
    settings: Settings,
    *,
    as_of: datetime = AS_OF,
    states: Iterable[SeriesState] = (),
    gaps: Sequence[Gap] = (),
    clock: FakeClock | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Event]:
    """Run one source alone and return what it said."""
    ticking, home = clock or FakeClock(), settings.warehouse.home
    events: list[Event] = []
    received = Received(home / "received", "test", settings.warehouse.keep_received_days, ticking)
    stored: Mapping[SeriesKey, SeriesState] = {state.key: state for state in states}
    for source in import_module(f"tasks.sources.{module}").build(settings):
        hosts = Hosts(home / "state" / "held_hosts.json", ticking)
        source.run(
            Assignment(
                settings, as_of, since, until, stored, gaps, home, ticking, hosts, received, events.append,
                threading.Event(),
            )
        )  # fmt: skip
    received.close()
    return events


def pages(events: Iterable[Event], dataset: str) -> list[Page]:
    return [event for event in events if isinstance(event, Page) and event.dataset == dataset]


def failures(events: Iterable[Event]) -> list[Failure]:
    return [event for event in events if isinstance(event, Failure)]


def last_states(events: Iterable[Event]) -> dict[SeriesKey, SeriesState]:
    states: dict[SeriesKey, SeriesState] = {}
    for event in events:
        if isinstance(event, Page):
            states.update({state.key: state for state in event.series})
    return states


def make_context(
    settings: Settings, *, run_id: str = "run-1", as_of: datetime = AS_OF, clock: Any = None
) -> RunContext:
    return RunContext(settings, as_of, run_id, "ingest", as_of, clock or FakeClock(), SilentReporter())
