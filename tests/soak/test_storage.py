"""The long form of tests/warehouse/test_storage_faults.py: `make soak`."""

import pytest

from tests.warehouse.support import FakeClock
from tests.warehouse.test_storage_faults import kills, publish_under_readers
from warehouse.home import Home
from warehouse.master import open_master

pytestmark = pytest.mark.soak


@pytest.fixture
def home(tmp_path) -> Home:
    made = Home(tmp_path / "home")
    with open_master(made, FakeClock(), "prepare"):
        pass
    return made


@pytest.mark.parametrize("seed", range(20))
def test_fifty_kills_twenty_times(home: Home, seed: int) -> None:
    kills(home, seed, 50)


def test_six_hundred_publications_under_eight_readers(home: Home) -> None:
    publish_under_readers(home, 600)
