"""Lead-lag against statsmodels' own test, adjusted p-values by hand, breaks and regimes that were put in."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import grangercausalitytests

from portfolio.lab.structure import (
    adjusted,
    breaks,
    granger,
    leads,
    pairs_of,
    rolling_macro,
    storm_probability,
)

DAYS = pd.date_range("2023-01-01", periods=500)


def panel(seed=3, strength=0.5):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(len(DAYS))
    b = 0.7 * rng.standard_normal(len(DAYS))
    b[2:] += strength * a[:-2]
    return pd.DataFrame({"a": a, "b": b, "c": rng.standard_normal(len(DAYS))}, index=DAYS)


def test_the_f_test_is_that_of_statsmodels():
    told = panel(strength=0.2)
    found = granger(told, "a", "b")
    assert found.lags >= 2
    # the same days: ours leave out as many as the longest lag has
    theirs = grangercausalitytests(told[["b", "a"]].iloc[5 - found.lags :], [found.lags])
    assert found.p_value == pytest.approx(theirs[found.lags][0]["ssr_ftest"][1], rel=1e-6)
    assert found.sum_of_lags == pytest.approx(0.2, abs=0.1)


def test_what_was_put_in_is_found_and_chance_is_not_after_all_questions_are_counted():
    told = panel()
    for n in range(8):
        told[f"n{n}"] = np.random.default_rng(100 + n).standard_normal(len(DAYS))
    names = list(told)
    found = leads(told, pairs_of(names, {}))
    assert len(found) == len(names) * (len(names) - 1)
    assert (found[0].cause, found[0].effect) == ("a", "b")
    assert found[0].holm < 1e-6
    assert sum(x.p_value < 0.05 for x in found) > 2  # chance looks like this without counting
    assert [x for x in found[1:] if x.holm < 0.05] == []


def test_adjusted_p_values_are_those_of_statsmodels():
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.6])
    holm, bh = adjusted(p)
    assert holm == pytest.approx(multipletests(p, method="holm")[1])
    assert bh == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert len(adjusted(np.array([]))[0]) == 0


def test_the_future_does_not_change_what_is_said_of_the_past():
    told = panel()
    changed = told.copy()
    changed.iloc[400:] *= 5.0
    assert granger(told.iloc[:400], "a", "b") == granger(changed.iloc[:400], "a", "b")


def test_constant_short_or_empty_series_are_no_figure():
    told = panel().assign(flat=1.0)
    assert granger(told, "flat", "a") is None
    assert granger(told.iloc[:100], "a", "b") is None
    assert breaks(told["flat"]) == ()
    assert storm_probability(told["a"].iloc[:50]) is None


def stormy():
    rng = np.random.default_rng(1)
    calm = 0.01 * rng.standard_normal(300)
    return pd.Series(np.concatenate([calm, 0.06 * rng.standard_normal(200)]), index=DAYS)


def test_a_break_is_found_within_days_and_noise_has_none():
    (found,) = breaks(stormy())
    assert abs((found - DAYS[300]).days) <= 3
    assert breaks(panel()["c"]) == ()


def test_a_storm_is_told_from_calm_by_the_days_up_to_it():
    chance, calm, wild = storm_probability(stormy())
    assert chance > 0.95
    assert (calm, wild) == (pytest.approx(0.01, rel=0.15), pytest.approx(0.06, rel=0.15))
    early = storm_probability(
        pd.concat([stormy().iloc[:300], stormy().iloc[300:420], stormy().iloc[100:300]])
    )
    assert early[0] < 0.1


def test_a_correlation_that_turned_is_seen_to_have_turned():
    rng = np.random.default_rng(5)
    moves = rng.standard_normal(len(DAYS)) * 0.01
    levels = pd.Series(100 * np.cumprod(1 + moves), index=DAYS)
    own = pd.Series(np.where(np.arange(len(DAYS)) < 250, moves, -moves), index=DAYS + pd.Timedelta(days=1))
    found = rolling_macro(own, levels)
    assert found.value < -0.99
    assert found.high > 0.99
    assert rolling_macro(own, levels.iloc[:40]) is None


def test_pairs_join_funding_with_its_coin_and_flows_with_all():
    found = pairs_of(["x", "y"], {"funding x": "x", "flows": ""})
    assert ("funding x", "x") in found
    assert ("x", "funding x") in found
    assert ("funding x", "y") not in found
    assert ("flows", "y") in found
    assert len(found) == 2 + 2 + 4
