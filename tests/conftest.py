"""What holds for every test: the libraries are quiet before any is imported, and modules stay together."""

import pytest

from tasks.settings import quiet_libraries

quiet_libraries()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module on one worker: many share one costly run, which two workers would both make."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
