"""The main job as a user meets it: through the command line, against a market over HTTP, into real files."""

import json
import threading

import pytest

from sandbox.server import running_sandbox
from tests.flows.jobs import NOW, answer, receiver, trimtab, write_job
from warehouse.errors import NothingPublished
from warehouse.home import Home
from warehouse.reader import open_published


@pytest.fixture(scope="module")
def market():
    with running_sandbox(seed=7) as running:
        yield running


@pytest.fixture(autouse=True)
def untouched(market, monkeypatch):
    for name in ("TRIMTAB_CONFIG", "TRIMTAB_HOME", "TRIMTAB_CHANNEL_OPS"):
        monkeypatch.delenv(name, raising=False)
    yield
    market.set_faults([])


COUNTS = """
select 'candles' as what, count(*) as rows from core.candles
union all select 'funding', count(*) from core.funding_rates
union all select 'onchain', count(*) from core.onchain_metrics
union all select 'loads', count(*) from ops.loads
union all select 'raw', count(*) from raw.candles
"""


def test_a_recommendation_comes_out_and_a_second_run_changes_nothing(market, tmp_path, capsys, monkeypatch):
    config = write_job(tmp_path, market.base_url)
    with receiver() as (address, got):
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", address)
        assert trimtab(config, "run", "--json") == 0
        first = json.loads(capsys.readouterr().out)
        counts = answer(capsys, config, COUNTS)
        assert trimtab(config, "run", "--json") == 0
        second = json.loads(capsys.readouterr().out)
        again = answer(capsys, config, COUNTS)
    one, same = first["recommendations"][0], second["recommendations"][0]
    assert one["status"] == "proposed"
    assert one["is_simulated"] is True
    assert one["trades"]
    assert sum(row["target_weight"] for row in one["weights"]) == pytest.approx(1, abs=1e-6)
    assert same["recommendation_id"] == one["recommendation_id"]
    assert (one["is_new"], same["is_new"]) == (True, False)
    stored = {row["what"]: row["rows"] for row in counts}
    later = {row["what"]: row["rows"] for row in again}
    assert {**later, "loads": 0} == {**stored, "loads": 0}
    assert stored["candles"] == stored["raw"] > 10_000
    assert len(got) == 1
    message = got[0]["message"]
    assert got[0]["title"].startswith("SIMULATED")
    assert message.splitlines()[0].startswith(("SELL", "BUY", "SIMULATED"))
    for part in ("USD", "Why:", "Cost", "Data to 2026-06-30", "Valid until", one["recommendation_id"]):
        assert part in message


def test_every_line_of_the_universe_has_its_reason(market, tmp_path, capsys):
    config = write_job(tmp_path, market.base_url)
    assert trimtab(config, "run") == 0
    lines = answer(
        capsys, config, "select sleeve, asset, action, reason_code, numbers from mart.decision_lines"
    )
    assert {(line["sleeve"], line["asset"]) for line in lines} >= {
        ("spot", "BTC"),
        ("spot", "ETH"),
        ("spot", "XRP"),
        ("cash", "USDT"),
    }
    assert all(line["reason_code"] for line in lines)
    orphans = answer(
        capsys,
        config,
        "select count(*) as n from mart.recommendation_trades "
        "anti join mart.recommendations using (recommendation_id)",
    )
    assert orphans == [{"n": 0}]


def test_stale_data_block_once_and_the_end_is_told_once(tmp_path, capsys, monkeypatch):
    with running_sandbox(seed=7) as market, receiver() as (address, got):
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", address)
        config = write_job(tmp_path, market.base_url)
        assert trimtab(config, "run") == 0
        later = ("2026-07-03T18:20:00Z", "2026-07-03T19:20:00Z")
        assert [trimtab(config, "recommend", as_of=moment) for moment in later] == [4, 4]
        out = capsys.readouterr().out
        assert "BLOCKED" in out
        assert "2026-06-30" in out
        assert "30 h" in out
        assert [message["title"] for message in got if "BLOCKED" in message["title"]] == [got[1]["title"]]
        market.advance(3 * 86_400 + 7200)
        assert trimtab(config, "run", as_of="2026-07-03T20:20:00Z") == 0
    events = answer(
        capsys, config, "select event, count(*) as n from ops.alerts group by event order by event"
    )
    assert {row["event"]: row["n"] for row in events if row["event"] != "recommendation"} == {
        "blocked": 1,
        "resolved": 1,
    }
    assert [message["title"] for message in got].count("SIMULATED Trimtab core: resolved") == 1


