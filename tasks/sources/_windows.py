"""Which stretches of a candle series to ask for: plain arithmetic on opening instants, in milliseconds.

Windows are inclusive on both ends and lie on the timeframe's grid. History that is missing before what is
held comes last page first, so that a run that dies leaves one stretch missing at the old end and no hole
in the middle.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRAILING_CANDLES = 3
GRACE_MS = 2_000


@dataclass(frozen=True)
class Window:
    """Opening instants from `first` to `last`, both inclusive, in milliseconds.

    `is_newest` marks the page that ends at the newest closed candle; `moves_cursor` the pages that follow
    on what is held without a hole.
    """

    first: int
    last: int
    is_newest: bool = False
    moves_cursor: bool = True


def last_closed_open(now_ms: int, step: int) -> int:
    """The opening instant of the newest candle that closed at least the grace period ago."""
    return (now_ms - GRACE_MS) // step * step - step


def pages(first: int, last: int, step: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut an inclusive stretch into pages of at most `size` candles, oldest first."""
    at = first
    while at <= last:
        end = min(at + (size - 1) * step, last)
        yield at, end
        at = end + step


def plan(
    *, wanted: int, held_from: int | None, cursor: int | None, newest: int, step: int, size: int
) -> list[Window]:
    """The pages to ask for.

    Args:
        wanted: opening instant from which history is wanted (not before the listing).
        held_from: first opening instant the warehouse holds, None for nothing.
        cursor: everything before this instant was read, None for nothing.
        newest: opening instant of the newest closed candle.
        step: length of a candle.
        size: candles per page.
    """
    if cursor is None:
        start, older = wanted, None
    else:
        start = max(min(cursor, newest + step) - TRAILING_CANDLES * step, wanted)
        older = held_from if held_from is not None and wanted < held_from else None
    found = [Window(a, b, is_newest=b == newest) for a, b in pages(start, newest, step, size)]
    if older is not None:
        before = [Window(a, b, moves_cursor=False) for a, b in pages(wanted, older - step, step, size)]
        found.extend(reversed(before))
    return found


def again(holes: Sequence[tuple[int, int]], step: int, size: int) -> list[tuple[Window, list[int]]]:
    """The pages that ask for holes again, at most `size` rows each, with the holes that end in each.

    Args:
        holes: inclusive stretches on the grid, in any order.
        step: length of a candle.
        size: candles per page.
    """
    found: list[tuple[Window, list[int]]] = []
    for at in sorted(range(len(holes)), key=lambda at: holes[at]):
        first, last = holes[at]
        if found and last - found[-1][0].first < size * step:
            window, inside = found[-1]
            end = max(window.last, last)
            found[-1] = (Window(window.first, end, moves_cursor=False), [*inside, at])
            continue
        for a, b in pages(first, last, step, size):
            found.append((Window(a, b, moves_cursor=False), [at] if b == last else []))
    return found


def missing(window: Window, opens: NDArray[np.int64], step: int) -> list[tuple[int, int]]:
    """Inclusive stretches of a window's grid without a row."""
    count = (window.last - window.first) // step + 1
    # Nearly every page is whole, and this is asked several times of each.
    if opens.size == count and opens[0] == window.first and (np.diff(opens) == step).all():
        return []
    grid = np.arange(window.first, window.last + step, step, dtype=np.int64)
    absent = grid[~np.isin(grid, opens)]
    if not absent.size:
        return []
    breaks = np.flatnonzero(np.diff(absent) > step)
    starts = np.concatenate(([0], breaks + 1))
    ends = np.concatenate((breaks, [absent.size - 1]))
    return [(int(absent[a]), int(absent[b])) for a, b in zip(starts, ends, strict=True)]
