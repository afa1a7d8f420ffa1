"""What is published is judged as a whole: by its audits, by its age, once for the same content."""

import json
import re
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from expectations import engine
from tasks import validate as validation
from tasks.context import RunContext, SilentReporter
from tasks.data_ages import span
from tasks.settings_schema import Settings
from tasks.validate import ValidationSummary, validate
from tests.warehouse.support import FakeClock
from warehouse.catalogue import load_catalogue
from warehouse.errors import NothingPublished, UnknownTable
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published

AS_OF = datetime(2020, 3, 1, 6, 0, tzinfo=UTC)
DAYS = 60  # 2020-01-01 to 2020-02-29


def settings_for(tmp_path, requires=("candles_1d",), assets=("BTC", "ETH"), **more):
    return Settings.model_validate(
        {
            "config_path": tmp_path / "trimtab.toml",
            "warehouse": {"home": tmp_path / "data"},
            "venues": [{"id": "binance"}],
            "sources": {"coinmetrics": {}},
            "universe": {"assets": list(assets), "timeframes": ["1d"]},
            "portfolios": {"core": {"requires": list(requires)}},
            **more,
        }
    )


def context_for(settings, as_of=AS_OF, run_id="run-1"):
    return RunContext(settings, as_of, run_id, "run", as_of, FakeClock(), SilentReporter())


def load(master, frame, table="candles", as_of=AS_OF, **more):
    master.load(
        table,
        frame,
        source="binance",
        dataset=table,
        as_of=as_of,
        started_at=as_of,
        rows_received=len(frame),
        **more,
    )


def coin(asset="BTC", days=DAYS):
    """Daily candles whose close moves every day, known at their close."""
    opens = pd.Series(pd.date_range("2020-01-01", periods=days, freq="D").astype("datetime64[us]"))
    close = pd.Series([100.0 + (i % 7) for i in range(days)])
    return pd.DataFrame(
        {
            "venue": "binance",
            "market_id": f"{asset}USDT",
            "symbol": f"{asset}/USDT",
            "base": asset,
            "quote": "USDT",
            "market_type": "spot",
            "timeframe": "1d",
            "open_time": opens,
            "open": close,
            "high": close,
            "low": close,
            "close": close,
            "base_volume": 10.0,
            "quote_volume": float("nan"),
            "known_at": opens + pd.Timedelta(days=1),
            "is_reconstructed": True,
        }
    )


def onchain(days=DAYS):
    starts = pd.Series(pd.date_range("2020-01-01", periods=days, freq="D").astype("datetime64[us]"))
    return pd.DataFrame(
        {
            "provider": "coinmetrics",
            "asset": "BTC",
            "metric": "AdrActCnt",
            "period_start": starts,
            "value": [1e5 + i for i in range(days)],
            "known_at": starts + pd.Timedelta(hours=36),
            "is_reconstructed": True,
        }
    )


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "data")


def stored(home, *batches, as_of=AS_OF, series=None):
    with open_master(home, FakeClock(), "prepare a test") as master:
        for table, frame in batches:
            load(master, frame, table, as_of)
        if series:
            master.upsert("ops.series", series)
    publish(home, FakeClock(), as_of=as_of, keep=3, min_free_bytes=0)


def insert(home, table, frame, as_of=AS_OF):
    """Put rows into core behind the loader's back, as damage or a defect would."""
    with open_master(home, FakeClock(), "damage a test") as master:
        master.append(table, frame.assign(load_id=99).to_dict("records"))
    publish(home, FakeClock(), as_of=as_of, keep=3, min_free_bytes=0)


def rows_of(home, query, **parameters):
    with open_master(home, FakeClock(), "look") as master:
        return master.rows(query, **parameters)


def test_good_data_pass_and_are_written_down(tmp_path, home):
    stored(home, ("candles", coin("BTC")), ("candles", coin("ETH")), ("onchain_metrics", onchain()))
    summary = validate(context_for(settings_for(tmp_path)))
    assert isinstance(summary, ValidationSummary)
    assert summary.passed, summary.sentences
    assert (summary.failed, summary.stale, summary.suspect_assets, summary.reused_from) == ((), (), (), "")
    assert re.match(r"(\d+) of \1 promises hold over 180 stored rows; 2 of 2 datasets", summary.sentences[0])
    verdicts = rows_of(home, "newest_validation")
    audits = [row for row in verdicts if row["suite"] == "audit"]
    core = {table.name for table in load_catalogue().layer("core")}
    assert {row["dataset"] for row in audits} == core | {"venue_prices"}
    assert all(row["success"] and row["run_id"] == "run-1" and row["as_of"] == AS_OF for row in verdicts)
    ages = {row["dataset"]: row for row in rows_of(home, "freshness")}
    assert ages["candles_1d"]["age_seconds"] == 6 * 3600
    assert ages["candles_1d"]["newest_data_at"] == datetime(2020, 3, 1, tzinfo=UTC)
    assert ages["candles_1d"]["is_fresh"]
    assert ages["candles_1d"]["required_by"] == ["core"]
    assert ages["onchain_metrics"]["required_by"] == []


