"""The step that keeps a home small.

Old versions and verdicts go to files, received bytes and pages of old runs go, and the master loses its empty
blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.context import RunContext
from tasks.recommendation_page import FOLDER
from tasks.sources._received import prune_received
from tasks.validation_page import prune_pages
from warehouse.compaction import compact
from warehouse.home import Home
from warehouse.retention import Moved, archive_old, restore_archives


@dataclass(frozen=True)
class MaintainSummary:
    """What maintenance did.

    Attributes:
        moved: Rows that went to files, or came back, per table.
        bytes_before: Size of the master before compaction.
        bytes_after: Size after.
        sentences: The same in plain words.
        received_bytes: Size of the received answers that were removed.
        pages: How many pages of old runs were removed.
    """

    moved: tuple[Moved, ...]
    bytes_before: int
    bytes_after: int
    sentences: tuple[str, ...]
    received_bytes: int = 0
    pages: int = 0


def maintain(context: RunContext) -> MaintainSummary:
    """Move what is old to files, remove what was kept for some days, rewrite the master if much is empty."""
    kept = context.settings.warehouse
    home = Home(kept.home)
    received = prune_received(home.received, kept.keep_received_days, context.clock)
    days = _days(kept.keep_pages_days)
    pages = prune_pages(home, context.clock.now() - days) if days else 0
    pages += prune_reports(home, context.clock.now() - days) if days else 0
    moved = archive_old(
        home,
        context.clock,
        keep_vintages=_days(kept.keep_vintages_days),
        keep_logs=_days(kept.keep_validations_days),
    )
    done = compact(home, context.clock, above=kept.compact_above)
    sentences = [f"{one.rows:,} rows of {one.table_name} moved to archive/{one.file}." for one in moved]
    if received:
        limit = f"keep_received_days = {kept.keep_received_days}"
        sentences.append(f"{_mb(received)} of received answers removed ({limit}).")
    if pages:
        sentences.append(
            f"{pages} old pages of validations and recommendations removed "
            f"(keep_pages_days = {kept.keep_pages_days})."
        )
    if done.bytes_after < done.bytes_before:
        sentences.append(f"The master shrank from {_mb(done.bytes_before)} to {_mb(done.bytes_after)}.")
    else:
        sentences.append(
            f"The master has {_mb(done.bytes_before)}, {done.free_share:.0%} of it free: left as it is."
        )
    return MaintainSummary(
        tuple(moved), done.bytes_before, done.bytes_after, tuple(sentences), received, pages
    )


def prune_reports(home: Home, before: datetime) -> int:
    """Remove the pages of recommendations written before a moment; `explain --html` writes any of them anew.

    The newest stays whatever its age. Returns how many went.
    """
    pages = sorted((home.published / FOLDER).glob("*.html"), key=lambda path: path.stat().st_mtime)
    gone = [path for path in pages[:-1] if path.stat().st_mtime < before.timestamp()]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def put_back(context: RunContext) -> MaintainSummary:
    """Put every archived row back into its table."""
    home = context.home
    moved = restore_archives(home, context.clock)
    size = home.master.stat().st_size
    sentences = [f"{one.rows:,} rows are back in {one.table_name}." for one in moved]
    return MaintainSummary(tuple(moved), size, size, tuple(sentences or ["Nothing is archived."]))


def _days(days: int) -> timedelta | None:
    return timedelta(days=days) if days else None


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
