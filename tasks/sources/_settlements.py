"""A page of funding settlements read at once where every row is alike; row by row, by ccxt, otherwise."""

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

# A few rows are read as fast the ordinary way.
FEWEST_ROWS = 20


def read_settlements(
    response: Any,  # noqa: ANN401 - what the venue sent
    fields: Sequence[str],
    since: int | None,
    limit: int | None,
) -> list[dict[str, Any]] | None:
    """Rows with ccxt's names (`timestamp`, `fundingRate`, `info`), the oldest first.

    Args:
        response: the raw rows.
        fields: the raw names of the instant in milliseconds and of the rate; none: read nothing.
        since: leave out what is older, as ccxt does.
        limit: how many were asked for.

    Returns:
        None where any row differs from the others in kind: the ordinary way then says what is wrong with it.
    """
    if len(fields) != 2 or not isinstance(response, list) or not FEWEST_ROWS <= len(response) <= (limit or 0):
        return None
    time, rate = fields
    raw: list[Any] = response
    try:
        rows = [
            {"timestamp": int(row[time]), "fundingRate": float(row[rate]), "info": row}
            for row in raw
            if row["symbol"] == raw[0]["symbol"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if len(rows) != len(raw) or not all(math.isfinite(row["fundingRate"]) for row in rows):
        return None
    rows.sort(key=itemgetter("timestamp"))
    kept = [row for row in rows if since is None or row["timestamp"] >= since]
    return kept or None
