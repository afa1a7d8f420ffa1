"""Promises that several suites make: finite, positive, in range, on the grid, known in time.

Each function describes one rule for one column; suites choose among them and add their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from expectations import checks
from expectations.rules import Parameters, Rule, Severity


def finite(column: str, *, also_null: bool = False) -> Rule:
    """Every value of the column is a finite number (NaN and infinity are not), or missing where allowed."""
    return Rule(
        name=f"{column}_is_finite",
        wanted=f"{column} is a finite number" + (" or is missing" if also_null else ""),
        reason_code="not_finite",
        columns=(column,),
        holds=lambda frame: checks.is_finite(frame[column], also_null=also_null),
    )


def between(column: str, low: float, high: float, reason_code: str) -> Rule:
    """Every present value lies in [low, high]; a missing value is `finite`'s or the column's business."""
    return Rule(
        name=f"{column}_in_range",
        wanted=f"{column} lies between {low:g} and {high:g}",
        reason_code=reason_code,
        columns=(column,),
        holds=lambda frame: frame[column].isna() | frame[column].between(low, high),
    )


def as_warning(rule: Rule, name: str) -> Rule:
    """The same rule under another name, which only warns."""
    return replace(rule, name=name, severity="warning")


def above_zero(columns: Sequence[str], *, name: str = "prices_are_positive", also_null: bool = False) -> Rule:
    """Every value of these columns is finite and above 0 (and below 1e15, where no price or amount lives)."""
    return Rule(
        name=name,
        wanted=f"{', '.join(columns)} lie above 0 and below 1e15" + (" where given" if also_null else ""),
        reason_code="not_positive",
        columns=tuple(columns),
        holds=lambda frame: checks.all_above_zero(frame, columns, also_null=also_null),
    )


def not_negative(column: str, *, also_null: bool = True) -> Rule:
    """Every value of the column is finite and at least 0, or is missing where allowed."""
    return Rule(
        name=f"{column}_not_negative",
        wanted=f"{column} is at least 0" + (" or is missing" if also_null else ""),
        reason_code="negative_value",
        columns=(column,),
        holds=lambda frame: checks.is_at_least_zero(frame[column], also_null=also_null),
    )


def one_of(column: str, allowed: Sequence[str], reason_code: str) -> Rule:
    """Every present value of the column is one of the listed words."""
    return Rule(
        name=f"{column}_is_known",
        wanted=f"{column} is one of {', '.join(allowed)}",
        reason_code=reason_code,
        columns=(column,),
        holds=lambda frame: checks.is_one_of(frame[column], allowed),
    )


def not_all_null(column: str, severity: Severity = "warning") -> Rule:
    """A column in which values may be missing is not missing throughout."""
    return Rule(
        name=f"{column}_has_values",
        wanted=f"{column} is given in at least one row",
        reason_code="column_all_null",
        columns=(column,),
        severity=severity,
        names_rows=False,
        holds=lambda frame: bool(frame[column].notna().any()),
    )


def in_era(column: str, as_of: pd.Timestamp, *, first: pd.Timestamp = checks.FIRST_BLOCK) -> Rule:
    """Instants lie between 2009 (the first block) and as_of; the hint names a likely unit mistake."""
    return Rule(
        name=f"{column}_in_era",
        wanted=f"{column} lies between {first:%Y-%m-%d} and {as_of:%Y-%m-%d %H:%M:%S} UTC",
        reason_code="time_out_of_range",
        columns=(column,),
        holds=lambda frame: checks.is_between_times(frame[column], first, as_of),
        hint=lambda row: checks.time_hint(row[column]),
    )


def on_whole_day(column: str) -> Rule:
    """Daily series carry the instant at which the UTC day opens."""
    return Rule(
        name=f"{column}_on_day",
        wanted=f"{column} is 00:00 UTC of a day",
        reason_code="off_grid",
        columns=(column,),
        holds=lambda frame: checks.is_whole(frame[column], pd.Timedelta(days=1)),
    )


def known_in_time(
    as_of: pd.Timestamp, earliest: Callable[[pd.DataFrame], "pd.Series[Any]"], event: str
) -> Rule:
    """A row is known no earlier than the event that made it, and no later than the run's as_of."""
    return Rule(
        name="known_at_in_order",
        wanted=f"known_at lies between {event} and {as_of:%Y-%m-%d %H:%M:%S} UTC",
        reason_code="known_at_out_of_order",
        columns=("known_at",),
        holds=lambda frame: (frame["known_at"] >= earliest(frame)) & (frame["known_at"] <= as_of),
    )


def instant(parameters: Parameters, name: str = "as_of") -> pd.Timestamp:
    """The parameter as a naive UTC timestamp.

    Raises:
        KeyError: The parameter was not given; the message names it.
    """
    if parameters.get(name) is None:
        raise KeyError(f"the suite needs the parameter {name}; pass the run's {name}")
    stamp = pd.Timestamp(parameters[name])
    return stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)
