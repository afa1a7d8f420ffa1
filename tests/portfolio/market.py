"""A small seeded market and ready-made inputs, so that each test states only what it changes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd

from portfolio.model import DatasetState, DecisionInputs, Instrument, Liquidity, Policy, Position, PriceMark

AS_OF = datetime(2020, 7, 20, 18, 20, tzinfo=UTC)
SLOT = datetime(2020, 7, 20, tzinfo=UTC)
CLOSE = datetime(2020, 7, 20, tzinfo=UTC)
COINS = {"BTC": 9_200.0, "ETH": 240.0, "XRP": 0.2, "LTC": 43.0, "ADA": 0.12}
VOLS = {"BTC": 0.035, "ETH": 0.045, "XRP": 0.05, "LTC": 0.048, "ADA": 0.055}
CAPS = {"BTC": 170e9, "ETH": 27e9, "XRP": 9e9, "LTC": 2.8e9, "ADA": 3.1e9}


def returns(coins=tuple(COINS), rows=365, seed=7, cash=("USDT",)):
    """Correlated daily returns by line, ending at CLOSE."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(rows)
    columns = {}
    for coin in coins:
        own = rng.standard_normal(rows)
        columns[f"spot:{coin}"] = VOLS.get(coin, 0.05) * (0.75 * common + 0.66 * own) + 0.001
    for asset in cash:
        columns[f"cash:{asset}"] = 0.0004 * rng.standard_normal(rows)
    index = pd.date_range(end=CLOSE.replace(tzinfo=None), periods=rows, freq="D")
    return pd.DataFrame(columns, index=index)


def marks(prices=None, venues=2, usdt=1.0):
    found = {
        f"spot:{c}": PriceMark(price_usd=p * usdt, price_quote=p, at=CLOSE, venues=venues)
        for c, p in (COINS if prices is None else prices).items()
    }
    found["cash:USDT"] = PriceMark(price_usd=usdt, price_quote=1.0, at=CLOSE, venues=venues)
    return found


def market(base, quote="USDT", **changes):
    values = {
        "venue": "binance",
        "market_id": f"{base}{quote}",
        "symbol": f"{base}/{quote}",
        "base": base,
        "quote": quote,
        "amount_step": Decimal("0.0001"),
        "price_step": Decimal("0.01"),
        "min_amount": Decimal("0.0001"),
        "min_cost": Decimal(10),
        "maker_fee": 0.001,
        "taker_fee": 0.001,
    }
    return Instrument(**(values | changes))


def depth(base, quote="USDT", volume=200e6, sigma=0.04):
    return Liquidity(
        asset=base,
        venue="binance",
        market_id=f"{base}{quote}",
        average_daily_volume_usd=volume,
        half_spread_bps=1.0,
        daily_volatility=sigma,
    )


def hold(asset, quantity, **changes):
    sleeve = "cash" if asset in {"USDT", "USDC", "USD"} else "spot"
    values = {"sleeve": sleeve, "asset": asset, "venue": "binance", "quantity": Decimal(str(quantity))}
    return Position(**(values | changes))


def fresh(name="candles_1d", **changes):
    values = {
        "dataset": name,
        "newest_data_at": CLOSE,
        "age_seconds": 66_000.0,
        "limit_seconds": 108_000.0,
        "is_fresh": True,
    }
    return DatasetState(**(values | changes))


def stale_onchain(as_of=AS_OF):
    newest = datetime(2020, 7, 26, tzinfo=UTC) - timedelta(days=1801)
    return fresh(
        "onchain_metrics",
        newest_data_at=newest,
        age_seconds=1801 * 86_400.0,
        limit_seconds=60 * 3600.0,
        is_fresh=False,
    )


def inputs(**changes):
    """A healthy day: five coins, two venues, 100,000 USD mostly in cash."""
    values = {
        "as_of": AS_OF,
        "slot": SLOT,
        "portfolio": "core",
        "returns": returns(),
        "prices": marks(),
        "quote_price_usd": {"USDT": 1.0},
        "positions": (hold("BTC", 2), hold("ETH", 50), hold("USDT", 69_600)),
        "instruments": tuple(market(c) for c in COINS),
        "liquidity": tuple(depth(c) for c in COINS),
        "market_caps": CAPS,
        "datasets": (fresh(), fresh("onchain_metrics")),
    }
    return DecisionInputs(**(values | changes))


def policy(**changes):
    values = {
        "weight_bounds": {"spot:BTC": (0.0, 0.6)},
        "default_bounds": (0.0, 0.3),
        "class_bounds": {"cash": (0.05, 1.0)},
    }
    return Policy(**(values | changes))


def board(targets=None, **changes):
    """A board's fixed 80/10/10 with bands."""
    weights = targets or {"cash:USDT": 0.8, "spot:BTC": 0.1, "spot:ETH": 0.1}
    return Policy(objective="policy", target_weights=weights, **changes)
