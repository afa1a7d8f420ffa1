"""SQL files with places for identifiers, and the one helper that quotes identifiers.

Values never go through here: they are bound parameters.
"""

from functools import cache
from pathlib import Path

from warehouse.catalogue import SQL_ROOT
from warehouse.headers import split_header


def quote(name: str) -> str:
    """Quote one identifier; a dotted name is quoted part by part."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def listed(names: tuple[str, ...] | list[str], prefix: str = "") -> str:
    """Quote identifiers and join them with commas, each with an optional prefix such as `staged.`."""
    return ", ".join(prefix + quote(name) for name in names)


def literal(text: str) -> str:
    """Quote a text for the few statements that can not bind parameters (COMMENT ON)."""
    return "'" + text.replace("'", "''") + "'"


@cache
def _template(name: str, root: Path) -> str:
    return split_header((root / "statements" / f"{name}.sql").read_text(encoding="utf-8"))[1]


def statement(name: str, /, **parts: str) -> str:
    """Fill the places of warehouse/sql/statements/<name>.sql with identifiers that are already quoted."""
    return _template(name, SQL_ROOT).format_map(parts)
