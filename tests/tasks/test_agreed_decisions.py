"""Decisions rest on the judged snapshot and on prices that venues agree on (F30 to F32, F83)."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from flows.steps import run_directly
from flows.stories import RECOMMEND, decide_only
from tasks.decide import recommend
from tasks.validate import validate
from tests.tasks.test_validate import context_for, load, settings_for
from tests.warehouse.support import FakeClock, candles, daily
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published

AS_OF = datetime(2020, 3, 1, 6, 0, tzinfo=UTC)
DAYS = 121
FIRST = "2019-11-01"
VENUES = ("binance", "kraken", "okx")
COINS = ("BTC", "ETH", "LTC", "XRP")


def closes(coin, venue=""):
    rng = np.random.default_rng([COINS.index(coin), 7])
    walk = 100 * np.exp(np.cumsum(0.03 * rng.standard_normal(DAYS)))
    return walk * (1 + 0.0005 * len(venue))


def fill(tmp_path, venues, changed=None):
    """A home with daily closes of four coins on these venues; `changed` maps (coin, venue) to a factor."""
    home = Home(tmp_path / "data")
    with open_master(home, FakeClock(), "prepare a test") as master:
        for venue in venues:
            for coin in COINS:
                prices = closes(coin, venue)
                prices[-1] *= (changed or {}).get((coin, venue), 1.0)
                market = {"venue": venue, "market_id": f"{coin}USDT", "base": coin}
                load(master, candles(list(prices), start=FIRST, **market))
        usdt = daily(FIRST, provider="coinmetrics", asset="USDT", metric="PriceUSD", value=[1.0] * DAYS)
        load(master, usdt, "onchain_metrics")
    publish(home, FakeClock(), as_of=AS_OF, keep=9, min_free_bytes=0)
    return home


def settings(tmp_path, venues, **gate):
    found = settings_for(tmp_path, assets=COINS, gate=gate, venues=[{"id": venue} for venue in venues])
    quick = {"objective": "min_volatility", "lookback_days": 110}
    portfolios = {name: p.model_copy(update=quick) for name, p in found.portfolios.items()}
    return found.model_copy(update={"portfolios": portfolios})


def decided(home, told):
    with open_published(home) as reader:
        whole = reader.select("select status, grade, flags, input_snapshot, reason from mart.recommendations")
        lines = reader.select(
            "select sleeve || ':' || asset, action, reason_code, numbers ->> 'price_usd' "
            "from mart.decision_lines"
        )
    assert len(told.recommendations) == 1
    return whole.rows[0], {row[0]: row[1:] for row in lines.rows}


def run(tmp_path, venues, changed=None, runner=run_directly, **gate):
    home = fill(tmp_path, venues, changed)
    told = decide_only(runner, context_for(settings(tmp_path, venues, **gate)))
    whole, lines = decided(home, told)
    return told, whole, lines


def test_a_wick_on_one_of_three_venues_changes_nothing(tmp_path):
    told, whole, lines = run(tmp_path, VENUES, {("BTC", "kraken"): 0.13})
    assert whole[0] != "blocked"
    assert "extreme_move" not in whole[2]
    action, code, price = lines["spot:BTC"]
    assert (action, code) != ("frozen", "no_quorum")
    assert float(price) == pytest.approx(closes("BTC")[-1], rel=0.01)
    assert told.validation is not None
    assert any("every venue is near the median" in sentence for sentence in told.validation.sentences)
    assert told.validation.suspect_assets == ()


@pytest.mark.parametrize("factor", [0.13, 300.0])
def test_two_venues_that_disagree_freeze_the_asset_and_the_rest_is_decided(tmp_path, factor):
    told, whole, lines = run(tmp_path, VENUES[:2], {("BTC", "kraken"): factor})
    assert told.validation is not None
    assert told.validation.suspect_assets == ("BTC",)
    action, code, price = lines["spot:BTC"]
    assert (action, code) == ("frozen", "no_quorum")
    assert float(price) == pytest.approx(closes("BTC")[-2], rel=0.01)  # what they last agreed on
    assert {lines[f"spot:{coin}"][0] for coin in COINS[1:]}.isdisjoint({"frozen"})
    assert "degraded" in whole[2]


def test_a_real_crash_on_all_venues_passes_and_is_graded(tmp_path):
    _, whole, lines = run(tmp_path, VENUES, {("BTC", venue): 0.4 for venue in VENUES})
    assert whole[0] != "blocked"
    assert "extreme_move" in whole[2]
    action, _, price = lines["spot:BTC"]
    assert action != "frozen"
    assert float(price) == pytest.approx(0.4 * closes("BTC")[-1], rel=0.01)


def test_fewer_venues_than_wanted_hold_and_one_alone_is_graded(tmp_path):
    _, whole, _ = run(tmp_path / "one", VENUES[:1])
    assert "single_source" in whole[2]
    _, whole, lines = run(tmp_path / "three", VENUES[:2], min_venues=3)
    assert whole[0] == "blocked"
    assert {lines[f"spot:{coin}"][1] for coin in COINS if f"spot:{coin}" in lines} <= {
        "too_few_venues",
        "blocked",
    }


def test_how_near_venues_must_be_is_the_configurations(tmp_path):
    home = fill(tmp_path, VENUES[:2], {("BTC", "kraken"): 1.06})
    answers = []
    for stated in ({"two_venues": 0.01}, {}):
        told = decide_only(
            run_directly, context_for(settings(tmp_path, VENUES[:2], agreement=stated), run_id=str(stated))
        )
        assert told.validation is not None
        with open_published(home) as reader:
            limits = reader.select("select deviation_limit from mart.venue_prices where asset = 'BTC'").rows
            days = reader.select(
                "select venues from mart.spot_prices where asset = 'BTC' order by as_of_date desc limit 1"
            ).rows
        answers.append((told.validation.suspect_assets, limits[0][0], days[0][0]))
    assert answers == [(("BTC",), 0.01, 0), ((), 0.05, 2)]


def test_the_decision_reads_the_snapshot_that_was_judged(tmp_path):
    home = Home(tmp_path / "data")

    def meddling(step, context, /, *args, **kwargs):
        if step is RECOMMEND:  # another writer publishes between the check and the decision
            later = AS_OF - timedelta(minutes=1)
            with open_master(home, FakeClock(), "meddle") as master:
                prices = list(closes("BTC", "binance") * 10)
                market = {"venue": "binance", "market_id": "BTCUSDT", "base": "BTC", "known_at": later}
                load(master, candles(prices, start=FIRST, **market), as_of=later)
            publish(home, FakeClock(), as_of=AS_OF, keep=9, min_free_bytes=0)
        return run_directly(step, context, *args, **kwargs)

    told, whole, lines = run(tmp_path, VENUES[:1], runner=meddling)
    assert told.validation is not None
    assert whole[3].split("@")[0] == str(told.validation.snapshot_id)
    assert float(lines["spot:BTC"][2]) == pytest.approx(closes("BTC", "binance")[-1])
    with open_published(home) as reader:
        newest = reader.select("select max(close) from core.candles where base = 'BTC'").rows[0][0]
    assert newest > 5 * closes("BTC", "binance").max()
    assert isinstance(newest, float)


def test_verdicts_on_what_was_published_later_are_not_this_snapshots(tmp_path):
    home = fill(tmp_path, VENUES[:2], {("BTC", "kraken"): 0.13})

    def overtaking(step, context, /, *args, **kwargs):
        if step is RECOMMEND:  # another run publishes what is mended, and its check finds nothing wrong
            with open_master(home, FakeClock(), "mend") as master:
                last = candles([closes("BTC", "kraken")[-1]], start="2020-02-29", venue="kraken", base="BTC")
                load(master, last.assign(known_at=pd.Timestamp("2020-03-01 05:00")), as_of=AS_OF)
            publish(home, FakeClock(), as_of=AS_OF, keep=9, min_free_bytes=0)
            later = context_for(settings(tmp_path, VENUES[:2]), run_id="run-2")
            later.clock.sleep(60)
            assert validate(later).suspect_assets == ()
        return run_directly(step, context, *args, **kwargs)

    told = decide_only(overtaking, context_for(settings(tmp_path, VENUES[:2])))
    assert told.validation is not None
    assert told.validation.suspect_assets == ("BTC",)
    _, lines = decided(home, told)
    assert lines["spot:BTC"][:2] == ("frozen", "no_quorum")


def test_what_nobody_checked_is_not_decided_on(tmp_path):
    home = fill(tmp_path, VENUES[:1])
    answer = recommend(context_for(settings(tmp_path, VENUES[:1])), "core")
    assert (answer.status, answer.is_new) == ("blocked", True)
    with open_published(home) as reader:
        number = reader.snapshot.snapshot_id
    told = decide_only(run_directly, context_for(settings(tmp_path, VENUES[:1]), run_id="run-2"))
    assert told.recommendations[0].status != "blocked"
    with open_master(home, FakeClock(), "look") as master:
        row = master.rows("recommendation", recommendation_id=answer.recommendation_id)[0]
    assert f"no check of snapshot {number}" in row["reason"]


def test_the_next_run_judges_what_the_other_writer_published(tmp_path):
    home = fill(tmp_path, VENUES[:1])
    with open_master(home, FakeClock(), "meddle") as master:
        prices = closes("BTC", "binance")
        prices[-3] *= 10
        frame = candles(list(prices), start=FIRST, venue="binance", market_id="BTCUSDT", base="BTC")
        load(master, frame.assign(known_at=pd.Timestamp("2020-03-01 05:00")), as_of=AS_OF)
    publish(home, FakeClock(), as_of=AS_OF, keep=9, min_free_bytes=0)
    told = decide_only(run_directly, context_for(settings(tmp_path, VENUES[:1])))
    _, lines = decided(home, told)
    assert lines["spot:BTC"][:2] == ("frozen", "price_spike")
