"""Walk forward: no look-ahead, execution at the next close, costs, drift, alerts, and bt's own accounting."""

from dataclasses import replace
from datetime import timedelta

import bt
import numpy as np
import pandas as pd
import pytest

from portfolio.decision import decide, decision_id
from portfolio.lab.baselines import baselines, first_target, held, kept
from portfolio.lab.fast import bench
from portfolio.lab.tape import tape_of
from portfolio.lab.walkforward import Setting, walk
from portfolio.model import DatasetState, Policy
from tests.portfolio.lab.history import COINS, LINES, closes, known, past
from tests.portfolio.market import board, hold, policy

FIXED = board({"cash:USDT": 0.4, "spot:BTC": 0.4, "spot:ETH": 0.2})
RULES = policy(default_bounds=(0.0, 0.5), class_bounds={"cash": (0.05, 1.0)})


def quick(**changes):
    return Setting(**({"bench": bench()} | changes))


@pytest.mark.parametrize("seed", range(2))
def test_garbling_the_future_changes_no_decision_before_it(seed):
    rng = np.random.default_rng(seed)
    frame = closes()
    cut = int(rng.integers(120, 250))
    garbled = frame.copy()
    garbled.iloc[cut:, :3] *= rng.uniform(0.2, 5.0, size=(len(frame) - cut, 3))
    told = walk(*past(frame=frame), RULES, quick())
    other = walk(*past(frame=garbled), RULES, quick())
    before = [d for d in told.decisions if d.as_of < frame.index[cut].tz_localize("UTC")]
    assert len(before) > 2
    assert list(other.decisions[: len(before)]) == before
    rows = sum(end < frame.index[cut].tz_localize("UTC") for end in told.ends)
    assert np.array_equal(told.value_usd[:rows], other.value_usd[:rows])
    assert not np.array_equal(told.value_usd[rows:], other.value_usd[rows:])


def test_the_first_decision_is_the_production_decision_id_for_id():
    days, tape = past(first=100, last=120)
    found = walk(days, tape, RULES, Setting(seed=3)).decisions[0]
    live = decide(days[0], RULES, 3)
    assert found.recommendation_id == decision_id("core", days[0].slot, "", days[0].content_hash())
    assert (found.status, found.reason_code) == (live.status, live.reason_code)
    assert found.target == {f"{t.sleeve}:{t.asset}": t.target_weight for t in live.target_lines}


def test_orders_are_executed_at_the_next_close_and_pay_fee_spread_and_impact():
    days, tape = past(first=100, last=103, every=50)
    found = walk(days, tape, FIXED, quick())
    assert list(found.turnover > 0) == [True, False, False]
    frame = closes(104)
    decision = decide(days[0], FIXED, 7)
    bought = {t.asset: float(t.quantity) for t in decision.trades}
    next_close = frame.iloc[101]
    traded = sum(q * next_close[f"spot:{a}"] for a, q in bought.items())
    assert found.traded_usd[0] == pytest.approx(traded)
    impact = {a: 0.04 * np.sqrt(q * next_close[f"spot:{a}"] / 200e6) for a, q in bought.items()}
    paid = sum(q * next_close[f"spot:{a}"] * (0.001 + 0.0001 + impact[a]) for a, q in bought.items())
    assert found.cost_usd[0] == pytest.approx(paid)
    assert found.value_usd[0] == pytest.approx(100_000 - paid)
    drifted = found.value_usd[0] + sum(
        q * (frame.iloc[102] - next_close)[f"spot:{a}"] for a, q in bought.items()
    )
    assert found.value_usd[1] == pytest.approx(drifted)


def test_a_buy_that_became_dearer_is_cut_to_the_cash_there_is():
    frame = closes()
    frame.iloc[101:, :3] *= 2.0
    days, tape = past(first=100, last=110, every=50, frame=frame.iloc[:110])
    found = walk(days, tape, board({"spot:BTC": 0.9, "cash:USDT": 0.1}), quick())
    assert 0.0 <= found.weights[0][LINES.index("cash:USDT")] < 1e-4
    assert found.turnover[0] > 0.99


def test_what_has_no_price_is_not_traded_and_keeps_its_last_value():
    frame = closes()
    frame.loc[frame.index[101] :, "spot:ETH"] = np.nan
    days = [known(closes(), 100)]
    found = walk(days, tape_of(frame.iloc[:110]), FIXED, quick())
    assert found.missed == 1
    assert found.weights[:, LINES.index("spot:ETH")].max() == 0.0
    start = (hold("ETH", 100), hold("USDT", 1_000))
    still = walk(days, tape_of(frame.iloc[:110]), board({"spot:ETH": 1.0}), quick(start=start, most_trades=0))
    assert np.ptp(still.value_usd) == 0.0


class Follow(bt.Algo):
    """Trades the quantities that a walk traded, on the days on which it did."""

    def __init__(self, moves):
        super().__init__()
        self.moves = moves

    def __call__(self, target):
        for name, quantity in self.moves.get(target.now, {}).items():
            target.children[name].transact(quantity)
        return True


