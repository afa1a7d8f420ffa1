"""A home of its own for every test."""

import shutil
from pathlib import Path

import pytest

from tests.warehouse.support import FakeClock
from warehouse.home import Home
from warehouse.master import open_master


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Made once: creating all tables costs more than most tests."""
    made = Home(tmp_path_factory.mktemp("warehouse") / "home")
    with open_master(made, FakeClock(), "prepare the tests"):
        pass
    return made


@pytest.fixture
def home(empty_home: Home, tmp_path: Path) -> Home:
    """A home whose master has all tables and no rows."""
    shutil.copytree(empty_home.root, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def new_home(tmp_path: Path) -> Home:
    """A home that does not exist yet."""
    return Home(tmp_path / "home")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
