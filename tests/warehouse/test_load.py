import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.support import AS_OF, FakeClock, candles, load
from warehouse.errors import BadRows, ConflictingBatch, UnknownTable
from warehouse.home import Home
from warehouse.master import LoadResult, Master, open_master


@pytest.fixture
def master(home: Home, clock: FakeClock):
    with open_master(home, clock, "test") as opened:
        yield opened


def versions(master: Master, table: str = "raw.candles") -> list[tuple]:
    columns = "venue, open_time, close, known_at, is_reconstructed, load_id"
    return master._connection.execute(f"select {columns} from {table} order by all").fetchall()


def test_a_new_key_goes_to_raw_and_core(master: Master) -> None:
    assert load(master, candles([100.0, 101.0])) == LoadResult(1, 2, 0, 0)
    assert versions(master) == versions(master, "core.candles")
    assert versions(master)[0] == (
        "binance",
        datetime(2020, 1, 1),
        100.0,
        datetime(2020, 1, 2),
        True,
        1,
    )


def test_the_same_batch_again_changes_nothing_but_is_recorded(master: Master) -> None:
    load(master, candles([100.0, 101.0]))
    before = versions(master)
    assert load(master, candles([100.0, 101.0])) == LoadResult(2, 0, 0, 2)
    assert versions(master) == before
    recorded = master._connection.execute(
        "select load_id, rows_new, rows_unchanged, status from ops.loads"
    ).fetchall()
    assert recorded == [(1, 2, 0, "loaded"), (2, 0, 2, "loaded")]


def test_a_changed_value_is_a_new_version_known_when_it_was_read(master: Master) -> None:
    load(master, candles([100.0, 101.0]))
    assert load(master, candles([100.0, 99.5])) == LoadResult(2, 0, 1, 1)
    day, known = datetime(2020, 1, 2), AS_OF.replace(tzinfo=None)
    assert ("binance", day, 101.0, datetime(2020, 1, 3), True, 1) in versions(master)
    assert ("binance", day, 99.5, known, False, 2) in versions(master)
    assert [row[2] for row in versions(master, "core.candles")] == [100.0, 99.5]


def test_a_version_is_never_known_before_the_one_it_replaces(master: Master) -> None:
    late = datetime(2025, 1, 1, tzinfo=UTC)
    load(master, candles([100.0], known_at=late))
    load(master, candles([101.0]), as_of=AS_OF)
    assert versions(master, "core.candles")[0][3] == late.replace(tzinfo=None)


def test_a_value_that_becomes_unknown_is_a_change_too(master: Master) -> None:
    load(master, candles([100.0]))
    assert load(master, candles([None])).rows_revised == 1
    assert load(master, candles([None])).rows_unchanged == 1


def test_nan_is_stored_as_null_because_duckdb_sorts_it_above_every_number(master: Master) -> None:
    load(master, candles([float("nan"), 5.0]))
    found = master._connection.execute(
        "select max(close), count(close), count(*) filter (where close > 1e300) from core.candles"
    ).fetchone()
    assert found == (5.0, 1, 0)


def test_known_at_alone_is_no_change(master: Master) -> None:
    load(master, candles([100.0]))
    assert load(master, candles([100.0], known_at=datetime(2020, 5, 1, tzinfo=UTC))).rows_unchanged == 1


def test_identical_rows_in_a_batch_count_once_and_are_known_since_the_earliest(master: Master) -> None:
    early, late = datetime(2020, 2, 1, tzinfo=UTC), datetime(2020, 3, 1, tzinfo=UTC)
    frame = pd.concat([candles([100.0], known_at=late), candles([100.0], known_at=early)])
    assert load(master, frame).rows_new == 1
    assert versions(master)[0][3] == early.replace(tzinfo=None)


def test_two_values_for_one_key_refuse_the_whole_batch(master: Master) -> None:
    frame = pd.concat([candles([100.0, 101.0]), candles([100.0, 102.0])])
    with pytest.raises(ConflictingBatch, match=r"different values for the same .*2020-01-02"):
        load(master, frame)
    assert versions(master) == []
    assert master.newest_load() == 0
    assert load(master, candles([100.0])).load_id == 1


def test_spot_and_perpetual_of_one_id_are_two_markets(master: Master) -> None:
    assert load(master, pd.concat([candles([100.0]), candles([101.0], market_type="perp")])).rows_new == 2


