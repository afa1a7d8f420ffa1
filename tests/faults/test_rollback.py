"""F113: older code over tables that newer code has changed writes nothing, says so, and still reads."""

import json

import pytest

from flows.cli import invoke
from tests.warehouse.support import AS_OF, FakeClock, candles, load
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.schema import migrations

TOMORROW = "9999_of_tomorrow.sql"


@pytest.fixture
def config(tmp_path):
    """A home as code of tomorrow leaves it: a migration, a column, a table, and a snapshot of them."""
    home = Home(tmp_path / "home")
    with open_master(home, FakeClock(), "today") as master:
        load(master, candles([1.0, 2.0]))
        changes = [
            f"insert into ops.migrations values (9999, '{TOMORROW}', '2030-01-01')",
            "alter table ops.runs add column of_tomorrow integer",
            "create table core.of_tomorrow (x integer)",
        ]
        for change in changes:
            master._connection.execute(change)
        master.checkpoint()
    manifest = json.loads(home.manifest.read_text())
    manifest["rows"]["ops.migrations"] += 1
    home.manifest.write_text(json.dumps(manifest))
    publish(home, FakeClock(), as_of=AS_OF, keep=2)  # the hash is still today's: no upgrade is due
    with open_master(home, FakeClock(), "tomorrow") as master:
        master._connection.execute("update ops.master_state set schema_hash = 'of tomorrow'")
        master.checkpoint()
    path = tmp_path / "trimtab.toml"
    path.write_text(
        f'[warehouse]\nhome = "{home.root}"\n[[venues]]\nid = "binance"\nbase_url = "http://127.0.0.1:9"\n'
        '[universe]\nassets = ["BTC"]\n[portfolios.core]\nobjective = "hrp"\n'
    )
    return path


@pytest.mark.parametrize("command", ["run", "ingest", "recommend", "maintain"])
def test_what_writes_refuses_and_names_both_versions(config, command, capsys):
    home = Home(config.parent / "home")
    before = home.master.read_bytes()
    capsys.readouterr()
    assert invoke([command, "--quiet", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    newest, name, _ = migrations()[-1]
    assert f"schema {newest} or earlier ({name})" in said
    assert f"found schema 9999 ({TOMORROW})" in said
    assert "trimtab restore" in said
    assert "Traceback" not in said
    assert home.master.read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [["status"], ["sql", "select count(*) as n from core.candles"], ["show", "core.candles"], ["tables"]],
)
def test_what_reads_still_works(config, command, capsys):
    capsys.readouterr()
    assert invoke([*command, "--config", str(config)]) == 0
    assert "Traceback" not in capsys.readouterr().err
