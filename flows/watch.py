"""Deployment `watch-quarter-hourly`: the watchdog where Prefect runs it too.

It sees what is late while Prefect works. That Prefect itself stopped is seen only by the same look from cron
or systemd (`trimtab watch`, docs/deploy.md); both remember in one file what was told, and tell it once.
"""

from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.prefect_runner import open_scheduled
from flows.safety import safe
from tasks.watch import watch as look


@flow(name="watch", persist_result=False)
def watch(config: str | None = None, home: str | None = None) -> State[Any]:
    """Say when data, runs or deliveries are overdue; one message per incident, one when it is over.

    It reads what is published, and writes nothing into the warehouse.
    """
    found = look(open_scheduled("watch", config, home, None))
    for sentence in found.failed:
        get_run_logger().warning("Not confirmed by %s", safe(sentence))
    if not found.findings:
        return Completed(message="Data, runs and deliveries are on time.")
    return Failed(name="Overdue", message=safe(" ".join(one.sentence for one in found.findings)))
