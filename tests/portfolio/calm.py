"""A carry line and a pool beside the coins of the small market."""

import numpy as np

from portfolio.model import Leg, SleeveTerms
from tests.portfolio.market import COINS, inputs, market, policy, returns

SLEEVES = ("spot", "cash", "carry", "yield")


def carry(asset, price, **changes):
    """One coin long, one perpetual short, a third of its price as margin."""
    market = {"venue": "binance", "market_id": f"{asset}USDT", "base": asset, "quote": "USDT", "price": price}
    legs = (
        Leg(role="spot", symbol=f"{asset}/USDT", market_type="spot", quantity_per_unit=1.0, **market),
        Leg(role="perp", symbol=f"{asset}/USDT:USDT", market_type="perp", quantity_per_unit=-1.0, **market),
    )
    values = {
        "line": f"carry:{asset}",
        "legs": legs,
        "capital_per_unit_usd": price * 4 / 3,
        "net_delta": 0.0,
        "gross_notional": 1.5,
        "expected_return": 0.12,
        "liquidation_distance": 0.32,
        "venue": "binance",
        "losses": {"venue_loss": 1.0, "deleveraging": 0.05},
    }
    return SleeveTerms(**(values | changes))


def pool(coin, protocol, **changes):
    values = {
        "line": f"yield:{coin}",
        "legs": (),
        "capital_per_unit_usd": 1.0,
        "gross_notional": 0.0,
        "expected_return": 0.06,
        "protocol": protocol,
        "losses": {"exploit": 1.0, "depeg": 0.5},
    }
    return SleeveTerms(**(values | changes))


def day(**changes):
    """The healthy day with a calm carry line and a calm pool beside the coins."""
    frame = returns()
    rng = np.random.default_rng(3)
    frame["carry:BTC"] = 0.12 / 365 + 0.0015 * rng.standard_normal(len(frame))
    frame["yield:USDC"] = 0.06 / 365 + 0.0014 * rng.standard_normal(len(frame))
    terms = {"carry:BTC": carry("BTC", 9_200.0), "yield:USDC": pool("USDC", "aave-v3")}
    markets = (*(market(c) for c in COINS), market("USDC"), market("BTC", market_type="perp"))
    values = {"returns": frame, "terms": terms, "instruments": markets}
    return inputs(**(values | changes))


def owner(**changes):
    values = {
        "sleeves": SLEEVES,
        "weight_bounds": {},
        "default_bounds": (0.0, 1.0),
        "class_bounds": {},
        "max_participation": 1.0,
    }
    return policy(**(values | changes))