def test_the_same_content_at_the_same_moment_is_judged_once(tmp_path, home, monkeypatch):
    stored(home, ("candles", coin("BTC")), ("candles", coin("ETH")))
    settings = settings_for(tmp_path)
    first = validate(context_for(settings))
    publish(home, FakeClock(), as_of=AS_OF, keep=3, min_free_bytes=0)

    def never(*_arguments):
        raise AssertionError("the gate was asked again")

    monkeypatch.setattr(engine, "evaluate", never)
    again = validate(context_for(settings, run_id="run-2"))
    assert again.reused_from == "run-1"
    assert again.passed
    assert again.sentences == first.sentences
    assert {row["run_id"] for row in rows_of(home, "newest_validation")} == {"run-1"}


def test_a_source_that_is_no_longer_followed_does_not_keep_its_old_verdict(tmp_path, home):
    stored(home, ("candles", coin("BTC")), ("candles", coin("ETH")), ("onchain_metrics", onchain(30)))
    assert len(validate(context_for(settings_for(tmp_path))).sentences) == 2
    settings = settings_for(tmp_path, sources={})
    for run_id, reused in (("run-2", ""), ("run-3", "run-2")):
        publish(home, FakeClock(), as_of=AS_OF, keep=3, min_free_bytes=0)
        clock = FakeClock(elapsed=60.0)
        context = RunContext(settings, AS_OF, run_id, "run", AS_OF, clock, SilentReporter())
        summary = validate(context)
        assert summary.reused_from == reused
        assert len(summary.sentences) == 1


@pytest.mark.parametrize("change", ["moment", "data", "limits", "series"])
def test_whatever_changes_is_judged_anew(tmp_path, home, change):
    stored(home, ("candles", coin("BTC")), ("candles", coin("ETH")))
    settings, as_of = settings_for(tmp_path), AS_OF
    validate(context_for(settings))
    publish(home, FakeClock(), as_of=AS_OF, keep=3, min_free_bytes=0)
    if change == "moment":
        as_of += timedelta(hours=1)
    elif change == "data":
        revised = coin("BTC")
        revised.loc[3, "close"] = 100.0
        revised.loc[3, ["low", "high", "open"]] = 100.0
        stored(home, ("candles", revised))
    elif change == "limits":
        settings = settings_for(tmp_path, gate={"freshness": {"candles_1d": "7h"}})
    else:
        stored(home, series=[series_row("SOL", "not_listed")])
    assert validate(context_for(settings, as_of, "run-2")).reused_from == ""


def series_row(asset, status, **more):
    return {
        "source": "binance",
        "dataset": "candles",
        "market_type": "spot",
        "market_id": f"{asset}USDT",
        "timeframe": "1d",
        "asset": asset,
        "status": status,
    } | more


def test_required_data_that_are_stale_say_how_old_they_are(tmp_path, home):
    stored(home, ("candles", coin("BTC")), ("candles", coin("ETH")), ("onchain_metrics", onchain(30)))
    summary = validate(context_for(settings_for(tmp_path, requires=("candles_1d", "onchain_metrics"))))
    assert not summary.passed
    assert summary.stale == ("onchain_metrics",)
    assert summary.failed == ()
    assert summary.sentences[1] == (
        "Blocks what requires it: Stale: onchain_metrics (coinmetrics) ends at 2020-01-31 00:00 UTC, 30 days "
        "before the moment of the check; the limit is 60 hours. Required by core."
    )
    ages = {row["dataset"]: row for row in rows_of(home, "freshness")}
    assert not ages["onchain_metrics"]["is_fresh"]


def test_stale_data_that_nobody_requires_only_warn(tmp_path, home):
    stored(home, ("candles", coin("BTC")), ("candles", coin("ETH")), ("onchain_metrics", onchain(30)))
    summary = validate(context_for(settings_for(tmp_path)))
    assert summary.passed
    assert summary.sentences[1].startswith("Warning: Stale: onchain_metrics")


def test_required_data_that_never_came_are_stale(tmp_path, home):
    stored(home, ("candles", coin("BTC")))
    summary = validate(context_for(settings_for(tmp_path, requires=("candles_1d", "funding_rates"))))
    assert summary.stale == ("funding_rates",)
    assert (
        "funding_rates has no data at all; the limit is 10 hours. Required by core." in summary.sentences[1]
    )


