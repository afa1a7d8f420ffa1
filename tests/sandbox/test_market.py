"""The market itself: one seed, one market; a past that never changes; the habits of real markets."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from sandbox.market import INTEREST_RATE, Market, funding_rate
from sandbox.market_bars import hour_index
from sandbox.market_coins import COINS, STABLES
from sandbox.market_defi import CHAINS, POOLS, locked, pool_history
from sandbox.market_fees import fees
from sandbox.market_macro import SERIES, build_series
from sandbox.market_onchain import build_metrics
from sandbox.server import DEFAULT_NOW
from sandbox.service import shared_market

NOW_MS = int(DEFAULT_NOW.timestamp() * 1000)
NOW = hour_index(NOW_MS)
FIRST = hour_index(int(datetime(2018, 1, 1, tzinfo=UTC).timestamp() * 1000))


@pytest.fixture(scope="module")
def market() -> Market:
    return shared_market(7, 2026)


def fingerprint(market: Market, hours: int) -> list[bytes]:
    days = hours // 24
    bars = [market.spot("ETH").hourly, market.perp("ETH").hourly, market.mark("ETH").hourly]
    columns = [
        column
        for table in bars
        for column in (table.open, table.high, table.low, table.close, table.quote_volume)
    ]
    listed = [hours - len(market.dollars("ETH")) + len(column) for column in columns]
    parts = [column[:count] for column, count in zip(columns, listed, strict=True)]
    parts += [market.settled_rates("ETH")[: hours // 8], market.dollars("USDC")[:hours]]
    metrics = build_metrics(market, "ETH")
    parts += [values[:days] for metric in metrics.values() for values in (metric.first, metric.final)]
    parts += [build_series(market, name)[:days] for name in SERIES]
    parts += [
        locked(market, CHAINS["Ethereum"])[:days],
        *(part[:days] for part in pool_history(market, next(iter(POOLS.values())))),
    ]
    parts += [part[:days] for part in fees(market, "aave-v3")]
    return [np.ascontiguousarray(part).tobytes() for part in parts]


def test_the_same_seed_is_the_same_market_and_another_is_not() -> None:
    hours = 50_000
    again = fingerprint(Market(7, 2024), hours)
    assert again == fingerprint(Market(7, 2024), hours)
    pairs = list(zip(again, fingerprint(Market(8, 2024), hours), strict=True))
    # Three are not drawn: the mark price's volume, the first pool's reward (none) and the coin's supply.
    assert sum(mine == theirs for mine, theirs in pairs) == 3


def test_a_longer_market_has_the_same_past(market: Market) -> None:
    shorter = Market(7, 2023)
    hours = len(shorter.dollars("ETH"))
    assert fingerprint(shorter, hours) == fingerprint(market, hours)


def daily_returns(market: Market, base: str) -> np.ndarray:
    return np.diff(np.log(market.dollars(base)[FIRST:NOW][23::24]))


def test_volatility_is_that_of_coins(market: Market) -> None:
    annual = {base: daily_returns(market, base).std() * np.sqrt(365) for base in COINS}
    assert 0.55 < annual["BTC"] < 0.75
    assert all(0.70 < annual[base] < 1.10 for base in COINS if base != "BTC")
    assert annual["BTC"] == min(annual.values())


def test_tails_are_fat_and_volatility_clusters(market: Market) -> None:
    for base in COINS:
        returns = daily_returns(market, base)
        centred = returns - returns.mean()
        assert (centred**4).mean() / returns.var() ** 2 > 3.5
        size = np.abs(returns)
        persistence = np.mean([np.corrcoef(size[lag:], size[:-lag])[0, 1] for lag in (1, 2, 5, 10)])
        assert persistence > 0.07
        assert abs(np.corrcoef(returns[1:], returns[:-1])[0, 1]) < 0.06


def test_coins_move_together_but_not_in_step(market: Market) -> None:
    together = np.corrcoef([daily_returns(market, base) for base in COINS])
    pairs = together[np.triu_indices(len(COINS), 1)]
    assert 0.5 < pairs.mean() < 0.8
    assert 0.3 < pairs.min() <= pairs.max() < 0.9


def test_prices_stay_within_reason(market: Market) -> None:
    for base, coin in COINS.items():
        prices = market.dollars(base)[FIRST:NOW]
        low, high = sorted(coin.levels)
        assert low / 12 < prices.min() < prices.max() < high * 12


def test_every_regime_occurs(market: Market) -> None:
    share = np.bincount(market.climate.regime[FIRST:NOW], minlength=4) / (NOW - FIRST)
    assert share.min() > 0.01
    assert share.max() < 0.6


def test_stablecoins_wobble_and_rarely_break(market: Market) -> None:
    for name in STABLES:
        price = market.dollars(name)[FIRST:NOW]
        assert np.median(np.abs(price - 1)) < 0.001
        assert price.std() > 0.0001
        assert 0.85 < price.min() < price.max() < 1.02
    broken = [(np.abs(market.dollars(name)[FIRST:NOW] - 1) > 0.01).mean() for name in STABLES]
    assert 0 < max(broken) < 0.005


def test_funding_follows_the_published_basis(market: Market) -> None:
    rows = market.funding("BTC", 0, NOW_MS, NOW_MS)[-1500:]
    spot, perp = market.spot("BTC"), market.perp("BTC")
    rates, premiums = [], []
    for row in rows:
        hours = slice(hour_index(row.settled_ms) - 8, hour_index(row.settled_ms))
        closes = [
            table.hourly.close[hours.start - table.first_hour : hours.stop - table.first_hour]
            for table in (perp, spot)
        ]
        premiums.append(float(np.average(closes[0] / closes[1] - 1, weights=range(1, 9))))
        rates.append(row.rate)
        assert row.rate == pytest.approx(funding_rate(premiums[-1], COINS["BTC"].funding_cap), abs=2e-6)
    assert (np.array(rates) == INTEREST_RATE).mean() > 0.3
    assert np.corrcoef(rates, premiums)[0, 1] > 0.7
    assert 0.02 < np.mean(rates) * 3 * 365 < 0.35


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        (0.0, 0.0001),
        (0.0004, 0.0001),
        (0.0010, 0.0005),
        (-0.0004, 0.0001),
        (-0.0010, -0.0005),
        (0.9, 0.003),
        (-0.9, -0.003),
    ],
)
def test_the_funding_rule(premium: float, rate: float) -> None:
    assert funding_rate(premium, 0.003) == rate


def test_the_basis_reverts(market: Market) -> None:
    basis = market.path("SOL").basis[FIRST:NOW]
    assert abs(basis.mean()) < 0.001
    assert np.quantile(np.abs(basis), 0.999) < 0.005
    assert np.corrcoef(basis[24:], basis[:-24])[0, 1] > 0.4
    assert abs(np.corrcoef(basis[24 * 90 :], basis[: -24 * 90])[0, 1]) < 0.3


def test_turnover_is_that_of_a_large_venue(market: Market) -> None:
    last_year = slice(NOW - 8760, NOW)
    daily = {base: market.path(base).turnover[last_year].sum() / 365 for base in COINS}
    assert 5e8 < daily["BTC"] < 5e9
    assert min(daily.values()) > 2e7
