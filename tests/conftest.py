"""What holds for every test: the libraries are told to be quiet before any of them is imported."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tasks.settings import quiet_libraries

quiet_libraries()

WHOLE_JOBS = ("tests/flows/", "tests/faults/", "tests/test_invariants.py", "tests/tasks/test_backtest")


class ByServer(LoadFileScheduling):
    """By file, but what needs the Prefect server stays together: each process would start its own."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        folder = "tests/flows/deployed"
        return folder if file.startswith(f"{folder}/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # by number of tests: whole jobs, the longest, would come last
    return ByServer(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole jobs first, else random: what comes last should be short, so that no process waits long."""
    items.sort(key=lambda item: not item.nodeid.startswith(WHOLE_JOBS))
