"""Plots: valid drawings whose points stand where their values say, whatever the values are."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from tasks.plots import COLOURS, Bars, Plot, areas, bars, columns, lines

DAYS = [date(2020, 3, 1) + timedelta(days=i) for i in range(400)]
HOSTILE = '<script>x</script>"& $a_b$ 中'
FIRST = "stroke: currentColor; stroke-width: 1.8"


def parsed(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter())


def runs(svg: str, style: str) -> list[list[tuple[float, float]]]:
    """The points of every unbroken stretch that is drawn in a style."""
    paths = [e.get("d") or "" for e in parsed(svg) if style in (e.get("style") or "")]
    stretches = [one for path in paths for one in re.split(r"M", path)[1:]]
    return [[(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", one)] for one in stretches]


def test_a_curve_stands_where_its_values_say():
    (one,) = runs(lines(Plot("t"), DAYS[:5], {"a": [0.0, 1.0, 2.0, 1.0, 4.0]}), FIRST)
    low, high = one[0][1], one[4][1]
    assert high < low  # a drawing counts from the top
    assert [(low - y) / (low - high) for _, y in one] == pytest.approx([0.0, 0.25, 0.5, 0.25, 1.0], abs=1e-4)
    steps = [b[0] - a[0] for a, b in pairwise(one)]
    assert steps == pytest.approx([steps[0]] * 4, abs=1e-3)


def test_on_a_logarithmic_axis_equal_ratios_are_equal_steps():
    (one,) = runs(lines(Plot("t", is_log=True), DAYS[:3], {"a": [1.0, 10.0, 100.0]}), FIRST)
    assert one[1][1] == pytest.approx((one[0][1] + one[2][1]) / 2, abs=1e-3)


def test_a_curve_breaks_off_where_a_value_is_missing_or_has_no_logarithm():
    values = [1.0, 2.0, float("nan"), 3.0, float("inf"), 4.0, 5.0]
    assert [len(run) for run in runs(lines(Plot("t"), DAYS[:7], {"a": values}), FIRST) if len(run) > 1] == [
        2,
        2,
    ]
    values = [1.0, 2.0, -2.0, 3.0, 4.0]
    assert [len(run) for run in runs(lines(Plot("t", is_log=True), DAYS[:5], {"a": values}), FIRST)] == [2, 2]


def test_areas_are_stacked_and_fill_the_plot():
    svg = areas(Plot("t"), DAYS[:3], {"a": [0.25, 0.5, 1.0], "b": [0.75, 0.5, 0.0]})
    (lower,), (upper,) = (runs(svg, f"fill: {COLOURS[i]}")[:1] for i in (1, 2))
    foot = max(y for _, y in lower)
    top = min(y for _, y in upper)
    middle = {round((foot - y) / (foot - top), 3) for _, y in lower}
    assert {0.0, 0.25, 0.5, 1.0} <= middle


def test_only_days_with_a_height_have_a_column():
    svg = columns(Plot("t", "{:.0%}"), DAYS[:4], [0.0, 0.2, 0.0, 0.1], (Plot("so far"), [0.0, 5.0, 5.0, 9.0]))
    assert len([run for run in runs(svg, f"stroke: {COLOURS[1]}; stroke-width: 1.2") if len(run) == 2]) >= 2
    none = columns(Plot("t"), DAYS[:2], [0.0, 0.0], (Plot("so far"), [0.0, 0.0]))
    assert [run for run in runs(none, f"stroke: {COLOURS[1]}; stroke-width: 1.2") if len(run) > 2] == []
    assert ">so far</text>" in svg


def test_bars_say_their_figures_and_draw_nothing_for_none():
    svg = bars("t", ("a", "b"), [Bars("x", (-0.5, None)), Bars("y", (0.25, 0.1), (0.0, 1.0))])
    words = [e.text for e in parsed(svg) if e.tag.endswith("text")]
    assert [word for word in words if word and "%" in word] == ["-50.0%", "25.0%", "10.0%"]
    assert {"a", "b", "x", "y"} <= set(words)


@pytest.mark.parametrize(
    "values",
    [[0.0, 0.0], [5.0, 5.0], [float("nan")] * 2, [1e-12, 2e-12], [-3e9, 4e9], [100_000.0, 100_001.0]],
)
@pytest.mark.parametrize("is_log", [False, True])
def test_any_values_make_a_drawing(values, is_log):
    svg = lines(Plot("t", is_log=is_log), DAYS[:2], {"a": values, "b": values})
    assert parsed(svg)
    assert "nan" not in svg
    assert "inf" not in svg


def test_names_are_text_and_equal_values_are_equal_bytes():
    def drawn() -> list[str]:
        return [
            lines(Plot(HOSTILE), DAYS[:3], {HOSTILE: [1.0, 2.0, 3.0], "b": [1.0, 1.0, 1.0]}),
            areas(Plot(HOSTILE), DAYS[:3], {HOSTILE: [0.5] * 3, "b": [0.5] * 3}),
            columns(Plot(HOSTILE), DAYS[:3], [0.0, 1.0, 0.0], (Plot(HOSTILE), [0.0, 1.0, 1.0])),
            bars(HOSTILE, (HOSTILE, "b"), [Bars(HOSTILE, (1.0, 0.5))]),
        ]

    for drawing in drawn():
        elements = parsed(drawing)
        assert all(not element.tag.endswith("script") for element in elements)
        assert any("$a_b$" in (element.text or "") for element in elements)  # no mathematics made of it
        assert "http" not in drawing.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert drawn() == drawn()


def test_two_drawings_of_one_page_share_no_id():
    ids = [
        element.get("id")
        for title in ("one", "two")
        for element in parsed(lines(Plot(title), DAYS, {"a": [float(i) for i in range(400)]}))
        if element.get("id")
    ]
    assert ids
    assert len(ids) == len(set(ids))


def test_an_instant_alone_makes_a_drawing_and_instants_keep_their_hour():
    noon = datetime(2026, 6, 30, 12, tzinfo=UTC)
    assert parsed(lines(Plot("t"), [noon], {"a": [5.0]}))
    three = [noon, noon + timedelta(hours=6), noon + timedelta(hours=24)]
    (one,) = runs(lines(Plot("t"), three, {"a": [1.0, 2.0, 3.0]}), FIRST)
    assert one[1][0] - one[0][0] == pytest.approx((one[2][0] - one[0][0]) / 4, abs=1e-3)
