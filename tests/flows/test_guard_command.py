"""The guard as a user meets it: a hedge near liquidation is told once, its worsening, its end."""

import json
import shutil
from datetime import datetime, timedelta

import pytest

from sandbox.server import running_sandbox
from tasks.held_legs import held_legs
from tests.flows.jobs import NOW, answer, receiver, trimtab, write_job
from warehouse.home import Home
from warehouse.reader import open_published

CARRY = """
[portfolios.core.rebalance]
horizon_days = 30
"""
HEADER = "asset,venue,quantity,kind,entry_price,margin,margin_mode\n"
ALERTS = "select event, severity, title, body from ops.alerts order by created_at, alert_id"


@pytest.fixture(scope="module")
def market():
    with running_sandbox(seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def ingested(market, tmp_path_factory):
    """Prices, funding and brackets are there; the portfolio may hold carries."""
    config = write_job(tmp_path_factory.mktemp("ingested"), market.base_url, CARRY)
    text = config.read_text().replace('id = "binance"', 'id = "binance"\ndatasets = ["leverage_brackets"]')
    sleeves = 'sleeves = ["spot", "carry", "cash"]'
    config.write_text(text.replace("objective =", f"{sleeves}\nobjective ="))
    assert trimtab(config, "ingest") == 0
    return config.parent


@pytest.fixture
def job(ingested, tmp_path, capsys, monkeypatch):
    """Its own copy, and the price of a coin."""
    monkeypatch.delenv("TRIMTAB_CHANNEL_OPS", raising=False)
    shutil.copytree(ingested, tmp_path / "job", symlinks=True)
    config = tmp_path / "job" / "trimtab.toml"
    (price,) = answer(capsys, config, "select price_usd from mart.latest_prices where asset = 'BTC'")
    return config, float(price["price_usd"])


def hold(config, price: float, margin_share: float) -> None:
    """One coin hedged by one contract entered at today's price, and cash."""
    file = config.parent / "held.csv"
    perp = f"BTC,binance,-1,perp,{price:.2f},{margin_share * price:.2f},isolated\n"
    file.write_text(HEADER + "BTC,binance,1,spot,,,\n" + perp + "USDT,binance,90000,spot,,,\n")
    assert trimtab(config, "positions", "import", str(file)) == 0


def look(config, minutes: int) -> int:
    moment = datetime.fromisoformat(NOW) + timedelta(minutes=minutes)
    return trimtab(config, "guard", as_of=moment.isoformat())


def test_a_hedge_near_liquidation_is_told_once_then_worse_then_over(job, capsys, monkeypatch):
    config, price = job
    with receiver() as (address, got):
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", address)
        hold(config, price, 0.50)
        assert look(config, 1) == 0
        assert not got
        hold(config, price, 0.25)  # about a quarter away: a warning
        assert look(config, 2) == 0
        assert look(config, 17) == 0
        hold(config, price, 0.08)  # critical
        assert look(config, 32) == 0
        hold(config, price, 0.50)
        assert look(config, 47) == 0
        assert look(config, 62) == 0
        assert look(config, 77) == 0
    titles = [message["title"] for message in got]
    assert [title.split("core: ")[1].split(":")[0] for title in titles] == [
        "RISK (warning)",
        "RISK GROWS (critical)",
        "over",
    ]
    assert got[0]["message"].splitlines()[1].startswith("Add about ")
    rows = answer(capsys, config, ALERTS)
    assert [row["severity"] for row in rows] == ["warning", "critical", "info"]
    closed = answer(capsys, config, "select kind, closed_at is not null as closed from ops.guard_episodes")
    assert [(row["kind"], row["closed"]) for row in closed] == [("margin", True)]


def test_a_hedge_in_two_legs_has_the_brackets_of_the_whole(job):
    """Thirty coins short, 25 of them hedged: both legs in the bracket of thirty, counted by its parts."""
    config, price = job
    file = config.parent / "held.csv"
    perp = f"BTC,binance,-30,perp,{price:.2f},{10 * price:.2f},isolated\n"
    file.write_text(HEADER + "BTC,binance,25,spot,,,\n" + perp)
    assert trimtab(config, "positions", "import", str(file)) == 0
    as_of = datetime.fromisoformat(NOW)
    with open_published(Home(config.parent / "home")) as reader:
        legs = [leg for leg in held_legs(reader, "core", as_of) if leg.kind == "perp"]
        rows = reader.rows("guard_legs", portfolio="core", as_of=as_of, counted_by_part=[])
    assert sorted(leg.quantity for leg in legs) == [-25.0, -5.0]
    steps = legs[0].maintenance_steps
    assert len(steps) >= 3
    assert steps == legs[1].maintenance_steps
    (rate,) = {leg.maintenance_rate for leg in legs}
    assert rate == next(r for floor, r in reversed(steps) if floor <= 30 * price)
    assert rate > next(r for floor, r in reversed(steps) if floor <= 5 * price)
    assert all(not row["maintenance_steps"] for row in rows)


def test_a_look_without_news_publishes_nothing(job, capsys):
    config, price = job
    hold(config, price, 0.50)
    before = answer(capsys, config, "select max(snapshot_id) as newest from ops.publications")
    assert look(config, 1) == 0
    assert answer(capsys, config, "select max(snapshot_id) as newest from ops.publications") == before


def test_the_answer_as_json_names_every_breach(job, capsys):
    config, price = job
    hold(config, price, 0.10)
    capsys.readouterr()
    assert trimtab(config, "guard", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["opened"] == 1
    assert "from liquidation" in told["breaches"][0]
