"""`trimtab doctor`: one line for everything that a run needs."""

import json
import socket
import threading

import pytest

from flows.cli import invoke
from sandbox.server import running_sandbox
from tasks.doctor import at_once
from tasks.sources._probe import Reached
from tests.flows.jobs import NOW, receiver, trimtab, write_job


@pytest.fixture(scope="module")
def market():
    with running_sandbox(seed=7) as running:
        yield running


@pytest.fixture(autouse=True)
def untouched(market, monkeypatch):
    for name in ("TRIMTAB_CONFIG", "TRIMTAB_HOME", "TRIMTAB_CHANNEL_OPS"):
        monkeypatch.delenv(name, raising=False)
    yield
    market.set_faults([])


def examine(capsys, config, *arguments):
    status = invoke(["doctor", "--json", "--config", str(config), "--as-of", NOW, *arguments])
    told = json.loads(capsys.readouterr().out)
    assert told["exit_status"] == status
    return status, {(one["kind"], one["name"]): one for one in told["findings"]}


def test_all_is_within_reach(market, tmp_path, capsys, monkeypatch):
    with receiver() as (address, got):
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", address)
        status, found = examine(capsys, write_job(tmp_path, market.base_url))
    assert status == 0
    assert {name for kind, name in found if kind == "source"} == {"binance", "coinmetrics", "defillama"}
    venue = found["source", "binance"]
    assert abs(venue["facts"]["skew_seconds"]) < 30
    assert "weight" in venue["facts"]["limit_used"]
    assert "CC BY-NC" in found["source", "coinmetrics"]["message"]
    for name, limit in (
        ("coinmetrics", "1 of 10 requests in 6 s used"),
        ("defillama", "it documents no limit"),
    ):
        assert abs(found["source", name]["facts"]["skew_seconds"]) < 30
        assert limit in found["source", name]["message"]
    assert found["channel", "ops"]["message"].startswith("its receiver listens")
    assert found["keys", "keys"]["message"].startswith("no keys configured")
    assert found["scheduler", "scheduler"]["status"] == "warning"
    assert found["home", "home"]["status"] == found["disk", "disk"]["status"] == "ok"
    assert got == []
    assert not (tmp_path / "home").exists()


def test_after_a_run_it_tells_the_newest_data_and_the_last_run(market, tmp_path, capsys):
    config = write_job(tmp_path, market.base_url)
    assert trimtab(config, "ingest") == 0
    capsys.readouterr()
    assert trimtab(config, "validate") in {0, 4}
    capsys.readouterr()
    _, found = examine(capsys, config)
    assert found["source", "binance"]["facts"]["newest_data_at"].startswith("2026-06-30")
    assert found["scheduler", "scheduler"]["status"] == "ok"
    assert invoke(["doctor", "--config", str(config), "--as-of", NOW]) == 0
    assert "disabled: TRIMTAB_CHANNEL_OPS is not set" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("kind", ["5xx", "html", "reset", "429", "418"])
def test_a_venue_out_of_reach_ends_with_three_at_once(market, tmp_path, capsys, kind):
    market.set_faults([{"kind": kind, "match": "/time$", "retry_after": 3000}])
    status, found = examine(capsys, write_job(tmp_path, market.base_url))
    assert status == 3
    assert found["source", "binance"]["status"] == "failed"
    # all sources of the sandbox share one address, and a ban pauses the whole of it
    assert kind in {"429", "418"} or found["source", "coinmetrics"]["status"] == "ok"


def test_a_clock_that_is_wrong_is_told(market, tmp_path, capsys):
    config = write_job(tmp_path, market.base_url)
    assert invoke(["doctor", "--json", "--config", str(config)]) == 3  # the market's day is not today
    told = json.loads(capsys.readouterr().out)["findings"]
    (venue,) = (one for one in told if one["name"] == "binance")
    assert "correct this machine's clock" in venue["message"]
    _, found = examine(capsys, config, "--as-of", "2026-06-30T18:10:00Z")
    assert found["source", "binance"]["status"] == "warning"


def test_a_receiver_that_is_not_there_is_named_without_its_address(market, tmp_path, capsys, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", f"json://127.0.0.1:{taken.getsockname()[1]}/secret-path")
        status, found = examine(capsys, write_job(tmp_path, market.base_url))
    assert status == 3
    assert "nobody answers" in found["channel", "ops"]["message"]
    assert "secret-path" not in json.dumps(list(found.values()))


def test_who_does_not_answer_in_time_is_not_waited_for():
    never = threading.Event()
    answers = at_once({"slow": lambda: never.wait() and Reached(), "quick": Reached}, 0.05)
    assert answers["quick"] == Reached()
    assert "did not answer within" in str(answers["slow"])
    never.set()
