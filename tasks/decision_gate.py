"""What the gate says to one decision: each dataset's state, and a judgement on its inputs line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pandas as pd

from expectations.decisions import judge_decision_inputs
from expectations.verdicts import Verdict
from portfolio.model import DatasetState, DecisionInputs, Freeze, is_cash
from tasks.context import RunContext
from tasks.known_assets import REFERENCE_CURRENCIES
from warehouse.master import open_master
from warehouse.snapshots import SnapshotInfo


@dataclass(frozen=True)
class JudgedInputs:
    """The gate's answer: lines it freezes, and one state that blocks when the whole frame is broken."""

    frozen: dict[str, Freeze]
    verdicts: tuple[Verdict, ...]
    failed_state: DatasetState | None


@dataclass(frozen=True)
class GateState:
    """What the last check of the published snapshot means for one portfolio.

    Attributes:
        datasets: each dataset's state: fresh by any of its sources, passed by all its rules.
        suspects: coins to be left alone, each with its reason code and sentence.
    """

    datasets: tuple[DatasetState, ...]
    suspects: dict[str, Freeze]


def gate_state(context: RunContext, portfolio: str, snapshot: SnapshotInfo) -> GateState:
    """Read what the check of this snapshot at this moment said; what nobody checked vouches for nothing.

    Args:
        context: The run.
        portfolio: Its name.
        snapshot: What will be decided on. Verdicts on anything published later do not count.
    """
    requires = context.settings.portfolios[portfolio].requires
    home = context.home
    with open_master(home, context.clock, purpose="read the gate's verdicts") as master:
        rows = master.rows("freshness_by_dataset", as_of=context.as_of)
        verdicts = master.rows("snapshot_verdicts", as_of=context.as_of, load_ceiling=snapshot.load_id)
        untrusted = master.rows("failed_canary")
        clock = master.rows("clock_verdict")
    broken = [row for row in verdicts if not row["success"]]
    failed = {
        row["dataset"]: row["message"]
        for row in broken
        if row["suite"] == "audit" and row["severity"] == "critical"
    }
    known = {row["dataset"] for row in rows}
    states = [
        DatasetState(
            dataset=row["dataset"],
            newest_data_at=row["newest_data_at"],
            age_seconds=row["age_seconds"],
            limit_seconds=float(row["limit_seconds"] or 0.0),
            is_fresh=bool(row["is_fresh"]),
            required=row["dataset"] in requires,
            passed_gate=_table_of(row["dataset"]) not in failed,
            detail=failed.get(_table_of(row["dataset"]), ""),
        )
        for row in rows
    ]
    for name in requires:
        if name not in known:
            limit = context.settings.gate.freshness[name].total_seconds()
            states.append(
                DatasetState(
                    dataset=name,
                    newest_data_at=None,
                    age_seconds=None,
                    limit_seconds=limit,
                    is_fresh=False,
                    required=True,
                )
            )
    if not any(row["suite"] == "audit" for row in verdicts):
        states = [_unjudged(context, name, snapshot) for name in requires or ("gate_verdicts",)]
    if untrusted:
        states.append(_untrusted(context, untrusted))
    if clock and not clock[0]["success"]:
        states.append(_wrong_clock(context, clock[0]))
    return GateState(tuple(states), _suspects(broken))


def _untrusted(context: RunContext, wrong: Sequence[Mapping[str, Any]]) -> DatasetState:
    """A gate that failed its own test vouches for nothing."""
    sentence = f"the gate failed its own test: {wrong[0]['message']} See trimtab validate --canary"
    return _closed(context, "gate_canary", sentence, "gate_untrusted")


def _wrong_clock(context: RunContext, verdict: Mapping[str, Any]) -> DatasetState:
    """A wrong clock makes a wrong as_of, and with it wrong ages and the wrong slot."""
    sentence = f"{verdict['message']} Correct it (`timedatectl`): the next fetch then ends this by itself."
    return _closed(context, "clock", sentence, "clock_skew")


