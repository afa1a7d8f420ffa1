"""Plots: valid drawings whose points stand where their values say, whatever the values are."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from tasks.plot_axes import BOTTOM, HEIGHT, Axes, axes_over, day_ticks, ordinal, value_ticks
from tasks.plots import Bars, Plot, areas, bars, columns, lines

DAYS = [date(2020, 3, 1) + timedelta(days=i) for i in range(400)]
FOOT = HEIGHT - BOTTOM


def parsed(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter())


def points(svg: str) -> list[list[tuple[float, float]]]:
    found = re.findall(r'<poly(?:line|gon) points="([^"]*)"', svg)
    return [[(float(x), float(y)) for x, y in (pair.split(",") for pair in one.split())] for one in found]


def test_a_curve_runs_from_its_lowest_value_at_the_foot_to_its_highest_at_the_top():
    svg = lines(Plot("t"), DAYS, {"a": [float(i) for i in range(400)]})
    (one,) = points(svg)
    assert one[0][1] == pytest.approx(FOOT)
    assert one[-1][1] == pytest.approx(10.0)
    assert one[200][1] == pytest.approx((FOOT + 10.0) / 2, abs=0.5)
    assert all(a[0] < b[0] for a, b in pairwise(one))


def test_on_a_logarithmic_axis_equal_ratios_are_equal_steps():
    (one,) = points(lines(Plot("t", is_log=True), DAYS[:3], {"a": [1.0, 10.0, 100.0]}))
    assert one[1][1] == pytest.approx((one[0][1] + one[2][1]) / 2, abs=0.1)


def test_a_curve_breaks_off_where_a_value_is_missing_or_has_no_logarithm():
    values = [1.0, 2.0, float("nan"), 3.0, float("inf"), 4.0, 5.0]
    assert [len(run) for run in points(lines(Plot("t"), DAYS[:7], {"a": values}))] == [2, 1, 2]
    values = [1.0, -2.0, 0.0, 3.0]
    assert [len(run) for run in points(lines(Plot("t", is_log=True), DAYS[:4], {"a": values}))] == [1, 1]


def test_areas_are_stacked_and_fill_the_plot():
    lower, upper = points(areas(Plot("t"), DAYS[:3], {"a": [0.25, 0.5, 1.0], "b": [0.75, 0.5, 0.0]}))
    assert [y for _, y in lower[:3]] == list(reversed([y for _, y in upper[3:]]))
    assert {y for _, y in lower[3:]} == {FOOT}
    assert len({y for _, y in upper[:3]}) == 1


def test_only_days_with_a_height_have_a_column():
    svg = columns(Plot("t", "{:.0%}"), DAYS[:4], [0.0, 0.2, 0.0, 0.1], (Plot("so far"), [0.0, 5.0, 5.0, 9.0]))
    assert svg.count("M") == 2
    assert ">so far</text>" in svg


@pytest.mark.parametrize(
    "values",
    [[0.0, 0.0], [5.0, 5.0], [float("nan")] * 2, [1e-12, 2e-12], [-3e9, 4e9], [100_000.0, 100_001.0]],
)
@pytest.mark.parametrize("is_log", [False, True])
def test_any_values_make_a_drawing(values, is_log):
    svg = lines(Plot("t", is_log=is_log), DAYS[:2], {"a": values, "b": values})
    parsed(svg)
    assert "nan" not in svg
    assert "inf" not in svg


def test_names_are_text_and_equal_values_are_equal_bytes():
    hostile = '<script>x</script>"&'
    drawings = [
        lines(Plot(hostile), DAYS[:3], {hostile: [1.0, 2.0, 3.0], "b": [1.0, 1.0, 1.0]}),
        areas(Plot(hostile), DAYS[:3], {hostile: [0.5] * 3, "b": [0.5] * 3}),
        columns(Plot(hostile), DAYS[:3], [0.0, 1.0, 0.0], (Plot(hostile), [0.0, 1.0, 1.0])),
        bars(hostile, (hostile,), [Bars(hostile, (1.0,))]),
    ]
    for drawing in drawings:
        assert all(not element.tag.endswith("script") for element in parsed(drawing))
    assert drawings[0] == lines(Plot(hostile), DAYS[:3], {hostile: [1.0, 2.0, 3.0], "b": [1.0, 1.0, 1.0]})


@pytest.mark.parametrize("low", [-7.3, 0.0, 0.031, 950.0, 1e6])
@pytest.mark.parametrize("span", [1e-2, 0.9, 3.0, 47.0, 8e5])
def test_ticks_are_few_round_and_within(low, span):
    ticks = value_ticks(Axes((0.0, 1.0), (low, low + span), 0.0))
    assert 2 <= len(ticks) <= 6
    assert all(low - 1e-9 * span <= t <= low + span * (1 + 1e-9) for t in ticks)
    step = ticks[1] - ticks[0]
    assert step / 10 ** math.floor(math.log10(step) + 1e-9) == pytest.approx(
        min((1, 2, 2.5, 5), key=lambda n: abs(n - step / 10 ** math.floor(math.log10(step) + 1e-9)))
    )


def test_a_wide_logarithmic_axis_has_ones_twos_and_fives():
    assert value_ticks(axes_over(DAYS, [90.0, 1_100.0], 0.0, is_log=True)) == pytest.approx(
        [100.0, 200.0, 500.0, 1_000.0]
    )


@pytest.mark.parametrize(
    ("length", "words"), [(5, "03-01"), (40, "03-01"), (399, "2020-03"), (3_000, "2022"), (12_000, "2025")]
)
def test_days_are_written_by_the_calendar(length, words):
    end = date(2020, 3, 1) + timedelta(days=length)
    axes = axes_over([date(2020, 3, 1), end], [0.0, 1.0], 0.0)
    ticks = day_ticks(axes)
    assert 2 <= len(ticks) <= 9
    assert words in [text for _, text in ticks]
    assert all(axes.days[0] <= day <= axes.days[1] for day, _ in ticks)


def test_an_instant_keeps_its_hour_and_one_alone_stands_in_the_middle():
    noon = datetime(2026, 6, 30, 12, tzinfo=UTC)
    assert ordinal(noon) == date(2026, 6, 30).toordinal() + 0.5
    ((point,),) = points(lines(Plot("t"), [noon], {"a": [5.0]}))
    assert 300 < point[0] < 500
    assert day_ticks(axes_over([noon, noon], [1.0], 0.0)) == []
