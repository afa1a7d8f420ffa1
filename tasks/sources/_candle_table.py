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
PLAIN = b'0123456789.,"-\n'
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
    lines = raw[2:-2].replace(BETWEEN, b"\n")
    if lines.translate(None, PLAIN):
        return None
    first, last = lines[: lines.index(b"\n") + 1].rstrip(), lines[lines.rindex(b"\n") + 1 :]
    count, fields = lines.count(b"\n") + 1, first.count(b",") + 1
    bare = lines.translate(None, b'"')
    if len(lines) - len(bare) != first.count(b'"') * count or fields <= quote_volume_at:
        return None
    try:
        ends = (json.loads(b"[" + first + b"]"), json.loads(b"[" + last + b"]"))
    except ValueError:
        return None
    rows = _columns(bare, fields, (*PRICES, quote_volume_at))
    if rows is None or len(rows) != count or not np.isfinite(rows).all():
        return None
    return CandleTable(rows, ends, text)


def _columns(lines: bytes, fields: int, wanted: tuple[int, ...]) -> NDArray[np.float64] | None:
    import pyarrow as pa  # noqa: PLC0415 - as late as ccxt; only a run that fetches pays
    from pyarrow import csv  # noqa: PLC0415 - as above

    names = [str(at) for at in range(fields)]
    chosen = [str(at) for at in wanted]
    try:
        table = csv.read_csv(
            pa.BufferReader(lines),
            csv.ReadOptions(use_threads=False, block_size=len(lines) + 1, column_names=names),
            csv.ParseOptions(quote_char=False, double_quote=False),
            csv.ConvertOptions(
                column_types=dict.fromkeys(chosen, pa.float64()), include_columns=chosen, null_values=[]
            ),
        )
    except pa.ArrowInvalid:
        return None
    return np.column_stack([table.column(name).to_numpy() for name in chosen])
