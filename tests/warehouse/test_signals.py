"""Each signal on rows small enough to be computed by hand, and that none of them sees the future."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.warehouse.support import FakeClock, candles, daily, load, stored
from warehouse.home import Home
from warehouse.master import Master, open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time

Show = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def master(home: Home):
    with open_master(home, FakeClock(), "test") as opened:
        yield opened


@pytest.fixture
def show(master: Master) -> Show:
    return lambda sql: master._connection.execute(sql).fetchall()


def rising(days: int, step: float = 1.01) -> list[float]:
    return [100.0 * step**i for i in range(days)]


def metric(name: str, values: list[float], start: str = "2020-01-01", asset: str = "BTC") -> pd.DataFrame:
    return daily(start, provider="coinmetrics", asset=asset, metric=name, value=values)


def coin(master: Master, closes: list[float], **fields: Any) -> None:
    """A coin against the dollar itself."""
    load(master, candles(closes, quote="USD", market_id=f"{fields.get('base', 'BTC')}USD", **fields))


def last(show: Show, signal: str, asset: str = "BTC") -> Any:
    sql = (
        "select value from mart.signals where signal = '{}' and asset = '{}' order by as_of_date desc limit 1"
    )
    found = show(sql.format(signal, asset))
    return found[0][0] if found else None


def test_momentum_is_the_return_over_the_window(master: Master, show: Show) -> None:
    coin(master, rising(91))
    assert last(show, "momentum_30") == pytest.approx(1.01**30 - 1)
    assert last(show, "momentum_90") == pytest.approx(1.01**90 - 1)
    assert show("select min(as_of_date) from mart.signals where signal = 'momentum_30'") == [
        (date(2020, 2, 1),)
    ]


def test_momentum_over_a_gap_is_unknown(master: Master, show: Show) -> None:
    load(master, candles(rising(60), quote="USD").drop(index=50))
    assert show("select max(as_of_date) from mart.signals where signal = 'momentum_30'") == [
        (date(2020, 2, 20),)
    ]


def funding(master: Master, rates: list[float], start: str = "2020-01-01 08:00") -> None:
    at = pd.Series(pd.date_range(start, periods=len(rates), freq="8h")).astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC",
            "settled_at": at, "funding_rate": rates, "interval_hours": 8.0, "mark_price": 100.0,
            "known_at": at, "is_reconstructed": True,
        }
    )  # fmt: skip
    load(master, frame, "funding_rates")


def test_funding_is_a_week_of_whole_days_and_its_rank_in_the_year(master: Master, show: Show) -> None:
    # 200 days that rise, then one settlement of a day that is not over.
    rates = [i * 1e-6 for i in range(200) for _ in range(3)]
    funding(master, [*rates, 0.5])
    assert last(show, "funding_7") == pytest.approx(3 * 365 * 196e-6)  # the middle of days 193 to 199
    assert last(show, "funding_percentile") == 1.0


def test_premium_and_dated_basis_are_over_the_coin(master: Master, show: Show) -> None:
    coin(master, [100.0] * 8)
    perp = {"quote": "USD", "market_type": "perp", "market_id": "BTCPERP"}
    load(master, candles([100.5] * 8, **perp))
    load(master, candles([102.0] * 8, quote="USD", market_type="future", market_id="BTC-200408"))
    rules = {"expires_at": datetime(2020, 4, 8, tzinfo=UTC)}
    master._connection.execute(
        "insert into core.instruments (venue, market_type, market_id, expires_at, symbol, base, quote, "
        "is_active, known_at, load_id) values ('binance', 'future', 'BTC-200408', $expires_at, "
        "'x', 'BTC', 'USD', true, timestamp '2020-01-01', 1)",
        {"expires_at": rules["expires_at"].replace(tzinfo=None)},
    )
    assert last(show, "perp_premium") == pytest.approx(0.005)
    assert last(show, "basis") == pytest.approx(0.02 * 365 / 90)  # 9 January to 8 April


def test_open_interest_is_over_the_capitalisation(master: Master, show: Show) -> None:
    coin(master, [100.0, 200.0])
    load(master, metric("CapMrktCurUSD", [1e6, 2e6]), "onchain_metrics")
    at = pd.Series(pd.to_datetime(["2020-01-02 23:00", "2020-01-03 00:00"])).astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "venue": "binance", "market_type": "perp", "market_id": "BTCUSDT", "symbol": "x", "base": "BTC",
            "quote": "USDT", "observed_at": at, "open_interest": [500.0, 600.0],
            "open_interest_quote": float("nan"), "known_at": at, "is_reconstructed": True,
        }
    )  # fmt: skip
    load(master, frame, "open_interest")
    assert last(show, "open_interest_to_cap") == pytest.approx(600 * 200 / 2e6)


def test_network_figures_by_hand(master: Master, show: Show) -> None:
    for name, values in {
        "AdrActCnt": [100.0] * 30 + [120.0] * 30,
        "FeeTotUSD": [50.0] * 30 + [40.0] * 30,
        "IssTotUSD": [2.0] * 60,
        "CapMrktCurUSD": [1000.0] * 60,
        "CapMVRVCur": [1.5] * 60,
        "NVTAdj": [30.0] * 60,
        "FlowInExUSD": [9.0] * 60,
        "FlowOutExUSD": [4.0] * 60,
    }.items():
        load(master, metric(name, values), "onchain_metrics")
    found = {
        row[0]: row[1]
        for row in show("select signal, arg_max(value, as_of_date) from mart.signals group by 1")
    }
    assert found == pytest.approx(
        {
            "active_address_growth": 0.2, "fee_growth": -0.2, "issuance": 2 * 365 / 1000, "mvrv": 1.5,
            "nvt": 30.0, "exchange_inflow": 35 / 1000,
        }
    )  # fmt: skip


def test_locked_value_is_deflated_by_the_token_and_yields_are_over_its_value(
    master: Master, show: Show
) -> None:
    coin(master, [100.0] * 30 + [150.0], base="ETH")
    load(master, metric("CapMrktCurUSD", [2e9] * 31, asset="ETH"), "onchain_metrics")
    for name, values in {
        "tvl_usd": [1e9] * 30 + [1.8e9],
        "fees_usd": [1e6] * 31,
        "revenue_usd": [5e5] * 31,
    }.items():
        frame = daily(provider="defillama", entity_kind="chain", entity="Ethereum", metric=name, value=values)
        load(master, frame, "protocol_metrics")
    assert last(show, "tvl_growth", "ETH") == pytest.approx(1.8 / 1.5 - 1)
    assert last(show, "fee_yield", "ETH") == pytest.approx(1e6 * 365 / 2e9)
    assert last(show, "revenue_yield", "ETH") == pytest.approx(5e5 * 365 / 2e9)


def test_stablecoins_grow_like_with_like(master: Master, show: Show) -> None:
    coin(master, [100.0] * 31)
    usdt = daily(provider="defillama", asset="USDT", supply=[100.0] * 30 + [110.0], price_usd=1.0)
    load(master, usdt, "stablecoins")
    # A coin that did not exist 30 days before is no growth.
    new = daily("2020-01-31", provider="defillama", asset="USDC", supply=[500.0], price_usd=1.0)
    load(master, new, "stablecoins")
    assert last(show, "stablecoin_supply_growth") == pytest.approx(0.1)


def test_macro_correlation_is_over_common_trading_days_only(master: Master, show: Show) -> None:
    days = pd.date_range("2020-01-01", periods=140)
    trading = days[days.day_of_week < 5]
    moves = np.random.default_rng(1).standard_normal(len(trading)) * 0.01
    stocks = pd.Series(100 * np.exp(np.cumsum(moves)), index=trading)
    # The coin follows on trading days and does something else at weekends, undone by Monday.
    closes = stocks.reindex(days).ffill().to_numpy() * np.where(days.day_of_week < 5, 1.0, 1.3)
    coin(master, [float(x) for x in closes])
    frame = daily(provider="fred", series_id="SP500", value=[float(x) for x in stocks.reindex(days)])
    load(master, frame, "macro_series")
    assert last(show, "correlation_sp500") == pytest.approx(1.0)
    # Labelled by the end of the day: Sunday and Monday end no trading day.
    weekends = (
        "select count(*) from mart.signals where signal = 'correlation_sp500' and dayofweek(as_of_date) < 2"
    )
    assert show(weekends) == [(0,)]


def test_positioning_by_the_report(master: Master, show: Show) -> None:
    classes = ("dealer", "asset_manager", "leveraged", "other", "small")
    sides = {f"{name}_{side}": 0.0 for name in classes for side in ("long", "short")}
    sides |= {"asset_manager_long": 60.0, "asset_manager_short": 10.0, "leveraged_long": 20.0}
    sides |= {"leveraged_short": 80.0}
    frame = daily(
        provider="cftc",
        market_id="133741",
        asset="BTC",
        open_interest=[200.0],
        **{k: [v] for k, v in sides.items()},
    )
    load(master, frame, "futures_positioning")
    assert last(show, "cme_leveraged_net") == pytest.approx(-0.3)
    assert last(show, "cme_asset_manager_net") == pytest.approx(0.25)


def test_lead_lag_is_the_slope_on_bitcoin_the_day_before(master: Master, show: Show) -> None:
    moves = np.random.default_rng(2).standard_normal(120) * 0.02
    bitcoin = 100 * np.cumprod(1 + moves)
    follower = 50 * np.cumprod(1 + 0.5 * np.concatenate([[0.0], moves[:-1]]))
    coin(master, [float(x) for x in bitcoin])
    coin(master, [float(x) for x in follower], base="ADA")
    assert last(show, "lead_lag_btc", "ADA") == pytest.approx(0.5 * moves[-1])
    assert last(show, "lead_lag_btc", "BTC") is None


def test_regime_and_moving_volume(master: Master, show: Show) -> None:
    closes = [100.0, *(100.0 * np.cumprod(np.tile([1.01, 1 / 1.01], 182)))]
    coin(master, [float(x) for x in closes])
    other = candles([float(x) for x in closes], quote="USD", venue="kraken")
    other["base_volume"] = [10.0] * (len(closes) - 7) + [30.0] * 7
    load(master, other)
    assert last(show, "volatility_regime") == pytest.approx(1.0, abs=0.03)
    quarter = (83 * 0.5 + 7 * 0.75) / 90
    assert last(show, "venue_share_break") == pytest.approx(0.75 - quarter)


def test_a_score_is_against_earlier_days_only(master: Master, show: Show) -> None:
    values = [float(x) for x in np.random.default_rng(3).standard_normal(200)]
    load(master, metric("NVTAdj", values), "onchain_metrics")
    rows = show("select value, z_score from mart.signals where signal = 'nvt' order by as_of_date")
    assert all(z is None for _, z in rows[:180])
    assert rows[180][1] == pytest.approx((values[180] - np.mean(values[:180])) / np.std(values[:180], ddof=1))
    assert rows[-1][1] == pytest.approx((values[-1] - np.mean(values[:-1])) / np.std(values[:-1], ddof=1))


def test_a_constant_has_no_score(master: Master, show: Show) -> None:
    load(master, metric("CapMVRVCur", [0.1] * 250), "onchain_metrics")
    assert show("select count(z_score), count(*) from mart.signals") == [(0, 250)]


def garbled_after(home: Home, cut: datetime, factor: float) -> list[dict[str, Any]]:
    """All signals as of a moment, with everything later multiplied."""
    rng = np.random.default_rng(4)
    noise = [float(x) for x in 100 * np.exp(np.cumsum(rng.standard_normal(400) * 0.03))]
    prices = candles(noise, quote="USD", start="2019-01-01")
    metrics = metric("NVTAdj", noise, start="2019-01-01")
    naive = cut.replace(tzinfo=None)
    prices.loc[prices["known_at"] > naive, ["open", "high", "low", "close"]] *= factor
    metrics.loc[metrics["known_at"] > naive, "value"] *= factor
    stored(home, ("candles", prices), ("onchain_metrics", metrics))
    publish(home, FakeClock(), as_of=datetime(2021, 1, 1, tzinfo=UTC), keep=1)
    with open_point_in_time(home, cut) as reader:
        return reader.rows("signal_scores", signals=["all"], assets=["BTC"], last_date=cut.date())


def test_the_past_does_not_change_with_the_future(empty_home: Home, tmp_path: Any) -> None:
    cut = datetime(2019, 12, 1, tzinfo=UTC)
    homes = [Home(shutil.copytree(empty_home.root, tmp_path / name)) for name in ("quiet", "garbled")]
    quiet, garbled = garbled_after(homes[0], cut, 1.0), garbled_after(homes[1], cut, 7.0)
    assert quiet == garbled
    assert {row["signal"] for row in quiet} >= {"momentum_30", "momentum_90", "nvt"}
