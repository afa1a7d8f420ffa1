"""Which test injects which fault of the matrix, row G (the gate itself); a row without a test fails."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CANARY = "tests/expectations/test_canary.py"
RECALL = "tests/tasks/test_recall.py"
AGREED = "tests/tasks/test_agreed_decisions.py"
VALIDATE = "tests/tasks/test_validate.py"
KNOWN = (CANARY, "test_the_gate_judges_every_known_batch_rightly")

MATRIX = {
    "F77": (KNOWN,),
    "F78": (
        (VALIDATE, "test_an_audit_that_answers_nothing_is_a_failure"),
        (VALIDATE, "test_a_gate_that_fails_passes_nothing"),
    ),
    "F79": (KNOWN,),
    "F80": (("tests/expectations/test_house.py", "test_limits_in_sql_are_finite_first"), KNOWN),
    "F81": (KNOWN, (RECALL, "test_every_corruption_of_a_row_is_caught_at_the_gate")),
    "F82": (
        (VALIDATE, "test_a_gate_that_fails_passes_nothing"),
        ("tests/tasks/test_decision_check.py", "test_a_gate_that_can_not_be_asked_blocks"),
    ),
    "F83": ((AGREED, "test_the_decision_reads_the_snapshot_that_was_judged"),),
    "F84": (
        (CANARY, "test_a_gate_that_passes_everything_is_found_out"),
        ("tests/tasks/test_canary.py", "test_a_blind_gate_blocks_every_decision_until_it_sees_again"),
    ),
}


@pytest.mark.parametrize("row", [f"F{number}" for number in range(77, 85)])
def test_every_row_has_its_tests(row):
    for path, name in MATRIX[row]:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (path, name)
