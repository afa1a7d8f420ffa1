"""The plots of pages, as SVG: the one place that draws, by matplotlib.

The same values give the same bytes: no date is written and ids come from the plot's own title. Text and axes
take the page's own colour, so that they are read on light and on dark. Names are data: no text is markup.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from tasks.plain_text import clean

# Okabe and Ito's colours, told apart by people who do not see red and green alike.
COLOURS = ("#7f7f7f", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#5b3a8c")
INK = "#010203"  # stands for the page's own colour until the drawing is written
WIDTH, HEIGHT, ROW = 9.5, 3.1, 0.36  # inches
# What a page with plots adds to its own style.
STYLE = """
figure { margin: .5rem 0; } figure svg { width: 100%; max-width: 60rem; height: auto; display: block; }
"""
LOOK = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.25,
}


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
        span: lowest and highest value that is allowed or likely, drawn as a line beneath the bars.
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
    with _drawing(title, 0.5 + ROW * len(rows)) as (axes, drawn):
        thick = 0.62 / max((len(row.values) for row in rows), default=1)
        unnamed = {j: clean(name) for j, name in enumerate(series)}
        for i, row in enumerate(rows):
            for j, value in enumerate(row.values):
                if value is not None:
                    name = unnamed.pop(j, None)
                    place = i - 0.31 + (j + 0.5) * thick
                    bar = axes.barh(place, value, thick * 0.9, color=COLOURS[j % len(COLOURS)], label=name)
                    axes.bar_label(bar, [form.format(round(value, 6) + 0.0)], padding=3, fontsize=8)
            if row.span is not None:
                axes.plot(row.span, (i + 0.4, i + 0.4), color=INK, linewidth=0.8, marker="|", markersize=4)
        axes.axvline(0.0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(rows)), [clean(row.label) for row in rows])
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.tick_params(left=False, bottom=False, labelbottom=False)
        axes.spines[["left", "bottom"]].set_visible(False)
    return drawn[0]


def lines(plot: Plot, days: Sequence[date], series: Mapping[str, Sequence[float]]) -> str:
    """Curves over days; the first is the subject and drawn strongest.

    Args:
        plot: title and axis.
        days: of every series, in their order; instants keep their hour.
        series: label → one value for each day; where a value is not finite, the curve breaks off.
    """
    with _drawing(plot.title) as (axes, drawn):
        curves = {label: [v if math.isfinite(v) else math.nan for v in one] for label, one in series.items()}
        for i, (label, values) in enumerate(curves.items()):
            style = {"color": INK, "linewidth": 1.8, "zorder": 9} if i == 0 else {"linewidth": 1.0}
            colour = {} if i == 0 else {"color": COLOURS[1 + (i - 1) % (len(COLOURS) - 1)]}
            axes.plot(list(days), values, label=clean(label), **style, **colour)
        if plot.is_log and any(v > 0.0 for one in curves.values() for v in one):
            axes.set_yscale("log", nonpositive="mask")
        _frame(axes, plot, days)
    return drawn[0]


def areas(plot: Plot, days: Sequence[date], series: Mapping[str, Sequence[float]]) -> str:
    """Shares that add up to one, stacked from below in their order; arguments as of `lines`."""
    with _drawing(plot.title) as (axes, drawn):
        colours = [COLOURS[(i + 1) % len(COLOURS)] for i in range(len(series))]
        names = [clean(label) for label in series]
        axes.stackplot(list(days), *series.values(), labels=names, colors=colours, linewidth=0)
        axes.set_ylim(0.0, 1.0)
        _frame(axes, plot, days)
    return drawn[0]


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
    with _drawing(plot.title) as (axes, drawn):
        shown = [(day, height) for day, height in zip(days, heights, strict=True) if height > 0.0]
        places, tops = [day for day, _ in shown], [height for _, height in shown]
        axes.vlines(places, 0.0, tops, color=COLOURS[1], linewidth=1.2, label=clean(plot.title))
        other = axes.twinx()
        other.plot(list(days), list(total[1]), color=COLOURS[6], linewidth=1.2, label=clean(total[0].title))
        for one, form in ((axes, plot.form), (other, total[0].form)):
            one.set_ylim(bottom=0.0)
            one.yaxis.set_major_formatter(_written(form))
        _frame(axes, plot, days)
    return drawn[0]


def _frame(axes: Any, plot: Plot, days: Sequence[date]) -> None:  # noqa: ANN401 - matplotlib's object
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - costs half a second
    from matplotlib.ticker import NullFormatter  # noqa: PLC0415 - likewise

    axes.yaxis.set_major_formatter(_written(plot.form))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True)
    if len(days) > 1 and all(a <= b for a, b in pairwise(days)) and days[0] < days[-1]:
        axes.set_xlim(days[0], days[-1])
        locator = AutoDateLocator(minticks=3, maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _written(form: str) -> Any:  # noqa: ANN401 - matplotlib's object
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415 - likewise

    def written(value: float, _: object) -> str:
        return form.format(value)

    return FuncFormatter(written)


@contextmanager
def _drawing(title: str, height: float = HEIGHT) -> Generator[tuple[Any, list[str]]]:
    """Axes to draw on; when the block ends, the SVG is in the list."""
    from matplotlib import rc_context  # noqa: PLC0415 - likewise
    from matplotlib.figure import Figure  # noqa: PLC0415 - likewise

    drawn: list[str] = []
    look: dict[Any, Any] = {**LOOK, "svg.hashsalt": title}
    with rc_context(look), warnings.catch_warnings():
        # A name in letters that the library's font lacks is only measured by it; the reader's font draws it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure: Any = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots()
        yield axes, drawn
        named = [part.get_legend_handles_labels() for part in figure.axes]
        handles, labels = [h for one in named for h in one[0]], [name for one in named for name in one[1]]
        if len(labels) > 1:
            figure.legend(handles, labels, loc="outside upper left", ncols=6, fontsize=8, frameon=False)
        target = io.StringIO()
        metadata = {"Title": clean(title), "Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(target, format="svg", transparent=True, metadata=metadata)
        drawn.append(_fit_for_a_page(target.getvalue()))


def _fit_for_a_page(text: str) -> str:
    """Only the drawing: sized by the page, in its colour, without other hosts or ids that another has."""
    text = text[text.index("<svg") :].replace(INK, "currentColor").replace("xlink:href", "href")
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r' xmlns:xlink="[^"]*"', "", text, count=1)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    return re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r'\1 role="img"', text, count=1)
