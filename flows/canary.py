"""Deployment `canary-weekly`: the gate itself is put to the test."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.prefect_runner import carried_out, open_scheduled
from flows.stories import prove_gate


@flow(name="canary", persist_result=False)
def canary(config: str | None = None, home: str | None = None, as_of: str | None = None) -> State[Any]:
    """Put known-bad batches to the gate, every one of which it must refuse.

    If it lets one through, the run ends as Blocked, an alert goes out, and nothing is decided until the
    canary passes again.
    """
    context = open_scheduled("canary", config, home, as_of)
    return carried_out(context, prove_gate)
