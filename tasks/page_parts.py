"""Parts of a page: lists and tables of escaped text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from tasks.plain_text import clean


def listed(sentences: Iterable[str]) -> str:
    """A list, each sentence escaped."""
    return "<ul>" + "".join(f"<li>{text(sentence)}</li>" for sentence in sentences) + "</ul>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are escaped already, a cell of figures begins with a mark and stands to the right."""
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>\n" for row in rows)
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"


def number(figure: str) -> str:
    """A cell of figures, escaped and marked for `table`."""
    return "\0" + text(figure)


def _cell(cell: str) -> str:
    return f'<td class="n">{cell[1:]}</td>' if cell.startswith("\0") else f"<td>{cell}</td>"


def text(value: object) -> str:
    """Any text, cleaned and escaped."""
    return escape(clean(str(value), limit=4000), quote=True)
