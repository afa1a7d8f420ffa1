"""The plots of pages, as SVG: the one place that draws.

Without a plotting library: a recommendation's page is written within every run, and one would cost each run a
second. The same values give the same bytes. Text and axes take the page's own colour, so that they are read
on light and on dark. Every text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import pairwise

from tasks.plain_text import clean
from tasks.plot_axes import BOTTOM, HEIGHT, WIDTH, Axes, axes_over, day_ticks, ordinal, value_ticks
from tasks.plot_axes import LEFT as FRAME_LEFT

LEFT, RIGHT, ROW, BAR = 130, 90, 34, 11
LEGEND_STEP, LEGEND_ROW, LEGEND_LEFT = 170, 18, 18
# Okabe and Ito's colours, told apart by people who do not see red and green alike.
COLOURS = ("#7f7f7f", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#5b3a8c")
SUBJECT = "currentColor"
# What a page with plots adds to its own style.
STYLE = """
figure { margin: .5rem 0; } figure svg { width: 100%; max-width: 60rem; height: auto; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
svg .axis, svg .span { stroke: currentColor; stroke-width: 1; opacity: .6; }
svg .grid { stroke: currentColor; stroke-width: .5; opacity: .2; }
"""


@dataclass(frozen=True, slots=True)
class Plot:
    """What a plot over time is called and how its values are read.

    Attributes:
        title: of the plot, also for those who hear the page.
        form: how a value is written.
        is_log: equal steps are equal ratios.
    """

    title: str
    form: str = "{:,.0f}"
    is_log: bool = False


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

    parts = _legend(series, COLOURS, LEFT)
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


def lines(plot: Plot, days: Sequence[date], series: Mapping[str, Sequence[float]]) -> str:
    """Curves over days; the first is the subject and drawn strongest.

    Args:
        plot: title and axis.
        days: of every series, in their order; instants keep their hour.
        series: label → one value for each day; where a value is not finite, the curve breaks off.
    """
    colours = [SUBJECT, *(COLOURS[1 + i % (len(COLOURS) - 1)] for i in range(len(series) - 1))]
    legend = _legend(tuple(series), colours, LEGEND_LEFT) if len(series) > 1 else []
    axes = axes_over(days, [v for one in series.values() for v in one], _top(series), is_log=plot.is_log)
    parts = [*legend, *_frame(axes, plot.form)]
    drawn = list(zip(series.values(), colours, strict=True))
    for values, colour in reversed(drawn):
        width = 1.8 if colour == SUBJECT else 1.0
        style = f'fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"'
        parts += [f'<polyline points="{run}" {style}/>' for run in _runs(axes, days, values)]
    return _svg(plot.title, HEIGHT, parts)


def areas(plot: Plot, days: Sequence[date], series: Mapping[str, Sequence[float]]) -> str:
    """Shares that add up to one, stacked from below in their order; arguments as of `lines`."""
    colours = [COLOURS[(i + 1) % len(COLOURS)] for i in range(len(series))]
    axes = axes_over(days, (0.0, 1.0), _top(series))
    below, parts = [0.0] * len(days), _legend(tuple(series), colours, LEGEND_LEFT)
    for values, colour in zip(series.values(), colours, strict=True):
        above = [b + v for b, v in zip(below, values, strict=True)]
        back = zip(reversed(days), reversed(below), strict=True)
        outline = [*zip(days, above, strict=True), *back]
        points = " ".join(f"{axes.x(ordinal(d)):.1f},{axes.y(v):.1f}" for d, v in outline)
        parts.append(f'<polygon points="{points}" fill="{colour}"/>')
        below = above
    return _svg(plot.title, HEIGHT, [*parts, *_frame(axes, plot.form)])


def columns(
    plot: Plot, days: Sequence[date], heights: Sequence[float], total: tuple[Plot, Sequence[float]]
) -> str:
    """A column per day above zero, and a running total on an axis of its own at the right.

    Args:
        plot: title and axis of the columns.
        days: of both.
        heights: 0 draws nothing.
        total: title, which names it in the legend, and axis of the total; its values.
    """
    names, colours = (plot.title, total[0].title), (COLOURS[1], COLOURS[6])
    axes = axes_over(days, [0.0, *heights], _top(names), right=64.0)
    other = axes_over(days, [0.0, *total[1]], _top(names), right=64.0)
    feet = f"V{axes.y(0.0):.1f}"
    marks = " ".join(
        f"M{axes.x(ordinal(day)):.1f},{axes.y(height):.1f}{feet}"
        for day, height in zip(days, heights, strict=True)
        if height > 0.0
    )
    parts = [*_legend(names, colours, LEGEND_LEFT), *_frame(axes, plot.form)]
    parts.append(f'<path d="{marks}" fill="none" stroke="{colours[0]}" stroke-width="1.2"/>' if marks else "")
    style = f'fill="none" stroke="{colours[1]}" stroke-width="1.2"'
    parts += [f'<polyline points="{run}" {style}/>' for run in _runs(other, days, total[1])]
    for tick in value_ticks(other):
        parts.append(_label(other.right + 6, other.y(tick) + 4, total[0].form.format(tick), "start"))
    return _svg(plot.title, HEIGHT, parts)


def _top(series: Sequence[str] | Mapping[str, Sequence[float]]) -> float:
    """Return what the legend takes; a single series has none."""
    per_row = (WIDTH - LEGEND_LEFT) // LEGEND_STEP
    return 10.0 if len(series) < 2 else 10.0 + LEGEND_ROW * math.ceil(len(series) / per_row)


def _frame(axes: Axes, form: str) -> list[str]:
    """Grid and words of both axes."""
    parts: list[str] = []
    for tick in value_ticks(axes):
        y = axes.y(tick)
        parts.append(
            f'<line x1="{FRAME_LEFT}" x2="{axes.right:.1f}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
        )
        parts.append(_label(FRAME_LEFT - 6, y + 4, form.format(tick), "end"))
    foot = HEIGHT - BOTTOM
    for day, words in day_ticks(axes):
        x = axes.x(day)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{axes.top:.1f}" y2="{foot}" class="grid"/>')
        parts.append(_label(x, foot + 15, words, "middle"))
    parts.append(f'<line x1="{FRAME_LEFT}" x2="{axes.right:.1f}" y1="{foot}" y2="{foot}" class="axis"/>')
    return parts


def _runs(axes: Axes, days: Sequence[date], values: Sequence[float]) -> list[str]:
    """Return the points of each unbroken stretch of a curve."""
    drawn = [math.isfinite(v) and (v > 0.0 or not axes.is_log) for v in values]
    edges = [0, *(i for i, (a, b) in enumerate(pairwise(drawn), 1) if a != b), len(drawn)]
    return [
        " ".join(f"{axes.x(ordinal(days[i])):.1f},{axes.y(values[i]):.1f}" for i in range(a, b))
        for a, b in pairwise(edges)
        if b > a and drawn[a]
    ]


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{_text(title)}</title>" + "".join(parts) + "</svg>"
    )


def _legend(series: Sequence[str], colours: Sequence[str], left: int) -> list[str]:
    """Name the series in rows from the top left."""
    per_row, parts = max(1, (WIDTH - left) // LEGEND_STEP), list[str]()
    for j, name in enumerate(series):
        x, y = left + (j % per_row) * LEGEND_STEP, 4 + (j // per_row) * LEGEND_ROW
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colours[j % len(colours)]}"/>')
        parts.append(_label(x + 18, y + 10, name, "start"))
    return parts


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
