"""What holds for every test: the libraries are told to be quiet before any of them is imported."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tasks.settings import quiet_libraries

quiet_libraries()


class ByServer(LoadFileScheduling):
    """By file, but what needs the Prefect server stays together: each process would start its own."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        folder = "tests/flows/deployed"
        return folder if file.startswith(f"{folder}/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return ByServer(config, log) if config.getoption("dist") == "loadfile" else None
