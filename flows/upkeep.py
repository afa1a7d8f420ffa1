"""The story of maintenance: the week's upkeep as a run of its own, published like any other."""

from __future__ import annotations

from flows.steps import Runner, Step
from flows.stories import opened
from tasks.context import RunContext
from tasks.maintain import MaintainSummary, maintain, put_back

MAINTAIN = Step("move what is old to files, compact", maintain, timeout_seconds=3600)
PUT_BACK = Step("put archived rows back", put_back, timeout_seconds=3600)


def upkeep(run: Runner, context: RunContext, *, restore: bool = False) -> MaintainSummary:
    """Maintain the warehouse, or put archived rows back; then publish.

    Args:
        run: How steps are carried out.
        context: The run.
        restore: Put archived rows back instead.
    """
    with opened(run, context) as (leased, told):
        done = run(PUT_BACK if restore else MAINTAIN, leased)
        told.remark = " ".join(done.sentences)[:500]
    return done
