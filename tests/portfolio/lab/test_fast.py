"""The fast path gives the production decision: verdict, weights to 1e-5, and nothing computed twice."""

from dataclasses import replace

import pytest

from portfolio.decision import decide
from portfolio.lab.fast import bench
from tests.portfolio.market import hold, inputs, policy, returns

HOLDINGS = (
    (hold("BTC", 2), hold("ETH", 50), hold("USDT", 69_600)),
    (hold("BTC", 6), hold("ADA", 100_000), hold("USDT", 20_000)),
    (hold("USDT", 100_000),),
)


@pytest.mark.parametrize("objective", ["max_quadratic_utility", "min_volatility", "equal_weight"])
@pytest.mark.parametrize("seed", range(3))
def test_the_fast_path_decides_as_production_does(objective, seed):
    seen = inputs(returns=returns(seed=seed), positions=HOLDINGS[seed])
    rules = policy(objective=objective, max_turnover=0.3 if seed else 1.0)
    slow, quick = decide(seen, rules, 1), decide(seen, rules, 1, bench())
    assert (quick.status, quick.reason_code) == (slow.status, slow.reason_code)
    for one, other in zip(quick.target_lines, slow.target_lines, strict=True):
        assert one.asset == other.asset
        assert one.target_weight == pytest.approx(other.target_weight, abs=1e-5)
        assert one.binding == other.binding
    assert [(t.asset, t.side) for t in quick.trades] == [(t.asset, t.side) for t in slow.trades]


def test_policies_that_differ_in_bounds_share_their_estimates():
    seen, table = inputs(), bench()
    first = decide(seen, policy(max_turnover=0.3), 1, table)
    second = decide(seen, policy(max_turnover=0.1), 1, table)
    shared = table.estimate.__self__
    assert (len(shared.panels), len(shared.estimates)) == (1, 1)
    assert first.estimates["expected_return_before"] == second.estimates["expected_return_before"]


def test_other_estimators_horizons_and_days_do_not():
    seen, table = inputs(), bench()
    rules = policy()
    decide(seen, rules, 1, table)
    decide(seen, replace(rules, risk_model="sample"), 1, table)
    decide(seen, replace(rules, rebalance=replace(rules.rebalance, horizon_days=7)), 1, table)
    decide(inputs(returns=returns(seed=9)), rules, 1, table)
    decide(inputs(returns=seen.returns, market_caps={"BTC": 1e9}), rules, 1, table)
    assert len(table.estimate.__self__.estimates) == 5


def test_the_lab_does_not_probe():
    found = decide(inputs(), policy(max_turnover=0.3), 1, bench())
    assert found.confidence is None
    assert "sensitivity_turnover" not in found.estimates
