"""Protocols, pools, incidents and futures positions against the sandbox: what counts and from when on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.market_defi import POOLS
from sandbox.market_positions import published_at
from sandbox.server import RunningSandbox, running_sandbox
from tasks.settings_schema import FredSettings, Settings
from tasks.sources import _defillama_incidents as incidents
from tasks.sources import _defillama_pools as pools
from tasks.sources import _defillama_protocols as protocols
from tasks.sources import _us_days, cftc
from tasks.sources._errors import SourceError
from tasks.sources._macro_releases import published
from tasks.sources._model import Event
from tasks.sources._times import from_ms, to_ms
from tests.tasks.support import AS_OF, failures, last_states, pages, run_source, small_settings

USDC, KAMINO = (next(n for n, p in POOLS.items() if p.project == name) for name in ("aave-v3", "kamino-lend"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as running:
        yield running


def settings_of(sandbox: RunningSandbox, home: Path, **llama: Any) -> Settings:
    base = sandbox.base_url
    stated = {"base_url": base, "chains": [], "stablecoins": ["USDT"]} | llama
    return small_settings(base, home, sources={"defillama": stated, "cftc": {"base_url": base}})


def column(events: list[Event], dataset: str, name: str) -> np.ndarray[Any, Any]:
    return np.concatenate([np.asarray(page.columns[name]) for page in pages(events, dataset) if page.rows])


def test_a_protocol_has_value_locked_fees_and_revenue(sandbox: RunningSandbox, tmp_path: Path) -> None:
    events = run_source("defillama", settings_of(sandbox, tmp_path, protocols=["aave-v3", "nobody"]))
    assert failures(events) == []
    kinds, metrics = (column(events, "protocol_metrics", name) for name in ("entity_kind", "metric"))
    values, days = (column(events, "protocol_metrics", name) for name in ("value", "period_start"))
    assert set(metrics[kinds == "protocol"]) == {"tvl_usd", "fees_usd", "revenue_usd"}
    newest = {name: days[(kinds == "protocol") & (metrics == name)].max() for name in set(metrics)}
    assert set(newest.values()) == {np.datetime64("2026-06-29")}
    paid = values[(kinds == "protocol") & (metrics == "fees_usd")].sum()
    kept = values[(kinds == "protocol") & (metrics == "revenue_usd")].sum()
    assert 0 < kept < paid
    states = last_states(events)
    assert states["protocol_metrics", "", "nobody/fees_usd", ""].status == "unsupported"


def test_a_pool_has_one_reading_a_day_as_fractions(sandbox: RunningSandbox, tmp_path: Path) -> None:
    stated = {"pools": [USDC, "no-such-pool"], "lending_pools": [KAMINO]}
    events = run_source("defillama", settings_of(sandbox, tmp_path, **stated))
    assert failures(events) == []
    ids, days = column(events, "yield_pools", "pool"), column(events, "yield_pools", "period_start")
    assert len(days) == len(set(zip(ids, days, strict=True)))
    assert (days == days.astype("datetime64[D]")).all()
    known = column(events, "yield_pools", "known_at")
    assert (known >= days + np.timedelta64(25, "h")).all()
    base, borrow = column(events, "yield_pools", "apy_base"), column(events, "yield_pools", "apy_base_borrow")
    assert ((base > 0) & (base < 0.5)).all()
    assert np.isnan(borrow[ids == USDC]).all()
    assert (borrow[ids == KAMINO] > base[ids == KAMINO]).all()
    assert set(column(events, "yield_pools", "project")) == {"aave-v3", "kamino-lend"}
    assert last_states(events)["yield_pools", "", "no-such-pool", ""].status == "unsupported"


def test_the_last_reading_of_a_day_is_the_days() -> None:
    rows = [
        {"timestamp": "2026-06-01T23:01:00.000Z", "apyBase": 5.0, "apyReward": None, "tvlUsd": 2},
        {"timestamp": "2026-06-01T11:01:00.000Z", "apyBase": 4.0, "apyReward": 1, "tvlUsd": 1},
    ]
    found = pools.readings({"data": rows}, pools.DEPOSITS)
    (reading,) = found.values()
    assert (reading["apy_base"], reading["apy_reward"], reading["tvl_usd"]) == (0.05, None, 2.0)
    with pytest.raises(SourceError, match="readable timestamp"):
        pools.readings({"data": [{"timestamp": "yesterday"}]}, pools.DEPOSITS)
    with pytest.raises(SourceError, match="no number"):
        pools.readings({"data": [{**rows[0], "apyBase": "much"}]}, pools.DEPOSITS)


@pytest.mark.parametrize("chart", [None, {}, [1, 2], [[1, "x"]], "text"])
def test_a_chart_of_something_else_is_refused(chart: Any) -> None:
    if chart == {}:
        assert protocols.chart_days(chart) == {}  # no day at all: an empty history, judged as one
        return
    with pytest.raises(SourceError):
        protocols.chart_days(chart)


def test_an_incident_is_known_from_the_reading_that_first_had_it(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    settings = settings_of(sandbox, tmp_path, incidents=True)
    longer = settings.universe.model_copy(update={"history_start": date(2019, 1, 1)})
    settings = settings.model_copy(update={"universe": longer})
    first = run_source("defillama", settings)
    assert failures(first) == []
    happened, known = (column(first, "incidents", name) for name in ("occurred_at", "known_at"))
    assert (known >= np.minimum(happened + np.timedelta64(48, "h"), known.max())).all()
    assert (known <= np.datetime64(AS_OF.replace(tzinfo=None))).all()
    assert column(first, "incidents", "is_reconstructed").any()
    again = run_source("defillama", settings, states=last_states(first).values())
    assert not column(again, "incidents", "is_reconstructed").any()
    assert set(column(again, "incidents", "known_at")) == {np.datetime64(AS_OF.replace(tzinfo=None))}
    assert list(column(again, "incidents", "incident_id"))[: len(happened)] == list(
        column(first, "incidents", "incident_id")
    )


def test_two_incidents_of_one_name_and_day_stay_two() -> None:
    days, names, numbers = np.array([1, 1, 2]), ["Bridge"] * 3, ["7"] * 3
    assert incidents.identities(days, names, numbers) == ["Bridge (7)", "Bridge (7) #2", "Bridge (7)"]


def test_an_empty_list_of_incidents_is_no_news_but_a_failure() -> None:
    with pytest.raises(SourceError, match="list of incidents"):
        incidents.listed([])


def test_positions_count_from_their_publication(sandbox: RunningSandbox, tmp_path: Path) -> None:
    friday = datetime(2026, 6, 26, 20, 30, tzinfo=UTC)
    settings = settings_of(sandbox, tmp_path)
    for as_of, newest in ((friday - timedelta(minutes=1), "2026-06-16"), (friday, "2026-06-23")):
        events = run_source("cftc", settings, as_of=as_of)
        assert failures(events) == []
        days = column(events, "futures_positioning", "period_start")
        assert days.max() == np.datetime64(newest)
        assert set(column(events, "futures_positioning", "asset")) == {"BTC", "ETH"}
        assert (
            column(events, "futures_positioning", "known_at") <= np.datetime64(as_of.replace(tzinfo=None))
        ).all()
    short, long = (column(events, "futures_positioning", f"leveraged_{side}") for side in ("short", "long"))
    assert (short > long).all()


def test_a_second_run_reads_three_weeks_of_positions_again(sandbox: RunningSandbox, tmp_path: Path) -> None:
    settings = settings_of(sandbox, tmp_path)
    states = last_states(run_source("cftc", settings)).values()
    days = column(run_source("cftc", settings, states=states), "futures_positioning", "period_start")
    assert days.min() == np.datetime64("2026-06-09")
    assert days.max() == np.datetime64("2026-06-23")


def test_a_contract_code_without_reports_is_said(sandbox: RunningSandbox, tmp_path: Path) -> None:
    stated = {"base_url": sandbox.base_url, "contracts": {"BTC": "133741", "XRP": "000000"}}
    settings = small_settings(sandbox.base_url, tmp_path, sources={"cftc": stated})
    states = last_states(run_source("cftc", settings))
    assert states["futures_positioning", "", "000000", ""].status == "unsupported"
    assert states["futures_positioning", "", "133741", ""].status == "active"


@pytest.mark.parametrize(
    ("counted", "published"),
    [
        ("2026-06-23", "2026-06-26"),  # the usual Friday
        ("2026-06-16", "2026-06-22"),  # Juneteenth is the Friday
        ("2026-06-30", "2026-07-06"),  # Independence Day is kept on the Friday
        ("2026-11-10", "2026-11-16"),  # Veterans Day is the Wednesday
        ("2026-11-24", "2026-11-30"),  # Thanksgiving
        ("2026-12-22", "2026-12-28"),  # Christmas
        ("2026-01-27", "2026-01-30"),
        ("2025-10-07", "2025-11-21"),  # held up by the shutdown
        ("2018-12-24", "2019-02-01"),  # and by the one before
    ],
)
def test_the_days_on_which_reports_appear(counted: str, published: str) -> None:
    at = to_ms(datetime.fromisoformat(counted).replace(tzinfo=UTC))
    (found,) = cftc.published(np.array([at]))
    assert f"{from_ms(int(found)):%Y-%m-%d %H:%M}" == f"{published} 20:30"


def test_the_simulated_reports_appear_no_later_than_we_say() -> None:
    days = [date(2026, 1, 20) + timedelta(days=7 * week) for week in range(40)]
    stamps = np.array([to_ms(datetime.combine(day, datetime.min.time(), UTC)) for day in days])
    for day, ours in zip(days, cftc.published(stamps), strict=True):
        late = from_ms(int(ours)) - published_at(day)
        assert timedelta() <= late <= timedelta(hours=1), day


REPORT = {
    "report_date_as_yyyy_mm_dd": "2026-06-23T00:00:00.000",
    "cftc_contract_market_code": "133741",
    **dict.fromkeys(cftc.FIELDS.values(), "1"),
}


@pytest.mark.parametrize(
    "rows",
    [
        {"error": True, "message": "no"},
        [REPORT, {**REPORT, "open_interest_all": "2"}],
        [{**REPORT, "open_interest_all": "many"}],
        [{name: value for name, value in REPORT.items() if name != "lev_money_positions_long"}],
        [{**REPORT, "report_date_as_yyyy_mm_dd": "23 June"}],
        [REPORT] * cftc.MOST_ROWS,
    ],
)
def test_reports_that_are_not_are_refused(rows: Any) -> None:
    with pytest.raises(SourceError):
        cftc.parse(rows)
    assert cftc.parse([REPORT, REPORT])["133741"]


def test_holidays_are_no_working_days() -> None:
    thanksgiving = to_ms(datetime(2025, 11, 26, tzinfo=UTC))
    (found,) = published("DGS10", FredSettings())(np.array([thanksgiving]))
    assert from_ms(int(found)) == datetime(2025, 11, 28, 22, tzinfo=UTC)
    assert date(2021, 12, 31) in _us_days.holidays(2021)  # New Year's Day 2022 is a Saturday
    assert date(2023, 1, 2) in _us_days.holidays(2023)
    assert date(2024, 5, 27) in _us_days.holidays(2024)
    assert date(2020, 6, 19) not in _us_days.holidays(2020)
    assert _us_days.working_day_after(np.empty(0, np.int64), 1).size == 0
