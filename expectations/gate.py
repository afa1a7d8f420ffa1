"""The gate: a frame and the name of a suite go in, a judgement comes out.

It never repairs a value and it fails closed: an empty batch, a suite that is missing or empty, an expectation
that is unknown, raised or was not evaluated, and a failing library all refuse the batch with a reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from expectations import checks, engine, wording
from expectations.engine import Finding
from expectations.rules import Suite
from expectations.verdicts import Judgement, Verdict

SUITES = Path(__file__).parent / "suites"
DID_NOT_RUN = "expectation_did_not_run"


@dataclass(frozen=True, slots=True)
class Case:
    """What all verdicts of one judgement have in common."""

    run_id: str
    suite: str
    dataset: str
    judged_at: datetime


@cache
def suite_names() -> tuple[str, ...]:
    """Names of all suites: the file name is the registration."""
    return tuple(sorted(path.stem for path in SUITES.glob("*.py") if not path.stem.startswith("_")))


def load_suite(name: str, parameters: Mapping[str, Any]) -> Suite:
    """The suite of that name, described for these parameters.

    Raises:
        LookupError: No such suite, or a parameter that it needs was not given.
    """
    if name not in suite_names():
        raise LookupError(f"a suite named {name!r} was wanted; there are {', '.join(suite_names())}")
    suite: Suite = import_module(f"expectations.suites.{name}").suite(parameters)
    return suite


def judge(
    suite: str,
    frame: pd.DataFrame,
    *,
    dataset: str,
    run_id: str,
    judged_at: datetime,
    parameters: Mapping[str, Any] | None = None,
) -> Judgement:
    """Judge one batch by the suite of that name.

    Args:
        suite: Name of a file in `expectations/suites`.
        frame: The batch, one row per fact, naive UTC timestamps. It is not changed.
        dataset: What the batch is, for the verdicts ("candles_1d").
        run_id: The run on whose behalf.
        judged_at: Real time of the judgement, aware.
        parameters: What the suite asks for, at least `as_of` (each suite's docstring says).

    Returns:
        The judgement. It never raises for what the data or a suite do: what can not be judged is refused.
    """
    case = Case(run_id, suite, dataset, judged_at)
    try:
        described = load_suite(suite, parameters or {})
    except Exception as error:  # whatever is wrong with a suite must close the gate, not open it
        return _refusal(case, f"the suite {suite} could not be used ({wording.one_line(error)})")
    return judge_by(described, frame, case)


def judge_by(suite: Suite, frame: pd.DataFrame, case: Case) -> Judgement:
    """Judge one batch by a described suite: its shape first, its values only if the shape is right."""
    if not suite.rules:
        return _refusal(case, f"the suite {case.suite} has no rule of its own, so it can promise nothing")
    batch = frame.reset_index(drop=True)
    findings = engine.evaluate(suite.structure(), batch)
    if not any(_refuses(finding) for finding in findings):
        batch = checks.with_kinds(batch, {column.name: column.kind for column in suite.columns})
        findings += engine.evaluate(suite.content(), batch)
    verdicts = tuple(_verdict(case, finding, batch, suite.key) for finding in findings)
    return _judgement(case, findings, verdicts, batch)


def _refuses(finding: Finding) -> bool:
    broken = not finding.success and finding.rule.severity == "critical" and not finding.rule.names_rows
    return broken or bool(finding.error)


def _verdict(case: Case, finding: Finding, batch: pd.DataFrame, key: Sequence[str]) -> Verdict:
    rule = finding.rule
    return Verdict(
        run_id=case.run_id,
        suite=case.suite,
        dataset=case.dataset,
        expectation=rule.name,
        column_name=rule.columns[0] if rule.columns else None,
        severity="critical" if finding.error else rule.severity,
        success=finding.success,
        observed=wording.observed(finding, batch, key),
        message=wording.message(finding, batch, key),
        validated_at=case.judged_at,
    )


def _judgement(
    case: Case, findings: Sequence[Finding], verdicts: tuple[Verdict, ...], batch: pd.DataFrame
) -> Judgement:
    refusing = [(f, v) for f, v in zip(findings, verdicts, strict=True) if _refuses(f)]
    offending, doubtful = (_named(findings, batch, severity) for severity in ("critical", "warning"))
    if refusing:
        first, verdict = refusing[0]
        code = DID_NOT_RUN if first.error else first.rule.reason_code
        reason = f"{case.dataset}: the whole batch is refused. {verdict.message}"
        return Judgement(
            False, verdicts, offending, refused=True, reason=reason, reason_code=code, doubtful=doubtful
        )
    if offending:
        codes = Counter(code for code, _ in offending.values())
        listed = ", ".join(f"{count} {code}" for code, count in codes.most_common())
        reason = f"{case.dataset}: {len(offending):,} of {len(batch):,} rows are kept out ({listed})."
        code = next(iter(codes))
        return Judgement(
            False, verdicts, offending, refused=False, reason=reason, reason_code=code, doubtful=doubtful
        )
    reason = f"{case.dataset}: {len(batch):,} rows keep all {len(verdicts)} promises of {case.suite}."
    warned = [v.expectation for v in verdicts if not v.success and v.severity == "warning"]
    if warned:
        reason = f"{case.dataset}: {len(batch):,} rows pass, with a warning ({', '.join(warned)})."
    return Judgement(True, verdicts, offending, refused=False, reason=reason, doubtful=doubtful)


def _named(findings: Sequence[Finding], batch: pd.DataFrame, severity: str) -> dict[int, tuple[str, str]]:
    """Rows that break a rule of this severity, each with the first rule that it breaks."""
    rows: dict[int, tuple[str, str]] = {}
    for finding in findings:
        if finding.rule.severity != severity or not finding.rows:
            continue
        new = [position for position in finding.rows if position not in rows]
        for position, reason in wording.row_reasons(finding, batch, new):
            rows[position] = (finding.rule.reason_code, reason)
    return rows


def _refusal(case: Case, why: str) -> Judgement:
    """A judgement that could not be made: nothing may pass on it."""
    verdict = Verdict(
        run_id=case.run_id,
        suite=case.suite,
        dataset=case.dataset,
        expectation="suite_can_be_asked",
        column_name=None,
        severity="critical",
        success=False,
        observed={"error": why, "reason_code": DID_NOT_RUN},
        message=f"Wanted: every promise asked. Found: {why}. Nothing passes until this is mended.",
        validated_at=case.judged_at,
    )
    reason = f"{case.dataset}: the whole batch is refused, because {why}."
    return Judgement(False, (verdict,), {}, refused=True, reason=reason, reason_code=DID_NOT_RUN)
