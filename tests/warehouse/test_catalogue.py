import shutil
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from tests.warehouse.support import FakeClock, candles, load
from warehouse import check, documentation, schema
from warehouse.catalogue import SQL_ROOT, load_catalogue
from warehouse.errors import SchemaDrift, UnknownTable, WarehouseError
from warehouse.headers import parse_table
from warehouse.home import Home
from warehouse.master import open_master

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sql(tmp_path: Path) -> Path:
    """A copy of the SQL files to spoil."""
    shutil.copytree(SQL_ROOT, tmp_path / "sql")
    return tmp_path / "sql"


def test_the_shipped_files_are_in_order() -> None:
    assert check.check() == []


def test_the_page_of_tables_is_up_to_date() -> None:
    stored = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert stored == documentation.tables_markdown(), "write it anew: python -m warehouse.documentation"


def test_every_public_table_is_there_with_the_promised_columns_and_comments(home: Home) -> None:
    with open_master(home, FakeClock(), "look") as master:
        uncommented = master._connection.execute(
            "select table_name, column_name from duckdb_columns() where comment is null and not internal "
            "and database_name = current_database() and schema_name in ('raw', 'core', 'mart', 'ops')"
        ).fetchall()
        assert uncommented == []
        assert schema.drifted(master._connection, load_catalogue()) == []
        file = master._connection.execute(
            "select tags from duckdb_databases() where database_name = 'master'"
        ).fetchall()
    assert "v1.5.0" in str(file)


def test_a_header_says_key_time_and_columns() -> None:
    table = load_catalogue().table("core.candles")
    assert table.key == ("venue", "market_type", "market_id", "timeframe", "open_time")
    assert (table.time, table.like, table.kind, table.reads) == (
        "open_time",
        "raw.candles",
        "table",
        {"raw.candles"},
    )
    close = next(column for column in table.columns if column.name == "close")
    assert close.comment == "last price, in quote [> 0]"


def test_dependencies_are_read_out_of_the_sql() -> None:
    tables = load_catalogue()
    assert tables.table("mart.sleeve_returns").reads >= {"mart.spot_prices", "mart.stablecoin_prices"}
    order = list(tables.tables)
    for name, table in tables.tables.items():
        assert all(order.index(read) < order.index(name) for read in table.reads)


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(UnknownTable, match=r"Did you mean mart\.spot_prices"):
        load_catalogue().table("mart.spot_price")


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("mart/x.sql", "-- X.\n--\n-- key: a\nselect a from raw.candles", "may not read that layer"),
        (
            "core/x.sql",
            "-- X.\n--\n-- key: a\nselect 1 as a from mart.spot_prices",
            "may not read that layer",
        ),
        ("mart/x.sql", "-- X.\n--\n-- key: a\nselect 1 as a from core.candels", "has no SQL file"),
        ("mart/x.sql", "-- X.\n--\n-- key: a\nselect a from mart.x", "circle"),
        ("mart/x.sql", "-- X.\n--\n-- key: a\nselec a", "can not be parsed"),
        ("mart/x.sql", "-- X.\nselect 1 as a", "names no key"),
        ("mart/x.sql", "-- key: a\nselect 1 as a", "names no key|should start with a sentence"),
        ("mart/x.sql", "-- X.\n--\n-- key: a\n-- what is this\nselect 1 as a", "neither a setting"),
        ("mart/x.sql", "-- X.\n--\n-- key: a\n", "end with SQL"),
    ],
)
def test_a_spoilt_file_is_refused(sql: Path, file: str, text: str, told: str) -> None:
    (sql / file).write_text(text)
    with pytest.raises(WarehouseError, match=told):
        load_catalogue(sql)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("mart/x.sql", "-- X.\n--\n-- key: b\n-- a | first |\nselect 1 as a", "key column b is not a column"),
        (
            "mart/x.sql",
            "-- X.\n--\n-- key: a\n-- a | first |\nselect 1 as a, 2 as b",
            "should have the columns a, but has a, b",
        ),
        ("mart/x.sql", "-- X.\n--\n-- key: a\n-- a | |\nselect 1 as a", "column a has no meaning"),
        (
            "mart/x.sql",
            "-- X.\n--\n-- key: a\n-- a | first |\nselect closing as a from core.candles",
            "can not be created",
        ),
        ("queries/x.sql", "-- Asks.\nselect closing from core.candles", "does not fit the tables"),
        ("queries/x.sql", "-- Asks.\nselect 1; select 2", "query x"),
        ("queries/x.sql", "select 1", "should start with a comment"),
        ("audit/x.sql", "-- Audits.\nselect 1", "belongs to no table"),
        ("migrations/9999_x.sql", "-- Skips some.\nselect 1", "numbered"),
    ],
)
def test_check_says_what_is_wrong(
    sql: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str, told: str
) -> None:
    (sql / file).write_text(text)
    spoilt = load_catalogue(sql)
    for module in (check, schema):
        monkeypatch.setattr(module, "load_catalogue", lambda: spoilt)
    monkeypatch.setattr(schema, "SQL_ROOT", sql)
    monkeypatch.setattr("warehouse.queries.SQL_ROOT", sql)
    monkeypatch.setattr(check, "all_queries", check.all_queries.__wrapped__)
    found = check.check()
    assert any(told in problem for problem in found), found


