"""Backtests on small homes: no look-ahead, vintages, the live decision id for id, resume, the page."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from flows.steps import run_directly
from flows.stories import decide_only
from tasks.backtest import BATCH, WALKING, BacktestRequest, backtest
from tasks.backtest_inputs import MARKET_RULES, START, Assumed
from tasks.backtest_page import page
from tasks.backtest_plan import BacktestError, plan_jobs, vary_settings
from tasks.context import SilentReporter
from tasks.positions import import_positions
from tests.expectations import batches
from tests.tasks.test_validate import context_for, load, settings_for
from tests.warehouse.support import FakeClock, candles, daily, in_child
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published

COINS = ("BTC", "ETH", "LTC", "XRP")
DAYS = 240
FIRST = datetime(2019, 7, 1, tzinfo=UTC)
LAST = FIRST + timedelta(days=DAYS)
START_AT = FIRST + timedelta(days=150, hours=6)


def closes(days=DAYS):
    rng = np.random.default_rng(7)
    common = rng.standard_normal((days, 1))
    return 100 * np.exp(np.cumsum(0.02 * common + 0.025 * rng.standard_normal((days, len(COINS))), axis=0))


def listed(at):
    """The markets' rules as they were read at a moment."""
    found = batches.instruments(len(COINS))
    found["base"] = list(COINS)
    found["market_id"] = [f"{coin}USDT" for coin in COINS]
    found["symbol"] = [f"{coin}/USDT" for coin in COINS]
    found["known_at"] = pd.Timestamp(at.replace(tzinfo=None))
    return found


def fill(tmp_path, prices, load_more=None):
    """A home with daily closes of four coins; `load_more` may add what became known later."""
    home = Home(tmp_path / "data")
    with open_master(home, FakeClock(), "prepare a test") as master:
        for coin, column in zip(COINS, prices.T, strict=True):
            load(
                master,
                candles(list(column), start="2019-07-01", market_id=f"{coin}USDT", base=coin).assign(
                    base_volume=1e7
                ),
                as_of=LAST,
            )
        usdt = daily(
            "2019-07-01", provider="coinmetrics", asset="USDT", metric="PriceUSD", value=[1.0] * len(prices)
        )
        load(master, usdt, "onchain_metrics", as_of=LAST)
        if load_more:
            load_more(master)
    publish(home, FakeClock(), as_of=LAST, keep=9, min_free_bytes=0)
    return home


def context(tmp_path, as_of=LAST, **changes):
    found = settings_for(tmp_path, assets=COINS, venues=[{"id": "binance"}])
    keen = found.portfolios["core"].rebalance.model_copy(update={"min_benefit_over_cost": 0.0})
    quick = {
        "objective": "max_quadratic_utility",
        "expected_returns": "exponential",
        "risk_aversion": 1.0,
        "lookback_days": 110,
        "rebalance": keen,
    } | changes
    portfolios = {name: p.model_copy(update=quick) for name, p in found.portfolios.items()}
    return context_for(found.model_copy(update={"portfolios": portfolios}), as_of)


def asked(**changes):
    values = {
        "portfolio": "core",
        "first": START_AT,
        "last": LAST,
        "every_hours": 10 * 24,
        "is_fast": True,
        "draws": 20,
        "assumed": Assumed(capital=50_000.0),
    }
    return BacktestRequest(**(values | changes))


def told(home, name="policy"):
    with open_published(home) as reader:
        return reader.select(
            "select as_of_date, value_usd, weights::varchar, d.status, d.reason_code, recommendation_id "
            f"from mart.backtest_days d join mart.backtests using (backtest_id) where name = '{name}' "
            "order by as_of_date"
        ).rows


def walked(tmp_path, prices, load_more=None, **rules):
    home = fill(tmp_path, prices, load_more)
    summary = backtest(context(tmp_path, **rules), asked())
    publish(home, FakeClock(), as_of=LAST, keep=9, min_free_bytes=0)
    return summary, told(home)


