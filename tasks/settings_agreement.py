"""`[gate.agreement]`: when venues agree on a price. What it does is told in docs/agreement.md."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from tasks.settings_kinds import Duration, Section


class AgreementSettings(Section):
    """When venues agree on a price; distances are from the median over all venues, as fractions of it.

    A venue agrees within `floor`, or within `mads` median absolute deviations where that is more, but never
    beyond `ceiling`; of two venues both must lie within `two_venues` of their middle. A venue whose newest
    price is older than another's by more than `max_lag` is not asked.
    """

    floor: float = Field(default=0.1, gt=0, le=1)
    mads: float = Field(default=5, ge=0, le=100)
    ceiling: float = Field(default=0.25, gt=0, le=1)
    two_venues: float = Field(default=0.05, gt=0, le=1)
    max_lag: Duration = timedelta(hours=2)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.ceiling < self.floor:
            raise ValueError(f"ceiling = {self.ceiling} must be at least floor = {self.floor}")
        return self
