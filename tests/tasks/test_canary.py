"""A gate that fails its own test stops the pipeline, and people are told."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from expectations import engine
from expectations.engine import Finding
from flows.exit_status import BLOCKED, DONE
from flows.steps import run_directly
from flows.stories import prove_gate
from tasks import canary as step
from tasks.canary import canary
from tasks.decision_gate import gate_state
from tests.tasks.support import FakeClock, make_context
from tests.tasks.test_validate import coin, settings_for, stored
from warehouse.home import Home
from warehouse.reader import open_published
from warehouse.snapshots import SnapshotInfo

AT = datetime(2020, 3, 1, 6, 0, tzinfo=UTC)

NEWEST = SnapshotInfo(1, AT, 10**9, True, AT)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A sample; tests/expectations/test_canary.py asks about every batch."""
    chosen = [batch for batch in step.canaries() if batch.suite in ("core_candles", "freshness")][:9]
    monkeypatch.setattr(step, "canaries", lambda: tuple(chosen))


@pytest.fixture
def settings(tmp_path):
    stored(Home(tmp_path / "data"), ("candles", coin("BTC")))
    return settings_for(tmp_path, assets=("BTC",))


def blind(monkeypatch):
    """The gate as a mutation would leave it: rows are never held against a batch."""
    real = engine.evaluate

    def evaluate(rules, batch):
        return [Finding(finding.rule, True) if finding.rows else finding for finding in real(rules, batch)]

    monkeypatch.setattr(engine, "evaluate", evaluate)


def test_a_sound_gate_passes_and_says_so(settings):
    told = prove_gate(run_directly, make_context(settings, as_of=AT))
    assert told.status == DONE
    assert told.validation is not None
    assert told.validation.sentences == (
        "The gate caught 7 of 7 known-bad batches, and passed the sound ones.",
    )
    with open_published(Home(settings.warehouse.home)) as reader:
        rows = reader.select(
            "select success, count(*) from ops.validations where suite = 'canary' group by all"
        )
        alerts = reader.select("from ops.alerts")
    assert [tuple(row) for row in rows.rows] == [(True, 9)]
    assert list(alerts.rows) == []


def test_a_blind_gate_blocks_every_decision_until_it_sees_again(settings, monkeypatch):
    with monkeypatch.context() as patch:
        blind(patch)
        told = prove_gate(run_directly, make_context(settings, as_of=AT))
    assert told.status == BLOCKED
    assert told.verdict[:2] == ("blocked", "gate")
    with open_published(Home(settings.warehouse.home)) as reader:
        alerts = reader.select("select event, severity, title, body from ops.alerts").rows
    assert [tuple(row)[:3] for row in alerts] == [
        ("blocked", "critical", "Trimtab: BLOCKED, the gate can not be trusted")
    ]
    state = gate_state(make_context(settings, as_of=AT), "core", NEWEST)
    untrusted = [d for d in state.datasets if d.dataset == "gate_canary"]
    assert [(d.required, d.passed_gate) for d in untrusted] == [(True, False)]
    later = FakeClock(AT + timedelta(days=9999))
    assert canary(make_context(settings, run_id="run-2", as_of=AT, clock=later)).passed
    state = gate_state(make_context(settings, as_of=AT), "core", NEWEST)
    assert not [d for d in state.datasets if d.dataset == "gate_canary"]
    json.dumps(told.verdict)
