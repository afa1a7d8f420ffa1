from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest

from sandbox.server import RunningSandbox, running_sandbox

# The standard library's client: the sandbox owes nothing to the clients that our sources use.
_OPENER = build_opener(ProxyHandler({}))


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self) -> Any:
        return json.loads(self.body)


def fetch(url: str, **query: object) -> Answer:
    full = url + ("?" + urlencode(query) if query else "")
    try:
        with _OPENER.open(full, timeout=20) as response:
            return Answer(response.status, response.headers, response.read())
    except HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


Get = Callable[..., Answer]


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def get(shared: RunningSandbox) -> Get:
    return lambda path, **query: fetch(shared.base_url + path, **query)
