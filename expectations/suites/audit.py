"""Judges the summary of a whole-table audit: one row per rule with its count of offenders.

The audits themselves are SQL (`warehouse/sql/audit/<table>.sql`). A rule without a count did not run, and
that is a failure; so is an audit that came back with fewer rules than its file holds.

Parameters:
    rules: How many rules the audit must bring (default 1: at least one).
"""

from expectations import checks
from expectations.rules import Column, Parameters, Rule, Suite, finite, one_of

COLUMNS = (
    Column("rule", "text"),
    Column("severity", "text"),
    Column("wanted", "text"),
    Column("reason_code", "text"),
    Column("rows_judged", "number"),
    Column("offenders", "number", is_nullable=True),
    Column("examples", "text", is_nullable=True),
)


def suite(parameters: Parameters) -> Suite:
    """The promises."""
    rules = int(parameters.get("rules", 1))
    return Suite(
        table="audit",
        key=("rule",),
        columns=COLUMNS,
        rules=(
            _complete(rules),
            one_of("severity", ("critical", "warning", "info"), "unknown_severity"),
            finite("offenders"),
            _none_broken("critical"),
            _none_broken("warning"),
        ),
    )


def _complete(rules: int) -> Rule:
    return Rule(
        name="all_rules_answered",
        wanted=f"the audit answers for at least {rules} rules",
        reason_code="audit_incomplete",
        columns=("rule",),
        names_rows=False,
        holds=lambda frame: len(frame) >= rules,
    )


def _none_broken(severity: str) -> Rule:
    return Rule(
        name=f"no_{severity}_offenders",
        wanted=f"no {severity} rule has an offender",
        reason_code="audit_failed",
        columns=("offenders", "rule"),
        severity="critical" if severity == "critical" else "warning",
        holds=lambda frame: (
            (frame["severity"] != severity)
            | (checks.is_finite(frame["offenders"]) & (frame["offenders"] == 0))
        ),
    )
