"""Each invariant can fail: one planted violation at a time, on a copy of a home that breaks none."""

import os
import shutil
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest

from tests.invariants import (
    Arrival,
    broken_in_master,
    broken_invariants,
    unhealthy,
    unhealthy_in_master,
)
from tests.soak.slots import START, require_all_well, soak

LATER = START + timedelta(days=5)  # nothing was fetched since: blocked


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample of the soak: a slot, two under faults, a calm one; then a decision on old data."""
    return soak(tmp_path_factory.mktemp("sample"), 4, seed=5, calm=1, last=(["recommend"], LATER))


@pytest.fixture(scope="module")
def whole(sample):
    """Its home, with a recommendation and a block that were told, and what the receiver got."""
    return replace(sample.evidence, canaries=["canary-0c9f"])


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


def test_a_whole_home_breaks_none(whole, sample):
    require_all_well(sample)
    assert sample.figures["killed"] >= 1
    assert sample.figures["slots on_time"] >= 3
    assert sum(one.answer == 200 for one in whole.sinks["ops"]) >= 2
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
    "an id twice": ("I6", "insert into ops.alerts select * from ops.alerts limit 1"),
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
    found = broken_invariants(replace(copy, config=config, replays=4))
    assert {sentence[:3] for sentence in found} == {"I3:"}


@pytest.mark.parametrize(
    ("number", "change"),
    [
        ("I4", lambda got: [*got, Arrival("R-unknown", "t", "b")]),
        ("I4", lambda got: [one for one in got if one.key != got[-1].key]),
        ("I5", lambda got: [*got, got[-1]]),
        ("I5", lambda got: [*got, replace(got[-1], title=f"{got[-1].title} (repeat)", body="SELL ALL")]),
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
    before = unhealthy_in_master(master, 0)
    master.execute(statement)
    assert set(unhealthy_in_master(master, 0)) - set(before)
