"""Progress: bars on a terminal, plain lines in a log, nothing when asked to be quiet."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tasks.context import Reporter, SilentReporter


class BarReporter:
    """One bar per label on a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, int] = {}

    def start(self, label: str, total: int) -> None:
        """Begin a bar, or give one its total once it is known."""
        if label in self._bars:
            self._progress.update(self._bars[label], total=total or None)  # type: ignore[arg-type]  # rich's TaskID is an int
        else:
            self._bars[label] = self._progress.add_task(label, total=total or None)

    def advance(self, label: str, n: int = 1) -> None:
        """Move a bar on."""
        if label in self._bars:
            self._progress.advance(self._bars[label], n)  # type: ignore[arg-type]  # rich's TaskID is an int

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(text, markup=False, highlight=False)


class LineReporter:
    """Plain lines for a log: one when a label begins, one when it is complete."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._totals: dict[str, int] = {}
        self._done: dict[str, int] = {}

    def start(self, label: str, total: int) -> None:
        """Say that a label begins, or remember its total once it is known."""
        if label not in self._totals:
            self._line(f"{label}: started")
        self._totals[label] = total
        self._done.setdefault(label, 0)

    def advance(self, label: str, n: int = 1) -> None:
        """Count; say when the total is reached."""
        if label not in self._totals:
            return
        before, self._done[label] = self._done[label], self._done[label] + n
        total = self._totals[label]
        if total and before < total <= self._done[label]:
            self._line(f"{label}: done ({total})")

    def note(self, text: str) -> None:
        """Print a line."""
        self._line(text)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def reporting(*, quiet: bool) -> Generator[Reporter]:
    """The reporter that fits where stderr goes; answers go to stdout and stay clean."""
    if quiet:
        yield SilentReporter()
        return
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield LineReporter(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield BarReporter(progress)
