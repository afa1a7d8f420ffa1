"""A CSV file of somebody's as rows with their line numbers; whatever is wrong with it is told in full.

Comes in: a path. Goes out: lower-case column names and trimmed texts. A byte-order mark, semicolons, tabs and
the case of the header are all met in real exports and change nothing.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024
DELIMITERS = (",", ";", "\t")


class PositionsError(Exception):
    """The file can not be used; the message names file, line, finding and remedy. Exit status 2."""

    exit_status = 2


@dataclass(frozen=True)
class Row:
    """One line: where it stands, and its texts by column."""

    place: str
    line: int
    texts: dict[str, str]

    def text(self, column: str) -> str:
        """The text of a column; empty where the column or the value is missing."""
        return self.texts.get(column, "")

    def number(self, column: str) -> Decimal | None:
        """A plain number; None where the field is empty.

        Raises:
            PositionsError: it is no finite number with a decimal point.
        """
        text = self.text(column)
        if not text:
            return None
        try:
            # Decimal also reads 1_000 and other scripts' digits, which nobody means.
            value = Decimal(text) if text.isascii() and "_" not in text else Decimal("NaN")
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or value.adjusted() > 30:
            raise self.fault(
                column,
                "a plain number with a decimal point",
                "Remove thousands separators and currency signs.",
            )
        return value

    def instant(self, column: str) -> datetime | None:
        """A UTC time; one without a zone is UTC; None where the field is empty."""
        text = self.text(column)
        if not text:
            return None
        try:
            value = datetime.fromisoformat(text.removesuffix(" UTC"))
        except ValueError:
            wanted = "a UTC time such as 2026-06-30T18:00:00Z"
            raise self.fault(column, wanted, "Correct it.") from None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def fault(self, column: str, wanted: str, remedy: str) -> PositionsError:
        """The error that a value of this line deserves."""
        return PositionsError(
            f"{self.place}: {column}: wanted {wanted}, found {self.text(column)!r}. {remedy}"
        )


@dataclass(frozen=True)
class CsvFile:
    """A file's columns (lower case, in order) and its rows that are not empty."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_csv(path: Path, wanted: str) -> CsvFile:
    """Read a whole file.

    Args:
        path: Where it is.
        wanted: What the file should be, for the errors, such as "a positions file".

    Raises:
        PositionsError: there is none, it is no text, a name of a column repeats, or a line has more values
            than there are columns.
    """
    text = _text(path, wanted)
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    rows: list[Row] = []
    columns: tuple[str, ...] = ()
    try:
        for values in reader:
            place = f"{path}:{reader.line_num}"
            if not any(value.strip() for value in values):
                continue
            if not columns:
                columns = _columns(place, values)
                continue
            if any(value.strip() for value in values[len(columns) :]):
                raise PositionsError(
                    f"{place}: wanted {len(columns)} values, found more values than columns. "
                    "Quote values that hold a comma, and remove thousands separators."
                )
            texts = {name: value.strip() for name, value in zip(columns, values, strict=False)}
            rows.append(Row(place, reader.line_num, texts))
    except csv.Error as error:
        raise PositionsError(
            f"{path}:{reader.line_num}: wanted a line of CSV, found one that can not be read ({error}). "
            "Look for a quote that is not closed."
        ) from error
    return CsvFile(path, columns, tuple(rows))


def _text(path: Path, wanted: str) -> str:
    if not path.is_file():
        raise PositionsError(
            f"Wanted {wanted} at {path}, found none. "
            "Write one with the columns asset, venue, quantity, or run `trimtab init`."
        )
    if path.stat().st_size > MAX_BYTES:
        raise PositionsError(f"{path}: wanted {wanted}, found a file above 64 MB. Is it the right one?")
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise PositionsError(
            f"{path}: wanted {wanted} as text in UTF-8, found other bytes at position {error.start}. "
            "Export it as CSV (UTF-8); a spreadsheet file is no CSV."
        ) from None
    if "\0" in text:
        raise PositionsError(f"{path}: wanted {wanted} as text, found binary data. Export it as CSV (UTF-8).")
    return text


def _columns(place: str, values: list[str]) -> tuple[str, ...]:
    names = [value.strip().lower() for value in values]
    while names and not names[-1]:
        names.pop()
    repeated = sorted({name or "(empty)" for name in names if names.count(name) > 1})
    if repeated:
        raise PositionsError(
            f"{place}: wanted each column once, found {', '.join(repeated)} twice. Correct the first line."
        )
    return tuple(names)
