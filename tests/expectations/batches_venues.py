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


def leverage_brackets(n: int = ROWS) -> pd.DataFrame:
    market = {name: MARKET[name] for name in ("venue", "market_id", "symbol", "base", "market_type")}
    return pd.DataFrame(
        market
        | {
            "bracket": range(1, n + 1),
            "brackets": n,
            "notional_floor": [1e4 * i for i in range(n)],
            "notional_cap": [*[1e4 * (i + 1) for i in range(n - 1)], None],
            "maintenance_margin_rate": [0.004 + 0.01 * i for i in range(n)],
            "max_leverage": [float(125 - i) for i in range(n - 1)] + [None],
            "known_at": pd.Series([NOW] * n, dtype="datetime64[us]"),
        }
    )


def implied_volatility(n: int = ROWS) -> pd.DataFrame:
    observed = pd.Series([NOW] * n, dtype="datetime64[us]")
    expiry = pd.Series([pd.NaT, *[NOW + pd.Timedelta(days=30)] * (n - 1)], dtype="datetime64[us]")
    return pd.DataFrame(
        {
            "venue": "deribit",
            "market_id": ["BTC index", *[f"BTC-1JUL24-{i}000-C" for i in range(1, n)]],
            "kind": ["index", *["option"] * (n - 1)],
            "base": "BTC",
            "option_type": ["", *["call"] * (n - 1)],
            "expires_at": expiry,
            "strike": [None, *[1000.0 * i for i in range(1, n)]],
            "observed_at": observed,
            "implied_volatility": 0.6,
            "underlying_price": [None, *[60_000.0] * (n - 1)],
            "mark_price": [None, *[0.02] * (n - 1)],
            "open_interest": [None, *[10.0] * (n - 1)],
            "delta": [None, *[0.5] * (n - 1)],
            "gamma": [None, *[1e-5] * (n - 1)],
            "vega": [None, *[60.0] * (n - 1)],
            "theta": [None, *[-50.0] * (n - 1)],
            "known_at": observed,
            "is_reconstructed": False,
            "bid_price": [None, None, *[0.019] * (n - 2)],
            "ask_price": [None, None, *[0.021] * (n - 2)],
        }
    )


def tickers(n: int = ROWS) -> pd.DataFrame:
    observed = pd.Series([NOW + pd.Timedelta(hours=i - n) for i in range(n)], dtype="datetime64[us]")
    return pd.DataFrame(
        MARKET
        | {
            "observed_at": observed,
            "bid": [None, *[60_000.0] * (n - 1)],
            "ask": [60_001.0] * (n - 1) + [None],
            "last": 60_000.5,
            "base_volume_24h": [None, *[12_000.0] * (n - 1)],
            "quote_volume_24h": 7e8,
            "known_at": observed,
        }
    )


def cash_flows(n: int = ROWS) -> pd.DataFrame:
    at = _hours(n)
    kinds = [("deposit", "withdrawal", "fee", "income")[i % 4] for i in range(n)]
    signs = [(1.0, -1.0, -1.0, 1.0)[i % 4] for i in range(n)]
    return pd.DataFrame(
        {
            "portfolio": "core",
            "flow_id": [f"flow-{i}" for i in range(n)],
            "statement_id": "000001-a",
            "happened_at": at,
            "kind": kinds,
            "asset": "USDC",
            "quantity": signs,
            "value_usd": [None, *signs[1:]],
            "note": "",
            "known_at": at,
        }
    )


def position_legs(n: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "portfolio": "core",
            "statement_id": "000001-a",
            "venue": "binance",
            "account": "",
            "kind": [("spot", "perp")[i % 2] for i in range(n)],
            "asset": [f"COIN{i // 2}" for i in range(n)],
            "market_id": "",
            "sleeve": "carry",
            "quantity": [(1.0, -1.0)[i % 2] for i in range(n)],
            "known_at": pd.Series([NOW] * n, dtype="datetime64[us]"),
        }
    )


GOOD = {
    "core_cash_flows": cash_flows,
    "core_position_legs": position_legs,
    "core_tickers": tickers,
    "core_open_interest": open_interest,
    "core_mark_candles": mark_candles,
    "core_leverage_brackets": leverage_brackets,
    "core_implied_volatility": implied_volatility,
}
BAD_ROWS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "core_cash_flows": [
        ("missing_key", {"flow_id": ""}),
        ("unknown_kind", {"kind": "gift"}),
        ("not_finite", {"quantity": np.inf, "value_usd": None}),
        ("wrong_sign", {"kind": "deposit", "quantity": -1.0, "value_usd": None}),
        ("wrong_sign", {"kind": "fee", "quantity": 1.0, "value_usd": None}),
        ("wrong_sign", {"kind": "deposit", "quantity": 1.0, "value_usd": -1.0}),
        ("time_out_of_range", {"happened_at": NOW + pd.Timedelta(days=1)}),
    ],
    "core_position_legs": [
        ("missing_key", {"asset": ""}),
        ("unknown_kind", {"kind": "swap"}),
        ("unknown_kind", {"sleeve": "art"}),
        ("not_finite", {"quantity": np.inf}),
    ],
    "core_tickers": [
        ("missing_key", {"market_id": ""}),
        ("impossible_price", {"bid": 0.0}),
        ("impossible_price", {"ask": -1.0}),
        ("impossible_price", {"last": np.inf}),
        ("missing_value", {"bid": None, "ask": None, "last": None}),
        ("crossed_book", {"bid": 60_002.0, "ask": 60_001.0}),
        ("negative_value", {"base_volume_24h": -1.0}),
        ("negative_value", {"quote_volume_24h": np.inf}),
    ],
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
    "core_leverage_brackets": [
        ("missing_key", {"market_id": ""}),
        ("missing_value", {"maintenance_margin_rate": np.nan}),
        ("not_positive", {"maintenance_margin_rate": 0.0}),
        ("implausible_margin", {"maintenance_margin_rate": 1.5}),
        ("implausible_leverage", {"max_leverage": 0.5}),
        ("negative_value", {"notional_floor": -1.0}),
        ("broken_brackets", {"notional_cap": 1.0}),
        ("broken_brackets", {"bracket": 900}),
        ("time_out_of_range", {"known_at": NOW + HOUR}),
        ("unknown_market_type", {"market_type": "spot"}),
    ],
    "core_implied_volatility": [
        ("not_positive", {"implied_volatility": 0.0}),
        ("implausible_volatility", {"implied_volatility": 61.0}),
        ("option_unknown", {"kind": "option", "strike": None}),
        ("option_unknown", {"expires_at": NOW - HOUR}),
        ("implausible_greeks", {"delta": -0.5}),
        ("implausible_greeks", {"delta": 1.5}),
        ("negative_value", {"gamma": -1.0}),
        ("unknown_kind", {"kind": "future"}),
        ("known_at_out_of_order", {"known_at": NOW - HOUR}),
        ("not_positive", {"bid_price": 0.0}),
        ("crossed_book", {"bid_price": 0.03, "ask_price": 0.02}),
    ],
}