def test_limits_of_an_instrument_are_exact(master: Master) -> None:
    frame = pd.DataFrame(
        {
            "venue": ["binance"],
            "market_id": "BTCUSDT",
            "symbol": "BTC/USDT",
            "base": "BTC",
            "quote": "USDT",
            "market_type": "spot",
            "contract_size": 1.0,
            "amount_step": [Decimal("0.000000000000000001")],
            "price_step": ["0.1"],
            "min_amount": [None],
            "min_cost": [5],
            "maker_fee": 0.001,
            "taker_fee": 0.001,
            "expires_at": pd.Series([pd.NaT], dtype="datetime64[us]"),
            "is_active": True,
            "known_at": pd.Series([pd.Timestamp("2020-01-01")]).astype("datetime64[us]"),
        }
    )
    load(master, frame, "instruments")
    row = master._connection.execute(
        "select amount_step, price_step, min_amount, min_cost, expires_at from core.instruments"
    ).fetchone()
    assert row == (Decimal("1e-18"), Decimal("0.1"), None, Decimal(5), None)
    assert load(master, frame, "instruments").rows_unchanged == 1
    with pytest.raises(BadRows, match="exact number"):
        load(master, frame.assign(amount_step=[0.1]), "instruments")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.drop(columns="close"), "Missing: close"),
        (lambda f: f.assign(colour="red"), "not known: colour"),
        (lambda f: f.assign(close="ten"), r"core.candles.close takes DOUBLE"),
        (lambda f: f.assign(venue=None), "NOT NULL"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_whole(master: Master, change, told: str) -> None:
    with pytest.raises(BadRows, match=told):
        load(master, change(candles([100.0])))
    assert versions(master) == []


def test_aware_times_are_stored_as_utc(master: Master) -> None:
    frame = candles([100.0])
    frame["open_time"] = frame["open_time"].dt.tz_localize("Europe/Berlin")
    load(master, frame)
    assert versions(master)[0][1] == datetime(2019, 12, 31, 23)


def test_an_unknown_table_is_named_with_the_nearest_one(master: Master) -> None:
    with pytest.raises(UnknownTable, match=r"Did you mean core\.candles"):
        load(master, candles([1.0]), "candle")


def test_an_empty_batch_is_recorded(master: Master) -> None:
    assert load(master, candles([])) == LoadResult(1, 0, 0, 0)


def test_rows_kept_out_and_series_belong_to_the_same_transaction(master: Master) -> None:
    frame = candles([100.0])
    series = {"source": "binance", "dataset": "candles", "market_type": "spot", "market_id": "BTCUSDT"}
    series |= {"timeframe": "1d", "asset": "BTC", "status": "active", "fetched_until": AS_OF}
    bad = candles([-1.0], start="2020-01-02").assign(reason_code="negative", reason="a price is above zero")
    load(master, frame, quarantine=bad, rows_quarantined=1, series=[series])
    kept_out = master._connection.execute(
        "select load_id, row ->> 'close', key ->> 'market_id', reason_code from ops.quarantine"
    ).fetchall()
    assert kept_out == [(1, "-1.0", "BTCUSDT", "negative")]
    with pytest.raises(BadRows):
        load(master, candles([200.0], start="2020-02-01"), series=[series | {"status": None}])
    assert master.newest_load() == 1
    assert len(versions(master)) == 1


def test_a_refused_batch_leaves_a_record_and_its_rows(master: Master) -> None:
    bad = candles([-1.0]).assign(reason_code="negative", reason="a price is above zero")
    number = master.refuse(
        "candles",
        source="binance",
        dataset="candles_1d",
        as_of=AS_OF,
        started_at=AS_OF,
        rows_received=1,
        message="every row failed",
        quarantine=bad,
    )
    found = master._connection.execute("select load_id, status, rows_quarantined from ops.loads").fetchall()
    assert found == [(number, "refused", 1)]
    assert versions(master) == []


BATCH = st.dictionaries(st.integers(0, 5), st.sampled_from([None, 1.0, 2.0, 3.0]), min_size=1, max_size=6)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(BATCH, min_size=1, max_size=4), seed=st.integers(0, 2**16), repeat=st.booleans())
def test_core_is_the_newest_value_and_order_or_repetition_never_matter(
    master: Master, batches: list[dict[int, float | None]], seed: int, repeat: bool
) -> None:
    """A hand-kept dictionary is the model; every other venue name is one example."""
    venues = [f"v{master.newest_load()}a", f"v{master.newest_load()}b"]
    model: dict[int, float | None] = {}
    changes = 0
    for place, batch in enumerate(batches):
        rows = pd.concat([candles([close], start=f"2020-01-0{day + 1}") for day, close in batch.items()])
        as_of = AS_OF + timedelta(hours=place)
        shuffled = rows.sample(frac=1.0, random_state=seed)
        load(master, rows.assign(venue=venues[0]), as_of=as_of)
        load(master, shuffled.assign(venue=venues[1]), as_of=as_of)
        if repeat:
            load(master, pd.concat([shuffled, rows]).assign(venue=venues[1]), as_of=as_of)
        changes += sum(day not in model or model[day] != close for day, close in batch.items())
        model |= batch
    for venue in venues:
        query = "select day(open_time) - 1, close from core.candles where venue = ?"
        found = dict(master._connection.execute(query, [venue]).fetchall())
        assert found == model
        count = master._connection.execute(
            "select count(*) from raw.candles where venue = ?", [venue]
        ).fetchall()
        assert count == [(changes,)]
        newest = "select day(open_time) - 1, close from core.candles_at(null, null) where venue = ?"
        assert dict(master._connection.execute(newest, [venue]).fetchall()) == model


def test_rows_are_stored_in_one_order_whatever_the_threads_do(home: Home, tmp_path: Path) -> None:
    held = [candles([1.0] * 500, market_id=f"M{n}", timeframe="1h") for n in range(20)]
    came = [candles([2.0] * 600, market_id=f"M{n}", timeframe="1h") for n in reversed(range(20))]
    many = pd.concat(came, ignore_index=True)
    few = many.iloc[::-97].reset_index(drop=True).assign(close=3.0)

    def stored(folder: str) -> tuple[list[tuple[int, str, datetime]], ...]:
        twin = Home(Path(shutil.copytree(home.root, tmp_path / folder)))
        with open_master(twin, FakeClock(), "write") as master:
            for batch in (pd.concat(held, ignore_index=True), many, few):
                load(master, batch)
            tables = ("raw.candles", "core.candles")
            asked = (f"select load_id, market_id, open_time from {table}" for table in tables)
            raw, core = (master._connection.execute(sql).fetchall() for sql in asked)
        return raw, core

    raw, core = stored("one")
    assert [(market, time) for load_id, market, time in raw if load_id == 3] == sorted(
        zip(few["market_id"], few["open_time"], strict=True)
    )
    assert all(stored(f"again-{number}") == (raw, core) for number in range(3))
