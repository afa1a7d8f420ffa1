"""Deployment `notify-retry`: a channel that was down gets what it missed."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import stories
from flows.prefect_runner import carried_out, open_scheduled
from warehouse.errors import NothingPublished
from warehouse.home import Home
from warehouse.reader import open_published


@flow(name="deliver", persist_result=False)
def deliver(config: str | None = None, home: str | None = None) -> State[Any]:
    """Deliver the alerts that a channel has not had yet.

    With nothing pending it ends at once and writes nothing.
    """
    context = open_scheduled("notify", config, home, None)
    if not _is_pending(context.home):
        return Completed(message="Nothing is pending.")
    return carried_out(context, stories.deliver)


def _is_pending(home: Home) -> bool:
    try:
        with open_published(home) as reader:
            return bool(reader.rows("alerts_to_send"))
    except NothingPublished:
        return False
