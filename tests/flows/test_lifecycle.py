"""What people do with a recommendation: accept, reject, snooze, retract; and what the clock does."""

import json
import shutil
from datetime import datetime, timedelta

import pytest

from sandbox.server import running_sandbox
from tests.flows.jobs import NOW, answer, receiver, trimtab, write_job

EARLIER = "2026-06-30T12:20:00Z"
DAY_BEFORE = "2026-06-29T18:20:00Z"
EVENTS = "select event, actor, note, until_at from ops.recommendation_events order by happened_at, event"
STATUS = "select recommendation_id, status from mart.recommendations order by as_of"


@pytest.fixture(scope="module")
def market():
    with running_sandbox(seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def decided(market, tmp_path_factory):
    """A home in which one recommendation was made at EARLIER and told to one receiver."""
    folder = tmp_path_factory.mktemp("decided")
    config = write_job(folder, market.base_url)
    with receiver() as (address, got), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CHANNEL_OPS", address)
        assert trimtab(config, "run", as_of=EARLIER) == 0
    assert len(got) == 1
    return folder


@pytest.fixture
def job(decided, tmp_path, monkeypatch):
    """Its own copy for each test, with the id of the recommendation."""
    monkeypatch.delenv("TRIMTAB_CHANNEL_OPS", raising=False)
    folder = tmp_path / "job"
    shutil.copytree(decided, folder, symlinks=True)
    return folder / "trimtab.toml"


def the_id(capsys, config) -> str:
    return answer(capsys, config, STATUS)[0]["recommendation_id"]


def test_an_accepted_target_is_in_force_and_accepting_twice_is_once(job, capsys):
    identity = the_id(capsys, job)
    assert trimtab(job, "accept", identity, "--by", "maria", "--note", "two signatures", as_of=EARLIER) == 0
    assert "is accepted" in capsys.readouterr().out
    assert trimtab(job, "accept", identity, as_of=EARLIER) == 0
    assert "nothing changed" in capsys.readouterr().out
    events = [row for row in answer(capsys, job, EVENTS) if row["event"] == "accepted"]
    assert len(events) == 1
    assert events[0]["actor"] == "maria"
    assert events[0]["note"].startswith("two signatures")
    assert trimtab(job, "reject", identity, as_of=EARLIER) == 2


def test_an_unknown_id_is_misuse(job, capsys):
    assert trimtab(job, "accept", "R-none", as_of=EARLIER) == 2
    assert "none of that id" in capsys.readouterr().err


def test_a_rejected_proposal_leaves_the_target_in_force(job, capsys):
    identity = the_id(capsys, job)
    assert trimtab(job, "reject", identity, "--note", "not now", as_of=EARLIER) == 0
    assert answer(capsys, job, STATUS)[0]["status"] == "rejected"
    assert trimtab(job, "accept", identity, as_of=EARLIER) == 2


def test_acceptance_is_refused_once_prices_moved_away(job, capsys):
    identity = the_id(capsys, job)
    with job.open("a") as file:
        file.write("\n[alerts]\naccept_price_move = 0.00001\n")
    assert trimtab(job, "ingest", as_of=NOW) == 0
    assert trimtab(job, "accept", identity, as_of=NOW) == 4
    assert "has moved by" in capsys.readouterr().err
    assert answer(capsys, job, STATUS)[0]["status"] == "proposed"


def test_acceptance_is_refused_once_holdings_changed_otherwise(job, capsys):
    identity = the_id(capsys, job)
    traded = {row["base"] for row in answer(capsys, job, TRADED)}
    lines = {"BTC": 1.0, "ETH": 30.0, "XRP": 90_000.0}
    moved = {asset: q * (3.0 if asset in traded else 1.0) for asset, q in lines.items()}
    import_holdings(job, moved)
    assert trimtab(job, "accept", identity, as_of=NOW) == 4
    assert "holdings have changed" in capsys.readouterr().err


TRADED = """
select split_part(symbol, '/', 1) as base, case side when 'buy' then quantity else -quantity end as signed
from mart.recommendation_trades
"""


def import_holdings(job, coins) -> None:
    lines = [f"{asset},binance,{quantity}" for asset, quantity in coins.items()]
    file = job.parent / "holdings.csv"
    file.write_text("\n".join(["asset,venue,quantity", *lines, "USDT,binance,50000", ""]))
    assert trimtab(job, "positions", "import", str(file), as_of=NOW) == 0


def test_positions_that_moved_as_recommended_imply_acceptance(job, capsys):
    coins = {"BTC": 1.0, "ETH": 30.0, "XRP": 90_000.0}
    for row in answer(capsys, job, TRADED):
        coins[row["base"]] += float(row["signed"])
    import_holdings(job, coins)
    assert trimtab(job, "recommend", as_of=NOW) == 0
    assert answer(capsys, job, STATUS)[0]["status"] == "accepted"
    accepted = [row for row in answer(capsys, job, EVENTS) if row["event"] == "accepted"]
    assert [(row["actor"], row["note"]) for row in accepted] == [
        ("", "the holdings moved as recommended"),
    ]


def test_a_proposal_nobody_answered_lapses_and_can_not_be_accepted(job, capsys):
    identity = the_id(capsys, job)
    late = (datetime.fromisoformat(EARLIER) + timedelta(hours=25)).isoformat()
    assert trimtab(job, "accept", identity, as_of=late) == 4
    assert trimtab(job, "notify", as_of=late) == 0
    assert answer(capsys, job, STATUS)[0]["status"] == "expired"
    assert [row["event"] for row in answer(capsys, job, EVENTS)] == ["proposed", "expired"]


def test_a_retraction_reaches_whom_the_advice_reached_and_nobody_else(job, capsys, monkeypatch):
    identity = the_id(capsys, job)
    with job.open("a") as file:
        file.write('\n[channels.late]\nallow_private_hosts = true\nevents = ["retracted"]\n')
    with receiver() as (told, got), receiver() as (untold, nothing):
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", told)
        monkeypatch.setenv("TRIMTAB_CHANNEL_LATE", untold)
        done = trimtab(job, "retract", identity, "--by", "maria", "--note", "wrong feed", as_of=EARLIER)
        assert done == 0
        assert trimtab(job, "retract", identity, as_of=EARLIER) == 0
    assert not nothing
    assert len(got) == 1
    assert f"RETRACTED {identity}" in got[0]["title"]
    for part in ("Do not act", "wrong feed", "maria"):
        assert part in got[0]["message"]
    assert answer(capsys, job, STATUS)[0]["status"] == "retracted"


def test_a_snooze_keeps_new_proposals_quiet_until_it_ends(market, tmp_path, capsys):
    config = write_job(tmp_path, market.base_url)
    assert trimtab(config, "run", as_of=DAY_BEFORE) == 0
    identity = the_id(capsys, config)
    assert trimtab(config, "snooze", identity, "--hours", "48", as_of=DAY_BEFORE) == 0
    assert "quiet until 2026-07-01 18:20" in capsys.readouterr().out
    assert trimtab(config, "run", "--json", as_of=NOW) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recommendations"][0]["status"] == "proposed"
    alerts = "select recommendation_id from ops.alerts where event = 'recommendation'"
    assert [row["recommendation_id"] for row in answer(capsys, config, alerts)] == [identity]
