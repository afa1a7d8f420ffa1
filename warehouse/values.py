"""Single values at the border: aware UTC in Python, naive UTC in DuckDB, JSON as objects.

Reading a few rows needs nothing more; so this module imports neither numpy nor pandas, and `status` is quick.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from warehouse.errors import BadRows


def into_database(value: Any) -> Any:  # noqa: ANN401 - any value a row may hold
    """One value as DuckDB should get it: naive UTC datetimes, plain Python numbers, lists instead of tuples.

    Raises:
        BadRows: A datetime without a time zone, which could mean any hour.
    """
    if value is None or _is_missing(value):
        return None
    if _is_numpy(value):
        value = value.item()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadRows(
                f"A datetime with a time zone was wanted, {value!r} has none. Pass aware UTC datetimes."
            )
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [into_database(item) for item in value]
    return value


def out_of_database(value: Any, kind: str) -> Any:  # noqa: ANN401 - any value a row may hold
    """One value as Python should get it: aware UTC datetimes, JSON as objects."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if kind == "JSON" and isinstance(value, str):
        return json.loads(value)
    return value


def to_json(value: Any) -> str | None:  # noqa: ANN401 - whatever a JSON column holds
    """Text of a JSON column; a text is taken as JSON already.

    Raises:
        ValueError: NaN or infinity, which JSON does not have.
    """
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=_json_value, allow_nan=False)


def _json_value(value: Any) -> object:  # noqa: ANN401 - whatever json can not say by itself
    if isinstance(value, (date, Decimal)):
        return str(value)
    if _is_numpy(value):
        return value.item()
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(str(item) for item in value)
    if _is_missing(value):
        return None
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _is_missing(value: object) -> bool:
    """NaT and NA, told by their types' names: pandas need not be imported to find it absent."""
    return type(value).__name__ in {"NaTType", "NAType"}


def _is_numpy(value: object) -> bool:
    return type(value).__module__ == "numpy"
