"""What is refused before anything is estimated (faults F85 to F89)."""

import numpy as np
import pandas as pd
import pytest

from portfolio.checks import check_frame, usable_panel
from portfolio.failure import AllocationFailure
from tests.portfolio.market import returns

LINES = tuple(returns().columns)


def test_a_healthy_panel_passes_whole():
    check_frame(returns())
    panel, bad = usable_panel(returns(), LINES, 365)
    assert list(panel.columns) == list(LINES)
    assert bad == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.iloc[::-1], "strictly increasing"),
        (lambda f: pd.concat([f, f.iloc[-1:]]), "strictly increasing"),
        (lambda f: f.reset_index(drop=True), "dates"),
        (lambda f: f.tz_localize("UTC"), "time zone"),
        (lambda f: f.set_axis(f.index + pd.Timedelta(hours=1)), "00:00"),
        (lambda f: f.set_axis(pd.date_range("2020-01-01", periods=len(f), freq="h")), "00:00"),
        (lambda f: f.iloc[::7], "daily"),
        (lambda f: pd.concat([f, f[["spot:BTC"]]], axis=1), "twice"),
        (lambda f: f.iloc[:0], "no rows"),
    ],
)
def test_a_frame_that_is_not_daily_returns_is_refused(change, said):
    with pytest.raises(AllocationFailure, match=said):
        check_frame(change(returns()))


def spoil(line, values):
    frame = returns()
    frame[line] = values(frame[line].to_numpy().copy())
    return frame


def put(value):
    def change(column):
        column[100] = value
        return column

    return change


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (put(np.inf), "bad_returns"),
        (put(-1.0), "bad_returns"),
        (np.zeros_like, "constant_returns"),
        (lambda c: 0.01 * c, "constant_returns"),
        (lambda c: np.full_like(c, np.nan), "no_history"),
        (lambda c: np.append(c[:-5], [np.nan] * 5), "stale_returns"),
        (lambda c: np.append([np.nan] * 320, c[320:]), "short_history"),
        (lambda c: c.astype(object), "bad_returns"),
    ],
)
def test_a_bad_line_is_taken_out_and_the_rest_stays(values, code):
    panel, bad = usable_panel(spoil("spot:ETH", values), LINES, 365)
    assert {k: v.reason_code for k, v in bad.items()} == {"spot:ETH": code}
    assert "ETH" in bad["spot:ETH"].sentence
    assert list(panel.columns) == [x for x in LINES if x != "spot:ETH"]
    assert len(panel) == 365


def test_the_first_bad_day_is_named():
    _, bad = usable_panel(spoil("spot:ETH", put(np.inf)), LINES, 365)
    assert str(returns().index[100].date()) in bad["spot:ETH"].sentence


def test_two_lines_with_the_same_returns_are_both_out():
    frame = returns()
    frame["spot:ETH"] = frame["spot:BTC"]
    _, bad = usable_panel(frame, LINES, 365)
    assert {k: v.reason_code for k, v in bad.items()} == {
        "spot:BTC": "identical_returns",
        "spot:ETH": "identical_returns",
    }


def test_constant_cash_is_not_refused():
    frame = returns()
    frame["cash:USDT"] = 0.0
    panel, bad = usable_panel(frame, LINES, 365)
    assert bad == {}
    assert (panel["cash:USDT"] == 0.0).all()


def test_cash_without_history_is_flat_and_costs_nobody_a_row():
    panel, bad = usable_panel(returns().drop(columns="cash:USDT"), LINES, 365)
    assert bad == {}
    assert (panel["cash:USDT"] == 0.0).all()
    assert len(panel) == 365


def test_gaps_are_not_filled():
    frame = returns()
    frame.iloc[50, 1] = np.nan
    panel, _ = usable_panel(frame.drop(index=frame.index[60]), LINES, 365)
    assert len(panel) == 363


def test_too_few_common_days_are_refused():
    with pytest.raises(AllocationFailure, match="60 common days"):
        usable_panel(returns(rows=40), LINES, 365)


def test_each_line_wants_three_days_of_its_own():
    many = tuple(f"C{i:02}" for i in range(25))
    frame = returns(many, rows=70)
    panel, bad = usable_panel(frame, tuple(frame.columns), 365)
    assert {x.reason_code for x in bad.values()} == {"short_history"}
    assert panel.shape == (70, 23)  # 26 lines want 78 days, 23 want 69


def test_the_lookback_is_a_window_of_days():
    panel, _ = usable_panel(returns(rows=365), LINES, 100)
    assert len(panel) == 100
