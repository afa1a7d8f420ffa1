"""What a decision is told beside the data, as a row and back: the gate's states, suspects, ended series.

These change with every check and every ingest; a replay needs them as they were.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from portfolio.model import DatasetState, Freeze
from tasks.decision_gate import GateState
from tasks.version import lock_hash
from warehouse.reader import Reader

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What one decision was told."""

    state: GateState
    delisted: tuple[Row, ...]


def facts_of(reader: Reader, state: GateState, as_of: datetime) -> Facts:
    """Gather what a decision is about to be told."""
    return Facts(state, tuple(reader.rows("delisted_series", as_of=as_of)))


def facts_row(recommendation_id: str, facts: Facts) -> dict[str, Any]:
    """The row of ops.decision_facts."""
    return {
        "recommendation_id": recommendation_id,
        "datasets": [_told(asdict(state)) for state in facts.state.datasets],
        "suspects": {asset: asdict(why) for asset, why in facts.state.suspects.items()},
        "delisted": [_told(row) for row in facts.delisted],
        "python_version": platform.python_version(),
        "lock_hash": lock_hash(),
    }


def read_facts(row: Row) -> Facts:
    """The facts of a stored row."""
    datasets = tuple(DatasetState(**_read(one)) for one in row["datasets"])
    suspects = {asset: Freeze(**why) for asset, why in row["suspects"].items()}
    return Facts(GateState(datasets, suspects), tuple(_read(one) for one in row["delisted"]))


def delisted_table(facts: Facts) -> dict[str, Sequence[Row]]:
    """The table of series as a decision may see it: only what had ended counts there."""
    return {"ops.series": facts.delisted}


def _told(row: Row) -> dict[str, Any]:
    return {
        name: {"at": value.isoformat()} if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _read(row: Row) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value["at"]) if isinstance(value, dict) and "at" in value else value
        for name, value in row.items()
    }
