"""Rows of a page as one array: in order of time, each instant once."""

import numpy as np
from numpy.typing import NDArray

from tasks.sources._errors import SourceError
from tasks.sources._times import from_ms

Rows = NDArray[np.float64]


def each_once(rows: Rows, name: str) -> Rows:
    """Sort rows by their first column (milliseconds) and drop identical repetitions; NaN equals NaN.

    Raises:
        SourceError: two different rows for one instant: nobody can tell which one is right.
    """
    if (np.diff(rows[:, 0]) > 0).all():
        return rows
    ordered = rows[np.argsort(rows[:, 0], kind="stable")]
    left, right = ordered[:-1], ordered[1:]
    is_repeated = left[:, 0] == right[:, 0]
    is_equal = ((left == right) | (np.isnan(left) & np.isnan(right))).all(axis=1)
    conflicts = right[is_repeated & ~is_equal]
    if conflicts.size:
        at = from_ms(int(conflicts[0, 0]))
        text = f"{name}: two different rows for {at:%Y-%m-%d %H:%M} in one page."
        raise SourceError("malformed", text)
    return ordered[np.concatenate(([True], ~is_repeated))]
