"""Coin Metrics, DefiLlama and FRED against the sandbox: what counts, from when on, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.market_macro import published_at
from sandbox.server import RunningSandbox, running_sandbox
from tasks.settings_schema import FredSettings, Settings
from tasks.sources import fred
from tasks.sources._errors import SourceError
from tasks.sources._macro_releases import published
from tasks.sources._model import Event
from tasks.sources._times import from_instant, from_ms, to_ms
from tests.tasks.support import AS_OF, failures, last_states, pages, run_source, small_settings


@pytest.fixture(scope="module")
def market() -> Iterator[RunningSandbox]:
    with running_sandbox(now=AS_OF) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(market: RunningSandbox) -> Iterator[RunningSandbox]:
    market.set_faults([])
    yield market
    market.set_faults([])


def settings_of(sandbox: RunningSandbox, home: Path, **sources: Any) -> Settings:
    base = sandbox.base_url
    stated = {
        "coinmetrics": {"base_url": base, "metrics": ["PriceUSD", "TxCnt", "NoSuchMetric"]},
        "defillama": {"base_url": base, "chains": ["Ethereum", "Nowhere"]},
        "fred": {"base_url": base, "series": ["DGS10", "VIXCLS"]},
    }
    return small_settings(base, home, sources=stated | sources)


def column(events: list[Event], dataset: str, name: str) -> np.ndarray[Any, Any]:
    parts = [np.asarray(page.columns[name]) for page in pages(events, dataset) if page.rows]
    return np.concatenate(parts)


DATASETS = [
    ("coinmetrics", "onchain_metrics", 7),
    ("defillama", "protocol_metrics", 1),
    ("defillama", "stablecoins", 1),
]


@pytest.mark.parametrize(("module", "dataset", "lag_hours"), DATASETS)
def test_a_day_counts_once_it_is_over_and_published(
    sandbox: RunningSandbox, tmp_path: Path, module: str, dataset: str, lag_hours: int
) -> None:
    midnight = AS_OF.replace(hour=0, minute=0)
    for as_of, newest in (
        (midnight + timedelta(hours=lag_hours) - timedelta(minutes=1), "2026-06-28"),
        (midnight + timedelta(hours=lag_hours), "2026-06-29"),
    ):
        events = run_source(module, settings_of(sandbox, tmp_path), as_of=as_of)
        days, known = column(events, dataset, "period_start"), column(events, dataset, "known_at")
        assert days.max() == np.datetime64(newest)
        assert days.min() == np.datetime64("2026-05-20")
        assert (known <= np.datetime64(as_of.replace(tzinfo=None))).all()
        assert (known >= days + np.timedelta64(24 + lag_hours, "h")).all()


@pytest.mark.parametrize(("module", "dataset", "lag_hours"), [*DATASETS, ("fred", "macro_series", 0)])
def test_a_second_run_reads_a_week_again(
    sandbox: RunningSandbox, tmp_path: Path, module: str, dataset: str, lag_hours: int
) -> None:
    del lag_hours
    settings = settings_of(sandbox, tmp_path)
    states = last_states(run_source(module, settings)).values()
    events = run_source(module, settings, states=states)
    days = column(events, dataset, "period_start")
    assert days.max() - days.min() <= np.timedelta64(7, "D")
    after = {key: state.fetched_until for key, state in last_states(events).items()}
    assert after == {state.key: state.fetched_until for state in states}


def test_what_is_not_served_is_said_and_fails_nothing(sandbox: RunningSandbox, tmp_path: Path) -> None:
    events = run_source("coinmetrics", settings_of(sandbox, tmp_path))
    assert failures(events) == []
    states = last_states(events)
    assert states["onchain_metrics", "", "BTC/NoSuchMetric", ""].status == "unsupported"
    assert states["onchain_metrics", "", "BTC/TxCnt", ""].status == "active"
    assert {"USDT/PriceUSD", "USDC/PriceUSD", "DAI/PriceUSD"} <= {key[2] for key in states}
    chains = last_states(run_source("defillama", settings_of(sandbox, tmp_path)))
    assert chains["protocol_metrics", "", "Nowhere/tvl_usd", ""].status == "unsupported"
    assert chains["protocol_metrics", "", "all/tvl_usd", ""].status == "active"


def test_a_stablecoin_has_a_price_of_its_own(sandbox: RunningSandbox, tmp_path: Path) -> None:
    events = run_source("defillama", settings_of(sandbox, tmp_path))
    prices, supply = column(events, "stablecoins", "price_usd"), column(events, "stablecoins", "supply")
    assert ((prices > 0.8) & (prices < 1.2)).all()
    assert not (prices == 1.0).all()
    assert (supply > 0).all()


@pytest.mark.parametrize("module", ["coinmetrics", "defillama", "fred"])
@pytest.mark.parametrize("kind", ["html", "truncate", "5xx", "reset", "empty"])
def test_a_lasting_fault_is_a_failure_and_stores_nothing(
    sandbox: RunningSandbox, tmp_path: Path, module: str, kind: str
) -> None:
    sandbox.set_faults([{"kind": kind, "keep": 0.01}])
    events = run_source(module, settings_of(sandbox, tmp_path))
    assert failures(events)
    assert {failure.kind for failure in failures(events)} <= {"unavailable", "malformed"}
    assert all(not page.rows for event in events for page in pages([event], getattr(event, "dataset", "")))


def test_a_value_that_is_missing_is_null_and_weekends_are_absent(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    events = run_source("fred", settings_of(sandbox, tmp_path))
    days = column(events, "macro_series", "period_start")
    weekday = (days.astype("datetime64[D]").astype(int) + 3) % 7
    assert set(weekday) <= {0, 1, 2, 3, 4}
    parsed = fred.parse("observation_date,DGS10\n2026-06-18,4.1\n2026-06-19,.\n2026-06-22,\n", ["DGS10"])
    assert list(parsed["DGS10"].values()) == [4.1, None, None]


HEAD = "observation_date,DGS10\n"


@pytest.mark.parametrize(
    "text",
    [
        "<html></html>",
        "",
        "observation_date,OTHER\n2026-06-18,1\n",
        HEAD + "yesterday,1\n",
        HEAD + "2026-06-18,four\n",
        HEAD + "2026-06-18\n",
    ],
)
def test_a_csv_that_is_not_the_one_asked_for_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        fred.parse(text, ["DGS10"])


def test_a_macro_value_counts_from_the_next_working_day(sandbox: RunningSandbox, tmp_path: Path) -> None:
    days = [datetime(2026, 6, 25, tzinfo=UTC) + timedelta(days=n) for n in range(5)]  # Thursday to Monday
    found = published("DGS10", FredSettings())(np.array([to_ms(day) for day in days]))
    wanted = [datetime(2026, 6, d, 22, tzinfo=UTC) for d in (26, 29, 29, 29, 30)]
    assert list(found) == [to_ms(at) for at in wanted]


def test_one_macro_series_that_does_not_exist_leaves_the_others(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    stated = {"fred": {"base_url": sandbox.base_url, "series": ["DGS10", "NOSUCH"]}}
    events = run_source("fred", settings_of(sandbox, tmp_path, **stated))
    assert [failure.series for failure in failures(events)] == ["NOSUCH"]
    states = last_states(events)
    assert states["macro_series", "", "DGS10", ""].status == "active"
    assert states["macro_series", "", "NOSUCH", ""].status == "unsupported"


AFTER = [  # series, its day on FRED, and when it is published at the latest
    ("DTWEXBGS", (2026, 6, 15), (2026, 6, 22)),  # a Monday's dollar index: with its week, on the Monday after
    ("DTWEXBGS", (2026, 6, 19), (2026, 6, 22)),
    ("DEXUSEU", (2026, 5, 22), (2026, 5, 26)),  # Monday is Memorial Day
    ("WALCL", (2026, 6, 10), (2026, 6, 19 + 3)),  # nine days later is Juneteenth, then a weekend
    ("CPIAUCSL", (2026, 5, 1), (2026, 7, 15)),
    ("GDP", (2026, 1, 1), (2026, 6, 22)),  # the 80th day after March is Juneteenth
    ("M2SL", (2026, 5, 1), (2026, 6, 24)),
]
SLOW = {"weekly": ["WALCL"], "monthly": ["CPIAUCSL", "M2SL"], "quarterly": ["GDP"], "lag_days": {"M2SL": 24}}


@pytest.mark.parametrize(("name", "day", "then"), AFTER)
def test_what_comes_by_week_month_or_quarter_counts_after_its_release(
    name: str, day: tuple[int, int, int], then: tuple[int, int, int]
) -> None:
    stated = FredSettings.model_validate(SLOW)
    (found,) = published(name, stated)(np.array([to_ms(datetime(*day, tzinfo=UTC))]))
    assert from_ms(int(found)) == datetime(*then, 22, tzinfo=UTC)


def test_no_macro_value_is_known_before_its_publication(sandbox: RunningSandbox, tmp_path: Path) -> None:
    slow = {"weekly": ["WALCL"], "monthly": ["CPIAUCSL"], "quarterly": ["GDP"]}
    stated = {"fred": {"base_url": sandbox.base_url, "series": ["DGS10", "DTWEXBGS"], **slow}}
    settings = settings_of(sandbox, tmp_path, **stated)
    settings = settings.model_copy(
        update={"universe": settings.universe.model_copy(update={"history_start": date(2024, 1, 1)})}
    )
    events = run_source("fred", settings)
    assert failures(events) == []
    names, days, known = (
        column(events, "macro_series", n) for n in ("series_id", "period_start", "known_at")
    )
    assert set(names) == {"DGS10", "DTWEXBGS", "WALCL", "CPIAUCSL", "GDP"}
    for name, day, at in zip(names, days, known, strict=True):
        really = published_at(str(name), from_instant(day).date())
        assert really <= from_instant(at) <= AS_OF, (name, day)
    newest = {key[2]: state.newest_data_at for key, state in last_states(events).items()}
    assert newest["CPIAUCSL"] == datetime(2026, 5, 1, tzinfo=UTC)  # April's, until May's has its lag
    assert newest["GDP"] == datetime(2026, 4, 1, tzinfo=UTC)
    again = run_source("fred", settings, states=last_states(events).values())
    assert {key: state.newest_data_at for key, state in last_states(again).items()} == {
        key: state.newest_data_at for key, state in last_states(events).items()
    }


def test_a_month_that_is_configured_as_a_day_is_refused(sandbox: RunningSandbox, tmp_path: Path) -> None:
    stated = {"fred": {"base_url": sandbox.base_url, "series": ["DGS10"], "weekly": ["CPIAUCSL"]}}
    settings = settings_of(sandbox, tmp_path, **stated)
    settings = settings.model_copy(
        update={"universe": settings.universe.model_copy(update={"history_start": date(2024, 1, 1)})}
    )
    events = run_source("fred", settings)
    (failure,) = failures(events)
    assert "every 31 days" in failure.message
    assert "name it in sources.fred.monthly" in failure.message
    assert set(column(events, "macro_series", "series_id")) == {"DGS10"}


@pytest.mark.parametrize(
    "wrong", [{"monthly": ["DGS10"]}, {"lag_days": {"GDP": 3}}, {"lag_days": {"DGS10": 0}}]
)
def test_a_series_has_one_frequency_and_a_lag_only_if_it_is_asked_for(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"twice|no list|greater"):
        FredSettings.model_validate(wrong)
