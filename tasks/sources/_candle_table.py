"""A page of candles read as columns: one pass in C that lets the other threads work meanwhile.

Building Python lists of a long history takes longer than everything else together. A body that consists of
nothing but equal rows of plain numbers is read as a table; every other body goes the ordinary, strict way.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPEN, CLOSE, BETWEEN = b"[[", b"]]", b"],["
PLAIN = b'0123456789.,"-[]'
PRICES = (0, 1, 2, 3, 4, 5)
# A table costs a little to set up; a few rows are read faster the ordinary way.
FEWEST_BYTES = 4096


@dataclass(frozen=True)
class CandleTable:
    """Candles as an array of [open time, open, high, low, close, volume, volume in quote].

    Attributes:
        rows: one row per candle, float64.
        ends: the first and the last raw row, for comparing with ccxt's own reading.
        text: the body, for reading it again the ordinary way.
    """

    rows: NDArray[np.float64]
    ends: tuple[list[Any], list[Any]]
    text: str


class CandleBody(list[Any]):
    """What ccxt takes for the list of raw rows; it hands it through to `parse_ohlcvs` untouched."""

    table: CandleTable

    def __init__(self, table: CandleTable) -> None:
        super().__init__()
        self.table = table


def read_table(text: str, quote_volume_at: int) -> CandleTable | None:
    """Read a body as a table; None where it is anything but equal rows of plain, finite numbers."""
    raw = text.encode()
    if len(raw) < FEWEST_BYTES or not (raw.startswith(OPEN) and raw.endswith(CLOSE)):
        return None
    inner = raw[len(OPEN) : -len(CLOSE)]
    if BETWEEN not in inner or inner.translate(None, PLAIN):
        return None
    first, last = inner[: inner.index(BETWEEN)], inner[inner.rindex(BETWEEN) + len(BETWEEN) :]
    fields = first.count(b",") + 1
    if fields <= quote_volume_at:
        return None
    try:
        ends = (json.loads(b"[" + first + b"]"), json.loads(b"[" + last + b"]"))
    except ValueError:
        return None
    bare = inner.translate(None, b'"')
    cells = _cells(bare.decode("ascii"), fields)
    if cells is None or len(inner) - len(bare) != first.count(b'"') * len(cells):
        return None
    rows = cells[:, (*PRICES, quote_volume_at)]
    return CandleTable(rows, ends, text) if np.isfinite(rows).all() else None


def _cells(text: str, fields: int) -> NDArray[np.float64] | None:
    """Every number of every row; None where rows differ in length or a cell is no number.

    Arrow splits and converts in this thread and without the interpreter's lock. (Its CSV reader hands each
    page to threads of its own, which takes longer than reading it.)
    """
    import pyarrow as pa  # noqa: PLC0415 - as late as ccxt; only a run that fetches pays
    from pyarrow import compute  # noqa: PLC0415 - as above

    split: Any = compute.call_function
    rows = split("split_pattern", [pa.array([text])], compute.SplitPatternOptions(BETWEEN.decode())).values
    cells = split("split_pattern", [rows], compute.SplitPatternOptions(","))
    if len(cells.values) != fields * len(rows) or (np.diff(cells.offsets.to_numpy()) != fields).any():
        return None
    try:
        return compute.cast(cells.values, pa.float64()).to_numpy().reshape(len(rows), fields)
    except pa.ArrowInvalid:
        return None
