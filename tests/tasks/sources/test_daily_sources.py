"""Coin Metrics, DefiLlama and FRED against the sandbox: what counts, from when on, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.server import RunningSandbox, running_sandbox
from tasks.settings_schema import Settings
from tasks.sources import fred
from tasks.sources._errors import SourceError
from tasks.sources._model import Event
from tasks.sources._times import to_ms
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
    found = fred.published(np.array([to_ms(day) for day in days]))
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
