"""`trimtab restore`, `trimtab maintain` and the Parquet mirror, from the command line."""

import json
import os
import stat
from pathlib import Path

import pytest
from pyarrow import parquet

from flows.cli import invoke
from tasks.validation_page import write_page
from tests.warehouse.support import AS_OF, FakeClock, candles, die_at, in_child, load, stored
from warehouse.catalogue import load_catalogue
from warehouse.connection import Engine
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.mirror import write_mirror
from warehouse.publish import publish


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    stored(made, ("candles", candles([1.0, 2.0])), ("candles", candles([1.0, 3.0])))
    publish(made, FakeClock(), as_of=AS_OF, keep=3)
    return made


@pytest.fixture
def config(home: Home) -> Path:
    path = home.root.parent / "trimtab.toml"
    lines = [
        "[warehouse]",
        f'home = "{home.root}"',
        "parquet_mirror = true",
        '[[venues]]\nid = "binance"',
        '[universe]\nassets = ["BTC"]',
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_restore_puts_the_master_back_and_says_what_next(
    config: Path, home: Home, capsys: pytest.CaptureFixture[str]
):
    home.master.write_bytes(b"broken")
    assert invoke(["maintain", "--config", str(config)]) == 3
    assert "trimtab restore" in capsys.readouterr().err
    assert invoke(["restore", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "snapshot 1 again" in said
    assert "damaged-" in said
    with open_master(home, FakeClock(), "look") as master:
        assert master.newest_load() == 2
    assert invoke(["restore", "7", "--config", str(config)]) == 2
    assert "these are there: 1" in capsys.readouterr().err


def test_maintain_moves_old_versions_publishes_and_puts_them_back(
    config: Path, home: Home, capsys: pytest.CaptureFixture[str]
):
    assert invoke(["maintain", "--config", str(config)]) == 0
    assert "1 rows of raw.candles moved to archive/raw.candles-000001" in capsys.readouterr().out
    mirror = home.published / "parquet"
    assert parquet.read_table(mirror / "core" / "candles.parquet").num_rows == 2
    files = parquet.read_table(mirror / "ops" / "archives.parquet").to_pylist()
    assert [(one["table_name"], one["rows"]) for one in files] == [("raw.candles", 1)]
    assert invoke(["maintain", "--restore", "--json", "--config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out)["sentences"] == ["1 rows are back in raw.candles."]


def test_maintain_removes_what_was_kept_for_some_days(
    config: Path, home: Home, capsys: pytest.CaptureFixture[str]
):
    for day in ("2020-07-01", "2999-01-01"):
        (home.received / day).mkdir(parents=True)
        (home.received / day / "binance-r.gz").write_bytes(b"x" * 200_000)
    page = write_page(home, "old", ["once"], [], [], []).resolve()
    os.utime(page, (0, 0))
    write_page(home, "new", ["now"], [], [], [])
    assert invoke(["maintain", "--json", "--config", str(config)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["received_bytes"], told["pages"]) == (200_000, 1)
    assert "0.2 MB of received answers removed (keep_received_days = 7)." in told["sentences"]
    assert [path.name for path in home.received.iterdir()] == ["2999-01-01"]
    assert [path.name for path in page.parent.iterdir()] == ["new.html"]


def test_the_mirror_is_whole_private_to_the_group_and_repointed(home: Home):
    first = write_mirror(home, Engine())
    wanted = {
        f"{table.layer}/{table.name}.parquet"
        for table in load_catalogue().tables.values()
        if table.layer != "raw"
    }
    assert {str(path.relative_to(first)) for path in first.rglob("*.parquet")} == wanted
    assert {stat.S_IMODE(path.stat().st_mode) for path in first.rglob("*.parquet")} == {0o640}
    assert stat.S_IMODE(first.stat().st_mode) == 0o750
    stored(home, ("candles", candles([5.0], market_id="X")))
    publish(home, FakeClock(), as_of=AS_OF, keep=3)

    def killed() -> None:
        die_at("mirrored")
        write_mirror(home, Engine())

    assert in_child(killed) == -9
    assert (home.published / "parquet").readlink().name == "parquet-000001"
    write_mirror(home, Engine())
    assert (home.published / "parquet").readlink().name == "parquet-000002"
    with open_master(home, FakeClock(), "write") as master:
        load(master, candles([6.0], market_id="Y"))
    publish(home, FakeClock(), as_of=AS_OF, keep=3)
    write_mirror(home, Engine())
    assert sorted(path.name for path in home.published.glob("*parquet*")) == [
        "parquet",
        "parquet-000002",
        "parquet-000003",
    ]
    assert not list(home.published.glob(".parquet*"))
