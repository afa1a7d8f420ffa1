"""A stored recommendation is decided again, whatever was learnt since."""

import shutil
from datetime import UTC, datetime

import pytest

from sandbox.server import running_sandbox
from tasks.clock import RealClock
from tests.flows.jobs import NOW, answer, edit_by_hand, trimtab, write_job
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish

EARLIER = "2026-06-29T18:20:00Z"
THE_ID = "select recommendation_id from mart.recommendations order by as_of limit 1"


@pytest.fixture(scope="module")
def market():
    with running_sandbox(seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def decided(market, tmp_path_factory):
    """A home with a decision a day ago, one now, and a day of data between them."""
    folder = tmp_path_factory.mktemp("decided")
    config = write_job(folder, market.base_url)
    for moment in (EARLIER, NOW):
        assert trimtab(config, "run", as_of=moment) == 0
    return folder


@pytest.fixture
def job(decided, tmp_path):
    folder = tmp_path / "job"
    shutil.copytree(decided, folder, symlinks=True)
    return folder / "trimtab.toml"


def revise(job) -> None:
    """Every daily price of BTC turns out to have been half as high again."""
    home, clock = Home(job.parent / "home"), RealClock()
    with open_master(home, clock, "a test") as master:
        frame = master._connection.execute(
            "select * exclude (load_id) replace (close * 1.5 as close, high * 1.5 as high) "
            "from core.candles where timeframe = '1d' and base = 'BTC'"
        ).df()
        later = datetime(2026, 7, 1, tzinfo=UTC)
        loaded = master.load(
            "candles",
            frame,
            source="binance",
            dataset="candles",
            as_of=later,
            started_at=later,
            rows_received=len(frame),
        )
        assert loaded.rows_revised == len(frame) > 100
    publish(home, clock, as_of=later, keep=2)


def test_an_older_recommendation_comes_out_the_same_after_newer_data_and_another_policy(job, capsys):
    identity = answer(capsys, job, THE_ID)[0]["recommendation_id"]
    job.write_text(job.read_text().replace("min_volatility", "equal_weight"))
    assert trimtab(job, "replay", identity) == 0
    assert f"{identity} agrees" in capsys.readouterr().out


def test_a_revision_since_is_not_seen(job, capsys):
    identity = answer(capsys, job, THE_ID)[0]["recommendation_id"]
    revise(job)
    assert trimtab(job, "replay", identity) == 0


def test_a_record_that_was_edited_is_found_out(job, capsys):
    identity = answer(capsys, job, THE_ID)[0]["recommendation_id"]
    edit_by_hand(
        job,
        f"""
        update mart.target_weights set target_weight = target_weight + 0.001
        where recommendation_id = '{identity}' and asset = 'ETH'
        """,
    )
    assert trimtab(job, "replay", identity) == 4
    told = capsys.readouterr().out
    assert "DIFFERS" in told
    assert "spot:ETH was" in told


def test_a_lost_version_of_a_fact_is_found_out(job, capsys):
    identity = answer(capsys, job, THE_ID)[0]["recommendation_id"]
    edit_by_hand(
        job, "update raw.candles set close = close * 1.01, high = high * 1.01 where timeframe = '1d'"
    )
    assert trimtab(job, "replay", identity) == 4
    assert "their hash differs" in capsys.readouterr().out


def test_an_unknown_id_is_misuse(job, capsys):
    assert trimtab(job, "replay", "R-none") == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [("contracts", "contracts * 2"), ("market_type", "'perp'"), ("quantity", "quantity * 2")],
)
def test_an_order_that_was_edited_is_found_out(job, capsys, column, value):
    identity = answer(capsys, job, THE_ID)[0]["recommendation_id"]
    edit_by_hand(
        job,
        f"""
        update mart.recommendation_trades set {column} = {value}
        where recommendation_id = '{identity}' and line = 1
        """,
    )
    assert trimtab(job, "replay", identity) == 4
    told = " ".join(capsys.readouterr().out.split())
    assert "Trade 1 (" in told
    assert f"differs: {column} was" in told


def test_an_order_from_before_a_column_was_there_is_compared_by_the_others(job, capsys):
    identity = answer(capsys, job, THE_ID)[0]["recommendation_id"]
    edit_by_hand(
        job, "update mart.recommendation_trades set asset = null, contracts = null, limit_price = null"
    )
    assert trimtab(job, "replay", identity) == 0
