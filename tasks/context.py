"""What every task verb is given: the settings, the two times, the run's name and where to report progress.

It is a plain frozen value: no connection, no frame and no secret travels in it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tasks.clock import Clock
from tasks.settings import Settings
from warehouse.home import Fence, Home


class Reporter(Protocol):
    """Where a task says how far it is; the rich one lives in flows."""

    def start(self, label: str, total: int) -> None:
        """Begin a line of progress; `total` is in the label's own unit (0 = not known yet)."""
        ...

    def advance(self, label: str, n: int = 1) -> None:
        """Move a line of progress on by `n`; a label that was not started is ignored."""
        ...

    def note(self, text: str) -> None:
        """Say one thing that a person watching the run should know."""
        ...


class SilentReporter:
    """Reports nothing: for `--quiet`, deployments and tests."""

    def start(self, label: str, total: int) -> None:
        """Ignore."""

    def advance(self, label: str, n: int = 1) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""


@dataclass(frozen=True)
class RunContext:
    """One run of one flow.

    Attributes:
        settings: the configuration as loaded; no secret is in it.
        as_of: data time, timezone-aware UTC: what the run may see, and the stamp of what it learns.
        run_id: names the run in `ops.runs` and in every verdict.
        flow: the story being told, such as `run` or `ingest`.
        slot: the scheduled instant the run stands for, timezone-aware UTC.
        is_scheduled: a deployment started it: the slot counts in `ops.expected_runs`.
        fence: the run's hold on its flow's lease; every writing of its home asks it first.
        clock: the real clock, for waits and timeouts only.
        reporter: where progress is said.
    """

    settings: Settings
    as_of: datetime
    run_id: str
    flow: str
    slot: datetime
    clock: Clock
    reporter: Reporter
    is_scheduled: bool = False
    fence: Fence | None = field(default=None, compare=False)

    @property
    def home(self) -> Home:
        """The warehouse's home, as this run may write it."""
        return Home(self.settings.warehouse.home, self.fence, self.settings.warehouse.memory_limit)

    def __post_init__(self) -> None:
        for name, value in (("as_of", self.as_of), ("slot", self.slot)):
            if value.utcoffset() != timedelta(0):
                raise ValueError(
                    f"RunContext.{name} must be a timezone-aware UTC datetime, got {value!r}; "
                    f"build it with tzinfo={UTC!r}."
                )
