"""Coin Metrics' answers, written by hand: a series that ended, a key that is gone, a null, a foreign page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.data_ages import data_ages
from tasks.settings_schema import Settings
from tasks.sources._errors import SourceError
from tasks.sources._http import HttpSource
from tasks.sources._model import Event, SeriesState
from tests.tasks.support import AS_OF, failures, last_states, pages, run_source, small_settings

BASE = "https://coinmetrics.test"
Answers = dict[str, list[dict[str, Any]]]


def served(metric: str, last: str) -> dict[str, Any]:
    span = {"frequency": "1d", "min_time": "2010-01-01T00:00:00Z", "max_time": f"{last}T00:00:00.000000000Z"}
    return {"metric": metric, "frequencies": [{**span, "community": True}]}


def catalog(last: str = "2026-06-29", *metrics: str) -> dict[str, Any]:
    return {"data": [{"asset": "btc", "metrics": [served(name, last) for name in metrics or ("PriceUSD",)]}]}


def day(at: str, **values: str | None) -> dict[str, Any]:
    return {"asset": "btc", "time": f"{at}T00:00:00.000000000Z", **values}


def settings_of(home: Path) -> Settings:
    stated = {"base_url": BASE, "metrics": ["PriceUSD", "TxCnt"]}
    return small_settings(BASE, home, sources={"coinmetrics": stated})


def run(
    monkeypatch: pytest.MonkeyPatch, home: Path, answers: list[Any], *, states: tuple[SeriesState, ...] = ()
) -> tuple[list[Event], list[tuple[str, Mapping[str, str]]]]:
    """Run the source with answers in order; the last one is repeated."""
    asked: list[tuple[str, Mapping[str, str]]] = []

    def answer(_: HttpSource, url: str, parameters: Mapping[str, str] | None = None) -> Any:
        asked.append((url, parameters or {}))
        body = answers[min(len(asked), len(answers)) - 1]
        if isinstance(body, SourceError):
            raise body
        return body

    monkeypatch.setattr(HttpSource, "json", answer)
    return run_source("coinmetrics", settings_of(home), states=states), asked


def column(events: list[Event], name: str) -> list[Any]:
    return [value for page in pages(events, "onchain_metrics") if page.rows for value in page.columns[name]]


def test_a_series_that_ended_before_the_history_says_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    events, _ = run(monkeypatch, tmp_path, [catalog("2020-07-26"), {"data": []}])
    state = last_states(events)["onchain_metrics", "", "BTC/PriceUSD", ""]
    assert state.status == "active"
    assert state.newest_data_at == datetime(2020, 7, 27, tzinfo=UTC)
    row = {**vars(state), "dataset": "onchain_metrics"}
    (age,) = data_ages([row], settings_of(tmp_path), AS_OF)[-1:]
    assert "ends at 2020-07-27 00:00 UTC" in age.sentence()


def test_a_series_that_goes_on_is_not_given_an_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = {"data": [day("2026-05-21", PriceUSD="100.5")]}
    events, _ = run(monkeypatch, tmp_path, [catalog(), rows])
    state = last_states(events)["onchain_metrics", "", "BTC/PriceUSD", ""]
    assert state.newest_data_at == datetime(2026, 5, 22, tzinfo=UTC)
    assert state.message == ""


def test_a_key_that_is_gone_is_not_a_null(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = catalog("2026-06-29", "PriceUSD", "TxCnt")
    rows = [day("2026-06-27", PriceUSD="1.5"), day("2026-06-28", PriceUSD=None)]
    events, _ = run(monkeypatch, tmp_path, [both, {"data": rows}])
    states = last_states(events)
    gone, null = (states["onchain_metrics", "", f"BTC/{name}", ""] for name in ("TxCnt", "PriceUSD"))
    assert (gone.status, null.status) == ("delisted", "active")
    assert "no longer sends TxCnt" in gone.message
    assert null.message == "the source says null from 2026-06-28 on"
    values = [
        value for page in pages(events, "onchain_metrics") if page.rows for value in page.columns["value"]
    ]
    assert values == [1.5]


def test_only_the_token_is_followed_never_an_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = {
        "data": [day("2026-06-27", PriceUSD="1.5")],
        "next_page_token": "abc",
        "next_page_url": "http://169.254.169.254/latest/meta-data",
    }
    events, asked = run(
        monkeypatch, tmp_path, [catalog(), first, {"data": [day("2026-06-28", PriceUSD="1.6")]}]
    )
    assert failures(events) == []
    assert {url.split("/v4/")[0] for url, _ in asked} == {BASE}
    assert asked[-1][1]["next_page_token"] == "abc"
    days = [
        at for page in pages(events, "onchain_metrics") if page.rows for at in page.columns["period_start"]
    ]
    assert days == [np.datetime64("2026-06-27"), np.datetime64("2026-06-28")]


def test_a_catalog_that_refuses_a_metric_is_asked_for_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no = SourceError("refused", "no such metric")
    events, asked = run(monkeypatch, tmp_path, [no, catalog(), {"data": [day("2026-06-28", PriceUSD="1.6")]}])
    assert failures(events) == []
    assert "metrics" not in asked[1][1]
    assert last_states(events)["onchain_metrics", "", "BTC/TxCnt", ""].status == "unsupported"


@pytest.mark.parametrize(
    "row",
    [
        day("2026-06-28", PriceUSD="cheap"),
        {"asset": "btc", "time": "noon", "PriceUSD": "1"},
    ],
)
def test_an_unreadable_row_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, row: Any) -> None:
    events, _ = run(monkeypatch, tmp_path, [catalog(), {"data": [row]}])
    assert [failure.kind for failure in failures(events)] == ["malformed"]
