"""What is held and no longer priced keeps its last price; a lost peg and a rewritten past are told."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.steps import run_directly
from flows.stories import decide_only
from tasks.settings_portfolio import HoldingsSettings
from tasks.validate import validate
from tests.tasks.test_agreed_decisions import COINS, DAYS, FIRST, closes, decided, settings
from tests.tasks.test_validate import context_for, load
from tests.warehouse.support import FakeClock, candles, daily
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_published

AS_OF = datetime(2020, 3, 1, 6, 0, tzinfo=UTC)


def prepare(tmp_path, missing_days=0, usdt=(1.0,)):
    """Four coins on one venue, the last of them without its newest days; USDT's newest dollar prices."""
    home = Home(tmp_path / "data")
    with open_master(home, FakeClock(), "prepare a test") as master:
        for coin in COINS:
            prices = list(closes(coin))[: DAYS - (missing_days if coin == COINS[-1] else 0)]
            load(master, candles(prices, start=FIRST, venue="binance", market_id=f"{coin}USDT", base=coin))
        for asset, newest in (("USDT", usdt), ("USDC", (1.0,))):
            values = [1.0] * (DAYS - len(newest)) + list(newest)
            dollars = daily(FIRST, provider="coinmetrics", asset=asset, metric="PriceUSD", value=values)
            load(master, dollars, "onchain_metrics")
    publish(home, FakeClock(), as_of=AS_OF, keep=9, min_free_bytes=0)
    return home


def holding(tmp_path, rows, **policy):
    """The configuration of a portfolio that holds these rows of a positions file."""
    (tmp_path / "holdings.csv").write_text("asset,venue,quantity\n" + rows)
    found = settings(tmp_path, ("binance",))
    changed = {"holdings": HoldingsSettings(file="holdings.csv"), **policy}
    portfolios = {name: one.model_copy(update=changed) for name, one in found.portfolios.items()}
    return found.model_copy(update={"portfolios": portfolios})


@pytest.mark.parametrize("days", [2, 45])
def test_what_is_held_and_no_longer_priced_keeps_its_last_price(tmp_path, days):
    home = prepare(tmp_path, missing_days=days)
    told = decide_only(
        run_directly,
        context_for(holding(tmp_path, "BTC,binance,10\nETH,binance,10\nXRP,binance,3\nUSDT,binance,3000\n")),
    )
    whole, lines = decided(home, told)
    assert whole[0] != "blocked", whole
    assert "degraded" in whole[2]
    action, code, price = lines["spot:XRP"]
    assert (action, code) == ("frozen", "stale_price")
    assert float(price) == pytest.approx(closes("XRP")[DAYS - days - 1])
    with open_published(home) as reader:
        weights = reader.select(
            "select current_weight, target_weight from mart.target_weights where asset = 'XRP'"
        ).rows[0]
    assert weights[0] > 0.02
    assert weights[1] == pytest.approx(weights[0])


def test_a_lost_peg_is_told_to_its_holders_once_and_nothing_is_sold_for_it(tmp_path):
    home = prepare(tmp_path, usdt=(0.93,))
    policy = holding(tmp_path, "BTC,binance,30\nETH,binance,10\nUSDT,binance,9000\nUSDC,binance,10\n")
    told = decide_only(run_directly, context_for(policy))
    whole, _ = decided(home, told)
    assert "depeg" in whole[2], whole
    with open_published(home) as reader:
        alerts = reader.select("select event, body from ops.alerts").rows
        trades = reader.select("select count(*) from mart.recommendation_trades").rows[0][0]
    assert trades == 0
    assert [event for event, _ in alerts] == ["blocked"]
    assert "USDT has lost its peg and is held" in alerts[0][1]
    # The same again says nothing, and the end is told.
    decide_only(run_directly, context_for(policy, as_of=AS_OF + timedelta(hours=1), run_id="run-2"))
    with open_master(home, FakeClock(), "mend") as master:
        mended = daily("2020-02-29", provider="coinmetrics", asset="USDT", metric="PriceUSD", value=[1.0])
        load(master, mended, "onchain_metrics", as_of=AS_OF + timedelta(hours=2))
    decide_only(run_directly, context_for(policy, as_of=AS_OF + timedelta(hours=3), run_id="run-3"))
    with open_published(home) as reader:
        events = reader.select("select event, count(*) from ops.alerts group by event").rows
    assert dict(events)["blocked"] == dict(events)["resolved"] == 1


def test_a_rewritten_past_is_told_and_the_newest_days_may_change(tmp_path):
    home = prepare(tmp_path)
    config = context_for(settings(tmp_path, ("binance",)))
    values = [1.0] * DAYS
    values[-30], values[-2] = 1.2, 1.1
    again = daily(FIRST, provider="coinmetrics", asset="USDT", metric="PriceUSD", value=values)
    with open_master(home, FakeClock(), "rewrite") as master:
        load(master, again, "onchain_metrics", as_of=AS_OF - timedelta(hours=1))
    publish(home, FakeClock(), as_of=AS_OF, keep=9, min_free_bytes=0)
    assert validate(config).passed
    with open_master(home, FakeClock(), "look") as master:
        rows = [
            row
            for row in master.rows("newest_validation")
            if (row["dataset"], row["expectation"]) == ("onchain_metrics", "history_is_not_restated")
        ]
    assert [(row["success"], row["severity"], row["observed"]["reason_code"]) for row in rows] == [
        (False, "warning", "restated_history")
    ]
    assert rows[0]["observed"]["broken"] == 1
