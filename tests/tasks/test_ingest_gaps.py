"""The life of a hole: noticed, asked for, confirmed or closed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tasks._ingest_gaps import changes
from tasks.sources._model import Gap

AT = datetime(2026, 6, 1, 3, tzinfo=UTC)
NOW = datetime(2026, 6, 2, tzinfo=UTC)
NAMES = {"dataset": "candles", "market_type": "spot", "market_id": "BTCUSDT", "timeframe": "1h"}


def hole(start: datetime = AT, hours: int = 1) -> dict[str, Any]:
    return NAMES | {"gap_start": start, "gap_end": start + timedelta(hours=hours)}


def known(attempts: int, status: str = "open", **changed: Any) -> dict[str, Any]:
    held = {"venue": "binance", "attempts": attempts, "status": status, "first_seen_at": AT}
    return hole() | held | changed


def asked(attempts: int) -> Gap:
    return Gap("candles", "spot", "BTCUSDT", "1h", AT, AT + timedelta(hours=1), attempts)


def settle(missing: list[dict[str, Any]], stored: list[dict[str, Any]], *gaps: Gap) -> list[dict[str, Any]]:
    return changes("binance", missing, stored, gaps, NOW)


def test_a_new_hole_is_open_and_one_asked_for_three_times_is_confirmed() -> None:
    (row,) = settle([hole()], [])
    assert (row["status"], row["attempts"], row["first_seen_at"]) == ("open", 0, NOW)
    (row,) = settle([hole()], [], asked(3))
    assert (row["status"], row["attempts"]) == ("confirmed", 3)


def test_attempts_add_up_over_runs() -> None:
    (row,) = settle([hole()], [known(1)], asked(1))
    assert (row["status"], row["attempts"], row["first_seen_at"]) == ("open", 2, AT)
    (row,) = settle([hole()], [known(2)], asked(1))
    assert row["status"] == "confirmed"


def test_nothing_changes_where_nothing_was_asked_or_all_is_confirmed() -> None:
    assert settle([hole()], [known(1)]) == []
    assert settle([hole()], [known(3, "confirmed")], asked(1)) == []


def test_a_hole_that_filled_is_closed_and_one_that_shrank_is_kept() -> None:
    (row,) = settle([], [known(2)])
    assert (row["status"], row["closed_at"]) == ("closed", NOW)
    shrunk = known(1, gap_end=AT + timedelta(hours=5))
    (row,) = settle([hole()], [shrunk], asked(1))
    assert (row["gap_end"], row["status"]) == (AT + timedelta(hours=1), "open")
