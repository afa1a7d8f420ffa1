"""The life of a hole: noticed, asked for in several runs, confirmed, asked for again, closed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks._ingest_gaps import changes, gaps_to_ask, settle
from tasks.sources._model import Gap
from tests.warehouse.support import FakeClock
from warehouse.home import Home
from warehouse.master import open_master

AT = datetime(2026, 6, 1, 3, tzinfo=UTC)
NOW = datetime(2026, 6, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = {"dataset": "candles", "market_type": "spot", "market_id": "BTCUSDT", "timeframe": "1h"}


def hole(start: datetime = AT, hours: int = 1) -> dict[str, Any]:
    return NAMES | {"gap_start": start, "gap_end": start + timedelta(hours=hours)}


def known(attempts: int, status: str = "open", **changed: Any) -> dict[str, Any]:
    held: dict[str, Any] = {
        "venue": "binance",
        "attempts": attempts,
        "status": status,
        "first_seen_at": AT,
        "rounds": 1 if attempts else 0,
        "asked_at": NOW - HOUR if attempts else None,
        "evidence": "asked" if status == "confirmed" else "",
    }
    return hole() | held | changed


def asked(attempts: int) -> Gap:
    return Gap("candles", "spot", "BTCUSDT", "1h", AT, AT + HOUR, attempts)


def changed(
    missing: list[dict[str, Any]], stored: list[dict[str, Any]], *gaps: Gap, now: datetime = NOW
) -> list[dict[str, Any]]:
    return changes("binance", missing, stored, gaps, now, now)


def test_one_run_confirms_nothing_however_often_it_asks() -> None:
    (row,) = changed([hole()], [])
    assert (row["status"], row["attempts"], row["rounds"], row["first_seen_at"]) == ("open", 0, 0, NOW)
    (row,) = changed([hole()], [], asked(3))
    assert (row["status"], row["attempts"], row["rounds"], row["asked_at"]) == ("open", 3, 1, NOW)
    at_once = known(3, asked_at=NOW - timedelta(minutes=5))
    (row,) = changed([hole()], [at_once], asked(1))
    assert (row["status"], row["attempts"], row["rounds"]) == ("open", 4, 1)
    assert row["asked_at"] == at_once["asked_at"]


def test_three_asks_in_two_runs_an_hour_apart_confirm() -> None:
    (row,) = changed([hole()], [known(1)], asked(1))
    assert (row["status"], row["attempts"], row["rounds"], row["first_seen_at"]) == ("open", 2, 2, AT)
    (row,) = changed([hole()], [known(3)], asked(1))
    assert (row["status"], row["attempts"], row["rounds"], row["evidence"]) == ("confirmed", 4, 2, "asked")


def test_nothing_changes_where_nothing_was_asked() -> None:
    assert changed([hole()], [known(1)]) == []
    assert changed([hole()], [known(3, "confirmed")]) == []


def test_a_confirmed_hole_that_was_asked_for_again_stays_so_and_tells_when() -> None:
    (row,) = changed([hole()], [known(3, "confirmed", evidence="outage")], asked(1))
    assert (row["status"], row["evidence"], row["attempts"]) == ("confirmed", "outage", 4)
    assert row["asked_at"] == NOW


def test_what_is_served_no_longer_is_confirmed_at_once() -> None:
    lost = Gap("candles", "spot", "BTCUSDT", "1h", AT, AT + HOUR, 0, is_lost=True)
    (row,) = changed([hole()], [known(1)], lost)
    assert (row["status"], row["evidence"], row["attempts"]) == ("confirmed", "unserved", 1)


def test_a_hole_that_filled_is_closed_and_one_that_shrank_is_asked_for_anew() -> None:
    (row,) = changed([], [known(2)])
    assert (row["status"], row["closed_at"]) == ("closed", NOW)
    shrunk = known(1, "confirmed", gap_end=AT + 5 * HOUR)
    (row,) = changed([hole()], [shrunk], asked(1))
    assert (row["gap_end"], row["status"]) == (AT + HOUR, "open")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def candle(market_id: str, at: datetime) -> dict[str, Any]:
    figures = dict.fromkeys(("open", "high", "low", "close", "base_volume", "quote_volume"), 1.0)
    names = {"venue": "binance", "market_type": "spot", "timeframe": "1h", "quote": "USDT"}
    known = {"known_at": at + HOUR, "is_reconstructed": False, "load_id": 1}
    return (
        names
        | {"market_id": market_id, "symbol": market_id, "base": market_id, "open_time": at}
        | figures
        | known
    )


def hours_of(market_id: str, *without: int) -> list[dict[str, Any]]:
    return [candle(market_id, AT + hour * HOUR) for hour in range(-4, 8) if hour not in without]


def statuses(home: Home, *series: list[dict[str, Any]], attempts: int = 3) -> dict[str, tuple[str, str]]:
    with open_master(home, FakeClock(), "outage") as master:
        for rows in series:
            master.upsert("core.candles", rows)
        holes = [Gap("candles", "spot", row[0]["market_id"], "1h", AT, AT + HOUR, attempts) for row in series]
        settle(master, "binance", AT - 5 * HOUR, holes, NOW, NOW)
        rows = master.rows("known_gaps", venue="binance")
    return {row["market_id"]: (row["status"], row["evidence"]) for row in rows}


def test_a_silence_of_the_whole_venue_is_its_outage(home: Home) -> None:
    found = statuses(home, hours_of("BTC", 0), hours_of("ETH", 0, 1), hours_of("LTC", 0))
    outage = ("confirmed", "outage")
    assert found == {"BTC": outage, "ETH": ("open", ""), "LTC": outage}  # ETH is silent for longer


@pytest.mark.parametrize(
    "others",
    [
        [hours_of("ETH", 0)],
        [hours_of("ETH", 0), hours_of("LTC")],
        [hours_of("ETH", 0), hours_of("LTC")[6:]],
        [hours_of("ETH", 0), hours_of("LTC")[:4]],
    ],
    ids=["one witness", "another market traded", "not listed yet", "not read so far"],
)
def test_a_silence_of_one_market_is_no_outage(home: Home, others: list[list[dict[str, Any]]]) -> None:
    assert statuses(home, hours_of("BTC", 0), *others)["BTC"] == ("open", "")


def test_a_silence_that_was_asked_for_once_is_no_outage(home: Home) -> None:
    found = statuses(home, hours_of("BTC", 0), hours_of("ETH", 0), hours_of("LTC", 0), attempts=1)
    assert set(found.values()) == {("open", "")}


def test_a_confirmed_hole_is_asked_for_weekly_for_five_weeks(home: Home) -> None:
    with open_master(home, FakeClock(), "due") as master:

        def due(days: int, **changed: Any) -> int:
            row = known(3, closed_at=None, asked_at=NOW, **changed)
            master.upsert("ops.gaps", [row])
            now = NOW + timedelta(days=days)
            return len(gaps_to_ask(master, "binance", now, now))

        held = {"status": "confirmed", "evidence": "asked"}
        # Each ask would have moved asked_at on by a week.
        assert [day for day in (0, 6, 7, 20, 34, 35, 60) if due(day, **held)] == [7, 20, 34]
        assert not due(8, **held | {"evidence": "unserved"})
        assert due(0, status="open", evidence="")


def test_what_lies_before_the_touched_stretch_is_left_alone(home: Home) -> None:
    with open_master(home, FakeClock(), "earlier") as master:
        master.upsert("core.candles", hours_of("BTC", 0))
        settle(master, "binance", AT - 5 * HOUR, [asked(3)], NOW, NOW)
        before = master.rows("known_gaps", venue="binance")
        for hours in range(30):
            settle(master, "binance", AT + hours * HOUR, [], NOW, NOW)
        assert master.rows("known_gaps", venue="binance") == before


def funding(*stamps: int, hours: tuple[float, ...]) -> list[dict[str, Any]]:
    names = {"venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC"}
    fixed = {
        "funding_rate": 1e-4,
        "mark_price": None,
        "known_at": NOW,
        "is_reconstructed": False,
        "load_id": 1,
    }
    return [
        names | fixed | {"settled_at": AT + at * HOUR, "interval_hours": interval}
        for at, interval in zip(stamps, hours, strict=True)
    ]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (funding(0, 8, 24, 32, hours=(8, 8, 8, 8)), [(16, 24)]),
        (funding(0, 1, 2, 4, 5, hours=(1, 1, 1, 2, 1)), [(3, 4)]),
        (funding(0, 8, 12, 16, 24, 32, hours=(8, 8, 4, 4, 8, 8)), []),
        (funding(0, 4, 8, 16, hours=(4, 4, 4, 8)), []),
        (funding(0, 8, 16, 40, hours=(8, 8, 8, 8)), [(24, 40)]),
    ],
    ids=[
        "one of eight hours",
        "one of one hour",
        "changed intervals",
        "changed at the newest end",
        "two at the end",
    ],
)
def test_missing_settlements_are_holes_and_changed_intervals_are_not(
    home: Home, rows: list[dict[str, Any]], wanted: list[tuple[int, int]]
) -> None:
    with open_master(home, FakeClock(), "funding") as master:
        master.upsert("core.funding_rates", rows)
        settle(master, "binance", AT, [], NOW, NOW)
        found = master.rows("known_gaps", venue="binance")
    assert [((row["gap_start"] - AT) / HOUR, (row["gap_end"] - AT) / HOUR) for row in found] == wanted
    assert {row["dataset"] for row in found} <= {"funding_rates"}
