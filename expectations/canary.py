"""Known-bad batches that the gate must refuse: does the validator still see what it is there to see?

Every batch is a sound one with a single fault. The sound ones are judged too: a gate that refuses everything
would catch every fault and be worth nothing. No clock and no data from outside: the same batches each time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from expectations.gate import judge

AS_OF = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
ROWS = 12
PARAMETERS: Mapping[str, Any] = {"as_of": AS_OF}
Fault = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Canary:
    """One batch: what is wrong with it ("" for a sound one), and the code under which it must be refused."""

    suite: str
    name: str
    fault: Fault | None
    reason_code: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate said of one batch."""

    canary: Canary
    is_right: bool
    message: str


def _hours(freq: str = "h", end: str = "2024-06-01 10:00") -> pd.DatetimeIndex:
    return pd.date_range(end=end, periods=ROWS, freq=freq).as_unit("us")


def _candles() -> pd.DataFrame:
    opens, price = _hours(), 100.0 + np.arange(ROWS)
    market = {
        "venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT",
        "market_type": "spot", "timeframe": "1h",
    }  # fmt: skip
    return pd.DataFrame(
        {
            **market, "open_time": opens, "open": price, "high": price + 2, "low": price - 2,
            "close": price + 1, "base_volume": 10.0, "quote_volume": 1000.0,
            "known_at": opens + pd.Timedelta(hours=1), "is_reconstructed": True,
        }
    )  # fmt: skip


def _funding() -> pd.DataFrame:
    settled = _hours("8h", "2024-06-01 08:00")
    return pd.DataFrame(
        {
            "venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC",
            "settled_at": settled, "funding_rate": -0.0001, "interval_hours": 8.0, "mark_price": 50_000.0,
            "known_at": settled, "is_reconstructed": True,
        }
    )  # fmt: skip


def _onchain() -> pd.DataFrame:
    days = _hours("D", "2024-05-30")
    return pd.DataFrame(
        {
            "provider": "coinmetrics", "asset": "BTC", "metric": "PriceUSD", "period_start": days,
            "value": 60_000.0, "known_at": days + pd.Timedelta(hours=36), "is_reconstructed": True,
        }
    )  # fmt: skip


def _stablecoins() -> pd.DataFrame:
    days = _hours("D", "2024-05-30")
    return pd.DataFrame(
        {
            "provider": "defillama", "asset": "USDT", "period_start": days, "supply": 1e11,
            "price_usd": 1.0003, "known_at": days + pd.Timedelta(days=1), "is_reconstructed": True,
        }
    )  # fmt: skip


def _inputs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sleeve": "spot", "asset": [f"COIN{i}" for i in range(ROWS)], "observations": 365,
            "newest_data_age_hours": 12.0, "price_usd": 100.0, "price_age_hours": 12.0, "min_return": -0.1,
            "max_return": 0.1, "zero_return_share": 0.0, "volatility": 0.03, "venues": 2,
        }
    )  # fmt: skip


def _decision() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sleeve": "spot", "asset": [f"COIN{i}" for i in range(ROWS)], "current_weight": 1 / ROWS,
            "target_weight": 1 / ROWS, "lower_bound": 0.0, "upper_bound": 0.3, "status": "proposed",
            "reason_code": "benefit", "turnover": 0.0, "benefit_bps": 12.0, "cost_bps": 3.0,
            "sensitivity": 0.05,
        }
    )  # fmt: skip


def _audit() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "audited": "candles", "rule": [f"rule_{i}" for i in range(ROWS)], "severity": "critical",
            "wanted": "something", "reason_code": "some_code", "rows_judged": 100, "offenders": 0,
        }
    )  # fmt: skip


def _freshness() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dataset": [f"dataset_{i}" for i in range(ROWS)], "source": "binance", "age_seconds": 3600.0,
            "limit_seconds": 7200.0, "is_required": True,
        }
    )  # fmt: skip


SOUND: Mapping[str, Callable[[], pd.DataFrame]] = {
    "core_candles": _candles,
    "core_funding_rates": _funding,
    "core_onchain_metrics": _onchain,
    "core_stablecoins": _stablecoins,
    "decision_inputs": _inputs,
    "decision": _decision,
    "audit": _audit,
    "freshness": _freshness,
}


def cell(column: str, value: object, row: int = 5) -> Fault:
    """The fault of one value."""

    def fault(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object)
        values.iloc[row] = value
        return frame.assign(**{column: values.infer_objects()})

    return fault


def shift(column: str, by: str) -> Fault:
    """The fault of one instant that is off by a length of time."""

    def fault(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].copy()
        values.iloc[5] += pd.Timedelta(by)
        return frame.assign(**{column: values})

    return fault


def _torn(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.tail(1).assign(close=lambda last: last["close"] - 0.5)], ignore_index=True)


