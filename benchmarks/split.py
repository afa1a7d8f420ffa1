"""Where an ingest's processor time goes: seconds per part of the work, each in the thread that does it."""

import time
from collections.abc import Callable
from typing import Any

from tasks import _ingest_batches, _ingest_threads, ingest
from tasks.sources._received import Received

PARTS: list[tuple[str, Any, str]] = [
    ("fetch and parse", _ingest_threads, "_run"),
    ("keep what was received", Received, "write"),
    ("frames", _ingest_batches, "frame_of"),
    ("gate", _ingest_batches, "judge"),
    ("open, load, close", _ingest_batches.Batches, "_store"),
    ("gaps", ingest._Run, "_settle"),  # noqa: SLF001 - a benchmark looks inside
]


def follow() -> dict[str, float]:
    """From now on, add up what each part takes (CPU seconds of its thread)."""
    spent = {name: 0.0 for name, _, _ in PARTS}
    for name, owner, attribute in PARTS:
        setattr(owner, attribute, _timed(getattr(owner, attribute), name, spent))
    return spent


def _timed(work: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **named: Any) -> Any:
        before = time.thread_time()
        try:
            return work(*args, **named)
        finally:
            spent[name] += time.thread_time() - before

    return timed
