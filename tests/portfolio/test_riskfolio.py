"""Weights that Riskfolio-Lib found for the same data, an independent library with a formulation of its own.

Made once, outside of this project's environment (it brings some forty packages), by Riskfolio-Lib 7.4.0 with
cvxpy 1.9.3, Clarabel 0.11.1 at tolerances of 1e-11, numpy 2.4.6 and scipy 1.17.1 on the returns that `daily`
and `pairs` make from their seeds:

    port = rp.Portfolio(returns=frame); port.assets_stats(method_mu="hist", method_cov="hist")
    port.solvers = ["CLARABEL"]; port.alpha = 0.05
    port.optimization(model="Classic", rm="MV", obj="MinRisk" | "Utility" | "Sharpe", rf=0, l=2, hist=True)
    port.optimization(model="Classic", rm="CVaR", obj="MinRisk", rf=0, l=0, hist=True)
    port.rp_optimization(model="Classic", rm="MV", rf=0, b=None, hist=True)
    rp.HCPortfolio(returns=frame).optimization(
        model="HRP", codependence="pearson", rm="MV", rf=0, linkage="single", leaf_order=True | False)

Riskfolio's HRP links the correlation distances themselves, the paper of 2016 (and so this project) the
distances between their columns. Where both trees have the same leaves the weights are the same; elsewhere
the tree is all that differs, which is shown by bisecting along theirs.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from portfolio.optimisers import (
    hrp,
    max_quadratic_utility,
    max_sharpe,
    min_cvar,
    min_volatility,
    risk_parity,
)
from tests.portfolio.problems import problem
from tests.portfolio.test_published import daily
from tests.portfolio.test_second_derivations import bisected

FOUND = {
    min_volatility: [0.4328211593, 0.2330112392, 0.1423468827, 0.0765623273, 0.0584708381, 0.0567875533],
    max_quadratic_utility: [
        0.0420710124, 0.0421481402, 0.3396517009, 0.1011847110, 0.2335355327, 0.2414089028,
    ],
    max_sharpe: [0.0, 0.0, 0.0, 0.0, 0.3493124239, 0.6506875761],
    min_cvar: [0.3169933343, 0.2022032296, 0.3319167749, 0.0647652225, 0.0601785332, 0.0239429055],
    risk_parity: [0.2067353285, 0.1954190355, 0.1715886292, 0.1536565735, 0.1406041543, 0.1319962790],
}  # fmt: skip
HRP_OF_DAILY = {
    True: [0.3280085307, 0.2283955096, 0.1547505980, 0.1147140323, 0.0744563100, 0.0996750196],
    False: [0.2567986360, 0.1838377814, 0.1774968891, 0.1711152040, 0.1046198713, 0.1061316182],
}
HRP_OF_PAIRS = [0.36971431, 0.19458293, 0.15260593, 0.14084599, 0.07753052, 0.06472033]


def pairs():
    """Three pairs of coins, each pair close together and unlike the others."""
    rng = np.random.default_rng(5)
    common = rng.standard_normal((400, 3))[:, [0, 0, 1, 1, 2, 2]]
    return 0.02 * (common + 0.3 * rng.standard_normal((400, 6))) * np.array([0.5, 0.7, 0.9, 1.1, 1.3, 1.5])


def test_the_data_are_those_that_riskfolio_saw():
    values = daily()
    assert (values.sum(), values[0, 0]) == pytest.approx(
        (-0.40721862014827104, 0.04410853946406235), rel=1e-12
    )


@pytest.mark.parametrize("method", FOUND, ids=lambda method: method.__name__.rpartition(".")[2])
def test_riskfolio_finds_the_same_weights(method):
    values = daily()
    case = problem(values.mean(axis=0), np.cov(values.T), returns=values)
    found = method.optimise(replace(case, risk_aversion=4.0)).weights
    assert found == pytest.approx(FOUND[method], abs=5e-6)


def test_riskfolio_has_the_same_hrp_where_both_trees_have_the_same_leaves():
    assert hrp.hrp_weights(np.cov(pairs().T)) == pytest.approx(HRP_OF_PAIRS, abs=1e-7)


@pytest.mark.parametrize("in_order", [True, False])
def test_elsewhere_only_its_tree_is_another(in_order):
    values = daily()
    covariance = np.cov(values.T)
    distance = np.sqrt(np.clip((1.0 - np.corrcoef(values.T)) / 2.0, 0.0, 1.0))
    tree = linkage(squareform(distance, checks=False), "single", optimal_ordering=in_order)
    theirs = bisected(covariance, leaves_list(tree).tolist())
    assert [theirs[i] for i in range(6)] == pytest.approx(HRP_OF_DAILY[in_order], abs=1e-9)
