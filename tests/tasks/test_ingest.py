"""Ingest through the real gate into a real warehouse, from a market that misbehaves on command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tasks._ingest_threads import configured_sources
from tasks.ingest import IngestSummary, ingest
from tasks.settings import ConfigError
from tasks.settings_schema import Settings
from tasks.sources import venue as venue_module
from tasks.sources.fred import Fred
from tests.tasks.support import AS_OF, FakeClock, make_context, small_settings
from warehouse.errors import MixedHome
from warehouse.home import Home

KLINES = "/api/v3/klines.*1h"
SPOT_HOURS = "market_type = 'spot' and timeframe = '1h'"


@pytest.fixture(scope="module")
def market() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(market: RunningSandbox) -> Iterator[RunningSandbox]:
    market.set_faults([])
    market.set_now(AS_OF)
    yield market
    market.set_faults([])


def everything(sandbox: RunningSandbox, home: Path, **changes: Any) -> Settings:
    base = sandbox.base_url
    sources = {
        "coinmetrics": {"base_url": base, "metrics": ["PriceUSD", "TxCnt"]},
        "defillama": {"base_url": base, "chains": ["Ethereum", "Nowhere"]},
        "fred": {"base_url": base, "series": ["DGS10", "VIXCLS"]},
    }
    return small_settings(base, home, **({"sources": sources} | changes))


def venue_only(sandbox: RunningSandbox, home: Path, **changes: Any) -> Settings:
    venue = {"id": "binance", "base_url": sandbox.base_url, "markets": ["spot"]}
    universe = {"assets": ["BTC"], "timeframes": ["1d", "1h"], "history_start": "2026-04-01"}
    return small_settings(sandbox.base_url, home, **({"venues": [venue], "universe": universe} | changes))


def run(settings: Settings, run_id: str = "run-1", **options: Any) -> IngestSummary:
    as_of = options.pop("as_of", AS_OF)
    return ingest(make_context(settings, run_id=run_id, as_of=as_of), **options)


def read(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse.home / "master.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def candles(settings: Settings) -> list[tuple[Any, ...]]:
    return read(
        settings, "select * exclude (known_at, is_reconstructed, load_id) from core.candles order by all"
    )


def test_every_dataset_arrives_labelled_and_a_second_run_adds_nothing(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = everything(sandbox, tmp_path)
    first = run(settings)
    assert first.failures == ()
    tables = ("candles", "funding_rates", "instruments", "order_book_depth", "onchain_metrics",
              "protocol_metrics", "stablecoins", "macro_series")  # fmt: skip
    counts = {table: read(settings, f"select count(*) from core.{table}")[0][0] for table in tables}
    assert all(counts.values()), counts
    assert {part.dataset for part in first.datasets} == set(tables)
    assert read(settings, "select distinct is_simulated, status from ops.loads") == [(True, "loaded")]
    assert Home(tmp_path).is_simulated() is True
    second = run(settings, "run-2")
    assert second.failures == ()
    assert second.rows_new == sum(part.rows_revised for part in second.datasets) == 0
    assert {t: read(settings, f"select count(*) from core.{t}")[0][0] for t in tables} == counts
    assert read(settings, "select count(*) from ops.validations where not success") == [(0,)]


def test_an_hour_later_only_the_new_hour_comes(sandbox: RunningSandbox, tmp_path: Path) -> None:
    settings = venue_only(sandbox, tmp_path)
    run(settings)
    later = AS_OF + timedelta(hours=1)
    sandbox.set_now(later)
    summary = run(settings, "run-2", as_of=later)
    (part,) = [part for part in summary.datasets if part.dataset == "candles"]
    assert (part.rows_new, part.rows_revised) == (1, 0)
    newest = read(settings, f"select max(open_time), max(known_at) from core.candles where {SPOT_HOURS}")
    assert newest == [(datetime(2026, 6, 30, 18), later.replace(tzinfo=None))]


def test_a_troubled_history_ends_in_the_same_tables(sandbox: RunningSandbox, tmp_path: Path) -> None:
    calm, rough = venue_only(sandbox, tmp_path / "calm"), venue_only(sandbox, tmp_path / "rough")
    run(calm)
    sandbox.set_faults(
        [
            {"kind": "dup", "match": KLINES, "rate": 0.05},
            {"kind": "shuffle", "match": KLINES, "rate": 0.2},
            {"kind": "5xx", "match": KLINES, "after": 2},
        ]
    )
    broken = run(rough)
    assert broken.required_failed
    assert [failure.kind for failure in broken.failures] == ["unavailable"]
    assert "binance" in broken.failures[0].sentence
    assert 0 < read(rough, f"select count(*) from core.candles where {SPOT_HOURS}")[0][0] <= 2000
    sandbox.set_faults([])
    healed = run(rough, "run-2")
    assert not healed.failures
    assert candles(rough) == candles(calm)
    assert read(rough, "select count(*) from raw.candles") == read(rough, "select count(*) from core.candles")


def test_bad_rows_are_kept_out_and_their_holes_close_when_the_venue_heals(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = venue_only(sandbox, tmp_path)
    stamp = int(datetime(2026, 6, 3, 5, tzinfo=UTC).timestamp() * 1000)
    sandbox.set_faults([{"kind": "neg", "match": KLINES, "ts": [stamp]}])
    first = run(settings)
    (part,) = [part for part in first.datasets if part.dataset == "candles"]
    assert part.rows_quarantined == 1
    assert first.failures == ()
    kept_out = read(settings, "select dataset, reason_code, row->>'open_time' from ops.quarantine")
    assert [(row[0], row[2][:13]) for row in kept_out] == [("candles", "2026-06-03 05")]
    hole = "select gap_start, gap_end, status from ops.gaps"
    assert read(settings, hole) == [(datetime(2026, 6, 3, 5), datetime(2026, 6, 3, 6), "open")]
    sandbox.set_faults([])
    second = run(settings, "run-2")
    assert second.rows_new == 1
    assert read(settings, hole)[0][2] == "closed"


def test_a_hole_of_the_venue_is_confirmed_by_a_second_run_and_then_asked_for_weekly(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = venue_only(sandbox, tmp_path)
    stamps = [int(datetime(2026, 5, 9, hour, tzinfo=UTC).timestamp() * 1000) for hour in (2, 3, 4)]
    sandbox.set_faults([{"kind": "missing", "match": KLINES, "ts": stamps}])
    told = "select gap_start, gap_end, status, attempts, evidence from ops.gaps"
    edges = (datetime(2026, 5, 9, 2), datetime(2026, 5, 9, 5))

    def again(number: int, days: float) -> int:
        sent = sandbox.stats()["total"]
        clock = FakeClock(AS_OF + timedelta(days=days))
        ingest(make_context(settings, run_id=f"run-{number}", clock=clock))
        return sandbox.stats()["total"] - sent

    run(settings)
    assert read(settings, told) == [(*edges, "open", 3, "")]
    assert again(2, 0.01) == 6  # a quarter of an hour later: asked, and no second round
    assert read(settings, told) == [(*edges, "open", 4, "")]
    assert again(3, 0.1) == 6
    assert read(settings, told) == [(*edges, "confirmed", 5, "asked")]
    assert again(4, 0.2) == 5
    assert again(5, 7.2) == 6
    assert read(settings, told) == [(*edges, "confirmed", 6, "asked")]
    sandbox.set_faults([])
    assert again(6, 8) == 5  # healed, and nobody asks before the week is over
    assert again(7, 14.3) == 6
    assert read(settings, told) == [(*edges, "closed", 6, "asked")]


def test_the_gaps_of_a_run_that_died_before_it_wrote_them_down_are_found_by_the_next(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = venue_only(sandbox, tmp_path)
    stamp = int(datetime(2026, 5, 9, 2, tzinfo=UTC).timestamp() * 1000)
    sandbox.set_faults([{"kind": "missing", "match": KLINES, "ts": [stamp]}])

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as torn:
        torn.setattr("tasks.ingest.settle", die)
        with pytest.raises(KeyboardInterrupt):
            run(settings)
    assert read(settings, "select count(*) from core.candles")[0][0] > 1000
    assert read(settings, "select count(*) from ops.gaps") == [(0,)]
    run(settings, "run-2")
    # What the dead run asked for was asked for: the venue is not to be asked as often again.
    found = read(settings, "select gap_start, status, attempts from ops.gaps")
    assert found == [(datetime(2026, 5, 9, 2), "open", 3)]
    assert not list((tmp_path / "state" / "unsettled").iterdir())


def test_a_market_that_is_listed_no_longer_keeps_its_data_and_is_not_late(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = venue_only(sandbox, tmp_path)
    assert run(settings).failures == ()
    held = candles(settings)
    choose = venue_module.choose

    def without_btc(session: Any, kind: str) -> Any:
        chosen = choose(session, kind)
        gone = tuple((market.base, market.symbol) for market in chosen.markets if market.base == "BTC")
        return replace(chosen, markets=tuple(m for m in chosen.markets if m.base != "BTC"), absent=gone)

    monkeypatch.setattr(venue_module, "choose", without_btc)
    second = run(settings, "run-2")
    assert second.failures == ()
    found = "select distinct status, message from ops.series where dataset = 'candles' and asset = 'BTC'"
    assert read(settings, found) == [("delisted", "binance lists BTCUSDT no longer; its last data are kept")]
    assert candles(settings) == held
    monkeypatch.undo()
    run(settings, "run-3")  # it is back
    assert [row[0] for row in read(settings, found)] == ["active"]


def test_a_longer_history_is_added_at_the_old_end(sandbox: RunningSandbox, tmp_path: Path) -> None:
    short = venue_only(
        sandbox,
        tmp_path / "grown",
        universe={"assets": ["BTC"], "timeframes": ["1d", "1h"], "history_start": "2026-06-20"},
    )
    run(short)
    grown, whole = venue_only(sandbox, tmp_path / "grown"), venue_only(sandbox, tmp_path / "whole")
    run(grown, "run-2")
    run(whole)
    assert candles(grown) == candles(whole)
    assert read(grown, "select count(*) from ops.gaps") == [(0,)]


def test_a_range_ends_where_it_was_asked_to_and_a_later_run_goes_on(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings, whole = venue_only(sandbox, tmp_path / "a"), venue_only(sandbox, tmp_path / "b")
    until = datetime(2026, 5, 1, tzinfo=UTC)
    run(settings, since=datetime(2026, 4, 1, tzinfo=UTC), until=until)
    assert read(settings, f"select max(open_time) from core.candles where {SPOT_HOURS}") == [
        (datetime(2026, 4, 30, 23),)
    ]
    run(settings, "run-2")
    run(whole)
    assert candles(settings) == candles(whole)


def test_an_unreachable_venue_fails_the_run_and_loses_nothing_else(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    dead = {"id": "kraken", "base_url": "http://127.0.0.1:9", "markets": ["spot"]}
    alive = {"id": "binance", "base_url": sandbox.base_url, "markets": ["spot"]}
    summary = run(everything(sandbox, tmp_path, venues=[dead, alive]))
    assert summary.required_failed
    assert {failure.source for failure in summary.failures} == {"kraken"}
    assert "kraken" in summary.sentence
    assert summary.rows_new > 1000


def test_an_optional_source_that_fails_is_a_warning_until_a_portfolio_requires_it(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    sandbox.set_faults([{"kind": "html", "match": "/v4/"}])
    optional = run(everything(sandbox, tmp_path / "a"), sources=("coinmetrics",))
    assert [failure.is_required for failure in optional.failures] == [False]
    assert not optional.required_failed
    portfolios = {"core": {"requires": ["candles_1d", "onchain_metrics"]}}
    required = run(everything(sandbox, tmp_path / "b", portfolios=portfolios), sources=("coinmetrics",))
    assert required.required_failed


def test_simulated_data_never_enter_a_live_home(sandbox: RunningSandbox, tmp_path: Path) -> None:
    Home(tmp_path).stamp(simulated=False)
    settings = venue_only(sandbox, tmp_path)
    with pytest.raises(MixedHome, match="never share a home"):
        run(settings)
    assert read(settings, "select count(*) from core.candles") == [(0,)]


def test_only_named_sources_are_asked_and_an_unknown_name_is_refused(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = everything(sandbox, tmp_path)
    summary = run(settings, sources=("fred",))
    assert [name for name, _ in summary.requests] == ["fred"]
    with pytest.raises(ConfigError, match=r"found 'fredd'.*coinmetrics, defillama, fred, binance"):
        run(settings, sources=("fredd",))


def test_a_defect_in_a_source_is_raised_and_not_swallowed(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_over(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(Fred, "run", fall_over)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        run(everything(sandbox, tmp_path), sources=("fred",))


def test_the_file_is_the_registration(sandbox: RunningSandbox, tmp_path: Path) -> None:
    names = [source.name for source in configured_sources(everything(sandbox, tmp_path))]
    assert sorted(names) == ["binance", "coinmetrics", "defillama", "fred"]
    assert [source.name for source in configured_sources(venue_only(sandbox, tmp_path))] == ["binance"]


def test_received_bytes_are_private(sandbox: RunningSandbox, tmp_path: Path) -> None:
    run(venue_only(sandbox, tmp_path))
    (file,) = (tmp_path / "received").rglob("binance-*.zst")
    assert file.stat().st_mode & 0o777 == 0o600
