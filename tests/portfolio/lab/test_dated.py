"""Dated contracts in a backtest by hand: both legs, the roll, delivery, and no contract that nobody holds."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from portfolio.costs import trading_cost
from portfolio.decision import decide
from portfolio.lab.fast import bench
from portfolio.lab.tape import Course, Tape
from portfolio.lab.walkforward import Setting, walk
from portfolio.model import Leg, Liquidity, Position
from tests.portfolio.hedged import LEVERAGE, carry, day
from tests.portfolio.market import AS_OF, COINS, SLOT, board, hold, inputs, market

DAYS = 14
PRICE = COINS["BTC"]
ROLL_DAYS = 3.0
SLEEVES = ("spot", "cash", "basis")
NEAR, FAR = "BTCUSDT_NEAR", "BTCUSDT_FAR"
ENDS = {NEAR: SLOT + timedelta(days=9, hours=8), FAR: SLOT + timedelta(days=90, hours=8)}
ROLLED_AT = 7  # the first close with at most three days left: nine days and eight hours less seven days


def future(market_id):
    return market(
        "BTC", market_type="future", market_id=market_id, symbol=f"BTC/USDT:USDT-{market_id[-4:]}",
        amount_step=Decimal("0.001"), min_amount=Decimal("0.001"), min_cost=Decimal(5), taker_fee=0.0004,
    )  # fmt: skip


def depth(market_id, half_spread_bps):
    return Liquidity(
        asset="BTC", venue="binance", market_id=market_id, market_type="future",
        average_daily_volume_usd=3e8, half_spread_bps=half_spread_bps, daily_volatility=0.04,
    )  # fmt: skip


def basis(market_id=NEAR, price=PRICE * 1.004):
    """One coin and one short contract, as a carry whose contract ends."""
    pair = carry("BTC")
    short = Leg(
        role="future", venue="binance", market_id=market_id, symbol="", market_type="future", base="BTC",
        quote="USDT", quantity_per_unit=-1.0, price=price,
    )  # fmt: skip
    legs = tuple(short if leg.role == "perp" else leg for leg in pair.legs)
    return replace(pair, line="basis:BTC", legs=legs)


def known(at=AS_OF, market_id=NEAR, **changes):
    plain = inputs()
    return day(
        **{
            "as_of": at,
            "terms": {"basis:BTC": basis(market_id)},
            "positions": (hold("USDT", 100_000),),
            "instruments": (*plain.instruments, future(NEAR), future(FAR)),
            "liquidity": (*plain.liquidity, depth(NEAR, 0.5), depth(FAR, 1.5)),
        }
        | changes
    )


def tape(coin=None, contracts=(NEAR, FAR)):
    """Closes from the day before the first decision on; the premium of each contract wanders to nothing."""
    rng = np.random.default_rng(4)
    coin = PRICE * np.cumprod(1 + 0.02 * rng.standard_normal(DAYS)) if coin is None else np.asarray(coin)
    ends = tuple(SLOT + timedelta(days=n) for n in range(DAYS))
    chain = []
    for name in contracts:
        left = np.array([(ENDS[name] - end) / timedelta(days=1) for end in ends])
        price = coin * (1 + 0.0002 * left + 0.0005 * rng.standard_normal(DAYS))
        chain.append(
            Course(
                coin_usd=coin, contract=np.where(left > 0, price, np.nan), funding=np.zeros(DAYS),
                quote="USDT", quote_usd=np.ones(DAYS), leverage=LEVERAGE, market_id=name,
                expires_at=ENDS[name], roll_days=ROLL_DAYS,
            )
        )  # fmt: skip
    return Tape(
        lines=("spot:BTC", "basis:BTC", "cash:USDT"),
        ends=ends,
        closes=np.column_stack([coin, coin * (1 + 1 / LEVERAGE), np.ones(DAYS)]),
        dated={"basis:BTC": tuple(chain)},
    )


def rules(**target):
    wanted = {line.replace("_", ":"): weight for line, weight in target.items()}
    return board(wanted | {"cash:USDT": 1.0 - sum(wanted.values())}, sleeves=SLEEVES)


def fee(market_id, notional, seen):
    found = next(m for m in seen.instruments if m.market_id == market_id)
    return notional * trading_cost(found, seen).rate(notional)


def quick(**changes):
    return Setting(**({"bench": bench(), "is_identified": False} | changes))


def opened(seen, told):
    """The walk of half the portfolio in basis:BTC, and the number of coins."""
    owner = rules(basis_BTC=0.5)
    orders = [t for t in decide(seen, owner, 7).trades if t.sleeve == "basis"]
    assert {(t.market_type, t.market_id) for t in orders} == {("spot", "BTCUSDT"), ("future", NEAR)}
    (q,) = {float(t.quantity) for t in orders}
    return walk([seen], told, owner, quick()), q


def test_a_basis_is_the_sum_of_its_legs_its_roll_and_its_fees_by_hand():
    told, seen = tape(), known()
    found, q = opened(seen, told)
    s = told.closes[:, 0]
    near, far = (course.contract for course in told.dated["basis:BTC"])
    paid = fee("BTCUSDT", q * s[1], seen) + fee(NEAR, q * near[1], seen)
    rolling = fee(NEAR, q * near[ROLLED_AT], seen) + fee(FAR, q * far[ROLLED_AT], seen)
    by_hand = 100_000 - paid
    for n in range(2, DAYS):
        short = near if n <= ROLLED_AT else far
        by_hand += q * (s[n] - s[n - 1] - (short[n] - short[n - 1]))
        by_hand -= rolling if n == ROLLED_AT else 0.0
        assert found.value_usd[n - 1] == pytest.approx(by_hand, rel=1e-12)
    assert (found.rolled, found.delivered, found.liquidated, found.missed) == (1, 0, 0, 0)
    assert found.cost_usd[ROLLED_AT - 1] == pytest.approx(rolling, rel=1e-12)
    assert found.traded_usd[ROLLED_AT - 1] == pytest.approx(q * (near[ROLLED_AT] + far[ROLLED_AT]))
    assert found.weights[-1][1] == pytest.approx(q * s[-1] * (1 + 1 / LEVERAGE) / by_hand)


def test_without_a_later_contract_the_last_day_earns_what_was_left_of_the_basis():
    told, seen = tape(contracts=(NEAR,)), known()
    found, q = opened(seen, told)
    s, near = told.closes[:, 0], told.dated["basis:BTC"][0].contract
    ends = 10  # the first close after the delivery
    by_hand = found.value_usd[0]
    for n in range(2, DAYS):
        by_hand += q * (s[n] - s[n - 1])
        if n < ends:
            by_hand -= q * (near[n] - near[n - 1])
        elif n == ends:
            by_hand -= q * (s[n] - near[n - 1])
        assert found.value_usd[n - 1] == pytest.approx(by_hand, rel=1e-12)
    assert (found.rolled, found.delivered, found.liquidated) == (0, 1, 0)
    assert found.weights[-1][1] == 0.0
    assert found.weights[-1][0] * found.value_usd[-1] == pytest.approx(q * s[-1])


def test_leaving_a_basis_sells_the_coin_and_buys_the_contract_back():
    told = tape()
    s, far = told.closes[:, 0], told.dated["basis:BTC"][1].contract
    capital = 3 * float(s[8]) * (1 + 1 / LEVERAGE)
    own = Position(sleeve="basis", asset="BTC", venue="binance", quantity=Decimal(3), capital_usd=capital)
    seen = known(AS_OF + timedelta(days=8), FAR, positions=(own, hold("USDT", 1_000)))
    left = walk([seen], told, rules(spot_BTC=0.0), quick())
    paid = fee("BTCUSDT", 3 * s[9], seen) + fee(FAR, 3 * far[9], seen)
    by_hand = capital + 1_000 + 3 * (s[9] - s[8] - (far[9] - far[8])) - paid
    assert left.value_usd[0] == pytest.approx(by_hand, rel=1e-9)
    assert (left.missed, left.weights[0][1]) == (0, 0.0)
    assert left.value_usd[-1] == left.value_usd[0]


def test_an_order_for_a_contract_that_is_not_held_is_missed_and_moves_nothing():
    told = tape()
    capital = 3 * float(told.closes[2, 0]) * (1 + 1 / LEVERAGE)
    own = Position(sleeve="basis", asset="BTC", venue="binance", quantity=Decimal(3), capital_usd=capital)
    seen = known(AS_OF + timedelta(days=2), FAR, positions=(own, hold("USDT", 60_000)))
    found = walk([seen], told, rules(basis_BTC=0.8), quick())
    assert found.missed == 2, "the line holds the near contract, the order names the far one"
    assert found.traded_usd[0] == 0.0


def test_garbled_contracts_of_the_future_change_no_day_before():
    told = tape()
    dates = [known(AS_OF + timedelta(days=n)) for n in range(0, 6, 2)]
    owner = rules(basis_BTC=0.5)
    honest = walk(dates, told, owner, quick())
    chain = tuple(
        replace(course, contract=np.where(np.arange(DAYS) < 6, course.contract, course.contract * 1.05))
        for course in told.dated["basis:BTC"]
    )
    other = walk(dates, replace(told, dated={"basis:BTC": chain}), owner, quick())
    assert np.array_equal(other.value_usd[:5], honest.value_usd[:5])
    assert other.decisions == honest.decisions
    assert other.value_usd[-1] != honest.value_usd[-1]


def test_a_jump_takes_the_margin_of_a_dated_contract_too():
    coin = [PRICE] * 4 + [PRICE * 1.4] * (DAYS - 4)
    found, q = opened(known(), tape(coin=coin))
    assert (found.liquidated, found.delivered, found.rolled) == (1, 0, 0)
    assert found.weights[-1][0] * found.value_usd[-1] == pytest.approx(q * PRICE * 1.4)
