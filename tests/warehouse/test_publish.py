import errno
import os
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from tests.warehouse.support import AS_OF, FakeClock, candles, load, stored
from warehouse import snapshots
from warehouse.errors import MixedHome, NoSpace, NothingPublished, UnsafeHome
from warehouse.home import Home
from warehouse.manifest import read_manifest
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published
from warehouse.snapshots import file_sha256


def test_a_snapshot_shows_what_was_committed(home: Home) -> None:
    stored(home, ("candles", candles([1.0, 2.0])))
    info = publish(home, FakeClock(), as_of=AS_OF, keep=2)
    assert (info.snapshot_id, info.load_id, info.is_simulated, info.as_of) == (1, 1, False, AS_OF)
    with open_published(home) as reader:
        assert reader.snapshot == info
        assert reader.select("select snapshot_id, load_id, is_simulated from ops.snapshot").rows == (
            (1, 1, False),
        )
        age = reader.select("select age_seconds - (epoch(now()) - epoch(published_at)) from ops.snapshot")
        assert abs(age.rows[0][0]) < 1
        assert reader.select("select count(*) from core.candles").rows == ((2,),)


def test_publishing_the_same_again_makes_no_new_file(home: Home) -> None:
    stored(home, ("candles", candles([1.0])))
    first = publish(home, FakeClock(), as_of=AS_OF, keep=2)
    assert publish(home, FakeClock(), as_of=AS_OF, keep=2) == first
    assert publish(home, FakeClock(), as_of=AS_OF + timedelta(hours=1), keep=2).snapshot_id == 2


def test_a_removed_file_is_published_anew(home: Home) -> None:
    stored(home, ("candles", candles([1.0])))
    publish(home, FakeClock(), as_of=AS_OF, keep=2)
    home.snapshot(1).unlink()
    assert publish(home, FakeClock(), as_of=AS_OF, keep=2).snapshot_id == 2


def test_the_newest_few_are_kept_and_match_their_checksums(home: Home) -> None:
    for number in range(4):
        publish(home, FakeClock(), as_of=AS_OF + timedelta(hours=number), keep=2)
    assert sorted(path.name for path in home.published.iterdir()) == [
        "current.duckdb",
        "snapshot-000003.duckdb",
        "snapshot-000004.duckdb",
    ]
    assert home.current.readlink() == Path("snapshot-000004.duckdb")
    manifest = read_manifest(home)
    assert manifest is not None
    assert [(r.snapshot_id, r.sha256) for r in manifest.snapshots] == [
        (number, file_sha256(home.snapshot(number))) for number in (3, 4)
    ]


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, None])
def test_where_the_kernel_can_not_copy_by_itself_we_do(
    home: Home, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    stored(home, ("candles", candles([1.0])))

    def unable(*_: int) -> int:
        raise OSError(code, "can not")

    if code is None:
        monkeypatch.delattr(snapshots.os, "copy_file_range", raising=False)
    else:
        monkeypatch.setattr(snapshots.os, "copy_file_range", unable, raising=False)
    info = publish(home, FakeClock(), as_of=AS_OF, keep=2)
    assert home.snapshot(info.snapshot_id).read_bytes() == home.master.read_bytes()


def test_the_newest_is_kept_whatever_is_asked(home: Home) -> None:
    publish(home, FakeClock(), as_of=AS_OF, keep=0)
    assert home.current.exists()


def test_an_open_snapshot_outlives_its_file(home: Home) -> None:
    stored(home, ("candles", candles([1.0, 2.0])))
    publish(home, FakeClock(), as_of=AS_OF, keep=1)
    with open_published(home) as reader:
        stored(home, ("candles", candles([3.0], market_id="X")))
        publish(home, FakeClock(), as_of=AS_OF, keep=1)
        assert not home.snapshot(1).exists()
        assert reader.select("select count(*), max(close) from core.candles").rows == ((2, 2.0),)
        with open_published(home) as newer:
            assert newer.snapshot.snapshot_id == 2


def test_nothing_published_is_said_plainly(home: Home) -> None:
    with pytest.raises(NothingPublished, match="trimtab run"), open_published(home):
        pass


def test_too_little_space_stops_before_anything_is_written(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(home, ("candles", candles([1.0])))
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(snapshots.shutil, "disk_usage", lambda _: usage(10**12, 10**12, 400_000_000))
    before = home.manifest.read_bytes()
    with pytest.raises(NoSpace, match=r"500 MB of free space were wanted .* 400 MB are free"):
        publish(home, FakeClock(), as_of=AS_OF, keep=2)
    with pytest.raises(NoSpace, match="400 MB are free"), open_master(home, FakeClock(), "write"):
        pass
    assert home.manifest.read_bytes() == before
    assert list(home.published.iterdir()) == []


def test_files_are_ours_alone_and_snapshots_the_groups_too(new_home: Home) -> None:
    umask = os.umask(0o000)
    try:
        with open_master(new_home, FakeClock(), "write") as master:
            load(master, candles([1.0]))
            wal = new_home.root / "master.duckdb.wal"
            assert stat.S_IMODE(wal.stat().st_mode) == 0o600
        new_home.stamp(simulated=True)
        publish(new_home, FakeClock(), as_of=AS_OF, keep=2)
    finally:
        os.umask(umask)
    modes = {
        str(path.relative_to(new_home.root)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in (new_home.root, *new_home.root.rglob("*"))
        if not path.is_symlink()
    }
    assert modes == {
        ".": "0o750",
        "published": "0o750",
        "received": "0o750",
        "state": "0o750",
        "state/master.seal": "0o600",
        "master.duckdb": "0o600",
        "manifest.json": "0o600",
        "writer.lock": "0o600",
        "stamp.json": "0o600",
        "state/metadata.before": "0o600",
        "published/snapshot-000001.duckdb": "0o640",
    }


@pytest.mark.parametrize("name", ["master.duckdb", "manifest.json", "writer.lock", "published", "state"])
def test_a_planted_link_is_refused(new_home: Home, tmp_path: Path, name: str) -> None:
    new_home.root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (new_home.root / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeHome, match="is a link"), open_master(new_home, FakeClock(), "write"):
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_foreign_owner_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UnsafeHome, match="belongs to user"), open_master(home, FakeClock(), "write"):
        pass


def test_simulated_and_live_data_never_share_a_home(home: Home) -> None:
    assert home.is_simulated() is None
    home.stamp(simulated=True)
    home.stamp(simulated=True)
    with pytest.raises(MixedHome, match="holds simulated data, and what just arrived is live"):
        home.stamp(simulated=False)
    stored(home, ("candles", candles([1.0])))
    assert publish(home, FakeClock(), as_of=AS_OF, keep=2).is_simulated
    with open_published(home) as reader:
        assert reader.select("select is_simulated from ops.loads").rows == ((True,),)