@pytest.mark.parametrize("seed", [3])
def test_look_ahead_is_impossible(tmp_path, seed):
    rng = np.random.default_rng(seed)
    cut = int(rng.integers(175, 230))
    garbled = closes()
    garbled[cut:] *= rng.uniform(0.3, 3.0, size=(DAYS - cut, len(COINS)))
    at = FIRST + timedelta(days=cut)
    listens = {"expected_returns": "black_litterman"}
    _, honest = walked(tmp_path / "a", closes(), capitalisations, **listens)
    _, other = walked(tmp_path / "b", garbled, lambda master: capitalisations(master, at), **listens)
    day = (FIRST + timedelta(days=cut)).date()
    before = [row for row in honest if row[0] <= day]
    assert len(before) > 20
    assert sum(row[3] is not None for row in before) >= 3
    assert [row for row in other if row[0] <= day] == before
    assert other != honest


def test_a_value_corrected_later_counts_from_when_it_was_known(tmp_path):
    at = FIRST + timedelta(days=200)

    def correct(master):
        prices = list(closes()[:, 0])
        prices[130] *= 1.8
        frame = candles(prices, start="2019-07-01", market_id="BTCUSDT", base="BTC").assign(base_volume=1e7)
        frame["known_at"] = pd.Timestamp(at.replace(tzinfo=None))
        load(master, frame, as_of=at)

    _, plain = walked(tmp_path / "a", closes())
    _, corrected = walked(tmp_path / "b", closes(), correct)
    decided = [row for row in plain if row[3]]
    again = [row for row in corrected if row[3]]
    early = [row for row in decided if row[0] <= at.date()]
    assert len(early) >= 4
    assert [row[2:5] for row in again[: len(early)]] == [row[2:5] for row in early]
    assert [row[2] for row in again[len(early) :]] != [row[2] for row in decided[len(early) :]]


def test_a_backtest_day_is_the_live_decision_of_that_day_id_for_id(tmp_path):
    began = START_AT - timedelta(days=1)

    def load_more(master):
        known = listed(began)
        contract = known[known["base"] == "BTC"].assign(market_type="perp", contract_size=1.0)
        load(master, pd.concat([known, contract], ignore_index=True), "instruments", as_of=began)
        perpetual(master)

    home = fill(tmp_path, closes(), load_more)
    holdings = tmp_path / "holdings.csv"
    holdings.write_text("asset,venue,quantity\nBTC,binance,30\nETH,binance,100\nUSDT,binance,9000\n")
    rules = {
        "objective": "policy",
        "target_weights": {"carry:BTC": 0.4, "spot:ETH": 0.4, "cash:USDT": 0.2},
    }
    live = []
    for day in range(2):
        moment = hedged(tmp_path, START_AT + timedelta(days=day), **rules)
        wide = moment.settings.portfolios["core"].rebalance.model_copy(
            update={"band_absolute": 1.0, "band_relative": 10.0}
        )
        portfolio = moment.settings.portfolios["core"].model_copy(update={"rebalance": wide})
        settings = moment.settings.model_copy(update={"portfolios": {"core": portfolio}})
        moment = replace(moment, settings=settings, run_id=f"run-{day}")
        if day == 0:
            import_positions(moment, "core", holdings)
        live.append(decide_only(run_directly, moment, ("core",)).recommendations[0])
    request = asked(every_hours=24, last=START_AT + timedelta(days=2), is_fast=False, draws=0)
    backtest(replace(moment, as_of=LAST), request)
    publish(home, FakeClock(), as_of=LAST, keep=9, min_free_bytes=0)
    found = told(home)
    with open_published(home) as reader:
        lines = reader.select("select distinct sleeve from mart.decision_lines").rows
    assert "carry" in {row[0] for row in lines}
    assert [row[5] for row in found] == [one.recommendation_id for one in live]
    assert [(row[3], row[4]) for row in found] == [(one.status, one.reason_code) for one in live]


