"""How answers look on a terminal: tables, figures and plain sentences; untrusted text is never markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 110


def console() -> Console:
    """Where answers are printed: as wide as the terminal, and wide enough for a log."""
    real = Console(highlight=False)
    return real if real.is_terminal else Console(highlight=False, width=WIDTH)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> Table:
    """A plain table; the columns named in `right` are set to the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell(value)) for value in row))
    return made


def cell(value: object) -> str:
    """One value as text: UTC without microseconds, numbers without noise, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, float):
        return f"{value:.10g}"
    return "".join(letter if letter.isprintable() else "·" for letter in str(value))


def plain(value: Decimal) -> str:
    """A quantity without trailing zeros or exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction of one as a percentage; empty when unknown."""
    return "" if value is None else f"{value * 100:.{digits}f} %"


def money(value: float | None) -> str:
    """US dollars, grouped; empty when unknown."""
    if value is None:
        return ""
    return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def bps(value: float | None) -> str:
    """Basis points; empty when unknown."""
    return "" if value is None else f"{value:.1f} bps"


def duration(seconds: float | None) -> str:
    """An age as people say it: 40 s, 12 min, 5.3 h, 12 d."""
    if seconds is None:
        return "never"
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.{1 if unit == 'h' else 0}f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def jsonable(value: Any) -> Any:  # noqa: ANN401 - a JSON-like tree has no narrower type
    """A value that json.dumps takes: instants as ISO with Z, decimals as plain text."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
