"""Suites, tables, audits and the runbook speak of the same things."""

import re
from pathlib import Path

import pytest

from expectations.gate import load_suite, suite_names
from tests.expectations.batches import PARAMETERS
from warehouse.catalogue import load_catalogue
from warehouse.queries import all_queries

ROOT = Path(__file__).parents[2]
CORE = [table.name for table in load_catalogue().layer("core")]


def audits() -> set[str]:
    return {name.removeprefix("audit.") for name in all_queries() if name.startswith("audit.")}


def test_every_core_table_has_a_suite_and_an_audit() -> None:
    assert {name.removeprefix("core_") for name in suite_names() if name.startswith("core_")} == set(CORE)
    # An audit over a view of mart judges what is derived: prices over venues.
    derived = {table.name for table in load_catalogue().layer("mart")} - set(CORE)
    assert audits() - derived == set(CORE)


@pytest.mark.parametrize("name", CORE)
def test_a_suite_promises_the_columns_and_the_key_of_its_table(name: str) -> None:
    table = load_catalogue().table(f"core.{name}")
    suite = load_suite(f"core_{name}", PARAMETERS)
    assert suite.table == table.full_name
    assert [column.name for column in suite.columns] == [c for c in table.column_names if c != "load_id"]
    assert set(suite.key) == set(table.key)


@pytest.mark.parametrize("name", CORE)
def test_limits_in_sql_are_finite_first(name: str) -> None:
    # NaN is the largest value in DuckDB: a bare comparison would let it through.
    sql = all_queries()[f"audit.{name}"].sql
    for column in (
        "funding_rate",
        "price_usd",
        "interval_hours",
        "quantity",
        "value",
        "bid",
        "close",
        "supply",
    ):
        for comparison in re.finditer(rf"\b{column} (?:>=|<=|>|<|between) ", sql):
            before = sql[max(0, comparison.start() - 120) : comparison.start()]
            assert f"isfinite({column})" in before or "lag(" in before, (name, comparison.group())


def test_the_runbook_has_a_line_for_every_reason_code() -> None:
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z_]+)`", page))
    codes = {"expectation_did_not_run"}
    for name in suite_names():
        suite = load_suite(name, PARAMETERS)
        codes |= {rule.reason_code for rule in (*suite.structure(), *suite.content())}
    for name in audits():
        codes |= set(re.findall(r"reason_code: '([a-z_]+)'", all_queries()[f"audit.{name}"].sql))
    assert codes - told == set()
