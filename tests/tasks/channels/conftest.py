import pytest

from tests.tasks.channels.sink import Sink


@pytest.fixture
def sink():
    running = Sink().start()
    yield running
    running.stop()
