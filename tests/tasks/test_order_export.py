"""Orders as files: amounts in the venues' own steps, ids that fit, nothing lapsed, nothing that runs."""

import csv
import gzip
import io
import json
import re
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from portfolio.book import open_book
from portfolio.model import Instrument
from portfolio.planner import plan_trades
from tasks.order_export import NOTICE, ExportError, as_ccxt, as_csv, by_hand, check_open, client_order_id
from tests.portfolio.hedged import SLEEVES, TERMS, carry, day, plan
from tests.portfolio.market import AS_OF, COINS, board, hold

LISTED = Path(__file__).resolve().parents[3] / "shared" / "replay" / "data" / "exchangeinfo.json.gz"
UNTIL = (AS_OF + timedelta(hours=24)).replace(tzinfo=None)
TARGET = {"carry:BTC": 0.3, "spot:ETH": 0.2, "yield:USDT": 0.1, "cash:USDT": 0.4}
CASH = (hold("USDT", 60_000, venue="kraken"), hold("USDT", 40_000))


def whole(found, **changes):
    """A recommendation as `gather` returns it."""
    trades = []
    for number, order in enumerate(found.orders, start=1):
        trade = order.trade(number, "because")
        row = {k: v for k, v in asdict(trade).items() if k not in {"steps", "reduce_only", "asset"}}
        row["is_reduce_only"] = trade.reduce_only
        row["steps_before"] = [{**asdict(s), "sentence": s.sentence} for s in trade.steps]
        trades.append(row)
    values = {
        "recommendation_id": "R-20200720-core-1a2b3c4d",
        "status": "proposed",
        "valid_until": UNTIL,
        "is_simulated": False,
        "trades": trades,
    }
    return values | changes


@pytest.fixture(scope="module")
def hedged():
    return plan(TARGET, positions=CASH)


def test_each_entry_is_what_ccxt_takes_and_says_what_it_is(hedged):
    orders = json.loads(as_ccxt(whole(hedged), "limit"))
    assert [(o["symbol"], o["side"], o["type"]) for o in orders] == [
        ("BTC/USDT", "buy", "limit"),
        ("BTC/USDT:USDT", "sell", "limit"),
        ("ETH/USDT", "buy", "limit"),
    ]
    for order in orders:
        assert order["params"]["clientOrderId"] == order["clientOrderId"]
        assert order["info"]["notice"] == NOTICE
        assert order["info"]["valid_until"] == "2020-07-21T18:20:00Z"
        assert Decimal(order["amount"]) > 0
    assert orders[0]["info"]["pair"] == orders[1]["info"]["pair"] == 1
    assert float(orders[0]["price"]) > 9_200 > float(orders[1]["price"])


def test_a_market_order_has_no_price_and_a_closing_leg_only_reduces():
    positions = (hold("BTC", 2, sleeve="carry", kind="carry"), hold("USDT", 10_000))
    found = plan({"carry:BTC": 0.0, "cash:USDT": 1.0}, positions=positions)
    sold, bought = json.loads(as_ccxt(whole(found), "market"))
    assert (sold["price"], bought["price"]) == (None, None)
    assert bought["params"]["reduceOnly"] is True
    assert "reduceOnly" not in sold["params"]


def test_pools_are_steps_by_hand_and_no_orders(hedged):
    told = by_hand(whole(hedged)["trades"])
    assert any("from kraken to binance first" in text for text in told)
    assert any("as margin at binance" in text for text in told)
    rows = list(csv.DictReader(io.StringIO(as_csv(whole(hedged)))))
    assert [r["market_type"] for r in rows].count("pool") == 1
    assert {r["notice"] for r in rows} == {NOTICE}
    assert [r["pair"] for r in rows][:2] == ["1", "1"]


def test_ids_are_the_same_each_time_different_per_line_and_fit_the_narrowest_venue():
    ids = [client_order_id("R-20200720-core-1a2b3c4d", n, "binance") for n in range(1, 200)]
    assert len(set(ids)) == 199
    assert ids == [client_order_id("R-20200720-core-1a2b3c4d", n, "kraken") for n in range(1, 200)]
    assert all(re.fullmatch(r"[A-Za-z0-9]{1,18}", i) for i in ids)
    assert client_order_id("R-20200720-core-1a2b3c4e", 1, "binance") != ids[0]
    assert re.fullmatch(r"0x[0-9a-f]{32}", client_order_id("R-1", 1, "hyperliquid"))


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_never_runs_as_a_formula(hedged, text):
    bad = whole(hedged)
    bad["trades"][0] |= {"symbol": text, "reason": text, "venue": text}
    row = next(csv.DictReader(io.StringIO(as_csv(bad))))
    for name in ("symbol", "reason", "venue"):
        assert row[name].startswith("'")
        assert len(row[name].splitlines()) == 1


