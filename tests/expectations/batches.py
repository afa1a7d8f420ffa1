"""Good batches, one for each suite: small, believable, and passing every promise."""

from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd

from tests.expectations import batches_defi, batches_venues

AS_OF = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
JUDGED_AT = datetime(2024, 6, 1, 12, 0, 5, tzinfo=UTC)
NOW = pd.Timestamp("2024-06-01 12:00")
PARAMETERS = {"as_of": AS_OF, "peg_tolerance": 0.02}
ROWS = 12


def _hours(n: int = ROWS, freq: str = "h", end: str = "2024-06-01 10:00") -> pd.DatetimeIndex:
    return pd.date_range(end=end, periods=n, freq=freq).as_unit("us")


def candles(n: int = ROWS) -> pd.DataFrame:
    opens = _hours(n)
    price = [100.0 + i for i in range(n)]
    return pd.DataFrame(
        {
            "venue": "binance",
            "market_id": "BTCUSDT",
            "symbol": "BTC/USDT",
            "base": "BTC",
            "quote": "USDT",
            "market_type": "spot",
            "timeframe": "1h",
            "open_time": opens,
            "open": price,
            "high": [p + 2 for p in price],
            "low": [p - 2 for p in price],
            "close": [p + 1 for p in price],
            "base_volume": 10.0,
            "quote_volume": [None] * n,
            "known_at": opens + pd.Timedelta(hours=1),
            "is_reconstructed": True,
        }
    )


def funding_rates(n: int = ROWS) -> pd.DataFrame:
    settled = _hours(n, "8h", "2024-06-01 08:00")
    return pd.DataFrame(
        {
            "venue": "binance",
            "market_id": "BTCUSDT",
            "symbol": "BTC/USDT:USDT",
            "base": "BTC",
            "settled_at": settled,
            "funding_rate": [0.0001 if i % 3 else -0.0075 for i in range(n)],
            "interval_hours": 8.0,
            "mark_price": [None, *[50_000.0] * (n - 1)],
            "known_at": settled,
            "is_reconstructed": True,
        }
    )


def instruments(n: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "venue": "binance",
            "market_id": [f"COIN{i}USDT" for i in range(n)],
            "symbol": [f"COIN{i}/USDT" for i in range(n)],
            "base": [f"COIN{i}" for i in range(n)],
            "quote": "USDT",
            "market_type": "spot",
            "contract_size": 1.0,
            "amount_step": [Decimal("0.00001")] * n,
            "price_step": [Decimal("0.01")] * n,
            "min_amount": [Decimal("0.00001")] * n,
            "min_cost": [Decimal(5)] * n,
            "maker_fee": 0.001,
            "taker_fee": 0.001,
            "expires_at": pd.Series([pd.NaT] * n, dtype="datetime64[us]"),
            "is_active": True,
            "known_at": pd.Series([NOW] * n, dtype="datetime64[us]"),
        }
    )


def order_book_depth(n: int = ROWS) -> pd.DataFrame:
    bid, ask = 100.0, 100.02
    mid = (bid + ask) / 2
    observed = pd.Series([NOW] * n, dtype="datetime64[us]")
    return pd.DataFrame(
        {
            "venue": "binance",
            "market_id": [f"COIN{i}USDT" for i in range(n)],
            "symbol": "COIN/USDT",
            "base": "COIN",
            "quote": "USDT",
            "market_type": "spot",
            "observed_at": observed,
            "bid": bid,
            "ask": ask,
            "mid": mid,
            "spread_bps": (ask - bid) / mid * 1e4,
            "bid_depth_10bps": 1e4,
            "ask_depth_10bps": 1e4,
            "bid_depth_50bps": 5e4,
            "ask_depth_50bps": 5e4,
            "bid_depth_100bps": [None] * n,
            "ask_depth_100bps": 1e5,
            "known_at": observed,
        }
    )


def onchain_metrics(n: int = ROWS) -> pd.DataFrame:
    days = _hours(n, "D", "2024-05-31")
    return pd.DataFrame(
        {
            "provider": "coinmetrics",
            "asset": "BTC",
            "metric": [("PriceUSD", "AdrActCnt", "ROI30d")[i % 3] for i in range(n)],
            "period_start": days,
            "value": [(60_000.0, 0.0, -12.5)[i % 3] for i in range(n)],
            "known_at": days + pd.Timedelta(hours=36),
            "is_reconstructed": True,
        }
    ).iloc[:-1]


