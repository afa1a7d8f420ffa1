"""The command line: what it prints, what it refuses, and what it does not import to do so."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import COMMANDS, invoke
from sandbox.server import running_sandbox
from tests.flows.jobs import NOW, ROOT, answer, trimtab, write_job

HEAVY = ("pandas", "ccxt", "great_expectations", "cvxpy", "pypfopt", "prefect", "apprise")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("TRIMTAB")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    with running_sandbox(seed=7) as market:
        config = write_job(folder, market.base_url)
        assert trimtab(config, "run") == 0
    return config


def test_help_names_every_command_and_each_shows_an_example(capsys):
    assert invoke(["--help"]) == 0
    overview = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in overview
        assert invoke([name, "--help"]) == 0
        page = capsys.readouterr().out
        assert "Example: trimtab" in page or "Commands:" in page


@pytest.mark.parametrize(
    "arguments", [["--help"], ["status"], ["tables"], ["show", "core.candles"], ["check"]]
)
def test_quick_answers_import_nothing_heavy(job, arguments):
    common = [] if arguments == ["--help"] else ["--config", str(job)]
    code = (
        "import sys\n"
        "from flows.cli import invoke\n"
        f"assert invoke({[*arguments, *common]!r}) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_a_misspelt_command_names_the_nearest(capsys):
    assert invoke(["statsu"]) == 2
    assert "'status'" in capsys.readouterr().err


def test_a_wrong_option_is_misuse(capsys):
    assert invoke(["run", "--as-of", "yesterday"]) == 2
    assert "2026-06-30T18:20:00Z" in capsys.readouterr().err


def test_a_wrong_configuration_names_file_and_line(tmp_path, capsys):
    config = write_job(tmp_path, "http://127.0.0.1:9")
    config.write_text(config.read_text().replace("lookback_days", "loopback_days"))
    assert invoke(["check", "--config", str(config)]) == 2
    told = capsys.readouterr().err
    line = config.read_text().splitlines().index("loopback_days = 150") + 1
    assert f"{config}:{line}:" in told
    assert "'lookback_days'" in told


def test_nothing_published_says_what_to_run(tmp_path, capsys):
    config = write_job(tmp_path, "http://127.0.0.1:9")
    assert invoke(["status", "--config", str(config)]) == 2
    assert "trimtab run" in capsys.readouterr().err


def test_an_unknown_portfolio_names_the_nearest(job, capsys):
    assert trimtab(job, "recommend", "--portfolio", "cor") == 2
    assert "'core'" in capsys.readouterr().err


@pytest.mark.parametrize("profile", [None, "treasury", "fund", "coins", "us", "intl", "sandbox"])
def test_init_writes_what_check_accepts_and_never_overwrites(tmp_path, capsys, profile):
    folder = tmp_path / "mine"
    choice = ["--profile", profile] if profile else []
    assert invoke(["init", str(folder), *choice]) == 0
    assert {path.name for path in folder.iterdir()} == {"trimtab.toml", ".env.example", "holdings.csv"}
    assert invoke(["check", "--config", str(folder / "trimtab.toml")]) == 0
    (folder / "trimtab.toml").write_text("mine")
    assert invoke(["init", str(folder), *choice]) == 2
    assert (folder / "trimtab.toml").read_text() == "mine"
    assert "already there" in capsys.readouterr().err


def test_status_shows_freshness_runs_and_recommendations(job, capsys):
    assert trimtab(job, "status") == 0
    told = capsys.readouterr().out
    for words in (
        "SIMULATED",
        "candles_1d",
        "fresh",
        "core: PROPOSED",
        "Last runs",
        "TRIMTAB_CHANNEL_OPS is not set",
    ):
        assert words in told
    assert trimtab(job, "status", as_of="2026-08-01T00:00:00Z") == 0
    assert "STALE" in capsys.readouterr().out
    assert trimtab(job, "status", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["recommendations"][0]["status"] == "proposed"


def test_stress_and_sensitivity_answer_on_a_small_home(job, capsys):
    assert trimtab(job, "stress", "--paths", "200", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    kinds = {row["scenario"]: row["kind"] for row in found["rows"]}
    assert kinds["price_minus_50"] == "hypothetical"
    assert kinds["liquidation_cluster:BTC"] == "modelled"
    assert {row["status"] for row in found["rows"] if row["scenario"] == "covid_march_2020"} == {"no_data"}
    assert trimtab(job, "sensitivity", "--draws", "10") == 0
    told = capsys.readouterr().out
    for words in ("the one to doubt first", "weights over resampled", "beta to bitcoin", "what leads what"):
        assert words in told
    rows = answer(capsys, job, "select kind, count(*) as n from mart.sensitivity group by kind")
    assert {row["kind"] for row in rows} >= {"doubt", "band", "beta", "lead", "regime"}


def test_explain_says_it_all_and_knows_its_ids(job, capsys):
    identity = answer(capsys, job, "select recommendation_id as id from mart.recommendations")[0]["id"]
    assert invoke(["explain", identity, "--config", str(job)]) == 0
    told = capsys.readouterr().out
    for words in ("Line by line", "Where it comes from", "spot:BTC", "cash:USDT", "share of risk"):
        assert words in told
    assert invoke(["explain", identity, "--json", "--config", str(job)]) == 0
    assert {line["asset"] for line in json.loads(capsys.readouterr().out)["lines"]} >= {"BTC", "USDT"}
    assert invoke(["explain", "R-none", "--config", str(job)]) == 2
    assert identity in capsys.readouterr().err


def test_sql_answers_in_every_form(job, capsys, tmp_path):
    question = "select 'BTC' as asset, 1.5 as price, '=HYPERLINK(1)' as note"
    assert invoke(["sql", question, "--config", str(job)]) == 0
    assert "BTC" in capsys.readouterr().out
    assert invoke(["sql", question, "--format", "csv", "--config", str(job)]) == 0
    assert capsys.readouterr().out == "asset,price,note\nBTC,1.5,'=HYPERLINK(1)\n"
    assert answer(capsys, job, "select date '2026-01-02' as day, timestamp '2026-01-02 03:04:05' as at") == [
        {"day": "2026-01-02", "at": "2026-01-02T03:04:05Z"}
    ]
    file = tmp_path / "answer.parquet"
    assert invoke(["sql", question, "--format", "parquet", "-o", str(file), "--config", str(job)]) == 0
    assert file.read_bytes()[:4] == b"PAR1"


@pytest.mark.parametrize(
    "statement",
    [
        "delete from core.candles",
        "select 1; select 2",
        "copy core.candles to '/tmp/stolen.csv'",
        "select * from read_text('/etc/hostname')",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "set memory_limit = '1GB'",
        "selec 1",
    ],
)
def test_sql_only_reads(job, capsys, statement):
    assert invoke(["sql", statement, "--config", str(job)]) == 2
    assert capsys.readouterr().err.strip()


def test_positions_are_imported_and_valued(job, capsys, tmp_path):
    file = tmp_path / "new.csv"
    file.write_text("asset,venue,quantity\nBTC,binance,2\nUSDT,binance,1000\n")
    assert invoke(["positions", "import", str(file), "--config", str(job), "--as-of", NOW]) == 0
    assert "2 positions of core: imported" in capsys.readouterr().out
    assert invoke(["holdings", "import", str(file), "--config", str(job), "--as-of", NOW]) == 0
    assert "nothing added" in capsys.readouterr().out
    assert invoke(["positions", "show", "--json", "--config", str(job)]) == 0
    rows = {row["asset"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["BTC"]["value_usd"] == pytest.approx(2 * rows["BTC"]["price_usd"])
    assert rows["USDT"]["price_usd"] == pytest.approx(1, abs=0.05)
    assert invoke(["positions", "import", str(tmp_path / "none.csv"), "--config", str(job)]) == 2


def test_an_exchange_s_export_shows_value_drift_and_performance(job, capsys, tmp_path):
    """What docs/positions.md walks through: balances, then a hedge and a deposit, then `nav`."""
    common = ["--config", str(job), "--as-of", NOW]
    exported, hedged, flows = (tmp_path / name for name in ("balances.csv", "hedged.csv", "flows.csv"))
    exported.write_text("Coin,Total,Available\nBTC,2,2\nUSDT,50000,50000\nDOGE,0,0\n")
    assert invoke(["positions", "import", str(exported), *common]) == 0
    assert "2 positions of core from Binance's balances: imported" in capsys.readouterr().out
    hedged.write_text(
        "asset,venue,quantity,kind,entry_price,margin,as_of\nBTC,binance,2,,,,\n"
        "BTC,binance,-1,perp,60000,20000,2026-06-20\nUSDT,binance,30000,,,,2026-06-20\n"
    )
    assert invoke(["positions", "import", str(hedged), *common]) == 0
    flows.write_text("happened_at,kind,asset,quantity\n2026-06-30T18:19:00Z,deposit,USDC,1000\n")
    assert invoke(["positions", "import", str(flows), *common]) == 0
    assert "1 new or changed" in capsys.readouterr().out
    assert invoke(["positions", "import", str(flows), *common, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_new"] is False
    assert invoke(["positions", "show", *common, "--json"]) == 0
    legs = {row["sleeve"]: row for row in json.loads(capsys.readouterr().out)}
    assert legs["perp"]["value_usd"] == pytest.approx(20_000 - (legs["perp"]["price_usd"] - 60_000), rel=0.01)
    assert invoke(["nav", *common, "--json"]) == 0
    (fact,) = json.loads(capsys.readouterr().out)
    lines = {line["line"]: line for line in fact["lines"]}
    assert sum(line["value_usd"] for line in lines.values()) == pytest.approx(fact["nav_usd"])
    assert sum(line["weight"] for line in lines.values()) == pytest.approx(1.0)
    held = lines["spot:BTC"]
    assert held["drift_absolute"] == pytest.approx(held["weight"] - held["target_weight"])
    assert invoke(["nav", *common]) == 0
    assert "perp:BTC" in capsys.readouterr().out


def test_a_defect_is_told_without_a_traceback(job, capsys, monkeypatch):
    def broken(*_: object) -> object:
        raise RuntimeError("json://user:hunter2secret@host/x broke")

    monkeypatch.setattr("warehouse.documentation.load_catalogue", broken)
    assert invoke(["docs", "--check"]) == 1
    told = capsys.readouterr().err
    assert "defect" in told
    assert "--debug" in told
    assert "hunter2secret" not in told
    assert "Traceback" not in told


def test_the_top_level_is_the_house():
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    assert rooms == {
        "flows",
        "tasks",
        "expectations",
        "warehouse",
        "portfolio",
        "sandbox",
        "tests",
        "benchmarks",
    }


def test_no_file_bears_the_name_of_a_room_or_a_dependency():
    taken = {"flows", "tasks", "expectations", "warehouse", "portfolio", "sandbox", "tests"}
    taken |= {
        "prefect",
        "pandas",
        "duckdb",
        "ccxt",
        "requests",
        "pypfopt",
        "cvxpy",
        "apprise",
        "click",
        "rich",
    }
    taken |= {
        "great_expectations",
        "pydantic",
        "aiohttp",
        "numpy",
        "scipy",
        "pyarrow",
        "fastapi",
        "sqlalchemy",
    }
    rooms = ("flows", "tasks", "expectations", "warehouse", "portfolio", "sandbox")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    public = [path for path in files if not path.stem.startswith("_")]
    assert not [path for path in public if path.stem in taken | sys.stdlib_module_names]


def test_no_room_outgrows_the_ceiling():
    rooms = ("flows", "tasks", "expectations", "warehouse", "portfolio", "sandbox")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    assert not [path for path in files if len(Path(path).read_text().splitlines()) > 300]


def test_check_says_that_staking_alone_stakes_little(tmp_path, capsys):
    config = tmp_path / "trimtab.toml"
    config.write_text(
        '[universe]\nassets = ["ETH"]\n[[venues]]\nid = "binance"\n[sources.defillama]\n'
        '[sleeves.staking.pools]\nETH = "x"\n[portfolios.core]\nsleeves = ["staking", "cash"]\n'
    )
    assert invoke(["check", "--config", str(config)]) == 0
    assert 'without "spot" in sleeves little or nothing is staked' in capsys.readouterr().out


def test_the_command_can_be_read_again_by_the_processes_of_a_backtest():
    """A spawned process reads the command's own file under another name; it must not run it again."""
    command = Path(sys.executable).parent / "trimtab"
    assert "main" in runpy.run_path(str(command), run_name="__mp_main__")
