"""A decision with what identifies it and what it rested on: what is about to be stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from expectations.verdicts import Verdict
from portfolio.model import Decision
from tasks.decision_facts import Facts
from tasks.views import Heard


@dataclass(frozen=True)
class Record:
    """A decision with what identifies it and what it rested on."""

    recommendation_id: str
    decision: Decision
    inputs_hash: str
    input_snapshot: str
    outside: tuple[str, ...]
    data_at: datetime | None
    verdicts: tuple[Verdict, ...]
    facts: Facts
    heard: Heard = field(default_factory=Heard)
