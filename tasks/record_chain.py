"""The scoreboard's chain: each row holds the hash of the one before, so that no row changes unseen.

A row's hash covers all its columns as JSON with sorted names. Cutting off the end leaves a chain that is
whole in itself: who wants to find that out keeps a hash and asks for it (`trimtab scoreboard --expect HASH`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

Row = Mapping[str, Any]
START = "0" * 64
# What a recommendation said, of its row; what became of it afterwards is not part of it.
SAID = (
    "recommendation_id portfolio as_of slot grade is_simulated reason_code objective method_used nav_usd "
    "turnover expected_benefit_bps benefit_return_bps benefit_risk_bps expected_cost_bps confidence "
    "input_snapshot inputs_hash config_hash code_version trades_hash"
).split()
WEIGHTS = ("sleeve", "asset", "current_weight", "target_weight")


def row_hash(row: Row) -> str:
    """The hash of a row: sha256 over `previous_hash` and every other column but itself."""
    content = {name: value for name, value in row.items() if name not in {"row_hash", "previous_hash"}}
    return _sha256(str(row["previous_hash"]) + _canonical(content))


def recommendation_hash(recommendation: Row, weights: Sequence[Row]) -> str:
    """The hash of what a recommendation said when it was made."""
    lines = sorted([row[name] for name in WEIGHTS] for row in weights)
    return _sha256(_canonical({"said": {name: recommendation[name] for name in SAID}, "weights": lines}))


def broken_link(rows: Sequence[Row]) -> str:
    """What is wrong with the first row that breaks the chain, as a sentence; empty when it is whole.

    Args:
        rows: of mart.scoreboard, in the order of `entry`.
    """
    before = START
    for number, row in enumerate(rows, start=1):
        name = f"entry {row['entry']} ({row['recommendation_id']})"
        if row["entry"] != number:
            return (
                f"The scoreboard should go on with entry {number}; it goes on with {name}: rows are missing."
            )
        if row["previous_hash"] != before:
            return f"The scoreboard is broken at {name}: it does not follow from the entry before it."
        if row["row_hash"] != row_hash(row):
            return f"The scoreboard is broken at {name}: its values are not those that were written."
        before = row["row_hash"]
    return ""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_told)


def _told(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in a chain")
