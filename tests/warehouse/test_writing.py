from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.warehouse.support import AS_OF, FakeClock
from warehouse import queries
from warehouse.errors import BadRows, QueryFailed, UnknownQuery, UnknownTable
from warehouse.home import Home
from warehouse.master import Master, open_master
from warehouse.queries import Query


@pytest.fixture
def master(home: Home, clock: FakeClock):
    with open_master(home, clock, "test") as opened:
        yield opened


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Query]:
    """Named queries of this test, in place of the shipped ones."""
    found = {
        "runs": Query("runs", "Runs.", "from ops.runs where flow = $flow", frozenset({"flow"})),
        "finish": Query(
            "finish",
            "Ends.",
            "update ops.runs set status = $status where run_id = $run_id",
            frozenset({"status", "run_id"}),
        ),
        "broken": Query("broken", "Fails.", "select cast('x' as integer)", frozenset()),
        "values": Query("values", "All kinds.", "from mart.decision_lines", frozenset()),
        "series": Query("series", "Series.", "from ops.series", frozenset()),
        "freshness": Query("freshness", "Freshness.", "from ops.freshness", frozenset()),
    }
    monkeypatch.setattr(queries, "all_queries", lambda: found)
    return found


RUN = {"run_id": "r1", "flow": "run", "started_at": AS_OF, "status": "running"}


def test_times_go_in_and_come_back_aware(master: Master, known: dict) -> None:
    master.append("ops.runs", [RUN])
    row = master.rows("runs", flow="run")[0]
    assert row["started_at"] == AS_OF
    assert row["started_at"].tzinfo is UTC
    assert row["finished_at"] is None
    assert str(master.frame("runs", flow="run")["started_at"].dtype) == "datetime64[us]"


def test_a_time_without_a_zone_is_refused(master: Master, known: dict) -> None:
    with pytest.raises(BadRows, match="time zone"):
        master.append("ops.runs", [RUN | {"started_at": datetime(2020, 1, 1)}])
    assert master.rows("runs", flow="run") == []


def test_objects_in_json_columns_come_back_as_objects(master: Master, known: dict) -> None:
    line = {
        "recommendation_id": "R",
        "sleeve": "spot",
        "asset": "BTC",
        "action": "buy",
        "reason_code": "drift",
    }
    master.append(
        "mart.decision_lines", [line | {"numbers": {"drift": 0.1, "sold": ["a"]}, "changed_since_last": None}]
    )
    assert master.rows("values")[0]["numbers"] == {"drift": 0.1, "sold": ["a"]}
    with pytest.raises(BadRows, match="numbers"):
        master.append("mart.decision_lines", [line | {"numbers": {"drift": float("nan")}}])


def test_lists_go_in_and_come_back(master: Master, known: dict) -> None:
    row = {
        "dataset": "candles_1d",
        "source": "binance",
        "is_fresh": True,
        "checked_at": AS_OF,
        "required_by": ("core",),
    }
    master.append("ops.freshness", [row])
    assert master.rows("freshness")[0]["required_by"] == ["core"]


SERIES = {"source": "b", "dataset": "candles", "market_type": "spot", "market_id": "X", "timeframe": "1d"}


def test_storing_over_keeps_what_is_not_given(master: Master, known: dict) -> None:
    master.upsert("ops.series", [SERIES | {"asset": "X", "status": "active", "first_data_at": AS_OF}])
    master.upsert(
        "ops.series",
        [SERIES | {"status": "failing"}, SERIES | {"market_id": "Y", "asset": "Y", "status": "active"}][:1],
    )
    rows = master.rows("series")
    assert len(rows) == 1
    assert (rows[0]["status"], rows[0]["asset"], rows[0]["first_data_at"]) == ("failing", "X", AS_OF)


@pytest.mark.parametrize(
    ("table", "rows", "told"),
    [
        ("ops.series", [SERIES | {"asset": "X", "status": "a"}] * 2, "each key once"),
        ("ops.series", [{"source": "b", "status": "a"}], "every key column"),
        ("ops.quarantine", [{"load_id": 1}], "this log does not have"),
        ("ops.runs", [{"run_id": "r", "colour": "red"}], "has no column colour"),
        ("ops.runs", [{"run_id": "r"}, {"flow": "x"}], "same columns"),
        ("ops.runs", [{"run_id": "r"}], "NOT NULL"),
    ],
)
def test_rows_that_do_not_fit_are_refused(master: Master, table: str, rows: list, told: str) -> None:
    with pytest.raises(BadRows, match=told):
        master.upsert(table, rows)
    master.append("ops.runs", [RUN])


def test_unknown_tables_and_queries_are_named(master: Master, known: dict) -> None:
    with pytest.raises(UnknownTable, match=r"ops\.runs"):
        master.append("ops.run", [RUN])
    with pytest.raises(UnknownQuery, match="Did you mean runs"):
        master.rows("run")
    with pytest.raises(UnknownQuery, match=r"\['flow'\]"):
        master.rows("runs")
    with pytest.raises(QueryFailed, match="broken"):
        master.rows("broken")


def test_a_named_update_says_how_many_rows_it_changed(master: Master, known: dict) -> None:
    master.append("ops.runs", [RUN])
    assert master.run("finish", run_id="r1", status="done") == 1
    assert master.run("finish", run_id="r2", status="done") == 0
    assert master.rows("runs", flow="run")[0]["status"] == "done"


def test_a_value_is_bound_never_pasted(master: Master, known: dict) -> None:
    evil = "BTC'; copy ops.runs to '/tmp/out'; --\" \u202e\u0000"
    master.append("ops.runs", [RUN | {"flow": evil}])
    assert [row["flow"] for row in master.rows("runs", flow=evil)] == [evil]
    assert master.rows("runs", flow="' or true --") == []


def test_a_transaction_is_all_or_nothing(master: Master, known: dict) -> None:
    def fail() -> None:
        with master.transaction():
            master.append("ops.runs", [RUN])
            master.append("ops.runs", [{"colour": "red"}])

    with pytest.raises(BadRows):
        fail()
    assert master.rows("runs", flow="run") == []
    with master.transaction():
        master.append("ops.runs", [RUN])
        master.run("finish", run_id="r1", status="done")
    assert master.rows("runs", flow="run")[0]["status"] == "done"


def test_a_query_file_tells_its_sentence_and_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queries").mkdir()
    sql = "-- What ran.\nselect '$not', flow -- $neither\nfrom ops.runs where flow = $flow and slot < $until"
    (tmp_path / "queries" / "ran.sql").write_text(sql)
    monkeypatch.setattr(queries, "SQL_ROOT", tmp_path)
    found = queries.all_queries.__wrapped__()["ran"]
    assert (found.sentence, found.parameters) == ("What ran.", {"flow", "until"})


def test_every_shipped_query_starts_with_a_sentence() -> None:
    for query in queries.all_queries().values():
        assert query.sentence, query.name
