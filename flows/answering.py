"""The child process of `trimtab sql`: opens the newest snapshot, answers one SELECT, and ends.

In: one question as JSON on stdin. Out: the answer on stdout, and on stderr one line of JSON that says how
many rows there were or why there are none. It has no environment, may write no file, and is ended from
outside when it takes too long.
"""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO

from flows.paper import cell, jsonable
from warehouse.connection import Engine
from warehouse.errors import QueryFailed, WarehouseError
from warehouse.home import Home
from warehouse.reader import Reader, open_published
from warehouse.selecting import Stream

THREADS = 2
TABLE_ROWS = 10_000  # a table for the eye; files have no limit
OVERHEAD_BYTES = 3 * 1024**3  # of address space, for the interpreter and its libraries
# A spreadsheet runs a cell that begins with one of these.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_UNITS = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}


def main() -> None:
    """Answer the question on stdin."""
    question: dict[str, Any] = json.load(sys.stdin)
    _confine(question["memory_limit"])
    try:
        engine = Engine(memory_limit=question["memory_limit"], threads=THREADS, spills=False)
        with open_published(Home(Path(question["home"])), engine=engine) as reader:
            told = answer(reader, question["sql"], question["shape"], sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except WarehouseError as error:
        _tell({"error": type(error).__name__, "message": str(error)[:4000]})
        sys.exit(1)
    except MemoryError:
        message = f"The answer needs more memory than {question['memory_limit']}. Ask for less at a time."
        _tell({"error": QueryFailed.__name__, "message": message})
        sys.exit(1)
    _tell(told)


def answer(reader: Reader, sql: str, shape: str, sink: BinaryIO) -> dict[str, Any]:
    """Write the answer in the wanted shape.

    Args:
        reader: The open snapshot.
        sql: One SELECT.
        shape: table, csv, json or parquet.
        sink: Where the bytes go.

    Returns:
        The number of rows written, and whether these are all.
    """
    if shape == "parquet":
        return {"rows": reader.write_parquet(sql, sink), "is_complete": True}
    text = io.TextIOWrapper(sink, encoding="utf-8", newline="", write_through=True)
    try:
        found = reader.stream(sql)
        if shape == "table":
            return _write_table(found, text)
        count = _write_csv(found, text) if shape == "csv" else _write_json(found, text)
        return {"rows": count, "is_complete": True}
    finally:
        text.detach()


def _write_table(found: Stream, out: IO[str]) -> dict[str, Any]:
    rows = list(islice(found.rows, TABLE_ROWS + 1))
    shown = rows[:TABLE_ROWS]
    cells = [[cell(name) for name in found.columns], *([cell(value) for value in row] for row in shown)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(found.columns))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    out.write("\n".join(lines) + "\n")
    return {"rows": len(shown), "is_complete": len(shown) == len(rows)}


def _write_csv(found: Stream, out: IO[str]) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in found.columns])
    count = 0
    for row in found.rows:
        writer.writerow([safe_cell(value) for value in row])
        count += 1
    return count


def safe_cell(value: Any) -> Any:  # noqa: ANN401 - a cell of any type
    """A CSV cell: a text that a spreadsheet would run begins with an apostrophe; numbers stay numbers."""
    value = jsonable(value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return _visible("'" + str(value) if _runs(str(value)) else str(value))


def _runs(text: str) -> bool:
    # A decimal is written as text, and a negative one is a number all the same.
    return text.startswith(FORMULA_STARTS) and not re.fullmatch(r"-\d+(\.\d+)?", text)


def _visible(text: str) -> str:
    """The text without what could steer a terminal (a bare CR overwrites the line) or turn its direction."""
    return "".join(letter if letter.isprintable() or letter in "\t\n" else "·" for letter in text)


def _write_json(found: Stream, out: IO[str]) -> int:
    count = 0
    for text in _json_lines(found):
        out.write(",\n" if count else "[\n")
        out.write(text)
        count += 1
    out.write("\n]\n" if count else "[]\n")
    return count


def _json_lines(found: Stream) -> Iterator[str]:
    for row in found.rows:
        facts = {name: jsonable(value) for name, value in zip(found.columns, row, strict=True)}
        text = json.dumps(_finite(facts), ensure_ascii=False, default=str)
        # Inside JSON only texts hold such letters, and there an escape means the same.
        yield "  " + "".join(one if one.isprintable() else _escaped(one) for one in text)


def _finite(value: Any) -> Any:  # noqa: ANN401 - a JSON-like tree
    """JSON has neither NaN nor infinity: null."""
    if isinstance(value, float) and value - value != 0:
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_finite(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _escaped(letter: str) -> str:
    return json.dumps(letter)[1:-1]


def _confine(memory_limit: str) -> None:
    """No file may be written, no core left, and memory ends a little above DuckDB's own limit."""
    amount, unit = re.fullmatch(r"([\d.]+)\s?([A-Za-z]+)", memory_limit).groups()  # type: ignore[union-attr]  # the settings promise this form
    room = int(float(amount) * _UNITS[unit]) + OVERHEAD_BYTES
    for limit, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, room),
    ):
        resource.setrlimit(limit, (most, most))


def _tell(facts: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
