"""Deployment `selftest`: the run that shows that schedules, worker and this checkout work together.

No data, no network, nothing written. `flows.prefect_setup` waits for one such run when `make serve` starts.
"""

from prefect import flow

from flows.checkout import ROOT, require_own_rooms


@flow(name="selftest", persist_result=False, timeout_seconds=120)
def selftest() -> dict[str, str]:
    """Show that a scheduled run completes.

    It reads no data and sends nothing: it only makes sure that the rooms of Trimtab are imported from the
    checkout that was deployed, and not from another package of the same name.
    """
    require_own_rooms()
    return {"checkout": str(ROOT)}