def test_one_stale_asset_is_named_and_the_dataset_stays_fresh(tmp_path, home):
    stored(home, ("candles", coin("BTC")), ("candles", coin("ETH", days=50)))
    summary = validate(context_for(settings_for(tmp_path)))
    assert summary.passed
    assert summary.stale == ()
    assert summary.suspect_assets == ("ETH",)
    assert any(
        "the daily candles of ETH end at 2020-02-20 00:00 UTC, 10 days before" in s for s in summary.sentences
    )


def test_where_all_assets_are_stale_the_dataset_says_it_once(tmp_path, home):
    stored(home, ("candles", coin("BTC", days=50)), ("candles", coin("ETH", days=50)))
    summary = validate(context_for(settings_for(tmp_path)))
    assert summary.stale == ("candles_1d",)
    assert summary.suspect_assets == ()
    assert len(summary.sentences) == 2


def test_a_market_that_is_not_listed_is_neither_missing_nor_stale(tmp_path, home):
    stored(home, ("candles", coin("BTC")), series=[series_row("ETH", "not_listed")])
    summary = validate(context_for(settings_for(tmp_path)))
    assert summary.passed
    assert summary.suspect_assets == ()
    assert len(summary.sentences) == 1


def test_a_market_that_is_asked_for_and_has_nothing_is_missing(tmp_path, home):
    stored(home, ("candles", coin("BTC")), series=[series_row("ETH", "active")])
    assert validate(context_for(settings_for(tmp_path))).suspect_assets == ("ETH",)


def test_what_the_configuration_no_longer_asks_for_does_not_age(tmp_path, home):
    old = coin("ETH", days=10)
    stored(home, ("candles", coin("BTC")), ("candles", old.assign(venue="kraken")))
    summary = validate(context_for(settings_for(tmp_path, assets=("BTC",))))
    assert len(summary.sentences) == 1
    assert [row["source"] for row in rows_of(home, "freshness")] == ["binance"]


def test_a_frozen_feed_names_its_asset(tmp_path, home):
    frozen = coin("ETH")
    frozen.loc[DAYS - 5 :, ["open", "high", "low", "close"]] = 42.0
    frozen.loc[DAYS - 5 :, "base_volume"] = 0.0
    stored(home, ("candles", coin("BTC")), ("candles", frozen))
    summary = validate(context_for(settings_for(tmp_path)))
    assert summary.passed
    assert summary.suspect_assets == ("ETH",)
    told = [row["observed"] for row in rows_of(home, "newest_validation") if not row["success"]]
    assert [(row["assets"], row["reason_code"]) for row in told] == [(["ETH"], "frozen_feed")]


def test_flat_prices_with_volume_are_not_frozen(tmp_path, home):
    flat = coin("ETH")
    flat.loc[DAYS - 5 :, ["open", "high", "low", "close"]] = 42.0
    flat["base_volume"] = [10.0 + i for i in range(DAYS)]
    stored(home, ("candles", coin("BTC")), ("candles", flat))
    assert validate(context_for(settings_for(tmp_path))).suspect_assets == ()


DAMAGE = {
    "duplicate_key": {},
    "not_positive": {"open": -1.0, "high": -1.0, "low": -1.0, "close": -1.0},
    "ohlc_inconsistent": {"high": 1.0},
    "negative_value": {"base_volume": float("inf")},
    "off_grid": {"open_time": pd.Timestamp("2020-01-04 00:14")},
    "known_at_out_of_order": {"known_at": pd.Timestamp("2020-01-05")},
}


@pytest.mark.parametrize("code", sorted(DAMAGE))
def test_damage_in_the_stored_whole_fails_the_dataset(tmp_path, home, code):
    stored(home, ("candles", coin("BTC")))
    row = coin("BTC", days=5).tail(1)
    if code != "duplicate_key":
        row = row.assign(market_id="OTHER", **DAMAGE[code])
    insert(home, "core.candles", utc(row))
    summary = validate(context_for(settings_for(tmp_path, assets=("BTC",))))
    assert not summary.passed
    assert summary.failed == ("candles",)
    broken = [
        row for row in rows_of(home, "newest_validation") if not row["success"] and row["suite"] == "audit"
    ]
    critical = [row for row in broken if row["severity"] == "critical"]
    assert [row["observed"]["reason_code"] for row in critical] == [code]
    assert critical[0]["observed"]["broken"] == 1
    example = json.loads(critical[0]["observed"]["examples"])[0]
    assert example["market_id"] == row["market_id"].iloc[0]


def utc(frame):
    """Rows as the warehouse takes them from Python: aware instants."""
    return frame.assign(
        **{c: frame[c].dt.tz_localize("UTC") for c in frame.select_dtypes("datetime").columns}
    )


