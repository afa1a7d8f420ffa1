"""Carry and deposits in a backtest by hand: both legs, margin, funding, liquidation, exits."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from portfolio.costs import trading_cost
from portfolio.decision import decide
from portfolio.lab.account import Account, Arrival
from portfolio.lab.fast import bench
from portfolio.lab.hedging import live_through
from portfolio.lab.tape import Course, Tape
from portfolio.lab.walkforward import Setting, walk
from portfolio.model import Position
from tests.portfolio.hedged import LEVERAGE, SLEEVES, day
from tests.portfolio.market import AS_OF, COINS, SLOT, board, hold

DAYS = 12
PRICE = COINS["BTC"]


def tape(coin=None, contract=None, funding=None, growth=0.0):
    """Closes from the day before the first decision on; the coin's perpetual stands a little above it."""
    rng = np.random.default_rng(4)
    coin = PRICE * np.cumprod(1 + 0.02 * rng.standard_normal(DAYS)) if coin is None else np.asarray(coin)
    contract = coin * (1 + 0.001 * rng.standard_normal(DAYS)) if contract is None else np.asarray(contract)
    funding = coin * 0.0003 * rng.standard_normal(DAYS) if funding is None else np.asarray(funding)
    course = Course(
        coin_usd=coin, contract=contract, funding=funding, quote="USDT", quote_usd=np.ones(DAYS),
        leverage=LEVERAGE,
    )  # fmt: skip
    lines = ("spot:BTC", "carry:BTC", "yield:USDT", "cash:USDT")
    closes = np.column_stack([coin, coin * (1 + 1 / LEVERAGE), np.ones(DAYS), np.ones(DAYS)])
    return Tape(
        lines=lines,
        ends=tuple(SLOT + timedelta(days=n) for n in range(DAYS)),
        closes=closes,
        courses={"carry:BTC": course},
        growth={"yield:USDT": np.full(DAYS, growth)},
    )


def known(at=AS_OF, **changes):
    return day(as_of=at, **({"positions": (hold("USDT", 100_000),)} | changes))


def rules(**target):
    wanted = {line.replace("_", ":"): weight for line, weight in target.items()}
    return board(wanted | {"cash:USDT": 1.0 - sum(wanted.values())}, sleeves=SLEEVES)


def fee(kind, notional, inputs):
    market = next(m for m in inputs.instruments if m.base == "BTC" and m.market_type == kind)
    return notional * trading_cost(market, inputs).rate(notional)


def quick(**changes):
    return Setting(**({"bench": bench(), "is_identified": False} | changes))


def test_a_carry_is_the_sum_of_its_legs_funding_and_fees_by_hand():
    told, inputs, owner = tape(), known(), rules(carry_BTC=0.5)
    found = walk([inputs], told, owner, quick())
    orders = decide(inputs, owner, 7).trades
    coins = {float(t.quantity) for t in orders if t.sleeve == "carry"}
    assert len(coins) == 1
    assert {t.market_type for t in orders if t.sleeve == "carry"} == {"spot", "perp"}
    (q,) = coins
    course = told.courses["carry:BTC"]
    s, f = course.coin_usd, course.contract
    paid = fee("spot", q * s[1], inputs) + fee("perp", q * f[1], inputs)
    assert found.cost_usd[0] == pytest.approx(paid)
    assert found.traded_usd[0] == pytest.approx(q * (s[1] + f[1]))
    by_hand = 100_000 - paid
    for n in range(2, DAYS):
        by_hand += q * (s[n] - s[n - 1] - (f[n] - f[n - 1]) + course.funding[n])
        assert found.value_usd[n - 1] == pytest.approx(by_hand, rel=1e-12)
    assert found.weights[-1][1] == pytest.approx(q * s[-1] * (1 + 1 / LEVERAGE) / by_hand)
    assert (found.missed, found.liquidated) == (0, 0)
    received = walk(
        [inputs], replace(told, courses={"carry:BTC": replace(course, funding=0 * s)}), owner, quick()
    )
    gap = found.value_usd[-1] - received.value_usd[-1]
    assert gap == pytest.approx(q * course.funding[2:].sum())


def test_leaving_a_carry_sells_the_coin_buys_the_contract_back_and_frees_the_margin():
    told, last = tape(), known(AS_OF + timedelta(days=4))
    course = told.courses["carry:BTC"]
    capital = 5 * float(course.coin_usd[4]) * (1 + 1 / LEVERAGE)
    positions = (
        Position(sleeve="carry", asset="BTC", venue="binance", quantity=Decimal(5), capital_usd=capital),
        hold("USDT", 1_000),
    )
    gone = walk([replace(last, positions=positions)], told, rules(spot_ETH=0.0), quick())
    q, s, f = 5.0, course.coin_usd, course.contract
    start = capital + 1_000
    assert gone.start_usd == pytest.approx(start)
    day_gain = q * (s[5] - s[4] - (f[5] - f[4]) + course.funding[5])
    paid = fee("spot", q * s[5], last) + fee("perp", q * f[5], last)
    assert gone.value_usd[0] == pytest.approx(start + day_gain - paid, rel=1e-9)
    assert gone.weights[0][1] == 0.0
    assert gone.value_usd[-1] == gone.value_usd[0]