def _unjudged(context: RunContext, name: str, snapshot: SnapshotInfo) -> DatasetState:
    sentence = (
        f"no check of snapshot {snapshot.snapshot_id} as of {context.as_of:%Y-%m-%d %H:%M} UTC is recorded; "
        "run trimtab validate, or trimtab run, which checks first"
    )
    return _closed(context, name, sentence)


def _closed(context: RunContext, name: str, sentence: str, reason_code: str = "") -> DatasetState:
    """A state that lets nothing pass, whatever the data."""
    return DatasetState(
        dataset=name,
        newest_data_at=context.as_of,
        age_seconds=0.0,
        limit_seconds=0.0,
        is_fresh=True,
        required=True,
        passed_gate=False,
        detail=sentence,
        reason_code=reason_code,
    )


def _table_of(dataset: str) -> str:
    """The audited table behind a dataset: the candles of all timeframes are one table."""
    return "candles" if dataset.startswith("candles_") else dataset


def _suspects(broken: Sequence[Mapping[str, Any]]) -> dict[str, Freeze]:
    found: dict[str, Freeze] = {}
    for row in broken:
        observed = row["observed"] or {}
        for asset in observed.get("assets") or ():
            found.setdefault(asset, Freeze(observed.get("reason_code") or "suspect_data", row["message"]))
    return found


def judge_inputs(context: RunContext, inputs: DecisionInputs) -> JudgedInputs:
    """Let the gate judge what a decision would rest on."""
    frame = _frame(inputs)
    if frame.empty:
        return JudgedInputs({}, (), None)  # nothing to judge: decide refuses an empty universe by itself
    gate = context.settings.gate
    answer = judge_decision_inputs(
        frame,
        portfolio=inputs.portfolio,
        run_id=context.run_id,
        judged_at=context.clock.now(),
        parameters={
            "min_venues": gate.min_venues,
            "peg_tolerance": gate.peg_tolerance,
            "max_price_age_hours": gate.freshness["candles_1d"].total_seconds() / 3600,
            "max_data_age_hours": 24 + gate.freshness["candles_1d"].total_seconds() / 3600,
        },
    )
    failed = None
    if answer.is_blocked:
        failed = DatasetState(
            dataset="decision_inputs",
            newest_data_at=inputs.as_of,
            age_seconds=0.0,
            limit_seconds=0.0,
            is_fresh=True,
            required=True,
            passed_gate=False,
            detail=answer.judgement.reason,
            reason_code="failed_gate",
        )
    frozen = {line: Freeze(code, sentence) for line, (code, sentence) in answer.frozen.items()}
    return JudgedInputs(frozen, answer.judgement.verdicts, failed)


def _frame(inputs: DecisionInputs) -> pd.DataFrame:
    """One row per line that may be decided: its history and its price in figures."""
    now = pd.Timestamp(inputs.as_of.astimezone(UTC).replace(tzinfo=None))
    rows: list[dict[str, object]] = []
    for line in inputs.returns.columns:
        sleeve, _, asset = str(line).partition(":")
        if line in inputs.frozen or (is_cash(line) and asset in REFERENCE_CURRENCIES):
            continue
        series = inputs.returns[line].dropna()
        mark = inputs.prices.get(line)
        age = None if mark is None else (inputs.as_of - mark.at).total_seconds() / 3600
        rows.append(
            {
                "sleeve": sleeve,
                "asset": asset,
                "observations": len(series),
                "newest_data_age_hours": (now - series.index[-1]).total_seconds() / 3600
                if len(series)
                else None,
                "price_usd": None if mark is None else mark.price_usd,
                # a stablecoin's dollar price is a daily figure with its own limit, checked when it was read
                "price_age_hours": 0.0 if is_cash(line) and mark is not None else age,
                "min_return": float(series.min()) if len(series) else None,
                "max_return": float(series.max()) if len(series) else None,
                "zero_return_share": float((series == 0).mean()) if len(series) else None,
                "volatility": float(series.std()) if len(series) > 1 else None,
                "venues": None if mark is None else mark.venues,
            }
        )
    return pd.DataFrame(rows)
