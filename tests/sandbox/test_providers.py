"""Coin Metrics, DefiLlama and FRED, as they answer."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from sandbox.market_coins import COINS, STABLES
from tests.sandbox.conftest import Get, fetch

METRICS = "/v4/timeseries/asset-metrics"
DAY_S = 86_400


def pages(get: Get, **query: Any) -> list[list[dict[str, Any]]]:
    document = get(METRICS, **query).json()
    found = [document["data"]]
    while "next_page_url" in document:
        document = fetch(document["next_page_url"]).json()
        found.append(document["data"])
    return found


@pytest.mark.parametrize("start", ["start", "end"])
def test_pages_cover_everything_once(get: Get, start: str) -> None:
    query = {"assets": "eth,btc", "metrics": "PriceUSD", "start_time": "2026-01-01", "end_time": "2026-03-31"}
    whole = get(METRICS, **query, page_size=10_000).json()
    assert "next_page_token" not in whole
    found = pages(get, **query, page_size=50, paging_from=start)
    assert [len(page) for page in found] == [50, 50, 50, 30]
    in_order = found if start == "start" else found[::-1]
    assert [row for page in in_order for row in page] == whole["data"]
    assert [row["asset"] for row in whole["data"]] == ["btc"] * 90 + ["eth"] * 90
    assert whole["data"][0]["time"] == "2026-01-01T00:00:00.000000000Z"


def test_the_default_page_is_the_newest_hundred(get: Get) -> None:
    document = get(METRICS, assets="btc", metrics="PriceUSD").json()
    assert len(document["data"]) == 100
    assert document["data"][-1]["time"].startswith("2026-06-29")


def test_an_unsupported_metric_is_left_out_and_a_missing_value_is_null(get: Get) -> None:
    rows = get(METRICS, assets="btc,sol", metrics="PriceUSD,AdrActCnt", start_time="2026-06-20").json()[
        "data"
    ]
    assert {row["asset"]: set(row) for row in rows} == {
        "btc": {"asset", "time", "PriceUSD", "AdrActCnt"},
        "sol": {"asset", "time", "PriceUSD"},
    }
    assert all(isinstance(row["PriceUSD"], str) for row in rows)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"assets": "btc,nope", "metrics": "PriceUSD"}, "'assets'. Value 'nope'"),
        ({"assets": "btc", "metrics": "PriceUSD,Nope"}, "'metrics'. Value 'Nope'"),
        ({"assets": "sol", "metrics": "HashRate"}, "'metrics'. Value 'HashRate'"),
        ({"assets": "btc"}, "Missing parameter 'metrics'"),
        ({"assets": "btc", "metrics": "PriceUSD", "page_size": 20_000}, "'page_size'"),
        ({"assets": "btc", "metrics": "PriceUSD", "next_page_token": "zz"}, "'next_page_token'"),
    ],
)
def test_a_batch_with_a_mistake_is_refused_whole(get: Get, query: dict[str, Any], word: str) -> None:
    answer = get(METRICS, **query)
    assert answer.status == 400
    assert word in answer.json()["error"]["message"]


def test_the_catalogue_says_what_the_series_have(get: Get) -> None:
    document = get("/v4/catalog-v2/asset-metrics", page_size=10_000).json()
    offered = {
        row["asset"]: {entry["metric"]: entry["frequencies"][0] for entry in row["metrics"]}
        for row in document["data"]
    }
    assert set(offered) == {name.lower() for name in [*COINS, *STABLES]}
    assert "HashRate" in offered["btc"]
    assert "HashRate" not in offered["eth"]
    span = offered["ada"]["AdrActCnt"]
    rows = get(METRICS, assets="ada", metrics="AdrActCnt", page_size=10_000).json()["data"]
    assert (rows[0]["time"], rows[-1]["time"]) == (span["min_time"], span["max_time"])
    assert get("/v4/catalog-v2/asset-metrics", assets="nope").status == 400


def test_capitalisation_is_price_times_supply(get: Get) -> None:
    metrics = "PriceUSD,SplyCur,CapMrktCurUSD,NVTAdj,TxTfrValAdjUSD"
    for row in get(
        METRICS, assets="btc,eth,ltc", metrics=metrics, page_size=1000, end_time="2026-06-01"
    ).json()["data"]:
        values = {name: float(row[name]) for name in metrics.split(",")}
        assert values["CapMrktCurUSD"] == pytest.approx(values["PriceUSD"] * values["SplyCur"], rel=1e-4)
        assert values["NVTAdj"] == pytest.approx(values["CapMrktCurUSD"] / values["TxTfrValAdjUSD"], rel=1e-6)


def test_value_locked_follows_prices(get: Get) -> None:
    locked = [row["tvl"] for row in get("/v2/historicalChainTvl/ethereum").json()]
    prices = [
        float(row["PriceUSD"]) for row in pages(get, assets="eth", metrics="PriceUSD", page_size=10_000)[0]
    ]
    moves = [
        [after / before - 1 for before, after in pairwise(values[-800:])] for values in (locked[1:], prices)
    ]
    mean = [sum(move) / len(move) for move in moves]
    product = sum((a - mean[0]) * (b - mean[1]) for a, b in zip(*moves, strict=True))
    spread = [sum((a - m) ** 2 for a in move) for move, m in zip(moves, mean, strict=True)]
    assert product / (spread[0] * spread[1]) ** 0.5 > 0.7


def test_chains_and_protocols_agree(get: Get) -> None:
    chains = {row["name"]: row["tvl"] for row in get("/v2/chains").json()}
    everything = get("/v2/historicalChainTvl").json()
    assert everything[-1]["tvl"] == pytest.approx(sum(chains.values()), rel=1e-6)
    assert [later["date"] - earlier["date"] for earlier, later in pairwise(everything)] == [DAY_S] * (
        len(everything) - 1
    )
    protocols = get("/protocols").json()
    assert [row["tvl"] for row in protocols] == sorted((row["tvl"] for row in protocols), reverse=True)
    one = get("/protocol/aave-v3").json()
    assert one["tvl"][-1]["totalLiquidityUSD"] == pytest.approx(
        sum(one["currentChainTvls"].values()), rel=1e-6
    )
    assert one["currentChainTvls"]["Ethereum"] < chains["Ethereum"]
    assert get("/protocol/nope").status == 400
    assert get("/v2/historicalChainTvl/nope").status == 400


def test_stablecoins_have_supply_and_price(get: Get) -> None:
    rows = {row["symbol"]: row for row in get("/stablecoins", includePrices="true").json()["peggedAssets"]}
    assert set(rows) == set(STABLES)
    for row in rows.values():
        assert row["price"] == pytest.approx(1.0, abs=0.01)
        chart = get("/stablecoincharts/all", stablecoin=row["id"]).json()
        assert chart[-1]["totalCirculating"] == row["circulating"]
        assert get(f"/stablecoin/{row['id']}").json()["tokens"][-1]["circulating"] == row["circulating"]
    assert "price" not in get("/stablecoins").json()["peggedAssets"][0]
    prices = get("/stablecoinprices").json()
    assert set(prices[-1]["prices"]) == {"tether", "usd-coin", "dai"}
    assert get("/stablecoin/99").status == 404


def test_pools_have_histories(get: Get) -> None:
    pools = get("/pools").json()["data"]
    assert any(pool["stablecoin"] and pool["symbol"] == "USDC" for pool in pools)
    for pool in pools:
        assert 0 < pool["apy"] < 40
        history = get(f"/chart/{pool['pool']}").json()["data"]
        assert history[-1]["apy"] == pool["apy"]
        assert history[-1]["timestamp"] < "2026-06-30T18:20"
    assert get("/chart/nope").status == 404


def test_fred_has_business_days_and_dots(get: Get) -> None:
    text = get(
        "/graph/fredgraph.csv", id="DGS10,VIXCLS,SP500", cosd="2025-11-01", coed="2026-01-31"
    ).body.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    days = [date.fromisoformat(row["observation_date"]) for row in rows]
    assert all(day.weekday() < 5 for day in days)
    assert {day.isoformat() for day, row in zip(days, rows, strict=True) if row["DGS10"] == "."} == {
        "2025-11-11", "2025-11-27", "2025-12-25", "2026-01-01", "2026-01-19",
    }  # fmt: skip
    filled = [row for row in rows if row["SP500"] != "."]
    assert all(0 < float(row["DGS10"]) < 8 for row in filled)
    assert all(6 < float(row["VIXCLS"]) < 120 for row in filled)


def test_fred_publishes_after_the_day_is_over(get: Get) -> None:
    text = get("/graph/fredgraph.csv", id="DGS10,SP500,DTWEXBGS,DFF", cosd="2026-06-20").body.decode()
    rows = {row["observation_date"]: row for row in csv.DictReader(io.StringIO(text))}
    assert (rows["2026-06-29"]["SP500"], rows["2026-06-29"]["DGS10"]) != (".", ".")
    assert rows["2026-06-29"]["DGS10"] == "."
    assert rows["2026-06-26"]["DTWEXBGS"] != "."
    assert rows["2026-06-29"]["DTWEXBGS"] == "."
    assert "2026-06-30" not in rows
    assert rows["2026-06-27"]["SP500"] == "."
    assert rows["2026-06-27"]["DFF"] != "."


def test_an_unknown_series_is_not_found(get: Get) -> None:
    answer = get("/graph/fredgraph.csv", id="DGS10,NOPE")
    assert answer.status == 404
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_days_are_counted_in_utc(get: Get) -> None:
    rows = get("/v2/historicalChainTvl/solana").json()
    assert date(1970, 1, 1) + timedelta(seconds=rows[-1]["date"]) == date(2026, 6, 30)
    assert rows[-1]["date"] % DAY_S == 0


def test_fees_are_daily_and_belong_to_protocols(get: Get) -> None:
    overview = get("/overview/fees").json()
    protocols = {row["slug"]: row for row in overview["protocols"]}
    lido = get("/summary/fees/lido").json()
    assert lido["totalDataChart"][-1] == [1_782_691_200, lido["total24h"]]
    assert protocols["lido"]["total30d"] == sum(value for _, value in lido["totalDataChart"][-30:])
    assert overview["total24h"] == sum(row["total24h"] for row in protocols.values())
    revenue = get("/summary/fees/lido", dataType="dailyRevenue").json()
    assert revenue["total1y"] == pytest.approx(lido["total1y"] * 0.10, rel=1e-3)
    held = get("/protocol/lido").json()["currentChainTvls"]["Ethereum"]
    assert 0.01 < lido["total1y"] / held < 0.06
    assert get("/summary/fees/nope").status == 400
    assert get("/summary/fees/lido", dataType="dailyNope").status == 400


def test_incidents_are_rare_and_past(get: Get) -> None:
    incidents = get("/hacks").json()
    assert 1 <= len(incidents) <= 15
    assert [row["date"] for row in incidents] == sorted(row["date"] for row in incidents)
    assert all(row["amount"] > 0 for row in incidents)
    assert incidents[-1]["date"] < 1_782_777_600
