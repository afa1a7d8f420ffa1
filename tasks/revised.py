"""Inputs of a recommendation that were revised after it was made: it is flagged, never rewritten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tasks.settings import Settings
from warehouse.reader import Reader
from warehouse.revisions import Revision, revisions

Row = dict[str, Any]
FLAG = "inputs_revised"
MOST = 200


def with_revised_inputs(
    reader: Reader, whole: dict[str, Any], settings: Settings, until: datetime
) -> dict[str, Any]:
    """Add to what is recorded of a recommendation which of its inputs have another value by now.

    Args:
        reader: Of the published snapshot.
        whole: As gathered.
        settings: `gate.revision_tolerance` says which changes count; the longest look-back, which facts.
        until: Aware UTC; what became known later is not looked at.

    Returns:
        The same with `inputs_revised` (fact, column, before, after), and that word among its flags if any is.
    """
    days = max((one.lookback_days for one in settings.portfolios.values()), default=365) + 1
    changed = [
        {"table": one.table_name, "fact": one.fact, **change}
        for one in revisions(reader, whole["as_of"], until, days, MOST)
        if whole["recommendation_id"] in one.recommendations
        for change in _beyond(one, settings.gate.revision_tolerance)
    ]
    flags = [*(whole["flags"] or ()), *([FLAG] if changed else [])]
    return {**whole, "flags": flags, FLAG: changed}


def revised_sentences(whole: Row) -> list[str]:
    """One for each value, as people read it."""
    return [
        f"{one['table']} {one['fact']}: {one['column']} {one['before'] or 'none'} → {one['after'] or 'none'}"
        for one in whole.get(FLAG, ())
    ]


def _beyond(one: Revision, tolerance: float) -> list[dict[str, str | None]]:
    return [change for change in one.changes if _is_beyond(change["before"], change["after"], tolerance)]


def _is_beyond(before: str | None, after: str | None, tolerance: float) -> bool:
    try:
        earlier, later = float(before or ""), float(after or "")
    except ValueError:
        return before != after
    # A value that is no number compares as beyond.
    return not abs(later - earlier) <= tolerance * abs(earlier)