def protocol_metrics(n: int = ROWS) -> pd.DataFrame:
    days = _hours(n, "D", "2024-05-31")
    return pd.DataFrame(
        {
            "provider": "defillama",
            "entity_kind": "chain",
            "entity": "Ethereum",
            "metric": "tvl_usd",
            "period_start": days,
            "value": [5e10 + i * 1e8 for i in range(n)],
            "known_at": days + pd.Timedelta(days=1),
            "is_reconstructed": True,
        }
    )


def stablecoins(n: int = ROWS) -> pd.DataFrame:
    days = _hours(n, "D", "2024-05-31")
    return pd.DataFrame(
        {
            "provider": "defillama",
            "asset": "USDT",
            "period_start": days,
            "supply": [1e11] * (n - 1) + [None],
            "price_usd": [None] + [1.0003] * (n - 1),
            "known_at": days + pd.Timedelta(days=1),
            "is_reconstructed": True,
        }
    )


def macro_series(n: int = ROWS) -> pd.DataFrame:
    days = _hours(n, "D", "2024-05-31")
    return pd.DataFrame(
        {
            "provider": "fred",
            "series_id": "DGS10",
            "period_start": days,
            "value": [None, *[-0.5] * (n - 1)],
            "known_at": days + pd.Timedelta(days=1),
            "is_reconstructed": True,
        }
    )


def positions(n: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "portfolio": "core",
            "statement_id": "S-1",
            "venue": "",
            "account": "",
            "kind": "spot",
            "asset": [f"COIN{i}" for i in range(n)],
            "quantity": 1.5,
            "entry_price": [None] * n,
            "margin": [None] * n,
            "margin_mode": [None] * n,
            "leverage": [None] * n,
            "cost_basis_usd": 1000.0,
            "is_immovable": False,
            "as_of": pd.Series([NOW - pd.Timedelta(days=1)] * n, dtype="datetime64[us]"),
            "known_at": pd.Series([NOW] * n, dtype="datetime64[us]"),
            "market_id": "",
            "quote": "USD",
        }
    )


def decision_inputs(n: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sleeve": ["spot"] * (n - 1) + ["cash"],
            "asset": [f"COIN{i}" for i in range(n - 1)] + ["USDT"],
            "observations": 365,
            "newest_data_age_hours": 12.0,
            "price_usd": [100.0] * (n - 1) + [1.0],
            "price_age_hours": 12.0,
            "min_return": -0.1,
            "max_return": 0.1,
            "zero_return_share": [0.0] * (n - 1) + [1.0],
            "volatility": [0.03] * (n - 1) + [0.0],
            "venues": 2,
        }
    )


def decision(n: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sleeve": ["spot"] * (n - 1) + ["cash"],
            "asset": [f"COIN{i}" for i in range(n - 1)] + ["USDT"],
            "current_weight": 1 / n,
            "target_weight": 1 / n,
            "lower_bound": 0.0,
            "upper_bound": 0.3,
            "status": "proposed",
            "reason_code": "benefit",
            "turnover": 0.0,
            "benefit_bps": 12.0,
            "cost_bps": 3.0,
            "sensitivity": 0.05,
        }
    )


def audit(n: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "audited": ["candles", "positions"] * (n // 2),
            "rule": [f"rule_{i}" for i in range(n)],
            "severity": ["critical", "warning"] * (n // 2),
            "wanted": "something",
            "reason_code": "some_code",
            "rows_judged": 100,
            "offenders": 0,
        }
    )


def freshness(n: int = ROWS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dataset": [f"dataset_{i}" for i in range(n)],
            "source": "binance",
            "age_seconds": 3600.0,
            "limit_seconds": 7200.0,
            "is_required": [True, False] * (n // 2),
        }
    )


GOOD = {
    "core_candles": candles,
    "core_funding_rates": funding_rates,
    "core_instruments": instruments,
    "core_order_book_depth": order_book_depth,
    "core_onchain_metrics": onchain_metrics,
    "core_protocol_metrics": protocol_metrics,
    "core_stablecoins": stablecoins,
    "core_macro_series": macro_series,
    **batches_defi.GOOD,
    "core_positions": positions,
    "decision_inputs": decision_inputs,
    "decision": decision,
    "audit": audit,
    "freshness": freshness,
    **batches_venues.GOOD,
}
