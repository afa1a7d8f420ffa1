"""Small plots as SVG without a plotting library: a recommendation's page is written within every run.

Text and axes take the page's own colour, so that they are read on light and on dark. Every text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tasks.plain_text import clean

WIDTH, LEFT, RIGHT, ROW, BAR = 760, 130, 90, 34, 11
# Okabe and Ito's colours, told apart by people who do not see red and green alike.
COLOURS = ("#7f7f7f", "#0072b2", "#e69f00")


@dataclass(frozen=True, slots=True)
class Bars:
    """One row of bars.

    Attributes:
        label: what the row is of.
        values: one per series; None draws nothing.
        span: lowest and highest value that is allowed or likely, drawn as a line behind the bars.
    """

    label: str
    values: tuple[float | None, ...]
    span: tuple[float, float] | None = None


def bars(title: str, series: Sequence[str], rows: Sequence[Bars], form: str = "{:.1%}") -> str:
    """Rows of horizontal bars around zero, each with its figure.

    Args:
        title: of the plot, also for those who hear the page.
        series: names of the values of a row, for the legend.
        rows: from top to bottom.
        form: how a value is written.
    """
    shown = [v for row in rows for v in (*row.values, *(row.span or ())) if v is not None]
    low, high = min([0.0, *shown]), max([0.0, *shown])
    scale = (WIDTH - LEFT - RIGHT) / ((high - low) or 1.0)

    def x(value: float) -> float:
        return LEFT + (value - low) * scale

    parts = [_legend(series)]
    for i, row in enumerate(rows):
        top = 34 + i * ROW
        parts.append(_label(LEFT - 8, top + BAR + 4, row.label, "end"))
        if row.span is not None:
            parts.append(_span(x(row.span[0]), x(row.span[1]), top))
        for j, value in enumerate(row.values):
            if value is not None:
                parts.append(_bar(x(0.0), x(value), top + j * BAR, j))
                parts.append(
                    _label(
                        max(x(0.0), x(value)) + 4,
                        top + j * BAR + 9,
                        form.format(round(value, 6) + 0.0),
                        "start",
                    )
                )
    height = 34 + len(rows) * ROW + 8
    parts.append(f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="26" y2="{height - 6}" class="axis"/>')
    return _svg(title, height, parts)


def curve(title: str, values: Sequence[float], first: str, last: str) -> str:
    """One line through values in their order, with what stands at its ends.

    Args:
        title: of the plot.
        values: at least two.
        first: words under the left end.
        last: words under the right end.
    """
    low, high = min(values), max(values)
    scale = 110.0 / ((high - low) or 1.0)
    step = (WIDTH - LEFT - RIGHT) / (len(values) - 1)
    points = " ".join(f"{LEFT + i * step:.1f},{130 - (v - low) * scale:.1f}" for i, v in enumerate(values))
    parts = [
        f'<polyline points="{points}" fill="none" stroke="{COLOURS[1]}" stroke-width="2"/>',
        _label(LEFT - 8, 24, f"{high:,.0f}", "end"),
        _label(LEFT - 8, 134, f"{low:,.0f}", "end"),
        _label(LEFT, 156, first, "start"),
        _label(WIDTH - RIGHT, 156, last, "end"),
    ]
    return _svg(title, 166, parts)


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{_text(title)}</title>" + "".join(parts) + "</svg>"
    )


def _legend(series: Sequence[str]) -> str:
    made: list[str] = []
    for j, name in enumerate(series):
        left = LEFT + j * 170
        made.append(f'<rect x="{left}" y="4" width="12" height="12" fill="{COLOURS[j % len(COLOURS)]}"/>')
        made.append(_label(left + 18, 14, name, "start"))
    return "".join(made)


def _bar(zero: float, end: float, top: int, colour: int) -> str:
    left, width = min(zero, end), max(abs(end - zero), 0.5)
    fill = COLOURS[colour % len(COLOURS)]
    return f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR - 1}" fill="{fill}"/>'


def _span(left: float, right: float, top: int) -> str:
    middle = top + BAR * 2 + 3
    return (
        f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{middle}" y2="{middle}" class="span"/>'
        f'<line x1="{left:.1f}" x2="{left:.1f}" y1="{middle - 3}" y2="{middle + 3}" class="span"/>'
        f'<line x1="{right:.1f}" x2="{right:.1f}" y1="{middle - 3}" y2="{middle + 3}" class="span"/>'
    )


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_text(text)}</text>'


def _text(value: str) -> str:
    return escape(clean(value), quote=True)
