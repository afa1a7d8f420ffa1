"""Algebra that must hold for any portfolio: bounds, sums, order, scale, lots, and no bad input published."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portfolio.decision import decide
from portfolio.estimates import Estimates
from portfolio.model import Freeze, PriceMark
from portfolio.planner import DUST_WEIGHT
from portfolio.robustness import block_indices, confidence
from tests.portfolio.market import CLOSE, COINS, board, depth, hold, inputs, market, marks, policy, returns

COMPUTED = [
    "max_quadratic_utility",
    "min_volatility",
    "max_sharpe",
    "hrp",
    "equal_weight",
    "risk_parity",
    "min_cvar",
    "efficient_risk",
    "efficient_return",
]
QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
amounts = st.floats(min_value=0.0, max_value=60_000.0)


def holdings(usd):
    coins = [hold(c, f"{v / COINS[c]:.6f}") for c, v in zip(COINS, usd, strict=False)]
    return (*coins, hold("USDT", f"{usd[-1] + 1_000:.2f}"))


def weights(decision):
    return {f"{t.sleeve}:{t.asset}": t.target_weight for t in decision.target_lines}


def published_is_sound(found, owner):
    """What must be true of anything that leaves `decide`."""
    for line in found.target_lines:
        assert math.isfinite(line.target_weight)
        assert line.lower_bound - 1e-8 <= line.target_weight <= line.upper_bound + 1e-8
    if found.target_lines:
        assert sum(t.target_weight for t in found.target_lines) == pytest.approx(1.0, abs=1e-8)
    for trade in found.trades:
        assert trade.quantity > 0
        assert math.isfinite(trade.notional_usd)
    if found.status != "proposed":
        assert found.trades == ()
    if found.turnover is not None and found.status == "proposed":
        assert found.turnover <= owner.max_turnover + 1e-8
    figures = (found.expected_benefit_bps, found.expected_cost_bps, found.drift_absolute, found.confidence)
    assert all(f is None or math.isfinite(f) for f in figures)
    assert found.reason
    assert found.reason_code


@QUICK
@given(
    usd=st.lists(amounts, min_size=6, max_size=6),
    objective=st.sampled_from(COMPUTED),
    cap=st.sampled_from([0.1, 0.3, 1.0]),
    upper=st.sampled_from([0.25, 0.4, 1.0]),
    cash=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_no_constraint_is_ever_broken(usd, objective, cap, upper, cash):
    owner = policy(
        objective=objective, max_turnover=cap, default_bounds=(0.0, upper), class_bounds={"cash": (cash, 1.0)}
    )
    found = decide(inputs(positions=holdings(usd)), owner, 1)
    published_is_sound(found, owner)
    now = {f"{t.sleeve}:{t.asset}": t.current_weight for t in found.target_lines}
    held = weights(found)
    for (
        line,
        weight,
    ) in held.items():  # outside the owner's own limits only where it was outside, and not further
        low, high = owner.bounds_of(line)
        assert weight <= max(high, now[line]) + 1e-8
        assert weight >= min(low, now[line]) - 1e-8
    if held:
        assert held["cash:USDT"] >= min(cash, now["cash:USDT"]) - 1e-8


@QUICK
@given(
    usd=st.lists(amounts, min_size=6, max_size=6), target=st.lists(st.integers(0, 10), min_size=3, max_size=3)
)
def test_trades_applied_to_holdings_give_the_target_within_one_lot(usd, target):
    """Lots are 0.0001 of a coin; differences below a millionth of the portfolio are not traded."""
    total = sum(target) + 5
    goal = {f"spot:{c}": t / total for c, t in zip(COINS, target, strict=False)}
    goal["cash:USDT"] = 1.0 - sum(goal.values())
    positions = holdings(usd)
    found = decide(inputs(positions=positions), board(goal), 1)
    published_is_sound(found, board(goal))
    if found.status != "proposed":
        return
    held = {p.line: p.quantity for p in positions}
    cash = held["cash:USDT"]
    for t in found.trades:
        sign = 1 if t.side == "buy" else -1
        held[f"spot:{t.asset}"] = held.get(f"spot:{t.asset}", Decimal(0)) + sign * t.quantity
        cash -= sign * Decimal(str(t.notional_usd)) + Decimal(
            str(t.estimated_fee_usd + t.estimated_slippage_usd)
        )
    assert cash >= Decimal("-0.000001")
    nav = found.nav_usd
    skipped = {f"{x.sleeve}:{x.asset}" for x in found.lines if x.action == "skip"}
    for coin, price in COINS.items():
        line = f"spot:{coin}"
        if line in skipped:
            continue
        after = float(held.get(line, 0)) * price / nav
        lot = 2 * 0.0001 * price / nav
        assert after == pytest.approx(goal.get(line, 0.0), abs=lot + DUST_WEIGHT)


@pytest.mark.parametrize("objective", COMPUTED)
@settings(FEW, max_examples=2)
@given(order=st.permutations(list(COINS)))
def test_the_order_of_assets_changes_nothing(objective, order):
    day, owner = inputs(), policy(objective=objective)
    turned = replace(
        day,
        returns=day.returns[["cash:USDT", *(f"spot:{c}" for c in order)]],
        prices={k: day.prices[k] for k in reversed(list(day.prices))},
        instruments=tuple(market(c) for c in order),
        liquidity=tuple(depth(c) for c in order),
        positions=day.positions[::-1],
    )
    first, second = decide(day, owner, 1), decide(turned, owner, 1)
    assert weights(second) == pytest.approx(weights(first), abs=1e-6)
    assert [(t.symbol, t.quantity) for t in second.trades] == [(t.symbol, t.quantity) for t in first.trades]


@FEW
@given(scale=st.sampled_from([0.001, 0.5, 7.0, 1e6]), objective=st.sampled_from(["policy", *COMPUTED]))
def test_the_scale_of_a_coins_unit_changes_nothing(scale, objective):
    owner = board() if objective == "policy" else policy(objective=objective)
    prices = marks({**COINS, "BTC": COINS["BTC"] * scale})
    positions = (hold("BTC", 2 / scale), hold("ETH", 50), hold("USDT", 69_600))
    first = decide(inputs(), owner, 1)
    lot = Decimal("0.0001") / Decimal(str(scale))
    markets = tuple(market(c) for c in COINS if c != "BTC")
    markets += (market("BTC", amount_step=lot, min_amount=lot),)
    second = decide(inputs(prices=prices, positions=positions, instruments=markets), owner, 1)
    assert first.nav_usd is not None
    assert weights(second) == pytest.approx(weights(first), abs=1e-6)
    assert second.status == first.status
    assert [(t.asset, t.side) for t in second.trades] == [(t.asset, t.side) for t in first.trades]
    for one, other in zip(first.trades, second.trades, strict=True):
        assert other.notional_usd == pytest.approx(one.notional_usd, rel=1e-5, abs=2.0)  # two lots


@FEW
@given(factor=st.sampled_from([0.1, 10.0, 1000.0]))
def test_a_larger_portfolio_of_the_same_mix_has_the_same_policy_weights(factor):
    positions = tuple(replace(p, quantity=p.quantity * Decimal(str(factor))) for p in inputs().positions)
    found = decide(inputs(positions=positions), board(), 1)
    assert weights(found) == pytest.approx(weights(decide(inputs(), board(), 1)), abs=1e-8)


bad_numbers = st.sampled_from([float("nan"), float("inf"), -float("inf"), -1.0, -2.0, 0.0, 1e300, 1e-300])


@QUICK
@given(data=st.data(), objective=st.sampled_from(["policy", *COMPUTED]))
def test_no_bad_input_is_ever_published(data, objective):
    frame = returns()
    for _ in range(data.draw(st.integers(0, 3))):
        column = data.draw(st.sampled_from(list(frame.columns)))
        rows = data.draw(st.sampled_from([slice(10, 11), slice(0, 330), slice(355, 365), slice(0, 365)]))
        frame.iloc[rows, frame.columns.get_loc(column)] = data.draw(bad_numbers)
    prices = marks()
    for coin in data.draw(st.lists(st.sampled_from(list(COINS)), max_size=2)):
        bad = data.draw(bad_numbers)
        prices[f"spot:{coin}"] = PriceMark(price_usd=bad, price_quote=bad, at=CLOSE)
    caps = dict.fromkeys(COINS, data.draw(bad_numbers))
    frozen = {
        f"spot:{c}": Freeze("failed_gate", f"{c} failed its gate.")
        for c in data.draw(st.lists(st.sampled_from(list(COINS)), max_size=2))
    }
    liquidity = (*(depth(c, volume=data.draw(bad_numbers)) for c in COINS),)
    day = inputs(returns=frame, prices=prices, market_caps=caps, frozen=frozen, liquidity=liquidity)
    owner = (
        board() if objective == "policy" else policy(objective=objective, fallbacks=("equal_weight", "hold"))
    )
    found = decide(day, owner, 1)
    published_is_sound(found, owner)
    assert not {f"spot:{t.asset}" for t in found.trades} & set(frozen)


def test_a_frozen_asset_is_never_traded_by_any_objective():
    day = inputs(frozen={"spot:ETH": Freeze("failed_gate", "ETH failed its gate.")})
    for objective in COMPUTED:
        found = decide(day, policy(objective=objective), 1)
        assert weights(found)["spot:ETH"] == pytest.approx(0.12, abs=1e-8)
        assert "ETH" not in {t.asset for t in found.trades}


def test_confidence_rises_with_the_benefit():
    frame = returns()
    found = Estimates(
        lines=tuple(frame.columns),
        expected=np.zeros(6),
        covariance=np.cov(frame.to_numpy().T) * 365,
        returns=frame.to_numpy(),
        excluded={},
    )
    change = (np.array([0.2, 0.1, 0, 0, 0, 0.7]), np.array([0.3, 0.0, 0, 0, 0, 0.7]))
    sure = [confidence(found, change, (gain, 5.0), (3.0, 30), 1) for gain in (-500.0, 5.0, 500.0)]
    assert sure[0] < 0.1 < sure[1] < 0.9 < sure[2]
    rows = block_indices(365, 50, np.random.default_rng(1))
    assert rows.min() >= 0
    assert rows.max() < 365
    follows = (np.diff(rows, axis=1) % 365 == 1).mean()
    assert follows == pytest.approx(0.9, abs=0.02)  # a mean block of 10 days
