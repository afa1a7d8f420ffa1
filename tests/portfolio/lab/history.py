"""A small invented past: prices of three coins and a stablecoin, and what was known on each date."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from portfolio.lab.tape import tape_of
from portfolio.model import DecisionInputs, PriceMark
from tests.portfolio.market import depth, fresh, hold, market

COINS = ("BTC", "ETH", "XRP")
LINES = (*(f"spot:{c}" for c in COINS), "cash:USDT")
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def closes(days=260, seed=5):
    """USD closes by line, the first on BEGIN."""
    rng = np.random.default_rng(seed)
    moves = 0.03 * (0.7 * rng.standard_normal((days, 1)) + 0.7 * rng.standard_normal((days, 3))) + 0.0008
    prices = np.array([8_000.0, 200.0, 0.25]) * np.cumprod(1.0 + moves, axis=0)
    frame = pd.DataFrame(prices, columns=list(LINES[:3]), index=pd.date_range(BEGIN.date(), periods=days))
    frame["cash:USDT"] = 1.0
    return frame


def known(frame, day, hours=3):
    """Inputs as of some hours after the close of a day: nothing after it is in them."""
    past = frame.iloc[: day + 1]
    at = BEGIN + timedelta(days=day)
    return DecisionInputs(
        as_of=at + timedelta(hours=hours),
        slot=at,
        portfolio="core",
        returns=past.pct_change(fill_method=None).iloc[1:].iloc[-365:],
        prices={
            x: PriceMark(price_usd=float(p), price_quote=float(p), at=at) for x, p in past.iloc[-1].items()
        },
        quote_price_usd={"USDT": 1.0},
        positions=(hold("USDT", 100_000),),
        instruments=tuple(market(c) for c in COINS),
        liquidity=tuple(depth(c) for c in COINS),
        datasets=(fresh(),),
    )


def past(every=7, first=100, last=259, seed=5, frame=None):
    """Decision dates and the tape."""
    told = closes(last + 1, seed) if frame is None else frame
    return [known(told, day) for day in range(first, last, every)], tape_of(told)
