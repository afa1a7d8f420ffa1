"""From audits and ages to verdicts: what `ops.validations` and `ops.freshness` say.

Great Expectations judges two small frames: the summary of the SQL audits, and the ages of the datasets. Each
row of these becomes one verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from expectations.gate import judge
from expectations.verdicts import Judgement
from tasks.context import RunContext
from tasks.data_ages import DataAge

AUDIT, FRESHNESS = "audit", "freshness"


@dataclass(frozen=True)
class Stamp:
    """What all verdicts of one validation carry."""

    run_id: str
    as_of: datetime
    judged_at: datetime
    load_ceiling: int
    content: str

    def row(self, suite: str, dataset: str, expectation: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - cells
        """One row of `ops.validations`."""
        observed = {**values.pop("observed"), "content": self.content}
        return {
            "run_id": self.run_id,
            "suite": suite,
            "dataset": dataset,
            "expectation": expectation,
            "column_name": None,
            "observed": observed,
            "validated_at": self.judged_at,
            "as_of": self.as_of,
            "load_ceiling": self.load_ceiling,
            **values,
        }


def audit_rows(audits: Mapping[str, pd.DataFrame], stamp: Stamp) -> list[dict[str, Any]]:
    """Verdicts over whole tables: one for each rule of each audit."""
    frames = [frame.assign(audited=table) for table, frame in audits.items()]
    summary = pd.concat(frames, ignore_index=True)
    judged = summary.drop(columns=["examples", "assets"], errors="ignore")
    judgement = _judge(AUDIT, judged, stamp, {"tables": sorted(audits)})
    rows = [
        _audit_row(row, _is_kept(judgement, position), stamp)
        for position, row in enumerate(summary.to_dict("records"))
    ]
    return rows + _own_failures(judgement, audits, stamp)


def freshness_rows(ages: Sequence[DataAge], stale: Mapping[str, str], stamp: Stamp) -> list[dict[str, Any]]:
    """Verdicts over ages: one for each dataset and source, and one for each asset that is stale."""
    if not ages:
        return []
    frame = pd.DataFrame(
        {
            "dataset": [age.dataset for age in ages],
            "source": [age.source or "(none)" for age in ages],
            "age_seconds": pd.Series([age.age_seconds for age in ages], dtype="float64"),
            "limit_seconds": [age.limit_seconds for age in ages],
            "is_required": [bool(age.required_by) for age in ages],
        }
    )
    judgement = _judge(FRESHNESS, frame, stamp, {})
    rows = [_age_row(age, _is_kept(judgement, position), stamp) for position, age in enumerate(ages)]
    rows += [
        stamp.row(
            FRESHNESS,
            "candles_1d",
            "asset_is_fresh",
            column_name=asset,
            severity="warning",
            success=False,
            observed={"reason_code": "stale_price", "assets": [asset]},
            message=f"Stale: {why}",
        )
        for asset, why in stale.items()
    ]
    return rows + _own_failures(judgement, {age.dataset: None for age in ages}, stamp)


def age_rows(
    ages: Sequence[DataAge], verdicts: Sequence[Mapping[str, Any]], as_of: datetime
) -> list[dict[str, Any]]:
    """Rows of `ops.freshness`; what the gate did not call fresh is not."""
    fresh = {
        (row["dataset"], row["column_name"])
        for row in verdicts
        if row["expectation"] == "is_fresh" and row["success"]
    }
    return [
        {
            "dataset": age.dataset,
            "source": age.source,
            "newest_data_at": age.newest_data_at,
            "age_seconds": age.age_seconds,
            "limit_seconds": age.limit_seconds,
            "is_fresh": (age.dataset, age.source) in fresh,
            "checked_at": as_of,
            "required_by": list(age.required_by),
        }
        for age in ages
    ]


def stamp_of(context: RunContext, load_ceiling: int, content: str) -> Stamp:
    """The stamp of this run's verdicts."""
    return Stamp(context.run_id, context.as_of, context.clock.now(), load_ceiling, content)


def _judge(suite: str, frame: pd.DataFrame, stamp: Stamp, parameters: Mapping[str, Any]) -> Judgement:
    return judge(
        suite, frame, dataset=suite, run_id=stamp.run_id, judged_at=stamp.judged_at, parameters=parameters
    )


def _is_kept(judgement: Judgement, position: int) -> bool:
    """A row keeps its promise only if the gate could ask all of them."""
    return (
        not judgement.refused and position not in judgement.offending and position not in judgement.doubtful
    )


def _audit_row(row: Mapping[Any, Any], is_kept: bool, stamp: Stamp) -> dict[str, Any]:
    offenders = None if pd.isna(row["offenders"]) else int(row["offenders"])
    total = int(row["rows_judged"])
    assets = row.get("assets")
    observed = {
        "reason_code": row["reason_code"],
        "rows": total,
        "broken": offenders,
        "examples": row["examples"] if isinstance(row["examples"], str) else None,
        "assets": [str(asset) for asset in assets]
        if assets is not None and not isinstance(assets, float)
        else [],
    }
    if is_kept:
        message = f"Holds in all {total:,} rows of {row['audited']}: {row['wanted']}."
    else:
        count = "no answer" if offenders is None else f"{offenders:,} that are not so, in {total:,} rows"
        first = f"; first: {observed['examples']}" if observed["examples"] else ""
        message = f"Wanted in {row['audited']}: {row['wanted']}. Found: {count}{first}."
    return stamp.row(
        AUDIT,
        str(row["audited"]),
        str(row["rule"]),
        severity=row["severity"],
        success=is_kept,
        observed=observed,
        message=message,
    )


def _age_row(age: DataAge, is_kept: bool, stamp: Stamp) -> dict[str, Any]:
    return stamp.row(
        FRESHNESS,
        age.dataset,
        "is_fresh",
        column_name=age.source,
        severity="critical" if age.required_by else "warning",
        success=is_kept,
        observed={
            "reason_code": "stale_required_data" if age.required_by else "stale_data",
            "age_seconds": age.age_seconds,
            "limit_seconds": age.limit_seconds,
        },
        message=f"{'Fresh' if is_kept else 'Stale'}: {age.sentence()}",
    )


def _own_failures(judgement: Judgement, datasets: Mapping[str, Any], stamp: Stamp) -> list[dict[str, Any]]:
    """When the gate itself refused (something could not be asked), every dataset carries that verdict."""
    if not judgement.refused:
        return []
    return [
        stamp.row(
            judgement.verdicts[0].suite,
            dataset,
            "gate_could_ask",
            severity="critical",
            success=False,
            observed={"reason_code": judgement.reason_code},
            message=judgement.reason,
        )
        for dataset in datasets
    ]
