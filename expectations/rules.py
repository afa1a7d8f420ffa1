"""What a suite is made of: columns, rules and the words for them, all plain data.

A suite module describes its table with these values and imports nothing heavy; `expectations.engine` turns
each rule into a Great Expectations expectation. So listing suites, or testing a rule alone, never pays for
importing the library.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from expectations import checks

Severity = Literal["critical", "warning", "info"]
Kind = Literal["text", "number", "decimal", "time", "flag"]
Parameters = Mapping[str, Any]
Check = Callable[[pd.DataFrame], "pd.Series[Any] | bool"]
RowHint = Callable[[Mapping[str, Any]], str]

IN_SET = "expect_column_values_to_be_in_set"
BETWEEN = "expect_column_values_to_be_between"
COLUMNS_MATCH = "expect_table_columns_to_match_set"
ROW_COUNT = "expect_table_row_count_to_be_between"


@dataclass(frozen=True, slots=True)
class Column:
    """One promised column: its name, the kind of its values, whether one may be missing or a text empty."""

    name: str
    kind: Kind
    is_nullable: bool = False
    may_be_blank: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation, in words for people and in terms of the library.

    Attributes:
        name: Short name, unique in its suite; it is what `ops.validations.expectation` holds.
        wanted: The promise as a sentence fragment: "every price is above 0".
        reason_code: What a broken row or batch is filed under (docs/runbook.md has a line for each).
        expectation: Great Expectations type in snake case.
        arguments: Its arguments. With `holds` the column is filled in by the gate.
        columns: Columns the rule speaks about, the measured one first; shown with the examples.
        severity: `critical` keeps data out, `warning` and `info` only tell.
        names_rows: True: exactly the rows that break it are kept out. False: the whole batch is refused.
        holds: A vectorised check over the frame for what the library has no expectation for; its answer
            becomes a true/false column that the library then expects to be true in every row.
        hint: Says more about one broken row ("looks like seconds …").
        found: Says what a broken promise of the whole batch looks like ("no close").
        shows_missing_only: Of a broken row show only what is missing, not all the columns.
    """

    name: str
    wanted: str
    reason_code: str
    expectation: str = IN_SET
    arguments: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    severity: Severity = "critical"
    names_rows: bool = True
    holds: Check | None = None
    hint: RowHint | None = None
    found: Callable[[pd.DataFrame], str] | None = None
    shows_missing_only: bool = False

    def __post_init__(self) -> None:
        if self.holds is not None and (self.expectation != IN_SET or self.arguments):
            raise ValueError(
                f"rule {self.name}: a check is judged as true or false; leave out expectation and arguments"
            )


@dataclass(frozen=True, slots=True)
class Suite:
    """The promises of one table: its columns, its key and its own rules.

    `rules` hold the content; the rules about shape (rows present, columns there and typed, nothing missing,
    one value per key) follow from `columns` and `key` and are added by `structure` and `content`.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]

    def structure(self) -> tuple[Rule, ...]:
        """Rules that must hold before any other can be asked: rows, columns and types."""
        names = [column.name for column in self.columns]
        kinds = {column.name: column.kind for column in self.columns}
        return (
            Rule(
                name="has_rows",
                wanted="the batch has at least 1 row",
                reason_code="empty_batch",
                expectation=ROW_COUNT,
                arguments={"min_value": 1},
                names_rows=False,
                found=lambda frame: f"{len(frame)} rows",
            ),
            Rule(
                name="has_columns",
                wanted=f"the columns {', '.join(names)} are there",
                reason_code="missing_column",
                expectation=COLUMNS_MATCH,
                arguments={"column_set": names, "exact_match": False},
                names_rows=False,
                found=lambda frame: f"no {', '.join(n for n in names if n not in frame.columns)}",
            ),
            Rule(
                name="columns_have_types",
                wanted="every column holds values of its kind",
                reason_code="wrong_type",
                names_rows=False,
                holds=lambda frame: not checks.wrong_kinds(frame, kinds),
                found=lambda frame: "; ".join(checks.wrong_kinds(frame, kinds)),
            ),
        )

    def content(self) -> tuple[Rule, ...]:
        """Rules about the values: nothing missing, one value per key, then the suite's own."""
        keys = [column for column in self.columns if column.name in self.key and not column.is_nullable]
        others = [c for c in self.columns if c.name not in self.key and not c.is_nullable]
        present = (
            *_present("key_is_present", "missing_key", keys),
            *_present("values_are_present", "missing_value", others),
        )
        return (*present, *_key_rules(self), *self.rules)


def _present(name: str, reason_code: str, columns: Sequence[Column]) -> tuple[Rule, ...]:
    if not columns:
        return ()
    names = tuple(column.name for column in columns)
    blank = frozenset(column.name for column in columns if column.may_be_blank or column.kind != "text")
    rule = Rule(
        name=name,
        wanted=f"{', '.join(names)} {'are' if len(names) > 1 else 'is'} given in every row",
        reason_code=reason_code,
        columns=names,
        holds=lambda frame: checks.all_given(frame, names, may_be_blank=blank),
        shows_missing_only=True,
    )
    return (rule,)


def _key_rules(suite: Suite) -> tuple[Rule, ...]:
    if not suite.key:
        return ()
    values = tuple(column.name for column in suite.columns if column.name not in checks.BOOKKEEPING)
    words = ", ".join(suite.key)
    return (
        Rule(
            name="one_value_per_key",
            wanted=f"no two rows give different values for one key ({words})",
            reason_code="conflicting_values",
            columns=tuple(name for name in values if name not in suite.key),
            names_rows=False,
            holds=lambda frame: checks.no_conflict(frame, suite.key, values),
        ),
        Rule(
            name="no_repeated_rows",
            wanted=f"no key ({words}) comes twice; identical rows are stored once",
            reason_code="repeated_rows",
            columns=suite.key,
            severity="info",
            names_rows=False,
            holds=lambda frame: ~frame.duplicated(list(suite.key), keep=False),
        ),
    )
