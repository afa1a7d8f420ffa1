"""The step that tests the gate itself: known-bad batches, every one of which must be refused.

A gate that lets one through can not be trusted with anything: the run is blocked, people are told, and
nothing is decided until the canary passes again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from expectations.canary import Answer, ask, canaries
from tasks.context import RunContext
from tasks.validate import ValidationSummary
from warehouse.master import open_master

CODE = "gate_untrusted"
SUITE = "canary"
SEND_WITHIN = timedelta(days=7)


def canary(context: RunContext) -> ValidationSummary:
    """Ask the gate about every known batch, and record each answer and, if one is wrong, an alert."""
    batches = canaries()
    context.reporter.start("canary", len(batches))
    now, answers = context.clock.now(), list[Answer]()
    for batch in batches:
        answers.append(ask(batch, context.run_id, now))
        context.reporter.advance("canary")
    wrong = [answer for answer in answers if not answer.is_right]
    bad = sum(1 for batch in batches if batch.fault is not None)
    caught = bad - sum(1 for answer in wrong if answer.canary.fault is not None)
    sentence = f"The gate caught {caught} of {bad} known-bad batches, and passed the sound ones."
    if wrong:
        sentence = (
            f"The gate can not be trusted: {len(wrong)} of {len(batches)} known batches were judged wrongly. "
            "Nothing is decided until `trimtab validate --canary` passes."
        )
    with (
        open_master(context.home, context.clock, purpose="canary") as master,
        master.transaction(),
    ):
        master.append("ops.validations", [_row(context, answer) for answer in answers])
        if wrong:
            master.append("ops.alerts", [_alert(context, sentence, wrong)])
    return ValidationSummary(
        passed=not wrong,
        sentences=(sentence, *(answer.message for answer in wrong)),
        failed=tuple(sorted({answer.canary.suite for answer in wrong})),
        stale=(),
        suspect_assets=(),
        reused_from="",
        snapshot_id=0,
    )


def _row(context: RunContext, answer: Answer) -> dict[str, Any]:
    return {
        "run_id": context.run_id,
        "suite": SUITE,
        "dataset": answer.canary.suite,
        "expectation": answer.canary.name,
        "column_name": None,
        "severity": "critical",
        "success": answer.is_right,
        "observed": {"reason_code": CODE, "wanted": answer.canary.reason_code},
        "message": answer.message,
        "validated_at": context.clock.now(),
        "as_of": context.as_of,
        "load_ceiling": None,
    }


def _alert(context: RunContext, sentence: str, wrong: list[Answer]) -> dict[str, Any]:
    now = context.clock.now()
    return {
        "alert_id": f"{context.run_id}-canary",
        "episode_id": "canary",
        "recommendation_id": None,
        "portfolio": None,
        "event": "blocked",
        "severity": "critical",
        "title": "Trimtab: BLOCKED, the gate can not be trusted",
        "body": "\n".join([sentence, *(answer.message for answer in wrong[:5])]),
        "created_at": now,
        "valid_until": None,
        "send_until": now + SEND_WITHIN,
        "status": "pending",
        "is_simulated": False,
    }
