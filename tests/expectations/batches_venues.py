"""Good batches of what venues are asked for besides candles, funding, rules and books."""

from typing import Any

import numpy as np
import pandas as pd

NOW = pd.Timestamp("2024-06-01 12:00")
HOUR = pd.Timedelta(hours=1)
ROWS = 12


def _hours(n: int) -> pd.DatetimeIndex:
    return pd.date_range(end="2024-06-01 10:00", periods=n, freq="h").as_unit("us")


MARKET = {
    "venue": "binance",
    "market_id": "BTCUSDT",
    "symbol": "BTC/USDT:USDT",
    "base": "BTC",
    "quote": "USDT",
    "market_type": "perp",
}


def open_interest(n: int = ROWS) -> pd.DataFrame:
    at = _hours(n)
    return pd.DataFrame(
        MARKET
        | {
            "observed_at": at,
            "open_interest": [80_000.0] * (n - 1) + [None],
            "open_interest_quote": 5e9,
            "known_at": at,
            "is_reconstructed": True,
        }
    )


def mark_candles(n: int = ROWS) -> pd.DataFrame:
    opens = _hours(n)
    price = [100.0 + i for i in range(n)]
    return pd.DataFrame(
        MARKET
        | {
            "timeframe": "1h",
            "open_time": opens,
            "open": price,
            "high": [p + 2 for p in price],
            "low": [p - 2 for p in price],
            "close": [p + 1 for p in price],
            "known_at": opens + pd.Timedelta(hours=1),
            "is_reconstructed": True,
        }
    )


GOOD = {"core_open_interest": open_interest, "core_mark_candles": mark_candles}
BAD_ROWS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "core_open_interest": [
        ("missing_key", {"market_id": ""}),
        ("negative_value", {"open_interest": -1.0}),
        ("negative_value", {"open_interest": np.inf}),
        ("negative_value", {"open_interest_quote": -1.0}),
        ("missing_value", {"open_interest": None, "open_interest_quote": None}),
        ("off_grid", {"observed_at": NOW - 5 * HOUR - pd.Timedelta(minutes=1), "known_at": NOW}),
        ("time_out_of_range", {"observed_at": NOW + HOUR}),
        ("known_at_out_of_order", {"known_at": NOW - 100 * HOUR}),
        ("unknown_market_type", {"market_type": "spot"}),
    ],
    "core_mark_candles": [
        ("missing_value", {"close": np.nan}),
        ("not_positive", {"low": -1.0}),
        ("ohlc_inconsistent", {"low": 500.0, "high": 501.0}),
        ("off_grid", {"open_time": pd.Timestamp("2024-05-30 00:14"), "known_at": NOW}),
        ("not_closed", {"open_time": NOW}),
        ("unknown_timeframe", {"timeframe": "7h"}),
    ],
}
