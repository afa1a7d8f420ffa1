"""The gate closes whenever something can not be asked: F77, F78, F79, F80, F81, F82."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from expectations import engine
from expectations.decisions import judge_decision_inputs
from expectations.gate import DID_NOT_RUN, Case, judge, judge_by, load_suite
from expectations.rules import BETWEEN, IN_SET, Column, Rule, Suite
from expectations.suites import core_candles
from expectations.verdicts import Judgement
from tests.expectations.batches import GOOD, JUDGED_AT, PARAMETERS, candles, decision_inputs

ROOT = Path(__file__).parents[2]
CASE = Case("r1", "tiny", "tiny", JUDGED_AT)
TINY = Suite(
    table="tiny",
    key=(),
    columns=(Column("x", "number"),),
    rules=(Rule(name="x_small", wanted="x is small", reason_code="big", expectation=BETWEEN),),
)
FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0]})


def tiny(rule: Rule) -> Judgement:
    return judge_by(replace(TINY, rules=(rule,)), FRAME, CASE)


def small(**changes: object) -> Rule:
    base = Rule(
        name="x_small",
        wanted="x is at most 2",
        reason_code="big",
        expectation=BETWEEN,
        arguments={"column": "x", "max_value": 2},
        columns=("x",),
    )
    return replace(base, **changes)


def checked(holds: object) -> Rule:
    return small(holds=holds, expectation=IN_SET, arguments={})


def assert_closed(judgement: Judgement, words: str) -> None:
    assert judgement.refused
    assert not judgement.passed
    assert judgement.reason_code == DID_NOT_RUN
    assert words in judgement.reason
    assert any(v.severity == "critical" and not v.success for v in judgement.verdicts)


def test_an_expectation_names_exactly_the_rows_that_break_it() -> None:
    judgement = tiny(small())
    assert not judgement.refused
    assert judgement.offending == {2: ("big", "Wanted: x is at most 2. Found: x 3.0.")}
    verdict = judgement.verdicts[-1]
    assert verdict.observed == {
        "expectation": BETWEEN,
        "reason_code": "big",
        "rows": 3,
        "broken": 1,
        "examples": [{"x": 3.0}],
        "lowest": 3.0,
        "highest": 3.0,
    }
    assert verdict.message == (
        "Wanted: x is at most 2. Found: 1 of 3 rows are not so (x from 3 to 3); first: x 3.0."
    )


def test_an_empty_frame_is_refused() -> None:
    for name, good in GOOD.items():
        judgement = judge(
            name, good().head(0), dataset=name, run_id="r1", judged_at=JUDGED_AT, parameters=PARAMETERS
        )
        assert judgement.refused, name
        assert judgement.reason_code == "empty_batch", name
        assert "0 rows" in judgement.reason


def test_a_frame_without_columns_is_refused() -> None:
    assert judge_by(TINY, pd.DataFrame(), CASE).refused


def test_an_empty_suite_is_refused() -> None:
    assert_closed(judge_by(replace(TINY, rules=()), FRAME, CASE), "no rule of its own")


@pytest.mark.parametrize("name", ["no_such_suite", "", "../gate", "__init__"])
def test_a_missing_suite_is_refused(name: str) -> None:
    judgement = judge(name, FRAME, dataset="d", run_id="r1", judged_at=JUDGED_AT, parameters=PARAMETERS)
    assert_closed(judgement, "could not be used")


def test_a_missing_parameter_is_refused_and_named() -> None:
    judgement = judge("core_candles", candles(), dataset="d", run_id="r1", judged_at=JUDGED_AT)
    assert_closed(judgement, "as_of")


def test_a_suite_that_raises_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_parameters: object) -> Suite:
        raise ZeroDivisionError("a defect in the suite")

    monkeypatch.setattr(core_candles, "suite", broken)
    judgement = judge(
        "core_candles", candles(), dataset="d", run_id="r1", judged_at=JUDGED_AT, parameters=PARAMETERS
    )
    assert_closed(judgement, "a defect in the suite")


def test_an_unknown_expectation_type_is_refused() -> None:
    assert_closed(
        tiny(small(expectation="expect_column_values_to_be_lucky")), "expect_column_values_to_be_lucky"
    )


def test_wrong_arguments_are_refused() -> None:
    assert_closed(tiny(small(arguments={"colum": "x"})), "could not be asked")


def test_an_expectation_that_raises_is_refused_even_as_a_warning() -> None:
    missing = small(arguments={"column": "no_such_column", "max_value": 2}, severity="warning")
    assert_closed(tiny(missing), "no_such_column")


def test_a_check_that_raises_is_refused() -> None:
    def raises(frame: pd.DataFrame) -> "pd.Series[bool]":
        return frame["y"] > 1

    assert_closed(tiny(checked(raises)), "KeyError")


def test_a_check_that_answers_for_fewer_rows_is_refused() -> None:
    assert_closed(tiny(checked(lambda frame: frame["x"].head(2) > 0)), "2 rows of 3")


def test_a_check_and_an_expectation_do_not_mix() -> None:
    with pytest.raises(ValueError, match="leave out expectation"):
        small(holds=lambda frame: frame["x"] > 0)


def test_a_check_without_an_answer_is_not_a_yes() -> None:
    def unsure(frame: pd.DataFrame) -> "pd.Series[bool]":
        return pd.Series([True, None, True], dtype="boolean", index=frame.index)

    assert list(tiny(checked(unsure)).offending) == [1]


def test_the_library_failing_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_arguments: object) -> dict[str, list[object]]:
        raise OSError("no space left on device")

    monkeypatch.setattr(engine, "_validate", gone)
    judgement = tiny(small())
    assert_closed(judgement, "no space left on device")
    assert not any(v.success for v in judgement.verdicts)


def test_an_expectation_that_is_silently_dropped_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = engine._validate

    def forgetful(*arguments: object) -> dict[str, list[object]]:
        answers = ask(*arguments)
        answers.pop("x_small", None)
        return answers

    monkeypatch.setattr(engine, "_validate", forgetful)
    assert_closed(tiny(small()), "0 answers came back for 1 expectation")


def test_a_failure_that_names_no_row_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = engine._validate

    def vague(*arguments: object) -> dict[str, list[object]]:
        answers = ask(*arguments)
        for result in answers.get("x_small", []):
            result.result["unexpected_index_list"] = []
        return answers

    monkeypatch.setattr(engine, "_validate", vague)
    assert_closed(tiny(small()), "1 broken rows were counted and 0 named")


def test_the_library_is_asked_once_about_what_is_good_and_every_time_about_what_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask, asked = engine._ask, list[int]()

    def counted(*arguments: object) -> dict[str, list[object]]:
        asked.append(len(arguments[2]))
        return ask(*arguments)

    monkeypatch.setattr(engine, "_ask", counted)
    monkeypatch.setattr(engine, "_FOUND_GOOD", {})

    def judged(frame: pd.DataFrame) -> Judgement:
        return judge(
            "core_candles", frame, dataset="d", run_id="r", judged_at=JUDGED_AT, parameters=PARAMETERS
        )

    first, again = judged(candles(50)), judged(candles(40))
    assert len(asked) == 2  # its shape, its values
    assert first.passed
    assert again.passed
    assert [v.success for v in first.verdicts] == [v.success for v in again.verdicts]
    broken = candles(40)
    broken.loc[[3, 7], "close"] = -1.0
    for _ in range(2):
        judgement = judged(broken)
        assert sorted(judgement.offending) == [3, 7]
    assert len(asked) == 4
    assert judged(candles(40).drop(columns="close")).refused
    assert len(asked) == 5
    assert judged(candles(40)).passed
    assert len(asked) == 5


def test_not_a_number_and_infinity_never_pass_a_limit() -> None:
    frame = candles(4)
    frame.loc[0, "low"], frame.loc[1, "high"], frame.loc[2, "close"] = -np.inf, np.inf, np.nan
    judgement = judge(
        "core_candles", frame, dataset="d", run_id="r1", judged_at=JUDGED_AT, parameters=PARAMETERS
    )
    assert sorted(judgement.offending) == [0, 1, 2]


def test_rows_are_named_by_position_whatever_the_index() -> None:
    frame = candles(4)
    frame.loc[2, "close"] = -1.0
    frame.index = pd.Index([9, 9, 9, 9])
    judgement = judge(
        "core_candles", frame, dataset="d", run_id="r1", judged_at=JUDGED_AT, parameters=PARAMETERS
    )
    assert list(judgement.offending) == [2]


def test_verdicts_are_rows_for_the_warehouse() -> None:
    frame = candles(4)
    frame.loc[2, "close"] = np.inf
    judgement = judge(
        "core_candles", frame, dataset="candles_1h", run_id="r1", judged_at=JUDGED_AT, parameters=PARAMETERS
    )
    names = [v.expectation for v in judgement.verdicts]
    assert len(names) == len(set(names))
    suite = load_suite("core_candles", PARAMETERS)
    assert names == [rule.name for rule in (*suite.structure(), *suite.content())]
    for verdict in judgement.verdicts:
        row = verdict.row()
        assert json.loads(row["observed"])["rows"] == 4
        assert row["validated_at"] == JUDGED_AT
        assert (row["run_id"], row["suite"], row["dataset"]) == ("r1", "core_candles", "candles_1h")


def test_the_judging_time_may_be_in_any_zone() -> None:
    moment = datetime.fromisoformat("2024-06-01T14:00:05+02:00")
    judgement = judge_by(TINY, FRAME, replace(CASE, judged_at=moment))
    assert judgement.verdicts[0].row()["validated_at"] == datetime(2024, 6, 1, 12, 0, 5, tzinfo=UTC)


def test_suites_load_without_the_heavy_library() -> None:
    code = (
        "import sys; from expectations import decisions, gate;"
        "[gate.load_suite(n, {'as_of': '2024-01-01'}) for n in gate.suite_names()];"
        "sys.exit('great_expectations' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_decision_freezes_the_lines_that_fail_and_keeps_the_rest() -> None:
    frame = decision_inputs(4)
    frame.loc[1, ["zero_return_share", "volatility"]] = [1.0, 0.0]
    frame = pd.concat([frame, pd.DataFrame([{"sleeve": "cash", "asset": "USD", "price_usd": 1.0}])])
    answer = judge_decision_inputs(frame, portfolio="core", run_id="r1", judged_at=JUDGED_AT)
    assert not answer.is_blocked
    assert list(answer.frozen) == ["spot:COIN1"]
    code, sentence = answer.frozen["spot:COIN1"]
    assert code == "frozen_feed"
    assert "zero_return_share 1.0" in sentence
    assert answer.judgement.verdicts[0].dataset == "decision_inputs/core"


def test_a_decision_is_blocked_when_its_inputs_can_not_be_judged() -> None:
    answer = judge_decision_inputs(
        decision_inputs(4).drop(columns="price_usd"), portfolio="core", run_id="r1", judged_at=JUDGED_AT
    )
    assert answer.is_blocked
    assert answer.judgement.reason_code == "missing_column"
    nothing = decision_inputs(4).head(0)
    assert judge_decision_inputs(nothing, portfolio="core", run_id="r1", judged_at=JUDGED_AT).is_blocked


def test_a_large_batch_names_the_same_rows_as_a_small_one() -> None:
    """The library is shown the broken rows and one other; positions are those of the whole batch."""
    rows = 5_000
    frame = pd.DataFrame({"x": np.arange(rows, dtype=float)})
    bad = [7, 1_234, rows - 1]
    frame.loc[bad, "x"] = [np.nan, -1.0, np.inf]
    positive = Rule(
        name="x_is_fine",
        wanted="x is finite and at least 0",
        reason_code="x_bad",
        columns=("x",),
        holds=lambda given: np.isfinite(given["x"]) & (given["x"] >= 0),
    )
    (finding,) = engine.evaluate([positive], frame)
    assert finding.rows == tuple(bad)
    assert not finding.success
    (whole,) = engine.evaluate([positive], frame.drop(index=bad).reset_index(drop=True))
    assert whole.success
