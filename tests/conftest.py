"""What holds for every test: the libraries are told to be quiet before any of them is imported."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tasks.settings import quiet_libraries

quiet_libraries()

from warehouse import opening  # noqa: E402 - after the libraries were told
from warehouse.connection import Engine  # noqa: E402
from warehouse.lock import Clock  # noqa: E402
from warehouse.schema import schema_hash  # noqa: E402

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


@pytest.fixture(scope="session", autouse=True)
def tables_made_once(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Making all tables takes longer than most tests: each process does it once and copies the file.

    Commands that tests start as processes of their own make theirs.
    """
    made = tmp_path_factory.mktemp("empty")
    really = opening.build_empty

    def copied(path: Path, clock: Clock, engine: Engine) -> None:
        template = made / f"{schema_hash()}.duckdb"
        if not template.exists():
            really(template, clock, engine)
        shutil.copyfile(template, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "build_empty", copied)
        yield
