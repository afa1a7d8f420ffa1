"""The gate's last word: what a decision says of itself is judged before anybody hears it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expectations import engine
from portfolio.decision import decide
from tasks import decision_check
from tasks.decision_check import checked
from tests.portfolio.test_decide import board, inputs
from tests.tasks.support import make_context, small_settings

AT = datetime(2020, 7, 20, 18, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def good():
    return decide(inputs(), board(), 1)


@pytest.fixture
def context(tmp_path: Path):
    return make_context(small_settings("http://127.0.0.1:1", tmp_path), as_of=AT)


def first(decision, **changes):
    lines = decision.target_lines
    return replace(decision, target_lines=(replace(lines[0], **changes), *lines[1:]))


BAD = {
    "weights_are_finite": lambda d: first(d, target_weight=float("nan")),
    "weights_sum_to_one": lambda d: first(d, target_weight=d.target_lines[0].target_weight + 0.01),
    "weights_within_bounds": lambda d: first(d, upper_bound=d.target_lines[0].target_weight - 0.001),
    "turnover_is_plausible": lambda d: replace(d, turnover=(d.turnover or 0.0) + 0.3),
    "figures_are_finite": lambda d: replace(d, expected_benefit_bps=float("inf")),
    "proposal_is_stable": lambda d: replace(
        d, status="proposed", reason_code="benefit", estimates={"sensitivity_turnover": 0.9}
    ),
}


def test_a_sound_decision_passes_unchanged(context, good):
    found, verdicts = checked(context, good, inputs(), board())
    assert found is good
    assert {v.dataset for v in verdicts} == {f"decision/{good.portfolio}"}
    assert all(v.success for v in verdicts if v.severity != "info"), [v.message for v in verdicts]


@pytest.mark.parametrize("rule", sorted(BAD))
def test_an_unbelievable_decision_recommends_nothing(context, good, rule):
    found, verdicts = checked(context, BAD[rule](good), inputs(), board())
    assert rule in {v.expectation for v in verdicts if not v.success}
    assert (found.status, found.reason_code, found.trades, found.target_lines) == (
        "blocked",
        "failed_decision_check",
        (),
        (),
    )
    assert found.reason.startswith("blocked: the decision did not pass its own check.")


def test_a_gate_that_can_not_be_asked_blocks(context, good, monkeypatch):
    def broken(*_arguments):
        raise OSError("the library is not there")

    monkeypatch.setattr(engine, "_validate", broken)
    found, _ = checked(context, good, inputs(), board())
    assert (found.status, found.reason_code) == ("blocked", decision_check.CODE)


def test_a_block_has_no_weights_to_judge(context, good):
    empty = replace(good, status="blocked", target_lines=(), trades=())
    assert checked(context, empty, inputs(), board()) == (empty, ())
