"""Is this machine's clock right? What the sources' own clocks say in a run of the present.

A wrong clock makes a wrong as_of: the wrong slot, the wrong age of everything. Where at least two sources
say that it is wrong, that is on record until none says so any longer, and nothing is decided meanwhile.
"""

from __future__ import annotations

import json
from datetime import timedelta

from tasks.context import RunContext
from tasks.sources._model import ClockRead
from warehouse.master import Master

CODE = "clock_skew"
SUITE = "clock"
LARGEST_SKEW_SECONDS = 30.0
WITNESSES = 2
# A run whose as_of is further from the clock than this replays another time, and its market keeps that.
PRESENT = timedelta(hours=1)


class Clocks:
    """What the sources' clocks say in one run."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._read: dict[str, ClockRead] = {}

    def take(self, read: ClockRead) -> None:
        """Take one reading; of several services of a source the one that is furthest away counts."""
        if abs(self._context.clock.now() - self._context.as_of) >= PRESENT:
            return
        before = self._read.get(read.source)
        if before is None or abs(before.skew_seconds) < abs(read.skew_seconds):
            self._read[read.source] = read

    def settle(self, master: Master) -> str:
        """Record the verdict: wrong by the word of two, right when nobody objects; one alone changes nothing.

        Returns:
            A sentence for a person, empty where the clock is right or nobody told the time.
        """
        off = {
            name: round(read.skew_seconds)
            for name, read in sorted(self._read.items())
            if not abs(read.skew_seconds) <= LARGEST_SKEW_SECONDS
        }
        if not self._read:
            return ""
        said = ", ".join(f"{name} by {seconds:+,} s" for name, seconds in off.items())
        sentence = f"this machine's clock differs from the sources' own: {said}." if off else ""
        if not off or len(off) >= WITNESSES:
            master.append("ops.validations", [self._row(off, sentence)])
        return sentence

    def _row(self, off: dict[str, int], sentence: str) -> dict[str, object]:
        told_at = max(read.told_at for read in self._read.values())
        observed = {"reason_code": CODE, "told_at": told_at.isoformat(), "skew_seconds": off}
        return {
            "run_id": self._context.run_id,
            "suite": SUITE,
            "dataset": "clock",
            "expectation": "clocks_agree",
            "column_name": None,
            "severity": "critical",
            "success": not off,
            "observed": json.dumps(observed),
            "message": sentence or f"this machine's clock agrees with {', '.join(sorted(self._read))}.",
            "validated_at": self._context.clock.now(),
            "as_of": self._context.as_of,
            "load_ceiling": None,
        }
