"""The cost-aware problem beside a fresh cvxpy formulation, and a whole decision for 100 lines."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import cvxpy as cp
import numpy as np
import pandas as pd

from portfolio.decision import decide
from portfolio.model import DatasetState, DecisionInputs, Instrument, Liquidity, Policy, Position, PriceMark
from portfolio.optimisers import max_quadratic_utility
from portfolio.problem import Linear, Problem

CLOSE = datetime(2025, 1, 1, tzinfo=UTC)
SIZES, DRAWS = (20, 100), 12


def drawn(size: int, seed: int) -> Problem:
    """A random cost-aware problem: box, four classes, a turnover cap, L1 costs."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((size, 8))
    vol = rng.uniform(0.3, 0.9, size)
    sigma = factor @ factor.T + 4.0 * np.eye(size)
    scale = vol / np.sqrt(np.diag(sigma))
    now = rng.dirichlet(np.ones(size))
    classes = np.arange(size) % 4
    rows = tuple(
        Linear(
            name=f"class {k}",
            coefficients=(classes == k).astype(float),
            lower=0.0,
            upper=max(0.4, float(now[classes == k].sum())),
        )
        for k in range(4)
    )
    return Problem(
        lines=tuple(f"spot:S{i}" for i in range(size)),
        cash=np.zeros(size, dtype=bool),
        lower=np.zeros(size),
        upper=np.maximum(0.2, now),
        lower_names=("",) * size,
        upper_names=("",) * size,
        rows=rows,
        current=now,
        max_turnover=0.2,
        cost_rates=rng.uniform(0.0002, 0.002, size),
        expected=rng.uniform(-0.1, 0.6, size),
        covariance=sigma * np.outer(scale, scale),
        may_hold_all=np.ones(size, dtype=bool),
    )


def formulated(case: Problem) -> np.ndarray:
    """The same problem as one writes it in cvxpy."""
    mu, sigma = case.estimates()
    w = cp.Variable(len(mu))
    rules = [
        cp.sum(w) == 1,
        w >= case.lower,
        w <= case.upper,
        0.5 * cp.norm1(w - case.current) <= case.max_turnover,
    ]
    rules += [row.coefficients @ w <= row.upper for row in case.rows] + [
        row.coefficients @ w >= row.lower for row in case.rows
    ]
    cost = case.annual_cost_rates() @ cp.abs(w - case.current)
    goal = w @ mu - 0.5 * case.risk_aversion * cp.quad_form(w, cp.psd_wrap(sigma)) - cost
    cp.Problem(cp.Maximize(goal), rules).solve(solver="CLARABEL")
    return np.asarray(w.value)


def cpu(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def solve() -> None:
    for size in SIZES:
        cases = [drawn(size, seed) for seed in range(DRAWS)]
        max_quadratic_utility.optimise(cases[0]), formulated(cases[0])  # imports are paid before
        ours, theirs, apart = 0.0, 0.0, 0.0
        for case in cases:  # in turns, so that a busy machine slows both alike
            start = time.process_time()
            mine = max_quadratic_utility.optimise(case).weights
            ours += time.process_time() - start
            start = time.process_time()
            other = formulated(case)
            theirs += time.process_time() - start
            apart = max(apart, float(np.abs(mine - other).max()))
        print(
            f"N={size}: {1000 * ours / DRAWS:.2f} ms with weights polished and shadow prices, fresh cvxpy {1000 * theirs / DRAWS:.1f} ms: {theirs / ours:.1f} times faster; weights differ by at most {apart:.1e}"
        )


def day(size: int) -> DecisionInputs:
    rng = np.random.default_rng(1)
    common = rng.standard_normal((365, 1))
    values = 0.001 + rng.uniform(0.03, 0.06, size) * (0.7 * common + 0.7 * rng.standard_normal((365, size)))
    index = pd.date_range(end=CLOSE.replace(tzinfo=None), periods=365, freq="D")
    coins = [f"C{i:03}" for i in range(size)]
    frame = pd.DataFrame(values, index=index, columns=[f"spot:{c}" for c in coins])
    frame["cash:USDT"] = 0.0003 * rng.standard_normal(365)
    held = rng.dirichlet(np.ones(size)) * 800_000.0
    return DecisionInputs(
        as_of=CLOSE.replace(hour=6),
        slot=CLOSE,
        portfolio="core",
        returns=frame,
        prices={f"spot:{c}": PriceMark(price_usd=10.0, price_quote=10.0, at=CLOSE, venues=2) for c in coins}
        | {"cash:USDT": PriceMark(price_usd=1.0, price_quote=1.0, at=CLOSE, venues=2)},
        quote_price_usd={"USDT": 1.0},
        positions=(
            *(
                Position(sleeve="spot", asset=c, venue="binance", quantity=Decimal(f"{usd / 10.0:.4f}"))
                for c, usd in zip(coins, held, strict=True)
            ),
            Position(sleeve="cash", asset="USDT", venue="binance", quantity=Decimal(200_000)),
        ),
        instruments=tuple(
            Instrument(
                venue="binance",
                market_id=f"{c}USDT",
                symbol=f"{c}/USDT",
                base=c,
                quote="USDT",
                amount_step=Decimal("0.001"),
                min_cost=Decimal(10),
                taker_fee=0.001,
            )
            for c in coins
        ),
        liquidity=tuple(
            Liquidity(
                asset=c,
                venue="binance",
                market_id=f"{c}USDT",
                average_daily_volume_usd=50e6,
                half_spread_bps=2.0,
                daily_volatility=0.04,
            )
            for c in coins
        ),
        market_caps={c: 1e9 * (1 + i) for i, c in enumerate(coins)},
        datasets=(
            DatasetState(
                dataset="candles_1d", newest_data_at=CLOSE, age_seconds=1.0, limit_seconds=1e6, is_fresh=True
            ),
        ),
    )


def main() -> None:
    solve()
    for size in (20, 100):
        inputs = day(size)
        owner = Policy(
            class_bounds={"cash": (0.05, 1.0)},
            default_bounds=(0.0, 0.1),
            max_turnover=0.3,
            max_participation=0.02,
        )
        decide(inputs, owner, 7)  # imports
        took = sorted(cpu(partial(decide, inputs, owner, 7)) for _ in range(3))[1]
        found = decide(inputs, owner, 7)
        print(
            f"a decision for {size} lines with a year of days: {took:.2f} s of CPU after imports ({found.status}, {found.reason_code}, {len(found.trades)} orders)"
        )


if __name__ == "__main__":
    main()