def test_what_is_stored_is_not_walked_again_and_gives_the_same_page(tmp_path):
    fill(tmp_path, closes())
    moment = context(tmp_path)
    first = backtest(moment, asked(vary={"band_absolute": ("0.01", "0.1")}))
    text = first.page.read_text()
    again = backtest(moment, asked(vary={"band_absolute": ("0.01", "0.1")}))
    assert (first.walked, first.reused) == (10, 0)
    assert (again.walked, again.reused) == (0, 10)
    assert again.page.read_text() == text == page(again.report)
    more = backtest(moment, asked(vary={"band_absolute": ("0.01", "0.1", "0.2")}))
    assert (more.walked, more.reused) == (1, 10)
    assert more.report.trials == 4
    assert 1.0 <= more.report.independent <= 4.0
    assert 0.0 <= (more.report.overfitting or 0.0) <= 1.0


class Dying(SilentReporter):
    """Ends the process without a word when the ninth walk is ready."""

    ready = 0

    def advance(self, step, count=1):
        self.ready += step == WALKING
        if self.ready == 9:
            os._exit(9)


def test_a_grid_whose_process_was_killed_goes_on_where_it_was(tmp_path):
    fill(tmp_path, closes())
    moment = context(tmp_path)
    grid = asked(vary={"band_absolute": ("0.01", "0.1", "0.2")})
    assert in_child(lambda: backtest(replace(moment, reporter=Dying()), grid)) == 9
    again = backtest(moment, grid)
    assert (again.walked, again.reused) == (3, BATCH)


def test_two_processes_give_what_one_gives(tmp_path, summary):
    fill(tmp_path, closes())
    two = backtest(context(tmp_path), asked(processes=2))
    assert two.walked == 8
    for row, other in zip(two.report.rows, summary.report.rows, strict=True):
        assert {k: (v, other[k]) for k, v in row.items() if v != other[k]} == {}
    assert two.page.read_text() == summary.page.read_text()


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backtest")
    fill(folder, closes())
    return backtest(context(folder), asked())


def test_the_report_names_what_had_to_be_assumed(summary):
    report = summary.report
    assert {MARKET_RULES, START} <= set(report.own["assumptions"])
    assert [row["name"] for row in report.rows] == [
        "policy", "hold", "fixed", "1/N", "min-volatility", "HRP", "BTC", "60/40 BTC/ETH",
    ]  # fmt: skip
    assert all(row["start_usd"] == pytest.approx(50_000) for row in report.rows)
    bitcoin = next(row for row in report.rows if row["name"] == "BTC")
    assert (bitcoin["up_capture"], bitcoin["down_capture"]) == pytest.approx((1, 1), abs=0.06)


def test_the_page_is_self_contained_and_names_are_escaped(summary):
    rows = [{**row, "name": "<script>alert(1)</script>"} for row in summary.report.rows]
    text = page(replace(summary.report, rows=tuple(rows)))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert text.count("<svg") == 4
    assert "src=" not in text


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ({"bands": ("1",)}, "no such setting"),
        ({"horizon_days": ("soon",)}, "horizon_days"),
        ({"band_absolute": ("7",)}, "band_absolute"),
        ({"every_hours": ("0",)}, "every_hours"),
        ({"sleeves": ("spot",)}, "no such setting"),
        ({"lookback_days": tuple("60" * 90), "horizon_days": tuple("7" * 90)}, "combin"),
    ],
)  # fmt: skip
def test_what_can_not_be_varied_is_said(tmp_path, vary, words):
    with pytest.raises(BacktestError, match=words):
        plan_jobs(context(tmp_path).settings, "core", 24, vary)


def test_a_variation_changes_the_rules_and_their_hash(tmp_path):
    settings = context(tmp_path).settings
    jobs = plan_jobs(settings, "core", 24, {"horizon_days": ("7", "90"), "every_hours": ("24", "168")})
    varied = [job for job in jobs if job.variation]
    assert len(varied) == 4
    assert {(job.policy.rebalance.horizon_days, job.every_hours) for job in varied} == {
        (7, 24), (7, 168), (90, 24), (90, 168),
    }  # fmt: skip
    assert len({job.config_hash for job in jobs}) == 3
    assert vary_settings(settings, "core", {}) == settings


