"""Plain words and JSON-ready figures for findings: what was wanted, what was found, and a few examples."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from expectations.engine import Finding
from expectations.rules import Rule

EXAMPLES = 3


def one_line(error: BaseException) -> str:
    """The first line of an error, with its kind."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"[:300]


def observed(finding: Finding, batch: pd.DataFrame, key: Sequence[str]) -> dict[str, Any]:
    """Figures of one finding for `ops.validations.observed`."""
    figures: dict[str, Any] = {
        "expectation": finding.rule.expectation,
        "reason_code": finding.rule.reason_code,
        "rows": len(batch),
        "broken": len(finding.rows),
    }
    if finding.error:
        figures["error"] = finding.error
    if finding.rows:
        figures["examples"] = examples(finding, batch, key)
        spread = _spread(finding, batch)
        if spread:
            figures["lowest"], figures["highest"] = spread
    return figures


def examples(finding: Finding, batch: pd.DataFrame, key: Sequence[str]) -> list[dict[str, Any]]:
    """The first broken rows: their key and the columns that the rule speaks about."""
    names = [name for name in dict.fromkeys((*key, *finding.rule.columns)) if name in batch.columns]
    rows = batch.loc[list(finding.rows[:EXAMPLES]), names]
    return [_shown(finding.rule, row) for row in rows.to_dict("records")]


def message(finding: Finding, batch: pd.DataFrame, key: Sequence[str]) -> str:
    """One verdict in words."""
    rule, rows = finding.rule, len(batch)
    if finding.error:
        return f"Wanted: {rule.wanted}. It could not be asked ({finding.error}), which counts as broken."
    if finding.success:
        return f"Holds for all {rows:,} rows: {rule.wanted}."
    if rule.found is not None or not finding.rows:
        return f"Wanted: {rule.wanted}. Found: {rule.found(batch) if rule.found else 'not so'}."
    spread = _spread(finding, batch)
    values = f" ({rule.columns[0]} from {spread[0]:g} to {spread[1]:g})" if spread else ""
    first = examples(finding, batch, key)[0]
    hint = _hint(rule, batch, finding.rows[0])
    return (
        f"Wanted: {rule.wanted}. Found: {len(finding.rows):,} of {rows:,} rows are not so{values}; first: "
        f"{phrase(first)}{hint}."
    )


def row_reasons(finding: Finding, batch: pd.DataFrame, rows: Sequence[int]) -> Iterator[tuple[int, str]]:
    """For each of these broken rows, why it is kept out."""
    rule = finding.rule
    shown = batch.loc[list(rows), [name for name in rule.columns if name in batch.columns]]
    for position, values in zip(rows, shown.to_dict("records"), strict=True):
        found = phrase(_shown(rule, values))
        yield position, f"Wanted: {rule.wanted}. Found: {found}{_hint(rule, batch, position)}."


def _shown(rule: Rule, values: Mapping[Any, Any]) -> dict[str, Any]:
    shown = {str(name): plain(value) for name, value in values.items()}
    if not rule.shows_missing_only:
        return shown
    return {
        name: value
        for name, value in shown.items()
        if value is None or value == "" or name not in rule.columns
    }


def phrase(values: Mapping[str, Any]) -> str:
    """`low 9.5, open 9.2`; a missing value says so."""
    return ", ".join(
        f"{name} {'is missing' if value in (None, '') else value}" for name, value in values.items()
    )


def plain(value: object) -> str | int | float | bool | None:
    """A cell as JSON can hold it: instants as ISO text, missing as None, what is not finite as text."""
    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ")
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if isinstance(value, str | int | float | bool) else str(value)


def _hint(rule: Rule, batch: pd.DataFrame, position: int) -> str:
    if rule.hint is None:
        return ""
    text = rule.hint({name: batch.loc[position, name] for name in rule.columns})
    return f" ({text})" if text else ""


def _spread(finding: Finding, batch: pd.DataFrame) -> tuple[float, float] | None:
    """Smallest and largest finite value of the broken rows of a float column: the worst is one of the two."""
    column = finding.rule.columns[0] if finding.rule.columns else ""
    if column not in batch.columns or batch[column].dtype != "float64":
        return None
    values = batch.loc[list(finding.rows), column]
    values = values[values.abs() < math.inf]
    return None if values.empty else (float(values.min()), float(values.max()))
