"""`trimtab revisions`: a fact that changed, and the recommendation that had rested on it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from flows.cli import invoke
from tests.warehouse.support import FakeClock, candles, load
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published

FIRST = datetime(2020, 1, 10, tzinfo=UTC)
LATER = datetime(2020, 1, 20, tzinfo=UTC)
CONFIG = """
[warehouse]
home = "home"
[[venues]]
id = "binance"
[universe]
assets = ["BTC"]
[portfolios.core]
"""


def recommendation(name: str, as_of: datetime, load_id: int) -> dict[str, object]:
    texts = dict.fromkeys(
        ("grade", "reason_code", "reason", "objective", "inputs_hash", "config_hash", "code_version"), "x"
    )
    return texts | {
        "recommendation_id": name, "portfolio": "core", "as_of": as_of, "slot": as_of, "status": "hold",
        "flags": [], "is_simulated": True, "valid_until": as_of + timedelta(days=1), "is_announced": False,
        "input_snapshot": f"1@{load_id}", "created_at": as_of,
    }  # fmt: skip


@pytest.fixture
def config(tmp_path):
    """Two candles; the older one restated by the second load, between two recommendations."""
    home, clock = Home(tmp_path / "home"), FakeClock()
    home.prepare()
    with open_master(home, clock, "test") as master:
        first = load(master, candles([100.0, 101.0]), as_of=FIRST)
        load(master, candles([50.0], market_id="ETHUSDT", base="ETH"), as_of=FIRST)
        second = load(master, candles([99.5, 101.0], known_at=LATER), as_of=LATER)
        for name, at, load_id in (("R-old", FIRST, first.load_id + 1), ("R-new", LATER, second.load_id)):
            master.append("mart.recommendations", [recommendation(name, at, load_id)])
            line = {"sleeve": "spot", "asset": "BTC", "action": "keep", "reason_code": "x"}
            master.append("mart.decision_lines", [{"recommendation_id": name, **line}])
    publish(home, clock, as_of=LATER, keep=2)
    file = tmp_path / "trimtab.toml"
    file.write_text(CONFIG)
    return file


def ask(capsys, config, since):
    assert invoke(["revisions", "--since", since, "--json", "--config", str(config)]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_changed_fact_names_who_used_the_earlier_value(config, capsys):
    (found,) = ask(capsys, config, "2020-01-15")
    assert (found["table_name"], found["asset"]) == ("core.candles", "BTC")
    assert found["fact"] == "binance spot BTCUSDT 1d 2020-01-01 00:00:00"
    changed = {change["column"]: (change["before"], change["after"]) for change in found["changes"]}
    assert changed["close"] == ("100.0", "99.5")
    assert "base_volume" not in changed
    assert found["first_known_at"] == "2020-01-02T00:00:00Z"
    assert found["known_at"] == "2020-01-20T00:00:00Z"
    assert found["recommendations"] == ["R-old"]


def test_only_what_changed_since_then_is_told(config, capsys):
    assert ask(capsys, config, "2020-01-21") == []
    assert invoke(["revisions", "--since", "2020-01-21", "--config", str(config)]) == 0
    assert "Nothing that was known before changed" in capsys.readouterr().out


def test_people_read_a_table(config, capsys):
    assert invoke(["revisions", "--since", "2020-01-01", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert "1 changes; 1 recommendations rest on an earlier value" in out
    assert "100.0 → 99.5" in " ".join(out.split())


def explained(capsys, config, name):
    assert invoke(["explain", name, "--json", "--config", str(config)]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_recommendation_whose_input_was_revised_is_flagged_and_not_rewritten(config, capsys):
    old, new = explained(capsys, config, "R-old"), explained(capsys, config, "R-new")
    assert (old["flags"], new["flags"]) == ([], [])  # half a percent is within gate.revision_tolerance
    config.write_text(CONFIG + "[gate]\nrevision_tolerance = 0.001\n")
    old, new = explained(capsys, config, "R-old"), explained(capsys, config, "R-new")
    assert (old["flags"], new["flags"]) == (["inputs_revised"], [])
    closes = [one for one in old["inputs_revised"] if one["column"] == "close"]
    assert [(one["before"], one["after"]) for one in closes] == [("100.0", "99.5")]
    with open_published(Home(config.parent / "home")) as reader:
        assert reader.select("select flags from mart.recommendations").rows == (([],), ([],))
    assert invoke(["explain", "R-old", "--config", str(config)]) == 0
    assert "close 100.0 → 99.5" in " ".join(capsys.readouterr().out.split())


def test_what_older_code_published_is_answered_without_the_columns_that_are_new(config, capsys):
    home, clock = Home(config.parent / "home"), FakeClock()
    with open_master(home, clock, "test") as master:
        master._connection.execute("alter table raw.implied_volatility drop column bid_price")
        master._connection.execute("alter table raw.candles drop column quote_volume")
    before = ask(capsys, config, "2020-01-15T00:00:00Z")
    publish(home, clock, as_of=LATER + timedelta(hours=1), keep=2)
    assert ask(capsys, config, "2020-01-15T00:00:00Z") == before
    assert before
