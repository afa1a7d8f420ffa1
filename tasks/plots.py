"""The plots of reports, as SVG to be put into a page: the one place that draws.

The same values give the same bytes: no date is written, and ids are derived from the plot's own name.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Okabe and Ito's colours, told apart by people who do not see red and green alike.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7f7f7f", "#5b3a8c")
WIDTH, HEIGHT = 9.6, 3.4


@dataclass(frozen=True, slots=True)
class Plot:
    """What a plot is called and how its axis reads."""

    name: str
    unit: str = ""
    is_log: bool = False
    is_percent: bool = False


def lines(plot: Plot, days: Sequence[date], series: Mapping[str, Array]) -> str:
    """Curves over days; the first is the subject and drawn strongest.

    Args:
        plot: name and axis.
        days: of every series.
        series: label → values, one for each day.
    """
    figure, axes = _figure()
    for i, (label, values) in enumerate(series.items()):
        style = {"color": "black", "linewidth": 1.8, "zorder": 9} if i == 0 else {"linewidth": 0.9}
        colour = {} if i == 0 else {"color": COLOURS[(i - 1) % len(COLOURS)]}
        axes.plot(_days(days), values, label=label, **style, **colour)
    if plot.is_log:
        axes.set_yscale("log")
    return _finish(figure, axes, plot)


def areas(plot: Plot, days: Sequence[date], series: Mapping[str, Array]) -> str:
    """Shares that add up, stacked."""
    figure, axes = _figure()
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(series))]
    axes.stackplot(_days(days), *series.values(), labels=list(series), colors=colours, linewidth=0)
    axes.set_ylim(0.0, 1.0)
    return _finish(figure, axes, plot)


def bars(plot: Plot, days: Sequence[date], heights: Array, total: tuple[str, Array]) -> str:
    """Bars per day, and beside them a running total on its own axis."""
    figure, axes = _figure()
    shown = heights > 0.0
    axes.vlines(_days(days)[shown], 0.0, heights[shown], color=COLOURS[0], linewidth=1.2, label=plot.name)
    axes.set_ylim(bottom=0.0)
    other = axes.twinx()
    other.plot(_days(days), total[1], color=COLOURS[5], linewidth=1.2, label=total[0])
    other.set_ylabel(total[0], color=COLOURS[5])
    other.set_ylim(bottom=0.0)
    return _finish(figure, axes, plot)


def _days(days: Sequence[date]) -> NDArray[np.datetime64]:
    return np.array(days, dtype="datetime64[D]")


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - costs a second; only a report draws

    figure: Any = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    return figure, figure.subplots()


def _percent(value: float, _: object) -> str:
    return f"{100 * value:g} %"


def _finish(figure: Any, axes: Any, plot: Plot) -> str:  # noqa: ANN401 - matplotlib's objects
    from matplotlib import rc_context  # noqa: PLC0415 - likewise
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415 - likewise

    if plot.is_percent:
        axes.yaxis.set_major_formatter(FuncFormatter(_percent))
    axes.set_ylabel(plot.unit)
    axes.grid(visible=True, linewidth=0.4, alpha=0.5)
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)
    target = io.StringIO()
    with rc_context({"svg.hashsalt": plot.name, "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    text = target.getvalue()
    return text[text.index("<svg") :]
