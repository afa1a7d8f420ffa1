"""Deployment `maintenance-weekly`: old versions to files, the master compacted."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.prefect_runner import open_scheduled, run_as_task
from flows.upkeep import upkeep


@flow(name="maintenance", persist_result=False)
def maintenance(config: str | None = None, home: str | None = None, as_of: str | None = None) -> State[Any]:
    """Keep the warehouse small: replaced versions and old verdicts go to Parquet, empty blocks go.

    Nothing is lost: past moments are read together with the files, and `trimtab maintain --restore` puts
    everything back. Nothing is fetched or decided, and nobody is told.
    """
    context = open_scheduled("maintenance", config, home, as_of)
    return Completed(message=" ".join(upkeep(run_as_task, context).sentences))