def test_a_gap_that_nobody_wrote_down_is_a_warning(tmp_path, home):
    holes = coin("BTC").drop(index=[10, 11])
    stored(home, ("candles", holes))
    summary = validate(context_for(settings_for(tmp_path, assets=("BTC",))))
    assert summary.passed
    assert any("every missing candle lies in a gap" in sentence for sentence in summary.sentences)
    gap = {
        "venue": "binance",
        "market_type": "spot",
        "market_id": "BTCUSDT",
        "dataset": "candles",
        "timeframe": "1d",
        "gap_start": datetime(2020, 1, 11, tzinfo=UTC),
        "gap_end": datetime(2020, 1, 13, tzinfo=UTC),
        "status": "confirmed",
        "attempts": 3,
        "first_seen_at": AS_OF,
    }
    with open_master(home, FakeClock(), "prepare a test") as master:
        master.upsert("ops.gaps", [gap])
    publish(home, FakeClock(), as_of=AS_OF, keep=3, min_free_bytes=0)
    assert len(validate(context_for(settings_for(tmp_path, assets=("BTC",)), run_id="run-2")).sentences) == 1


def test_a_moment_in_the_past_is_judged_by_what_was_known_then(tmp_path, home):
    stored(home, ("candles", coin("BTC")), ("candles", coin("ETH")))
    later = AS_OF + timedelta(days=20)
    stored(home, ("candles", coin("BTC", days=80)), as_of=later)
    settings = settings_for(tmp_path)
    assert "ETH" in validate(context_for(settings, later, "run-2")).suspect_assets
    publish(home, FakeClock(), as_of=later, keep=3, min_free_bytes=0)
    then = validate(context_for(settings, AS_OF, "run-3"))
    assert then.suspect_assets == ()
    ages = {row["dataset"]: row for row in rows_of(home, "freshness")}
    assert ages["candles_1d"]["newest_data_at"] == datetime(2020, 3, 1, tzinfo=UTC)


def test_one_table_can_be_validated_alone(tmp_path, home):
    stored(home, ("candles", coin("BTC")))
    summary = validate(context_for(settings_for(tmp_path, assets=("BTC",))), ("core.candles",))
    assert summary.passed
    assert summary.sentences[0].startswith("12 of 12 promises hold over 60 stored rows; 1 of 1 datasets")


def test_an_unknown_table_is_refused_with_the_known_ones(tmp_path, home):
    stored(home, ("candles", coin("BTC")))
    with pytest.raises(UnknownTable, match=r"candles, .*funding_rates"):
        validate(context_for(settings_for(tmp_path)), ("candels",))


def test_nothing_published_can_not_be_validated(tmp_path, home):
    with pytest.raises(NothingPublished):
        validate(context_for(settings_for(tmp_path)))


@pytest.mark.parametrize("target", ["_validate", "_expectation"])
def test_a_gate_that_fails_passes_nothing(tmp_path, home, monkeypatch, target):
    stored(home, ("candles", coin("BTC")))

    def broken(*_arguments):
        raise OSError("the library is not there")

    monkeypatch.setattr(engine, target, broken)
    summary = validate(context_for(settings_for(tmp_path, assets=("BTC",))))
    assert not summary.passed
    assert "candles" in summary.failed
    assert summary.stale == ("candles_1d",)
    assert not any(row["is_fresh"] for row in rows_of(home, "freshness"))
    assert any("the library is not there" in sentence for sentence in summary.sentences)


def test_an_audit_that_answers_nothing_is_a_failure(tmp_path, home, monkeypatch):
    stored(home, ("candles", coin("BTC")))
    content = validation._content

    def silent(reader, context):
        ask = reader.frame
        monkeypatch.setattr(
            reader, "frame", lambda name, **more: ask(name, **more).head(0 if name == "audit.candles" else 99)
        )
        return content(reader, context)

    monkeypatch.setattr(validation, "_content", silent)
    summary = validate(context_for(settings_for(tmp_path, assets=("BTC",))))
    assert not summary.passed
    assert "candles" in summary.failed
    assert any("no answer for candles" in sentence for sentence in summary.sentences)


def test_verdicts_name_the_load_ceiling_of_what_was_judged(tmp_path, home):
    stored(home, ("candles", coin("BTC")))
    validate(context_for(settings_for(tmp_path, assets=("BTC",))))
    publish(home, FakeClock(), as_of=AS_OF, keep=3, min_free_bytes=0)
    with open_published(home) as reader:
        found = reader.select("select distinct load_ceiling from ops.validations where suite = 'audit'")
    assert [tuple(row) for row in found.rows] == [(1,)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(90, "2 minutes"), (3600 * 18.33, "18.3 hours"), (3600 * 60, "60 hours"), (86_400 * 1801, "1,801 days")],
)
def test_lengths_of_time_are_said_as_people_say_them(seconds, words):
    assert span(seconds) == words