def test_a_header_survives_being_read_and_written() -> None:
    head = "-- One row.\n-- Still.\n--\n-- key: a, b\n-- time: b\n"
    text = head + "-- a | first | not null\n-- b | second, in s\nselect 1"
    table = parse_table("mart", "x", text)
    assert (table.sentence, table.key, table.time, table.body) == (
        "One row. Still.",
        ("a", "b"),
        "b",
        "select 1",
    )
    assert [(c.name, c.meaning, c.promise) for c in table.columns] == [
        ("a", "first", "not null"),
        ("b", "second, in s", ""),
    ]


def older(home: Home) -> None:
    """A file from before a column was added, and with a view that is gone."""
    with duckdb.connect(str(home.master)) as connection:
        connection.execute("alter table ops.runs drop column message")
        connection.execute("create view mart.forgotten as select 1 as a")
        connection.execute("update ops.master_state set schema_hash = 'older'")


def with_migration(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    steps = [(9999, "9999_add_message.sql", change)]
    monkeypatch.setattr(schema, "migrations", lambda: steps)


def test_a_migration_is_applied_once_and_recorded(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    older(home)
    with_migration(monkeypatch, "alter table ops.runs add column message varchar")
    for _ in range(2):
        with open_master(home, FakeClock(), "upgrade") as master:
            load(master, candles([1.0]))
            done = master._connection.execute(
                "select version, name, applied_at from ops.migrations where version = 9999"
            ).fetchall()
            views = master._connection.execute(
                "select count(*) from duckdb_views() where view_name = 'forgotten'"
            ).fetchone()
    assert done == [(9999, "9999_add_message.sql", datetime(2026, 1, 1))]
    assert views == (0,)


def test_a_failed_migration_leaves_the_old_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    older(home)
    before = duckdb.connect(str(home.master), read_only=True)
    columns = before.execute("select count(*) from duckdb_columns() where table_name = 'runs'").fetchall()
    before.close()
    with_migration(monkeypatch, "alter table ops.runs add column message varchar; select error('stop')")
    with pytest.raises(SchemaDrift, match="stay as they were"), open_master(home, FakeClock(), "upgrade"):
        pass
    with duckdb.connect(str(home.master), read_only=True) as after:
        assert (
            after.execute("select count(*) from duckdb_columns() where table_name = 'runs'").fetchall()
            == columns
        )


def test_a_change_without_a_migration_is_named(home: Home) -> None:
    older(home)
    told = r"ops\.runs should have the columns .*migrations"
    with pytest.raises(SchemaDrift, match=told), open_master(home, FakeClock(), "upgrade"):
        pass


def test_the_promised_tables_have_the_promised_types() -> None:
    promised = ROOT.parent / "shared" / "contract.sql"
    if not promised.exists():
        pytest.skip("the contract is not beside this checkout")
    found, later = check.load_types(), {"mart.signals"}
    with duckdb.connect() as connection:
        connection.execute("create schema core; create schema mart; create schema ops")
        connection.execute(promised.read_text(encoding="utf-8"))
        wanted = schema.column_types(connection)
    for table in wanted.keys() - later - {"ops.snapshot"}:
        assert wanted[table].items() <= found[table].items(), table
    assert wanted["ops.snapshot"].keys() <= found["ops.snapshot"].keys()
