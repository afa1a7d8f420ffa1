"""What the gate answers: one verdict per expectation, and the judgement over a whole batch.

Values only. A verdict becomes one row of `ops.validations`; the judgement tells a task which rows to keep out
and whether the batch may be stored at all.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from expectations.rules import Severity


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one expectation; `observed` holds JSON-ready figures and examples."""

    run_id: str
    suite: str
    dataset: str
    expectation: str
    column_name: str | None
    severity: Severity
    success: bool
    observed: Mapping[str, Any]
    message: str
    validated_at: datetime

    def row(self) -> dict[str, Any]:
        """The verdict as a row of `ops.validations`: JSON as text, the instant aware UTC."""
        return {
            "run_id": self.run_id,
            "suite": self.suite,
            "dataset": self.dataset,
            "expectation": self.expectation,
            "column_name": self.column_name,
            "severity": self.severity,
            "success": self.success,
            "observed": json.dumps(self.observed, allow_nan=False, sort_keys=True, default=str),
            "message": self.message,
            "validated_at": self.validated_at.astimezone(UTC),
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """The gate's answer for one batch.

    Attributes:
        passed: Every critical expectation was asked and holds.
        verdicts: One per expectation, in the order of the suite.
        offending: Row position in the judged frame → (reason_code, reason). These rows must not be stored.
        refused: Nothing of the batch may be stored: a critical promise of the batch as a whole is broken, or
            an expectation did not run.
        reason: One sentence that says what came out.
        reason_code: Code of the first thing that is wrong, "" where nothing is.
        doubtful: Row position → (reason_code, reason) of the first warning; these rows may be stored.
    """

    passed: bool
    verdicts: tuple[Verdict, ...]
    offending: Mapping[int, tuple[str, str]]
    refused: bool
    reason: str
    reason_code: str = ""
    doubtful: Mapping[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[Verdict, ...]:
        """Verdicts that failed without keeping anything out."""
        return tuple(v for v in self.verdicts if not v.success and v.severity == "warning")
