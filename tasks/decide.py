"""The step that decides: published inputs, the gate's judgement, one pure decision, one commit.

A decision that is already recorded is found again and nothing is written: same portfolio, slot, configuration
and input values. What is new is stored with its weights, trades, lines, verdicts and alerts in one
transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from expectations.verdicts import Verdict
from portfolio.decision import decide, decision_id
from portfolio.model import Decision, DecisionInputs
from tasks.context import RunContext
from tasks.decision_check import checked
from tasks.decision_facts import facts_of
from tasks.decision_gate import gate_state, judge_inputs
from tasks.decision_rows import Record, rows_of
from tasks.inputs import load_inputs
from tasks.policy import config_hash, policy_of
from tasks.recommendation_page import page_path, write_page
from tasks.stated_tables import stated_tables
from tasks.told import gather
from warehouse.home import Home
from warehouse.master import Master, open_master
from warehouse.reader import open_point_in_time


@dataclass(frozen=True)
class RecommendSummary:
    """What was decided for one portfolio, and whether this run was the first to say so."""

    portfolio: str
    recommendation_id: str
    status: str
    reason_code: str
    reason: str
    is_new: bool
    is_announced: bool


def recommend(context: RunContext, portfolio: str, snapshot_id: int | None = None) -> RecommendSummary:
    """Decide one portfolio on what a published snapshot holds, and record the answer with its alerts.

    Args:
        context: The run.
        portfolio: Its name.
        snapshot_id: The snapshot that the gate judged, whatever was published since; None for the newest.
    """
    home = context.home
    stated = stated_tables(context.settings, portfolio)
    with open_point_in_time(home, context.as_of, snapshot_id=snapshot_id, stated=stated) as reader:
        state = gate_state(context, portfolio, reader.snapshot)
        loaded = load_inputs(reader, context, portfolio, state.datasets, state.suspects)
        snapshot, facts = reader.snapshot, facts_of(reader, state, context.as_of)
    inputs = loaded.inputs
    identity = decision_id(
        portfolio, inputs.slot, config_hash(context.settings, portfolio), inputs.content_hash()
    )
    found = _recorded(context, home, identity)
    if found is not None:
        return found
    decision, verdicts = decide_inputs(context, portfolio, inputs)
    record = Record(
        recommendation_id=identity,
        decision=decision,
        inputs_hash=inputs.content_hash(),
        input_snapshot=f"{snapshot.snapshot_id}@{snapshot.load_id}",
        outside=loaded.outside,
        data_at=loaded.newest_data_at,
        verdicts=verdicts,
        facts=facts,
        heard=loaded.heard,
    )
    return _store(context, home, record)


def decide_inputs(
    context: RunContext, portfolio: str, inputs: DecisionInputs
) -> tuple[Decision, tuple[Verdict, ...]]:
    """Let the gate judge the inputs, freeze what it names, decide, and let the gate judge the answer."""
    judged = judge_inputs(context, inputs)
    frozen = {**judged.frozen, **inputs.frozen}
    states = inputs.datasets if judged.failed_state is None else (*inputs.datasets, judged.failed_state)
    safe = replace(inputs, frozen=frozen, datasets=states)
    policy = policy_of(context.settings, portfolio)
    decision, verdicts = checked(context, decide(safe, policy, context.settings.seed), safe, policy)
    return decision, (*judged.verdicts, *verdicts)


def _write_page(context: RunContext, whole: Mapping[str, Any]) -> None:
    """Leave the recommendation's page; what is recorded stands without it, and `explain --html` writes it."""
    try:
        write_page(page_path(context.home, whole["recommendation_id"]), dict(whole))
    except OSError as error:
        context.reporter.note(f"The page of {whole['recommendation_id']} could not be written: {error}.")


def _recorded(context: RunContext, home: Home, identity: str) -> RecommendSummary | None:
    with open_master(home, context.clock, purpose="look up a recommendation") as master:
        return _found(master, identity)


def _found(master: Master, identity: str) -> RecommendSummary | None:
    rows = master.rows("recommendation", recommendation_id=identity)
    if not rows:
        return None
    row = rows[0]
    return RecommendSummary(
        portfolio=row["portfolio"],
        recommendation_id=identity,
        status=row["status"],
        reason_code=row["reason_code"],
        reason=row["reason"],
        is_new=False,
        is_announced=False,
    )


def _store(context: RunContext, home: Home, record: Record) -> RecommendSummary:
    """Write the decision and its alerts in one transaction; another run may have been faster."""
    decision = record.decision
    with open_master(home, context.clock, purpose=f"record {record.recommendation_id}") as master:
        found = _found(master, record.recommendation_id)
        if found is not None:
            return found
        history = master.rows("portfolio_history", portfolio=decision.portfolio, slot=decision.slot)
        rows = rows_of(context, record, history[0] if history else {})
        with master.transaction():
            for table, items in rows.inserts.items():
                master.append(table, items)
            for table, items in rows.upserts.items():
                master.upsert(table, items)
            if rows.supersedes:
                master.run("supersede", recommendation_id=rows.supersedes)
        whole = gather(master, record.recommendation_id)
    if whole is not None:
        _write_page(context, whole)
    return RecommendSummary(
        portfolio=decision.portfolio,
        recommendation_id=record.recommendation_id,
        status=decision.status,
        reason_code=decision.reason_code,
        reason=decision.reason,
        is_new=True,
        is_announced=rows.is_announced,
    )
