"""Every fault does what its name says, as often as its rule says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.request import Request, urlopen

import pytest

from sandbox.faults import ROW_KINDS, TRANSPORT_KINDS
from sandbox.server import RunningSandbox, running_sandbox
from tests.sandbox.conftest import fetch

KLINES = "/api/v3/klines"
WINDOW: dict[str, Any] = {"symbol": "BTCUSDT", "interval": "1h", "startTime": 1_767_225_600_000, "limit": 200}


class Sleeps:
    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
def sandbox(sleeps: Sleeps) -> Iterator[RunningSandbox]:
    with running_sandbox(sleep=sleeps) as running:
        yield running


def candles(sandbox: RunningSandbox) -> list[list[Any]]:
    return fetch(sandbox.base_url + KLINES, **WINDOW).json()


@pytest.mark.parametrize(
    ("kind", "status", "start"),
    [
        ("429", 429, b'{"code":-1003'),
        ("418", 418, b'{"code":-1003'),
        ("5xx", 503, b'{"code":-1001'),
        ("html", 502, b"<html>"),
        ("empty", 200, b""),
        ("badjson", 200, b'{"code":0,"data":[1,2,'),
    ],
)
def test_answers_instead_of_the_truth(sandbox: RunningSandbox, kind: str, status: int, start: bytes) -> None:
    sandbox.set_faults([{"kind": kind, "match": "/api/v3/klines", "retry_after": 7}])
    answer = fetch(sandbox.base_url + KLINES, **WINDOW)
    assert answer.status == status
    assert answer.body.startswith(start)
    assert (answer.headers.get("Retry-After") == "7") == (kind in {"429", "418"})
    assert fetch(sandbox.base_url + "/api/v3/time").status == 200
    assert sandbox.stats()["injected"] == {kind: 1}


def test_a_page_of_html_can_come_with_status_200(sandbox: RunningSandbox) -> None:
    sandbox.set_faults([{"kind": "html", "status": 200}])
    answer = fetch(sandbox.base_url + KLINES, **WINDOW)
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/html")


def test_a_rule_waits_and_ends(sandbox: RunningSandbox) -> None:
    sandbox.set_faults([{"kind": "5xx", "after": 2, "count": 3}])
    assert [fetch(sandbox.base_url + "/api/v3/ping").status for _ in range(7)] == [
        200,
        200,
        503,
        503,
        503,
        200,
        200,
    ]


def test_a_probability_is_kept_and_repeats_with_the_seed() -> None:
    def statuses() -> list[int]:
        with running_sandbox() as running:
            running.set_faults([{"kind": "5xx", "p": 0.3}])
            return [fetch(running.base_url + "/api/v3/ping").status for _ in range(120)]

    first = statuses()
    assert 18 <= first.count(503) <= 54
    assert statuses() == first


def test_slow_and_hanging_answers_wait_as_long_as_asked(sandbox: RunningSandbox, sleeps: Sleeps) -> None:
    sandbox.set_faults([{"kind": "slow", "seconds": 2.5}, {"kind": "hang"}])
    assert fetch(sandbox.base_url + "/api/v3/ping").status == 200
    assert sleeps.asked == [2.5, 3600.0]


def test_a_hanging_answer_does_not_keep_the_sandbox_from_stopping() -> None:
    with running_sandbox() as running:
        running.set_faults([{"kind": "hang"}])
        with pytest.raises(TimeoutError):
            urlopen(running.base_url + "/api/v3/ping", timeout=0.2)


def test_a_reset_cuts_the_connection(sandbox: RunningSandbox) -> None:
    sandbox.set_faults([{"kind": "reset", "count": 1}])
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        urlopen(sandbox.base_url + "/api/v3/ping", timeout=10)
    assert fetch(sandbox.base_url + "/api/v3/ping").status == 200


def test_a_truncated_body_is_valid_http_or_a_lie(sandbox: RunningSandbox) -> None:
    whole = fetch(sandbox.base_url + KLINES, **WINDOW).body
    sandbox.set_faults([{"kind": "truncate", "keep": 0.5}])
    assert fetch(sandbox.base_url + KLINES, **WINDOW).body == whole[: len(whole) // 2]
    sandbox.set_faults([{"kind": "truncate", "keep": 0.5, "wire": True}])
    with pytest.raises(IncompleteRead):
        fetch(sandbox.base_url + KLINES, **WINDOW)


def spoiled(sandbox: RunningSandbox, **rule: Any) -> tuple[list[list[Any]], list[list[Any]]]:
    whole = candles(sandbox)
    sandbox.set_faults([rule])
    return whole, candles(sandbox)


def test_missing_rows(sandbox: RunningSandbox) -> None:
    whole, got = spoiled(sandbox, kind="missing", ts=[WINDOW["startTime"] + 3_600_000])
    assert got == [whole[0], *whole[2:]]


def test_doubled_rows(sandbox: RunningSandbox) -> None:
    whole, got = spoiled(sandbox, kind="dup", ts=[WINDOW["startTime"]])
    assert got == [whole[0], *whole]


def test_rows_out_of_order(sandbox: RunningSandbox) -> None:
    whole, got = spoiled(sandbox, kind="shuffle", rate=0.2)
    assert got != whole
    assert sorted(got) == whole


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("neg", {4}),
        ("hl", {2, 3}),
        ("spike", {2, 4}),
        ("nan", {4}),
        ("zero", {1, 2, 3, 4}),
        ("misalign", {0}),
        ("stale", {1, 2, 3, 4, 5}),
    ],
)
def test_wrong_values(sandbox: RunningSandbox, kind: str, changed: set[int]) -> None:
    whole, got = spoiled(sandbox, kind=kind, rate=0.1)
    assert len(got) == len(whole)
    struck = [(old, new) for old, new in zip(whole, got, strict=True) if old != new]
    assert 5 <= len(struck) <= 45
    differences = {at for old, new in struck for at in range(12) if old[at] != new[at]}
    assert differences == changed
    assert candles(sandbox) == got


def test_a_count_makes_row_faults_pass(sandbox: RunningSandbox) -> None:
    whole, got = spoiled(sandbox, kind="spike", rate=0.1, count=1)
    assert got != whole
    assert candles(sandbox) == whole


@pytest.mark.parametrize("kind", ["missing", "dup", "neg", "nan", "spike", "zero"])
def test_rows_of_other_providers_are_struck_too(sandbox: RunningSandbox, kind: str) -> None:
    query = {"assets": "btc", "metrics": "AdrActCnt", "start_time": "2026-01-01"}
    whole = fetch(sandbox.base_url + "/v4/timeseries/asset-metrics", **query).json()["data"]
    sandbox.set_faults([{"kind": kind, "match": "asset-metrics", "rate": 0.2}])
    assert fetch(sandbox.base_url + "/v4/timeseries/asset-metrics", **query).json()["data"] != whole


@pytest.mark.parametrize("rule", [{"kind": "nope"}, {"kind": "429", "wehn": 3}])
def test_an_unknown_rule_is_refused(sandbox: RunningSandbox, rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="known are"):
        sandbox.set_faults([rule])


def test_rules_are_set_listed_and_cleared_over_http(sandbox: RunningSandbox) -> None:
    rules = [{"kind": "html", "match": "klines", "count": 2}, {"kind": "missing"}]
    request = Request(sandbox.base_url + "/__faults", data=json.dumps(rules).encode(), method="POST")
    with urlopen(request, timeout=10) as response:
        assert json.load(response) == {"ids": [1, 2]}
    listed = fetch(sandbox.base_url + "/__faults").json()
    assert [(rule["id"], rule["kind"], rule["fired"]) for rule in listed] == [
        (1, "html", 0),
        (2, "missing", 0),
    ]
    with urlopen(Request(sandbox.base_url + "/__faults", method="DELETE"), timeout=10):
        pass
    assert fetch(sandbox.base_url + "/__faults").json() == []


def test_every_kind_is_known() -> None:
    assert set(TRANSPORT_KINDS) == {
        "429",
        "418",
        "5xx",
        "html",
        "slow",
        "hang",
        "reset",
        "truncate",
        "empty",
        "badjson",
    }
    assert set(ROW_KINDS) == {
        "dup",
        "missing",
        "shuffle",
        "neg",
        "hl",
        "spike",
        "nan",
        "zero",
        "misalign",
        "stale",
    }
