"""Decisions on recorded prices and capitalisations (Coin Metrics), where they lie beside the checkout."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from portfolio.decision import decide
from portfolio.model import PriceMark
from tests.portfolio.market import board, depth, hold, inputs, market, policy

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "replay" / "data" / "cm"
COINS = ("BTC", "ETH", "LTC", "XRP", "ADA", "LINK", "DOGE")

pytestmark = [
    pytest.mark.replay,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded market is not beside the checkout"),
]


def recorded_day(day):
    """100,000 USD, three quarters in USDT, on one recorded day."""
    prices, caps = {}, {}
    for asset in (*COINS, "USDT"):
        frame = pd.read_csv(
            RECORDED / f"{asset.lower()}.csv.gz",
            usecols=["time", "PriceUSD", "CapMrktCurUSD"],
            parse_dates=["time"],
            index_col="time",
        ).loc[:day]
        prices[asset] = frame["PriceUSD"]
        caps[asset] = float(frame["CapMrktCurUSD"].dropna().iloc[-1])
    window = pd.DataFrame(prices).iloc[-400:]
    last, usdt = window.iloc[-1], float(window["USDT"].iloc[-1])
    names = {a: f"cash:{a}" if a == "USDT" else f"spot:{a}" for a in window}
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return inputs(
        as_of=at.replace(hour=18),
        slot=at,
        returns=window.pct_change(fill_method=None).iloc[1:].rename(columns=names),
        prices={names[a]: PriceMark(price_usd=p, price_quote=p / usdt, at=at) for a, p in last.items()},
        quote_price_usd={"USDT": usdt},
        positions=(
            hold("BTC", 15_000 / last["BTC"]),
            hold("ETH", 10_000 / last["ETH"]),
            hold("USDT", 75_000),
        ),
        instruments=tuple(market(c) for c in COINS),
        liquidity=tuple(depth(c) for c in COINS),
        market_caps=caps,
    )


@pytest.mark.parametrize(
    ("day", "most"),
    [
        ("2018-12-01", 0.05),  # Tether really fell to 0.93 in October 2018
        ("2020-03-14", 0.03),  # and traded at a premium while everything else crashed
        ("2020-07-20", 0.01),
    ],
)
def test_cash_is_a_small_part_of_the_risk_of_an_80_10_10_policy(day, most):
    found = decide(recorded_day(day), board(), 1)
    assert (found.status, found.reason_code) == ("proposed", "outside_band")
    cash = next(t for t in found.target_lines if t.sleeve == "cash")
    assert abs(cash.risk_contribution_after) < most
    assert {t.asset: t.side for t in found.trades}["BTC"] == "sell"


@pytest.mark.parametrize("day", ["2018-12-01", "2020-03-14", "2020-07-20"])
def test_the_cost_aware_objective_is_sober_on_real_prices(day):
    found = decide(recorded_day(day), policy(max_turnover=0.3), 1)
    held = {t.asset: t.target_weight for t in found.target_lines}
    assert 0.5 < held["USDT"] < 0.95
    assert held["BTC"] == max(w for a, w in held.items() if a != "USDT")
    assert found.estimates["volatility_after"] < found.estimates["volatility_before"]
    assert found.estimates["sensitivity_turnover"] < 0.05
    assert found.grade == "single_source"
