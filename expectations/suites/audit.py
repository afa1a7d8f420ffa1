"""Judges the summary of whole-table audits: one row per rule with its count of offenders.

The audits themselves are SQL (`warehouse/sql/audit/<table>.sql`). A rule without a count did not run, which
is a failure; so is a table whose audit answered nothing.

Parameters:
    tables: Names of the tables that must have answered (default: none in particular).
"""

from collections.abc import Collection

from expectations import checks
from expectations.promises import finite, one_of
from expectations.rules import Column, Parameters, Rule, Suite

COLUMNS = (
    Column("audited", "text"),
    Column("rule", "text"),
    Column("severity", "text"),
    Column("wanted", "text"),
    Column("reason_code", "text"),
    Column("rows_judged", "number"),
    Column("offenders", "number", is_nullable=True),
)


def suite(parameters: Parameters) -> Suite:
    """The promises."""
    return Suite(
        table="audit",
        key=("audited", "rule"),
        columns=COLUMNS,
        rules=(
            _complete(tuple(parameters.get("tables", ()))),
            one_of("severity", ("critical", "warning", "info"), "unknown_severity"),
            finite("offenders"),
            _none_broken("critical"),
            _none_broken("warning"),
        ),
    )


def _complete(tables: Collection[str]) -> Rule:
    return Rule(
        name="all_tables_answered",
        wanted=f"the audits of {', '.join(tables) or 'the tables'} answer",
        reason_code="audit_incomplete",
        columns=("audited",),
        names_rows=False,
        holds=lambda frame: set(tables) <= set(frame["audited"]),
        found=lambda frame: f"no answer for {', '.join(sorted(set(tables) - set(frame['audited'])))}",
    )


def _none_broken(severity: str) -> Rule:
    return Rule(
        name=f"no_{severity}_offenders",
        wanted=f"no {severity} rule has an offender",
        reason_code="audit_failed",
        columns=("offenders", "audited", "rule"),
        severity="critical" if severity == "critical" else "warning",
        holds=lambda frame: (
            (frame["severity"] != severity)
            | (checks.is_finite(frame["offenders"]) & (frame["offenders"] == 0))
        ),
    )