def test_a_period_without_prices_is_refused(tmp_path):
    fill(tmp_path, closes())
    late = LAST + timedelta(days=30)
    with pytest.raises(BacktestError, match="none after"):
        backtest(context(tmp_path), asked(first=late, last=late + timedelta(days=9)))
    with pytest.raises(BacktestError, match="no decision"):
        backtest(context(tmp_path), asked(first=late, last=late))


def hedged(tmp_path, as_of=LAST, **changes):
    """A home's settings with carry among the sleeves."""
    found = context(tmp_path, as_of, sleeves=("spot", "carry", "cash"), **changes)
    venue = found.settings.venues[0].model_copy(update={"markets": ("spot", "perp")})
    return replace(found, settings=found.settings.model_copy(update={"venues": (venue,)}))


def perpetual(master, garble=None):
    """The perpetual of BTC: daily closes a little above the coin's, and three settlements a day."""
    prices = list(closes()[:, 0] * 1.001)
    frame = candles(prices, start="2019-07-01", market_id="BTCUSDT", base="BTC", market_type="perp")
    load(master, frame.assign(base_volume=1e7), as_of=LAST)
    at = pd.Series(pd.date_range("2019-07-01 08:00", periods=3 * DAYS, freq="8h")).astype("datetime64[us]")
    rates = 0.0001 + 0.0002 * np.sin(np.arange(3 * DAYS))
    if garble is not None:
        late = (at > pd.Timestamp(garble.replace(tzinfo=None))).to_numpy()
        rates[late] = 0.002 * np.random.default_rng(1).standard_normal(int(late.sum()))
    settled = pd.DataFrame(
        {
            "venue": "binance", "market_id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC",
            "settled_at": at, "funding_rate": rates, "interval_hours": 8.0, "mark_price": float("nan"),
            "known_at": at, "is_reconstructed": True,
        }
    )  # fmt: skip
    load(master, settled, "funding_rates", as_of=LAST)


def capitalisations(master, garble=None):
    """Daily capitalisations of the four coins, by which Black-Litterman starts."""
    late = pd.date_range("2019-07-01", periods=DAYS) > pd.Timestamp((garble or LAST).replace(tzinfo=None))
    for k, (coin, column) in enumerate(zip(COINS, closes().T, strict=True)):
        caps = column * 1e7 * (4 - k)
        caps[late] *= np.random.default_rng(k).uniform(0.1, 10.0, int(late.sum()))
        told = {"provider": "coinmetrics", "asset": coin, "metric": "CapMrktCurUSD", "value": list(caps)}
        load(master, daily("2019-07-01", **told), "onchain_metrics", as_of=LAST)


CARRIED = {
    "objective": "policy",
    "target_weights": {"carry:BTC": 0.5, "spot:ETH": 0.1, "cash:USDT": 0.4},
}


def test_funding_that_is_to_come_is_not_seen(tmp_path):
    at = FIRST + timedelta(days=195)
    seen = []
    for name, garble in (("a", None), ("b", at)):
        home = fill(tmp_path / name, closes(), lambda master, garble=garble: perpetual(master, garble))
        own = backtest(hedged(tmp_path / name, **CARRIED), asked()).report.own
        publish(home, FakeClock(), as_of=LAST, keep=9, min_free_bytes=0)
        assert (own["missed_orders"], own["proposals"] > 0) == (0, True)
        assert MARKET_RULES in own["assumptions"]
        seen.append(told(home))
    honest, other = seen
    before = [row for row in honest if row[0] <= at.date()]
    assert sum(row[3] is not None for row in before) >= 3
    assert [row for row in other if row[0] <= at.date()] == before
    assert other != honest
    assert any("carry:BTC" in (row[2] or "") for row in honest)