def quantities(found):
    """Units by day and line, from weights, value and prices."""
    frame = closes()
    price = frame.loc[[pd.Timestamp(e).tz_localize(None) for e in found.ends]]
    held_units = (found.weights * found.value_usd[:, None] / price).drop(columns="cash:USDT")
    return held_units.rename(columns=lambda line: line.removeprefix("spot:"))


@pytest.mark.parametrize("rules", [RULES, FIXED])
def test_the_accounting_is_that_of_bt(rules):
    days, tape = past(every=5)
    flat = [replace(d, liquidity=tuple(replace(q, daily_volatility=0.0) for q in d.liquidity)) for d in days]
    found = walk(flat, tape, rules, quick())
    assert (found.turnover > 0).sum() > 2
    held_units = quantities(found)
    moves = {
        day: {x: q for x, q in row.items() if abs(q) > 1e-7}
        for day, row in held_units.diff().fillna(held_units.iloc[:1]).iterrows()
    }
    frame = (
        closes().rename(columns=lambda line: line.removeprefix("spot:")).loc[held_units.index, list(COINS)]
    )
    strategy = bt.Strategy("walk", [Follow(moves)], children=[bt.Security(coin) for coin in COINS])
    test = bt.Backtest(
        strategy,
        frame,
        initial_capital=100_000,
        integer_positions=False,
        progress_bar=False,
        commissions=lambda q, p: abs(q) * p * 0.0011,
    )
    test.run()
    assert test.strategy.data["value"].iloc[-1] == pytest.approx(found.value_usd[-1], rel=1e-5)
    assert test.strategy.fees.sum() == pytest.approx(found.cost_usd.sum(), rel=1e-4)


def test_alerts_are_those_that_would_have_been_sent():
    stale = DatasetState(
        dataset="candles_1d", newest_data_at=None, age_seconds=None, limit_seconds=1.0, is_fresh=False
    )
    days, tape = past(every=2, first=100, last=130)
    broken = [replace(d, datasets=(stale,)) if 3 <= i <= 6 else d for i, d in enumerate(days)]
    found = walk(broken, tape, FIXED, quick())
    told = [event for d in found.decisions for event in d.alerts]
    assert told.count("blocked") == 1
    assert told.count("resolved") == 1
    assert told.count("recommendation") == sum(d.status == "proposed" for d in found.decisions)
    assert {d.status for d in found.decisions[3:7]} == {"blocked"}


def test_cooldown_counts_from_the_walks_own_trades():
    days, tape = past(every=1, first=100, last=140)
    eager = replace(FIXED, rebalance=replace(FIXED.rebalance, band_absolute=0.001, cooldown_hours=0.0))
    calm = replace(eager, rebalance=replace(eager.rebalance, cooldown_hours=24 * 10.0))
    most = walk(days, tape, eager, quick())
    few = walk(days, tape, calm, quick())
    assert 0 < (few.turnover > 0).sum() < (most.turnover > 0).sum()
    assert any(d.reason_code == "cooldown" for d in few.decisions)
    gaps = np.diff([i for i, t in enumerate(few.turnover) if t > 0])
    assert gaps.min() >= 10


def test_baselines_pay_like_everybody_else_and_are_what_they_say():
    days, tape = past(every=7)
    plain = baselines(Policy(), LINES)
    assert list(plain) == ["1/N", "min-volatility", "HRP", "BTC", "60/40 BTC/ETH"]
    walks = {name: walk(days, tape, rules, quick()) for name, rules in plain.items()}
    frame = closes()
    bitcoin = walks["BTC"]
    growth = frame["spot:BTC"].iloc[-1] / frame["spot:BTC"].iloc[101]
    assert bitcoin.value_usd[-1] / 100_000 == pytest.approx(growth * (1 - 0.0011 - 0.0009), rel=1e-2)
    assert bitcoin.turnover.sum() < 1.05
    assert bitcoin.weights[10:, 0].min() > 0.99
    for found in walks.values():
        assert found.cost_usd.sum() > 0.0
    mean = walks["1/N"].weights[30:].mean(axis=0)
    assert mean[:3] == pytest.approx([1 / 3] * 3, abs=0.02)
    assert walks["min-volatility"].returns().std() <= walks["1/N"].returns().std() * 1.02


def test_holding_trades_once_and_keeping_restores_the_first_target():
    days, tape = past(every=7)
    found = walk(days, tape, FIXED, quick())
    target = first_target(found)
    assert target["spot:BTC"] == pytest.approx(0.4, abs=1e-6)
    hodl = held(days, tape, FIXED, quick())
    assert (hodl.turnover > 0).sum() == 1
    same = kept(days, tape, RULES, target, quick())
    assert np.abs(same.weights[-1] - found.weights[-1]).max() < 0.05
    coins = held(days, tape, FIXED, quick(start=(hold("BTC", 1), hold("USDT", 5))))
    assert coins.turnover.sum() == 0.0


def test_the_walk_begins_with_the_first_close_after_the_first_decision():
    days, tape = past(first=100, last=130, every=9)
    found = walk(days, tape, FIXED, quick())
    assert found.ends[0] - days[0].as_of < timedelta(days=1)
    assert found.start_usd == pytest.approx(100_000)
    assert found.returns()[0] == pytest.approx(found.value_usd[0] / 100_000 - 1)
    assert len(COINS) + 1 == found.weights.shape[1]