def test_an_unreachable_venue_is_named_and_costs_nothing(market, tmp_path, capsys):
    config = write_job(tmp_path, market.base_url)
    assert trimtab(config, "run") == 0
    before = answer(capsys, config, COUNTS)
    config.write_text(config.read_text().replace(market.base_url, "http://127.0.0.1:9", 1))
    status = trimtab(config, "ingest")
    told = capsys.readouterr()
    assert status == 3
    assert "binance" in told.out + told.err
    after = answer(capsys, config, COUNTS)
    assert {r["what"]: r["rows"] for r in after if r["what"] != "loads"} == {
        r["what"]: r["rows"] for r in before if r["what"] != "loads"
    }


def test_a_first_run_without_any_data_is_blocked_not_broken(tmp_path, capsys):
    config = write_job(tmp_path, "http://127.0.0.1:9")
    assert trimtab(config, "run") == 3
    out = capsys.readouterr().out
    assert "BLOCKED" in out
    assert answer(capsys, config, "select count(*) as n from mart.recommendation_trades") == [{"n": 0}]


def test_without_positions_there_are_weights_and_no_trades(market, tmp_path, capsys):
    config = write_job(tmp_path, market.base_url, holdings=None)
    assert trimtab(config, "run", "--json") == 0
    one = json.loads(capsys.readouterr().out)["recommendations"][0]
    assert one["trades"] == []
    assert one["weights"]
    assert "no_positions" in one["flags"]


def test_simulated_data_never_enter_a_live_home(market, tmp_path, capsys):
    config = write_job(tmp_path, market.base_url)
    home = Home(tmp_path / "home")
    home.prepare()
    home.stamp(False)
    assert trimtab(config, "run") == 2
    assert "simulated" in capsys.readouterr().err


def test_readers_see_whole_snapshots_while_a_run_writes(market, tmp_path):
    config = write_job(tmp_path, market.base_url)
    home = Home(tmp_path / "home")
    done = threading.Event()
    seen: list[tuple[int, int, int]] = []
    errors: list[BaseException] = []

    def read_on() -> None:
        while not done.is_set():
            try:
                with open_published(home) as reader:
                    rows = reader.select(
                        "select (select count(*) from core.candles), (select max(load_id) from ops.loads)"
                    ).rows
                    seen.append((reader.snapshot.snapshot_id, *rows[0]))
            except NothingPublished:
                continue
            except BaseException as error:
                errors.append(error)
                return

    thread = threading.Thread(target=read_on)
    thread.start()
    try:
        assert trimtab(config, "run") == 0
    finally:
        done.set()
        thread.join()
    assert errors == []
    assert seen[0][1] == 0, "a new home can be read before its first data"
    assert [row[0] for row in seen] == sorted(row[0] for row in seen)
    states = {row[0]: row[1:] for row in seen}
    assert all(states[row[0]] == row[1:] for row in seen), "one snapshot must always say the same"


def test_fixed_targets_trade_back_inside_their_bands(market, tmp_path, capsys):
    board = """
[portfolios.board]
objective = "policy"
target_weights = { "cash:USDT" = 0.80, "spot:BTC" = 0.10, "spot:ETH" = 0.10 }
[portfolios.board.holdings]
file = "board.csv"
"""
    config = write_job(tmp_path, market.base_url, board)
    (tmp_path / "board.csv").write_text(
        "asset,venue,quantity\nBTC,binance,3\nETH,binance,20\nUSDT,binance,900000\n"
    )
    assert trimtab(config, "run", "--portfolio", "board", "--json") == 0
    one = json.loads(capsys.readouterr().out)["recommendations"][0]
    after = {f"{row['sleeve']}:{row['asset']}": row for row in one["weights"]}
    assert one["status"] == "proposed"
    assert after["spot:BTC"]["target_weight"] == pytest.approx(0.10, abs=1e-6)
    assert {trade["side"] for trade in one["trades"]} == {"sell"} or one["trades"]
    assert one["method_used"] == "policy"


def test_the_run_is_recorded(market, tmp_path, capsys):
    config = write_job(tmp_path, market.base_url)
    assert trimtab(config, "run") == 0
    runs = answer(capsys, config, "select flow, status, finished_at is not null as is_closed from ops.runs")
    assert runs == [{"flow": "run", "status": "done", "is_closed": True}]
    snapshot = answer(
        capsys, config, "select is_simulated, as_of, age_seconds >= 0 as has_age from ops.snapshot"
    )
    assert snapshot[0]["is_simulated"] is True
    assert snapshot[0]["has_age"] is True
    assert snapshot[0]["as_of"].startswith(NOW[:10])