def _seconds(frame: pd.DataFrame) -> pd.DataFrame:
    first = pd.Timestamp("1970-01-01")
    return frame.assign(open_time=(first + (frame["open_time"] - first) / 1000).astype("datetime64[us]"))


def _faults() -> Iterator[tuple[str, str, Fault, str]]:
    candles = "core_candles"
    yield candles, "no rows", lambda frame: frame.head(0), "empty_batch"
    yield candles, "no close", lambda frame: frame.drop(columns="close"), "missing_column"
    yield candles, "text for prices", lambda frame: frame.assign(close="cheap"), "wrong_type"
    yield candles, "two values for one key", _torn, "conflicting_values"
    yield candles, "all closes missing", lambda frame: frame.assign(close=np.nan), "missing_value"
    yield candles, "one close missing", cell("close", np.nan), "missing_value"
    yield candles, "an infinite high", cell("high", np.inf), "not_positive"
    yield candles, "a price of zero", cell("low", 0.0), "not_positive"
    yield candles, "a negative price", cell("open", -100.0), "not_positive"
    yield candles, "one price of −1e9", cell("close", -1e9), "not_positive"
    yield candles, "high below low", cell("high", 50.0), "ohlc_inconsistent"
    yield candles, "low above close", cell("low", 107.5), "ohlc_inconsistent"
    yield candles, "a negative volume", cell("base_volume", -1.0), "negative_value"
    yield candles, "opens at 14 seconds past", shift("open_time", "14s"), "off_grid"
    yield candles, "seconds for milliseconds", _seconds, "time_out_of_range"
    yield candles, "from the future", shift("open_time", "30D"), "time_out_of_range"
    yield candles, "not closed yet", shift("open_time", "8h"), "not_closed"
    yield candles, "known before its close", shift("known_at", "-2h"), "known_at_out_of_order"
    yield candles, "an unknown timeframe", cell("timeframe", "7h"), "unknown_timeframe"
    yield candles, "no market", cell("market_id", ""), "missing_key"
    yield "core_funding_rates", "a rate of 50 %", cell("funding_rate", 0.5), "implausible_rate"
    yield "core_funding_rates", "a rate that is no number", cell("funding_rate", np.inf), "not_finite"
    yield "core_funding_rates", "an interval of zero", cell("interval_hours", 0.0), "implausible_interval"
    yield "core_onchain_metrics", "an infinite value", cell("value", np.inf), "not_finite"
    yield "core_onchain_metrics", "within a day", shift("period_start", "5h"), "off_grid"
    yield "core_stablecoins", "a price of 14 USD", cell("price_usd", 14.0), "implausible_price"
    yield "core_stablecoins", "a negative supply", cell("supply", -1.0), "negative_value"
    yield "decision_inputs", "a stale price", cell("price_age_hours", 99.0), "stale_price"
    yield "decision_inputs", "a frozen feed", cell("volatility", 0.0), "frozen_feed"
    yield "decision_inputs", "a return of −100 %", cell("min_return", -1.0), "impossible_return"
    yield "decision_inputs", "no price", cell("price_usd", np.nan), "not_positive"
    yield "decision", "weights that sum to 1.1", cell("target_weight", 0.183), "failed_decision_check"
    yield "decision", "a weight that is no number", cell("target_weight", np.nan), "failed_decision_check"
    yield "decision", "a weight above its bound", cell("upper_bound", 0.01), "failed_decision_check"
    yield "audit", "an offender", cell("offenders", 1), "audit_failed"
    yield "audit", "a rule without an answer", cell("offenders", np.nan), "not_finite"
    yield "freshness", "stale required data", cell("age_seconds", 9999.0), "stale_required_data"
    yield "freshness", "data without an age", cell("age_seconds", np.nan), "stale_required_data"


def canaries() -> tuple[Canary, ...]:
    """All batches: the sound ones first, then those with a fault."""
    sound = tuple(Canary(suite, "sound", None, "") for suite in SOUND)
    return sound + tuple(Canary(*parts) for parts in _faults())


def ask(canary: Canary, run_id: str, judged_at: datetime) -> Answer:
    """Let the gate judge one batch; a fault must be refused for the right reason, a sound batch pass."""
    frame = SOUND[canary.suite]()
    if canary.fault is not None:
        frame = canary.fault(frame)
    dataset = f"canary/{canary.suite}"
    said = judge(
        canary.suite, frame, dataset=dataset, run_id=run_id, judged_at=judged_at, parameters=PARAMETERS
    )
    codes = {said.reason_code, *(code for code, _ in said.offending.values())} - {""}
    if canary.fault is None:
        is_right, wanted = said.passed, "a sound batch passes"
    else:
        is_right = not said.passed and canary.reason_code in codes
        wanted = f"a batch with {canary.name} is refused as {canary.reason_code}"
    found = "passed" if said.passed else f"refused as {', '.join(sorted(codes))}"
    return Answer(canary, is_right, f"Wanted of {canary.suite}: {wanted}. Found: {found}.")
