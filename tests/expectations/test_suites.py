"""Each suite: a good batch passes, and every kind of bad row is named exactly, with its own reason."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from expectations.gate import judge, load_suite, suite_names
from expectations.verdicts import Judgement
from tests.expectations import batches_defi, batches_venues
from tests.expectations.batches import AS_OF, GOOD, JUDGED_AT, NOW, PARAMETERS

HOUR = pd.Timedelta(hours=1)
DAY = pd.Timedelta(days=1)
# Suite → reason code → what to set in one good row so that exactly this promise is the first to break.
BAD_ROWS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "core_candles": [
        ("missing_key", {"market_id": None}),
        ("missing_key", {"venue": ""}),
        ("missing_value", {"close": np.nan}),
        ("not_positive", {"high": np.inf}),
        ("not_positive", {"low": -1e9}),
        ("not_positive", {"open": 0.0}),
        ("ohlc_inconsistent", {"low": 500.0, "high": 501.0}),
        ("ohlc_inconsistent", {"high": 50.0}),
        ("negative_value", {"base_volume": -1.0}),
        ("off_grid", {"open_time": pd.Timestamp("2024-05-30 00:14"), "known_at": NOW}),
        ("time_out_of_range", {"open_time": pd.Timestamp("1970-01-20 20:00")}),
        ("not_closed", {"open_time": pd.Timestamp("2024-06-01 12:00")}),
        ("known_at_out_of_order", {"known_at": NOW - 30 * DAY}),
        ("unknown_timeframe", {"timeframe": "7h"}),
        ("unknown_market_type", {"market_type": "swap"}),
    ],
    "core_funding_rates": [
        ("missing_key", {"market_id": ""}),
        ("missing_value", {"funding_rate": np.nan}),
        ("not_finite", {"funding_rate": -np.inf}),
        ("implausible_rate", {"funding_rate": 0.5}),
        ("implausible_interval", {"interval_hours": 0.0}),
        ("not_positive", {"mark_price": -1.0}),
        ("off_grid", {"settled_at": pd.Timestamp("2024-05-01 08:00:00.007"), "known_at": NOW}),
        ("time_out_of_range", {"settled_at": NOW + HOUR, "known_at": NOW + HOUR}),
        ("known_at_out_of_order", {"known_at": NOW + HOUR}),
    ],
    "core_instruments": [
        ("missing_key", {"market_id": None}),
        ("missing_value", {"base": None}),
        ("not_positive", {"amount_step": Decimal(0)}),
        ("not_positive", {"price_step": Decimal("-0.01")}),
        ("not_positive", {"contract_size": 0.0}),
        ("negative_value", {"min_cost": Decimal(-5)}),
        ("implausible_fee", {"taker_fee": 0.5}),
        ("implausible_fee", {"maker_fee": np.inf}),
        ("unknown_market_type", {"market_type": "swap"}),
        ("expiry_unknown", {"market_type": "future"}),
        ("time_out_of_range", {"known_at": NOW + HOUR}),
    ],
    "core_order_book_depth": [
        ("missing_value", {"ask": np.nan}),
        ("not_positive", {"bid": 0.0}),
        ("crossed_book", {"bid": 101.0}),
        ("crossed_book", {"mid": 99.0}),
        ("inconsistent_spread", {"spread_bps": 200.0}),
        ("negative_value", {"bid_depth_10bps": -1.0}),
        ("inconsistent_depth", {"ask_depth_50bps": 1.0}),
        ("time_out_of_range", {"observed_at": NOW + HOUR}),
    ],
    "core_onchain_metrics": [
        ("missing_key", {"asset": ""}),
        ("missing_value", {"value": np.nan}),
        ("not_finite", {"value": np.inf}),
        ("negative_value", {"metric": "TxCnt", "value": -1.0}),
        ("not_positive", {"metric": "PriceUSD", "value": 0.0}),
        ("off_grid", {"period_start": pd.Timestamp("2024-05-01 06:00"), "known_at": NOW}),
        ("not_closed", {"period_start": pd.Timestamp("2024-06-01")}),
        ("known_at_out_of_order", {"known_at": pd.Timestamp("2024-05-01")}),
        ("time_out_of_range", {"period_start": pd.Timestamp("1970-01-18")}),
    ],
    "core_protocol_metrics": [
        ("missing_value", {"value": np.nan}),
        ("not_finite", {"value": np.inf}),
        ("negative_value", {"value": -1.0}),
        ("unknown_entity_kind", {"entity_kind": "bridge"}),
        ("zero_after_value", {"value": 0.0}),
        ("time_out_of_range", {"period_start": pd.Timestamp("2099-01-01")}),
        ("off_grid", {"period_start": pd.Timestamp("2024-05-01 06:00"), "known_at": NOW}),
    ],
    "core_stablecoins": [
        ("missing_key", {"asset": None}),
        ("missing_value", {"supply": np.nan, "price_usd": np.nan}),
        ("negative_value", {"supply": -1.0}),
        ("negative_value", {"supply": np.inf}),
        ("not_finite", {"price_usd": np.inf}),
        ("implausible_price", {"price_usd": 0.0}),
        ("implausible_price", {"price_usd": 1.9}),
    ],
    "core_macro_series": [
        ("missing_key", {"series_id": None}),
        ("not_finite", {"value": np.inf}),
        ("time_out_of_range", {"period_start": NOW + DAY}),
        ("off_grid", {"period_start": pd.Timestamp("2024-05-01 06:00"), "known_at": NOW}),
    ],
    "core_positions": [
        ("missing_key", {"asset": ""}),
        ("missing_value", {"quantity": np.nan}),
        ("not_finite", {"quantity": np.inf}),
        ("negative_holding", {"quantity": -1.0}),
        ("unknown_kind", {"kind": "swap"}),
        ("unknown_margin_mode", {"margin_mode": "both"}),
        ("not_positive", {"leverage": 0.0}),
        ("negative_value", {"cost_basis_usd": -1.0}),
        ("time_out_of_range", {"as_of": NOW + DAY}),
    ],
    "decision_inputs": [
        ("not_positive", {"price_usd": np.nan}),
        ("not_positive", {"price_usd": 0.0}),
        ("stale_price", {"price_age_hours": 31.0}),
        ("too_few_venues", {"venues": 0}),
        ("too_little_history", {"observations": 59}),
        ("stale_history", {"newest_data_age_hours": 1000.0}),
        ("impossible_return", {"min_return": -1.0}),
        ("impossible_return", {"max_return": np.inf}),
        ("frozen_feed", {"zero_return_share": 0.9}),
        ("frozen_feed", {"volatility": 0.0}),
        ("unknown_sleeve", {"sleeve": "lottery"}),
    ],
    "audit": [
        ("audit_failed", {"offenders": 3}),
        ("audit_failed", {"offenders": -1}),
        ("not_finite", {"offenders": np.nan}),
    ],
    "freshness": [
        ("stale_required_data", {"age_seconds": 7201.0}),
        ("stale_required_data", {"age_seconds": np.nan}),
    ],
    # every other promise of a decision speaks of the whole of it: tests/tasks/test_decision_check.py
    "decision": [("unknown_status", {"status": "perhaps"})],
    **batches_defi.BAD_ROWS,
    **batches_venues.BAD_ROWS,
}


def judged(suite: str, frame: pd.DataFrame, **parameters: object) -> Judgement:
    return judge(
        suite, frame, dataset=suite, run_id="r1", judged_at=JUDGED_AT, parameters={**PARAMETERS, **parameters}
    )


def failed(judgement: Judgement, severity: str) -> set[str]:
    return {v.expectation for v in judgement.verdicts if not v.success and v.severity == severity}


def test_every_suite_has_a_good_batch_and_bad_rows() -> None:
    assert set(suite_names()) == set(GOOD) == set(BAD_ROWS)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_batch_keeps_every_promise(name: str) -> None:
    frame = GOOD[name]()
    before = frame.copy()
    judgement = judged(name, frame)
    broken = [v.message for v in judgement.verdicts if not v.success and v.severity != "info"]
    assert not broken
    assert judgement.passed
    assert not judgement.refused
    assert not judgement.offending
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", sorted(BAD_ROWS))
def test_every_bad_row_is_named_with_its_reason_and_no_other(name: str) -> None:
    cases = BAD_ROWS[name]
    good = GOOD[name]()
    step = 2 if name in {"audit", "freshness"} else 1
    rows = 2 * (step * len(cases) // 2 + 2)
    frame = GOOD[name](rows + 1 if name in ("core_onchain_metrics", "core_yield_pools") else rows)
    expected = {}
    for i, (code, changes) in enumerate(cases):
        position = i * step
        for column, value in changes.items():
            if isinstance(value, float) and frame[column].dtype == "int64":
                frame[column] = frame[column].astype("float64")
            if frame[column].isna().all():
                frame[column] = frame[column].astype(object)
            frame.loc[frame.index[position], column] = value
        expected[position] = code
    # Columns that were all missing must still be what they promise to be.
    for column in good.columns:
        if frame[column].dtype == object and good[column].isna().all() and column != "margin_mode":
            frame[column] = pd.to_numeric(frame[column])
    judgement = judged(name, frame)
    assert not judgement.refused, judgement.reason
    assert {row: code for row, (code, _) in judgement.offending.items()} == expected
    assert not judgement.passed
    for code, reason in judgement.offending.values():
        assert reason.startswith("Wanted: "), (code, reason)
        assert "Found: " in reason
    for code in set(expected.values()):
        assert any(code == v.observed["reason_code"] and not v.success for v in judgement.verdicts)


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("core_stablecoins", {"price_usd": 0.877}, "price_usd_near_peg"),
        ("core_funding_rates", {"funding_rate": -0.04}, "funding_rate_is_usual"),
        ("core_protocol_metrics", {"value": 2e11}, "no_sudden_doubling"),
        ("core_instruments", {"amount_step": None}, "active_market_has_steps"),
        ("core_positions", {"as_of": NOW - 30 * DAY}, "statement_is_recent"),
        ("decision_inputs", {"max_return": 0.6}, "returns_are_usual"),
        ("audit", {"severity": "warning", "offenders": 2}, "no_warning_offenders"),
        ("freshness", {"is_required": False, "age_seconds": 1e9}, "other_data_is_fresh"),
    ],
)
def test_a_doubtful_row_warns_and_passes(name: str, change: dict[str, Any], rule: str) -> None:
    frame = GOOD[name]()
    for column, value in change.items():
        frame.loc[frame.index[5], column] = value
    judgement = judged(name, frame)
    assert judgement.passed
    assert failed(judgement, "warning") == {rule}
    assert list(judgement.doubtful) == [5]
    assert rule in judgement.reason or name in {"audit", "freshness"}


def test_negative_funding_is_legal() -> None:
    frame = GOOD["core_funding_rates"]()
    frame["funding_rate"] = -0.0075
    assert judged("core_funding_rates", frame).passed


def test_the_hint_names_a_unit_mistake() -> None:
    frame = GOOD["core_candles"]()
    frame["open_time"] = (frame["open_time"].astype("datetime64[ms]").astype("int64") // 1000).astype(
        "datetime64[ms]"
    )
    judgement = judged("core_candles", frame)
    assert len(judgement.offending) == len(frame)
    code, reason = judgement.offending[0]
    assert code == "time_out_of_range"
    assert "looks like seconds read as milliseconds" in reason


def _all_missing(column: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: np.nan})


@pytest.mark.parametrize(
    ("name", "spoil", "code"),
    [
        ("core_candles", lambda f: f.head(0), "empty_batch"),
        ("core_candles", lambda f: f.drop(columns="close"), "missing_column"),
        ("core_candles", lambda f: f.assign(close=f["close"].astype(str)), "wrong_type"),
        ("core_candles", lambda f: f.assign(open_time=f["open_time"].dt.tz_localize("UTC")), "wrong_type"),
        ("core_candles", lambda f: f.assign(is_reconstructed="yes"), "wrong_type"),
        ("core_candles", lambda f: pd.concat([f, f.iloc[[3]].assign(close=103.5)]), "conflicting_values"),
        ("core_macro_series", lambda f: pd.concat([f, f.iloc[[0]].assign(value=1.0)]), "conflicting_values"),
        (
            "decision_inputs",
            lambda f: pd.concat([f, f.iloc[[0]].assign(price_usd=9.0)]),
            "conflicting_values",
        ),
        ("audit", lambda f: f[f["audited"] == "candles"], "audit_incomplete"),
    ],
)
def test_what_is_wrong_with_the_whole_refuses_the_whole(name: str, spoil: Any, code: str) -> None:
    judgement = judged(name, spoil(GOOD[name]()), tables=["candles", "positions"])
    assert judgement.refused
    assert not judgement.passed
    assert judgement.reason_code == code
    assert "whole batch is refused" in judgement.reason


def test_conflicting_rows_are_both_named_and_identical_ones_are_not() -> None:
    frame = GOOD["core_candles"]()
    frame = pd.concat([frame, frame.iloc[[3]].assign(close=103.5), frame.iloc[[7]]])
    judgement = judged("core_candles", frame)
    assert sorted(judgement.offending) == [3, 12]
    assert judgement.reason_code == "conflicting_values"
    repeated = judged("core_candles", pd.concat([GOOD["core_candles"](), GOOD["core_candles"]().iloc[[7]]]))
    assert repeated.passed
    assert failed(repeated, "info") == {"no_repeated_rows"}


def test_a_vintage_is_no_conflict_when_only_its_bookkeeping_differs() -> None:
    frame = GOOD["core_candles"]()
    later = frame.iloc[[3]].assign(known_at=NOW, is_reconstructed=False)
    assert judged("core_candles", pd.concat([frame, later])).passed


@pytest.mark.parametrize(
    ("name", "column"),
    [("core_candles", "close"), ("core_funding_rates", "funding_rate"), ("core_onchain_metrics", "value")],
)
def test_an_all_missing_column_lets_nothing_through(name: str, column: str) -> None:
    frame = _all_missing(column)(GOOD[name]())
    judgement = judged(name, frame)
    assert not judgement.passed
    assert sorted(judgement.offending) == list(range(len(frame)))
    assert {code for code, _ in judgement.offending.values()} == {"missing_value"}


def test_an_all_missing_volume_only_warns() -> None:
    judgement = judged("core_candles", _all_missing("base_volume")(GOOD["core_candles"]()))
    assert judgement.passed
    assert failed(judgement, "warning") == {"base_volume_has_values"}


def test_the_worst_single_value_is_never_averaged_away() -> None:
    frame = GOOD["core_candles"](1000)
    frame.loc[777, "low"] = -1e9
    judgement = judged("core_candles", frame)
    assert list(judgement.offending) == [777]
    for name in suite_names():
        suite = load_suite(name, {"as_of": AS_OF})
        assert not any("mostly" in rule.arguments for rule in (*suite.structure(), *suite.content()))


@pytest.mark.parametrize("timeframe", ["1m", "15m", "1h", "4h", "1d", "1w", "1M"])
def test_the_grid_of_every_timeframe(timeframe: str) -> None:
    starts = {"1w": ["2024-05-20", "2024-05-16"], "1M": ["2024-04-01", "2024-02-01"]}
    opens = pd.to_datetime(starts.get(timeframe, ["2024-05-20", "2024-05-21"])).as_unit("us")
    frame = GOOD["core_candles"](2).assign(timeframe=timeframe, open_time=opens)
    frame["known_at"] = opens + 40 * DAY if timeframe != "1M" else NOW
    frame["known_at"] = frame["known_at"].clip(upper=NOW)
    assert judged("core_candles", frame).passed
    frame.loc[1, "open_time"] += pd.Timedelta(seconds=14)
    assert {code for code, _ in judged("core_candles", frame).offending.values()} == {"off_grid"}
