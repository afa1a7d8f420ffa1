"""Where in a TOML text a key stands, so that a refusal can name the line.

The standard parser keeps no positions; this reads headers and keys line by line: all that an error needs.
"""

from __future__ import annotations

import re

HEADER = re.compile(r"^\s*\[(\[)?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
KEY = re.compile(r'^\s*((?:"[^"]*"|\'[^\']*\'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|[A-Za-z0-9_-]+))*)\s*=')
PART = re.compile(r'"([^"]*)"|\'([^\']*)\'|([A-Za-z0-9_:-]+)')

Path = tuple[int | str, ...]


class LineIndex:
    """Line numbers of the tables and keys of one TOML text."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._numbers: dict[Path, int] = {}
        self._scan()

    def of(self, where: Path) -> int | None:
        """The 1-based line of a key, or of the nearest thing that holds it; None when nothing does."""
        for end in range(len(where), 0, -1):
            number = self._numbers.get(where[:end])
            if number is not None:
                return self._inside(number, where[end:])
        return None

    def _inside(self, number: int, rest: Path) -> int:
        """A key of an inline table or an item of an array may stand on a later line of the same value."""
        names = [part for part in rest if isinstance(part, str)]
        if not names:
            return number
        for offset, line in enumerate(self._lines[number - 1 : number + 40]):
            if offset and (HEADER.match(line) or KEY.match(line)) and names[0] not in line:
                break
            if re.search(rf'["\']?\b{re.escape(names[0])}\b["\']?\s*=', line):
                return number + offset
        return number

    def _scan(self) -> None:
        table: Path = ()
        counts: dict[Path, int] = {}
        for number, line in enumerate(self._lines, 1):
            header = HEADER.match(line)
            if header:
                table = _parts(header[2])
                if header[1]:
                    counts[table] = counts.get(table, -1) + 1
                    self._numbers.setdefault(table, number)
                    table = (*table, counts[table])
                self._numbers.setdefault(table, number)
                continue
            key = KEY.match(line)
            if key:
                self._numbers.setdefault((*table, *_parts(key[1])), number)


def _parts(text: str) -> Path:
    return tuple(a or b or c for a, b, c in PART.findall(text))
