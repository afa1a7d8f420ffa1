"""A home from before an upgrade: what is new in the catalogue appears in it by itself."""

import json
from datetime import timedelta

import duckdb

from tests.warehouse.support import AS_OF, FakeClock, candles, die_at, in_child, load
from tests.warehouse.test_mart import statement_rows
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time, open_published


def age(home: Home, *tables: str) -> None:
    """Make the master one that never heard of some tables."""
    with open_master(home, FakeClock(), "age") as master:
        load(master, candles([1.0]))
        for table in tables:
            master._connection.execute(f"drop table {table}")
        master._connection.execute("update ops.master_state set schema_hash = 'older'")
        master.checkpoint()
    manifest = json.loads(home.manifest.read_text())
    manifest["rows"] = {name: rows for name, rows in manifest["rows"].items() if name not in tables}
    home.manifest.write_text(json.dumps(manifest))


def test_a_new_table_appears_in_an_old_home(home: Home) -> None:
    age(home, "ops.archives")
    with open_master(home, FakeClock(), "upgrade") as master:
        assert master._connection.execute("select count(*) from ops.archives").fetchall() == [(0,)]
        assert load(master, candles([2.0], market_id="X")).rows_new == 1
    assert json.loads(home.manifest.read_text())["rows"]["ops.archives"] == 0


def test_gaps_from_before_they_told_their_rounds_keep_what_they_told(home: Home) -> None:
    with open_master(home, FakeClock(), "age") as master:
        for column in ("rounds", "asked_at", "evidence"):
            master._connection.execute(f"alter table ops.gaps drop column {column}")
        master._connection.execute("delete from ops.migrations where name like '%gaps_tell_their_rounds%'")
        master._connection.execute(
            "insert into ops.gaps values ('binance', 'spot', 'X', 'candles', '1h', '2020-01-01', "
            "'2020-01-02', 'confirmed', 3, '2020-01-03', null)"
        )
        master._connection.execute("update ops.master_state set schema_hash = 'older'")
        master.checkpoint()
    manifest = json.loads(home.manifest.read_text())
    manifest["rows"]["ops.gaps"] += 1
    manifest["rows"]["ops.migrations"] -= 1
    home.manifest.write_text(json.dumps(manifest))
    with open_master(home, FakeClock(), "upgrade") as master:
        (row,) = master.rows("known_gaps", venue="binance")
    assert (row["status"], row["attempts"], row["rounds"], row["asked_at"], row["evidence"]) == (
        "confirmed", 3, 1, None, "",
    )  # fmt: skip


def test_a_snapshot_from_before_an_upgrade_still_shows_the_past(home: Home) -> None:
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([1.0, 2.0]))
        master._connection.execute("drop table ops.archives")
        assert master.newest_load() == 1
    publish_old(home)
    with open_published(home) as reader:
        assert not reader.select("select 1 from duckdb_tables() where table_name = 'archives'").rows
    with open_point_in_time(home, AS_OF + timedelta(days=1)) as reader:
        assert reader.select("select count(*) from core.candles").rows == ((2,),)
        assert reader.select("select count(*) from ops.archives").rows == ((0,),)


def publish_old(home: Home) -> None:
    manifest = json.loads(home.manifest.read_text())
    del manifest["rows"]["ops.archives"]
    home.manifest.write_text(json.dumps(manifest))
    publish(home, FakeClock(), as_of=AS_OF, keep=2)


def forget(home: Home) -> None:
    """Make the master one from before the positions' market and quote."""
    with open_master(home, FakeClock(), "age") as master:
        load(master, statement_rows("one", AS_OF, "BTC"), "positions")
        for column in ("market_id", "quote"):
            master._connection.execute(f"alter table core.positions drop column {column}")
        master._connection.execute("delete from ops.migrations where version = 4")
        master._connection.execute("update ops.master_state set schema_hash = 'older'")
        master.checkpoint()
    manifest = json.loads(home.manifest.read_text())
    manifest["rows"]["ops.migrations"] -= 1
    home.manifest.write_text(json.dumps(manifest))


def test_positions_of_an_old_home_get_their_new_columns(home: Home) -> None:
    forget(home)
    with open_master(home, FakeClock(), "upgrade") as master:
        asked = "select asset, market_id, quote from mart.current_positions"
        rows = master._connection.execute(asked).fetchall()
        assert rows == [("BTC", "", "USD")]
        assert master._connection.execute("select count(*) from core.position_legs").fetchall() == [(0,)]


def test_an_old_snapshot_is_read_with_the_columns_it_lacks_empty(home: Home) -> None:
    with open_master(home, FakeClock(), "write") as master:
        load(master, statement_rows("one", AS_OF, "BTC"), "positions")
    publish(home, FakeClock(), as_of=AS_OF, keep=2)
    snapshot = home.current.resolve()
    snapshot.chmod(0o600)
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute("alter table core.positions drop column market_id")
        connection.execute("update ops.master_state set schema_hash = 'older'")
    with open_point_in_time(home, AS_OF) as reader:
        rows = reader.select("select asset, quantity, market_id, quote from mart.current_positions").rows
        assert rows == (("BTC", 1.0, None, "USD"),)


def test_a_kill_between_an_upgrade_and_its_acknowledgement_is_no_damage(home: Home) -> None:
    with open_master(home, FakeClock(), "age") as master:
        load(master, candles([1.0]))
        master._connection.execute("delete from ops.migrations where version = 4")
        for column in ("market_id", "quote"):
            master._connection.execute(f"alter table core.positions drop column {column}")
        master._connection.execute("update ops.master_state set schema_hash = 'older'")
        master.checkpoint()
    manifest = json.loads(home.manifest.read_text())
    manifest["rows"]["ops.migrations"] -= 1
    home.manifest.write_text(json.dumps(manifest))

    def work() -> None:
        die_at("migrated")
        with open_master(home, FakeClock(), "upgrade"):
            pass

    assert in_child(work) == -9
    with open_master(home, FakeClock(), "look") as master:
        assert (
            json.loads(home.manifest.read_text())["rows"]["ops.migrations"]
            == manifest["rows"]["ops.migrations"] + 1
        )
        assert master.newest_load() == 1
