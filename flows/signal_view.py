"""Signals as people read them: the evidence of each, the best out of sample first."""

from __future__ import annotations

from typing import Any

from flows.paper import table

Row = dict[str, Any]


def evidence_table(found: list[Row]) -> object:
    """The evidence of signals, the best out of sample first."""
    columns = ("signal", "days", "IC", "rank IC", "IC out of sample", "t", "hit", "windows", "q", "proven")
    rows = [
        (
            row["signal"],
            str(row["horizon_days"]),
            _with_error(row, "ic", "ic_error"),
            _figure(row.get("rank_ic"), "+.3f"),
            _with_error(row, "walk_ic", "walk_error"),
            _figure(row.get("walk_t"), "+.1f"),
            _figure(row.get("hit"), ".0%"),
            str(row["windows"]),
            _figure(row["q_value"], ".3f"),
            "yes" if row["is_proven"] else "no",
        )
        for row in sorted(found, key=lambda r: (r["horizon_days"], -r.get("walk_t", -1e9), r["signal"]))
    ]
    return table(columns, rows, right=columns[1:-1])


def _with_error(row: Row, name: str, error: str) -> str:
    return f"{row[name]:+.3f} ± {row[error]:.3f}" if name in row and error in row else ""


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