def test_coins_that_are_held_become_the_coin_leg_without_an_order():
    told = tape()
    inputs = known(positions=(hold("BTC", 5), hold("USDT", 100_000)))
    owner = rules(carry_BTC=0.4)
    found = walk([inputs], told, owner, quick())
    orders = decide(inputs, owner, 7).trades
    assert "buy" not in {t.side for t in orders}
    short = next(t for t in orders if t.market_type == "perp")
    s = told.courses["carry:BTC"].coin_usd
    carried = found.weights[0][1] * found.value_usd[0]
    assert carried == pytest.approx(float(short.quantity) * s[1] * (1 + 1 / LEVERAGE))


def test_a_jump_takes_the_margin_and_leaves_the_coins():
    jump = [PRICE] * 4 + [PRICE * 1.4] * (DAYS - 4)
    told = tape(coin=jump, contract=jump, funding=[0.0] * DAYS)
    found = walk([known()], told, rules(carry_BTC=0.5), quick())
    q = found.weights[0][1] * found.value_usd[0] / (PRICE * (1 + 1 / LEVERAGE))
    assert found.liquidated == 1
    assert found.weights[-1][0] * found.value_usd[-1] == pytest.approx(q * PRICE * 1.4)
    assert found.value_usd[-1] == pytest.approx(found.value_usd[0] + q * PRICE * (0.4 - 1 / LEVERAGE))


def test_margin_is_restored_every_close_so_that_a_slow_rise_liquidates_nobody():
    rise = PRICE * 1.1 ** np.arange(DAYS)
    told = tape(coin=rise, contract=rise, funding=[0.0] * DAYS)
    found = walk([known()], told, rules(carry_BTC=0.3), quick())
    assert found.liquidated == 0
    assert np.ptp(found.value_usd) == pytest.approx(0.0, abs=1e-6)


def test_a_deposit_grows_by_its_dated_rate_and_comes_back_when_it_is_free():
    told = tape(growth=0.001)
    found = walk([known()], told, rules(yield_USDT=0.6), quick())
    assert found.value_usd[0] == pytest.approx(100_000)
    assert found.value_usd[-1] == pytest.approx(40_000 + 60_000 * 1.001 ** (DAYS - 2))
    slow = {**known().terms}
    slow["yield:USDT"] = replace(slow["yield:USDT"], exit_days=3.0)
    held = (hold("USDT", 60_000, sleeve="yield", venue="aave-v3"), hold("USDT", 40_000))
    left = walk([known(positions=held, terms=slow)], told, rules(spot_ETH=0.0), quick())
    assert left.value_usd[0] == pytest.approx(40_000 + 60_000 * 1.001)
    # on the way back nothing is earned; what was credited after the order was written stays and grows
    assert left.value_usd[-1] == pytest.approx(100_000 + 60 * 1.001 ** (DAYS - 2))


def test_no_price_of_a_leg_no_trade_of_the_other():
    told = tape()
    course = told.courses["carry:BTC"]
    holed = course.contract.copy()
    holed[1] = np.nan
    blind = replace(told, courses={"carry:BTC": replace(course, contract=holed)})
    found = walk([known()], blind, rules(carry_BTC=0.5), quick())
    assert found.missed == 2
    assert found.traded_usd.sum() == 0.0


def test_what_is_on_its_way_back_can_not_be_moved_and_arrives_once():
    account = Account((hold("USDT", 10),))
    told = tape()
    account.send(Arrival(3, "cash:USDT", "binance", Decimal(5)))
    price = {"cash:USDT": 1.0}
    for n, free in ((2, 10), (3, 15), (4, 15)):
        live_through(account, told, n)
        assert account.movable("cash:USDT") == free
        assert account.value(price) == 15


def test_garbled_funding_of_the_future_changes_no_decision_before_it():
    told = tape()
    dates = [known(AS_OF + timedelta(days=n)) for n in range(0, 9, 2)]
    owner = rules(carry_BTC=0.5)
    honest = walk(dates, told, owner, quick())
    course = told.courses["carry:BTC"]
    funding = course.funding.copy()
    funding[6:] += np.random.default_rng(0).normal(0, 300, DAYS - 6)
    other = walk(
        dates, replace(told, courses={"carry:BTC": replace(course, funding=funding)}), owner, quick()
    )
    assert other.decisions[:3] == honest.decisions[:3]
    assert np.array_equal(other.value_usd[:5], honest.value_usd[:5])
    assert other.value_usd[-1] != honest.value_usd[-1]