@pytest.mark.parametrize("status", ["hold", "blocked", "rejected", "expired", "superseded", "retracted"])
def test_only_what_is_open_is_exported(hedged, status):
    with pytest.raises(ExportError, match=f"it is {status}"):
        check_open(whole(hedged, status=status), AS_OF)


def test_what_has_lapsed_or_holds_no_order_is_refused(hedged):
    check_open(whole(hedged), AS_OF)
    with pytest.raises(ExportError, match="it was valid until 2020-07-21T18:20:00Z"):
        check_open(whole(hedged), AS_OF + timedelta(hours=24))
    with pytest.raises(ExportError, match="no order"):
        check_open(whole(hedged, trades=[]), AS_OF)


def test_an_exercise_says_so_in_every_row(hedged):
    text = as_ccxt(whole(hedged, is_simulated=True), "limit")
    assert all(o["info"]["notice"].startswith("SIMULATED") for o in json.loads(text))


def test_a_trade_recorded_before_the_columns_were_there_is_exported_too(hedged):
    old = whole(hedged)
    names = ("sleeve", "market_type", "pair", "contracts", "limit_price", "is_reduce_only", "steps_before")
    old["trades"] = [{k: v for k, v in t.items() if k not in names} for t in old["trades"][:1]]
    (order,) = json.loads(as_ccxt(old, "limit"))
    assert (order["amount"], order["price"]) == ("2.445", "9200")


@pytest.fixture(scope="module")
def listed():
    """ccxt's own reading of the recorded venue's markets."""
    ccxt = pytest.importorskip("ccxt")
    book = json.loads(gzip.decompress(LISTED.read_bytes()))
    exchange = ccxt.binance()
    exchange.options |= {"crossMarginPairsData": [], "isolatedMarginPairsData": []}
    names = {f"{c}USDT" for c in COINS}
    rows = [r for face in ("spot", "um") for r in book[face]["symbols"] if r["symbol"] in names]
    exchange.set_markets([exchange.parse_market(r) for r in rows])
    return exchange


def instrument(row):
    def size(value):
        return None if value is None else Decimal(repr(float(value)))

    return Instrument(
        venue="binance",
        market_id=row["id"],
        symbol=row["symbol"],
        base=row["base"],
        quote=row["quote"],
        market_type="spot" if row["spot"] else "perp",
        amount_step=size(row["precision"]["amount"]),
        price_step=size(row["precision"]["price"]),
        min_amount=size(row["limits"]["amount"]["min"]),
        min_cost=size(row["limits"]["cost"]["min"]),
        taker_fee=0.001 if row["spot"] else 0.0004,
        fee_side="received" if row["spot"] else "quote",
        contract_size=size(row["contractSize"] or 1),
    )


@pytest.mark.replay
@pytest.mark.skipif(not LISTED.is_file(), reason="the recorded market is not beside the checkout")
@pytest.mark.parametrize("capital", [700, 12_345, 2_500_000])
def test_amounts_and_prices_are_in_the_recorded_venues_own_steps(listed, capital):
    rules = tuple(instrument(row) for row in listed.markets.values())
    assert {m.market_type for m in rules} == {"spot", "perp"}
    terms = {f"carry:{c}": carry(c) for c in COINS}
    target = {f"carry:{c}": 0.08 for c in COINS} | {f"spot:{c}": 0.09 for c in COINS} | {"cash:USDT": 0.15}
    now = day(positions=(hold("USDT", capital),), instruments=rules, terms=TERMS | terms)
    owner = board(target, sleeves=SLEEVES)
    found = plan_trades(open_book(now, owner), target, now, owner)
    orders = json.loads(as_ccxt(whole(found), "limit"))
    assert orders
    for order in orders:
        market = listed.market(order["symbol"])
        amount, price = float(order["amount"]), float(order["price"])
        assert Decimal(listed.amount_to_precision(order["symbol"], amount)) == Decimal(order["amount"])
        assert Decimal(listed.price_to_precision(order["symbol"], price)) == Decimal(order["price"])
        assert amount >= (market["limits"]["amount"]["min"] or 0)
        assert amount * price * (market["contractSize"] or 1) >= (market["limits"]["cost"]["min"] or 0)
    pairs = [o["info"]["pair"] for o in orders if o["info"]["pair"]]
    assert all(pairs.count(p) == 2 for p in pairs)
