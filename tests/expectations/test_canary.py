"""The gate is put to the test itself, and a gate that passes everything is found out."""

import pytest

from expectations import engine
from expectations.canary import ask, canaries
from expectations.engine import Finding
from tests.expectations.batches import JUDGED_AT

BATCHES = canaries()


def test_there_are_enough_of_them_and_each_is_named_once():
    assert sum(1 for batch in BATCHES if batch.fault is not None) >= 30
    assert len({(batch.suite, batch.name) for batch in BATCHES}) == len(BATCHES)


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: f"{batch.suite}: {batch.name}")
def test_the_gate_judges_every_known_batch_rightly(batch):
    answer = ask(batch, "r", JUDGED_AT)
    assert answer.is_right, answer.message


def test_a_gate_that_passes_everything_is_found_out(monkeypatch):
    monkeypatch.setattr(engine, "evaluate", lambda rules, _batch: [Finding(rule, True) for rule in rules])
    answers = [ask(batch, "r", JUDGED_AT) for batch in BATCHES if batch.name != "no close"]
    assert [a.is_right for a in answers] == [a.canary.fault is None for a in answers]


def test_a_gate_that_refuses_everything_is_found_out(monkeypatch):
    def broken(*_arguments):
        raise OSError("the library is not there")

    monkeypatch.setattr(engine, "_validate", broken)
    assert not any(ask(batch, "r", JUDGED_AT).is_right for batch in BATCHES)
