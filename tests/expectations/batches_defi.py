"""Good batches and bad rows of pools, incidents and futures positions."""

from typing import Any

import numpy as np
import pandas as pd

NOW = pd.Timestamp("2024-06-01 12:00")
HOUR = pd.Timedelta(hours=1)
DAY = pd.Timedelta(days=1)
ROWS = 12


def _hours(n: int, freq: str, end: str) -> pd.DatetimeIndex:
    return pd.date_range(end=end, periods=n, freq=freq).as_unit("us")


def yield_pools(n: int = ROWS) -> pd.DataFrame:
    days = _hours(n, "D", "2024-05-31")
    return pd.DataFrame(
        {
            "provider": "defillama",
            "pool": "a-pool",
            "chain": "Ethereum",
            "project": "aave-v3",
            "symbol": "USDC",
            "period_start": days,
            "apy_base": [0.04] * (n - 1) + [None],
            "apy_reward": [None] * n,
            "apy_base_borrow": 0.055,
            "tvl_usd": 1e9,
            "total_borrow_usd": 8e8,
            "known_at": days + pd.Timedelta(hours=25),
            "is_reconstructed": True,
        }
    ).iloc[:-1]


def incidents(n: int = ROWS) -> pd.DataFrame:
    days = _hours(n, "D", "2024-05-30")
    return pd.DataFrame(
        {
            "provider": "defillama",
            "incident_id": [f"incident-{i}" for i in range(n)],
            "occurred_at": days,
            "entity": "Some Bridge",
            "entity_id": "",
            "chains": "Ethereum,Base",
            "classification": "",
            "technique": "Key Compromise",
            "amount_usd": [None, *[1e6] * (n - 1)],
            "returned_usd": [None] * n,
            "is_bridge": True,
            "known_at": days + pd.Timedelta(days=2),
            "is_reconstructed": True,
        }
    )


def futures_positioning(n: int = ROWS) -> pd.DataFrame:
    days = _hours(n, "7D", "2024-05-28")
    counts = {"dealer": (500, 3000), "asset_manager": (6000, 1500), "leveraged": (8000, 14000)}
    rest = {"other": (3000, 900), "small": (2000, 1000)}
    return pd.DataFrame(
        {
            "provider": "cftc",
            "market_id": "133741",
            "asset": "BTC",
            "period_start": days,
            "open_interest": 24_000.0,
            **{f"{who}_long": float(long) for who, (long, _) in {**counts, **rest}.items()},
            **{f"{who}_short": float(short) for who, (_, short) in {**counts, **rest}.items()},
            "known_at": days + pd.Timedelta(hours=92, minutes=30),
            "is_reconstructed": True,
        }
    )


GOOD = {
    "core_yield_pools": yield_pools,
    "core_incidents": incidents,
    "core_futures_positioning": futures_positioning,
}
BAD_ROWS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "core_yield_pools": [
        ("missing_key", {"pool": ""}),
        ("missing_value", {"chain": None}),
        ("missing_value", {"apy_base": np.nan, "tvl_usd": np.nan}),
        ("not_finite", {"apy_base": np.inf}),
        ("implausible_rate", {"apy_base": -2.0}),
        ("negative_value", {"tvl_usd": -1.0}),
        ("off_grid", {"period_start": pd.Timestamp("2024-05-01 23:01"), "known_at": NOW}),
        ("known_at_out_of_order", {"known_at": pd.Timestamp("2024-05-01")}),
    ],
    "core_incidents": [
        ("missing_key", {"incident_id": ""}),
        ("missing_value", {"entity": ""}),
        ("negative_value", {"amount_usd": -1.0}),
        ("negative_value", {"returned_usd": np.inf}),
        ("time_out_of_range", {"occurred_at": NOW + DAY}),
        ("known_at_out_of_order", {"known_at": NOW + HOUR}),
    ],
    "core_futures_positioning": [
        ("missing_key", {"market_id": None}),
        ("missing_value", {"open_interest": np.nan}),
        ("negative_value", {"dealer_short": -1.0}),
        ("inconsistent_positions", {"leveraged_long": 30_000.0}),
        ("inconsistent_positions", {"open_interest": 100.0}),
        ("off_grid", {"period_start": pd.Timestamp("2024-05-01 06:00"), "known_at": NOW}),
        ("time_out_of_range", {"period_start": pd.Timestamp("1970-01-18")}),
    ],
}
