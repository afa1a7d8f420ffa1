"""The kinds of values in trimtab.toml: durations, bounds, tickers, addresses, and what every section shares.

Comes in: one value as TOML gives it. Goes out: the checked value, or a sentence about what was wanted.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)\s*$")
ISO_DURATION = re.compile(r"^-?P(?=[\dT])")
UNIT_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def _duration(value: object) -> object:
    """Turn '30h' into a timedelta; anything else goes on to pydantic, which says what is wrong."""
    if isinstance(value, str) and not ISO_DURATION.match(value):  # pydantic reads its own form back
        match = DURATION.match(value)
        if match is None:
            raise ValueError('wanted a duration such as "30h", "45m" or "7d"')
        return timedelta(seconds=float(match[1]) * UNIT_SECONDS[match[2]])
    return value


def _bounds(value: tuple[float, float]) -> tuple[float, float]:
    low, high = value
    if not low <= high:
        raise ValueError(
            f"the lower bound {low} is above the upper bound {high}: swap them or widen the range"
        )
    if low < -1 or high > 10:
        raise ValueError("bounds are fractions of the portfolio's value (0.30 is 30 %), between -1 and 10")
    return value


def _asset(value: str) -> str:
    if not re.fullmatch(r"[A-Z0-9]{1,20}", value):
        raise ValueError(f"wanted a ticker in capital letters and digits such as BTC, found {value!r}")
    return value


def _base_url(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s/?#]+(?::\d+)?/?", value):
        raise ValueError(
            "wanted scheme://host[:port] without a path, such as http://127.0.0.1:8901, or an empty string"
        )
    return value.rstrip("/")


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Bounds = Annotated[tuple[float, float], AfterValidator(_bounds)]
Asset = Annotated[str, AfterValidator(_asset)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A table of the configuration: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
