"""Each invariant can fail: one planted violation at a time, on a copy of a home that breaks none."""

import os
import shutil
from dataclasses import replace

import duckdb
import pytest

from sandbox.server import running_sandbox
from tests.flows.jobs import trimtab, write_job
from tests.invariants import (
    Arrival,
    Evidence,
    acknowledge,
    broken_in_master,
    broken_invariants,
    require_invariants,
    unhealthy,
    unhealthy_in_master,
)
from tests.tasks.channels.sink import Sink, arrivals

LATER = "2026-07-05T18:20:00Z"  # nothing was fetched since: blocked


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A home with a recommendation that was told and a block that was told, and what the receiver got."""
    folder = tmp_path_factory.mktemp("whole")
    sink = Sink().start()
    with running_sandbox(seed=7) as market, pytest.MonkeyPatch.context() as patch:
        config = write_job(folder, market.base_url)
        patch.setenv("TRIMTAB_CHANNEL_OPS", sink.url)
        assert trimtab(config, "run") == 0
        assert trimtab(config, "recommend", as_of=LATER) == 4
        patch.delenv("TRIMTAB_CHANNEL_OPS")
        acknowledge(folder / "home", folder / "acknowledged.jsonl")
        yield Evidence(
            folder / "home",
            config,
            folder / "acknowledged.jsonl",
            {"ops": arrivals(sink)},
            canaries=["canary-0c9f"],
            settled=True,
        )
    sink.stop()


def _linked(source, target):
    """Nobody edits a snapshot in its place, so a copy of it may be a link."""
    if "snapshot-" in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


@pytest.fixture
def copy(whole, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(whole.home.parent, folder, symlinks=True, copy_function=_linked)
    return replace(whole, home=folder / "home", config=None)


@pytest.fixture(scope="module")
def opened(whole, tmp_path_factory):
    """A copy of the master in which every test may write; what it wrote is taken back."""
    path = tmp_path_factory.mktemp("opened") / "master.duckdb"
    shutil.copyfile(whole.home / "master.duckdb", path)
    with duckdb.connect(str(path)) as connection:
        yield connection


@pytest.fixture
def master(opened):
    opened.execute("begin")
    yield opened
    opened.execute("rollback")


def test_a_whole_home_breaks_none(whole):
    require_invariants(whole)
    assert len(whole.sinks["ops"]) == 2
    assert unhealthy(whole.home)[0].startswith("I10: the last run of recommend is blocked: ")


PROPOSED = "(select recommendation_id from mart.recommendations order by as_of limit 1)"
PLANTED = {
    "rows vanish": ("I1", "delete from raw.candles where load_id = (select min(load_id) from raw.candles)"),
    "a recommendation vanishes": ("I1", "delete from mart.recommendations where status = 'blocked'"),
    "no audit": ("I2", "delete from ops.validations where suite = 'audit' and dataset = 'candles'"),
    "a failed audit": (
        "I2",
        "update ops.validations set success = false "
        "where suite = 'audit' and dataset = 'candles' and severity = 'critical'",
    ),
    "stale": ("I2", "delete from ops.validations where suite = 'freshness' and dataset = 'candles_1d'"),
    "no alert": ("I4", "delete from ops.alerts where event = 'recommendation'"),
    "never confirmed": ("I4", "update ops.deliveries set status = 'failed', detail = 'HTTP 500'"),
    "left waiting": ("I4", "update ops.alerts set status = 'pending'"),
    "no reason": (
        "I4",
        "update ops.alerts set status = 'failed'; update ops.deliveries set status = 'failed', detail = null",
    ),
    "decided twice": (
        "I6",
        "insert into mart.recommendations select * replace ('another' as recommendation_id) "
        f"from mart.recommendations where recommendation_id = {PROPOSED}",
    ),
    "an id twice": (
        "I6",
        f"insert into ops.alerts select * from ops.alerts where recommendation_id = {PROPOSED}",
    ),
    "a silent block": ("I9", "delete from ops.alerts where event = 'blocked'"),
    "no reason for a block": ("I9", "update mart.recommendations set reason = '' where status = 'blocked'"),
    "a block told twice": (
        "I9",
        "insert into ops.alerts select * replace (recommendation_id || '-resolved' as alert_id) "
        "from ops.alerts where event = 'blocked'",
    ),
}


@pytest.mark.parametrize("what", sorted(PLANTED))
def test_what_is_planted_in_the_master_is_found(whole, master, what):
    number, statements = PLANTED[what]
    master.execute(statements)
    assert number in {sentence.split(":")[0] for sentence in broken_in_master(master, whole)}


def test_a_decision_that_comes_out_otherwise_is_found(whole, copy):
    published = (copy.home / "published" / "current.duckdb").resolve()
    edited = published.with_suffix(".edited")
    shutil.copyfile(published, edited)
    edited.replace(published)
    with duckdb.connect(str(published)) as snapshot:
        snapshot.execute("update mart.target_weights set target_weight = target_weight + 0.01")
    config = copy.home.parent / whole.config.name
    found = broken_invariants(replace(copy, config=config, replays=2))
    assert [sentence[:3] for sentence in found] == ["I3:"]


@pytest.mark.parametrize(
    ("number", "change"),
    [
        ("I4", lambda got: [*got, Arrival("R-unknown", "t", "b")]),
        ("I4", lambda got: got[1:]),
        ("I5", lambda got: [*got, got[0]]),
        ("I5", lambda got: [*got, replace(got[0], title=f"{got[0].title} (repeat)", body="SELL ALL")]),
        ("I8", lambda got: [*got, Arrival("watch-1", "t", "canary-0c9f")]),
    ],
)
def test_what_a_receiver_should_not_have_seen_is_found(copy, number, change):
    found = broken_invariants(replace(copy, sinks={"ops": change(list(copy.sinks["ops"]))}))
    assert [sentence[:2] for sentence in found] == [number]


def test_readers_that_go_backwards_are_found(copy):
    current = copy.home / "published" / "current.duckdb"
    earlier = sorted(current.parent.glob("snapshot-*"))[-2]
    current.unlink()
    current.symlink_to(earlier.name)
    assert [sentence[:2] for sentence in broken_invariants(copy)] == ["I7"]
    assert any("readers see snapshot" in sentence for sentence in unhealthy(copy.home))


def test_a_snapshot_that_is_not_what_it_says_is_found(copy):
    kept = sorted((copy.home / "published").glob("snapshot-*"))
    kept[0].unlink()
    kept[-1].rename(kept[0])
    assert "I7" in {sentence[:2] for sentence in broken_invariants(copy)}


def test_a_secret_in_a_file_is_found(copy):
    (copy.home / "received" / "note.txt").write_text("token=canary-0c9f")
    assert broken_invariants(copy) == ["I8: a secret is in note.txt."]


@pytest.mark.parametrize(
    "statement",
    [
        "update ops.runs set status = 'running', finished_at = null",
        "update ops.alerts set status = 'partial'",
        "insert into ops.expected_runs values ('market', '2026-06-30 10:07', 'missed', null, now()), "
        "('market', '2026-06-30 11:07', 'on_time', null, now())",
    ],
)
def test_what_is_not_healthy_is_found(master, statement):
    before = unhealthy_in_master(master, 3)
    master.execute(statement)
    assert set(unhealthy_in_master(master, 3)) - set(before)
