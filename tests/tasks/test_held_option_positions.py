"""Options of a statement as the decision sees them: their quotes, age and end, and what is told of them."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from portfolio.blocks import first_block
from portfolio.book import open_book
from portfolio.decision import decide
from portfolio.held_options import ChainQuote, value_option
from portfolio.pairing import HeldPart
from tasks.held_exposures import Telling, exposures_of
from tasks.inputs import load_inputs
from tasks.option_quotes import described
from tasks.policy import policy_of
from tasks.positions import import_positions
from tasks.value import value_legs
from tests.portfolio.market import fresh
from tests.tasks.test_agreed_decisions import AS_OF, closes, fill, settings
from tests.tasks.test_validate import context_for
from tests.warehouse.support import FakeClock, load
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time

BTC = float(closes("BTC", "binance")[-1])
NOW = AS_OF.replace(tzinfo=None)
HEAD = "asset,venue,quantity,kind,market_id,margin,quote,as_of\n"
CASH = "USDT,binance,1000,spot,,,,\nBTC,binance,2,spot,,,,\n"
CALL, PUT = "BTC-27MAR20-90-C", "BTC-27MAR20-80-P"
OLD, ENDED, PAID = "BTC-26JUN20-120-C", "BTC-28FEB20-50-C", "BTC-28FEB20-60-C"
SOON, DOLLARS = "BTC-5MAR20-60-C", "BTC-27MAR20-70-C"
TIMES = dict.fromkeys(("expires_at", "observed_at", "known_at"), "datetime64[us]")


def row(market_id, *, read=NOW - timedelta(hours=3), **changes):
    known = described(market_id)
    ends = known.expires_at.replace(tzinfo=None)
    values = {
        "venue": "deribit", "market_id": market_id, "kind": "option", "base": "BTC",
        "option_type": "call" if known.is_call else "put", "expires_at": ends,
        "strike": known.strike, "observed_at": read, "implied_volatility": 0.6, "underlying_price": 101.0,
        "mark_price": 0.15, "open_interest": 1.0, "delta": 0.5 if known.is_call else -0.5, "gamma": 0.0,
        "vega": 0.0, "theta": 0.0, "known_at": read, "is_reconstructed": False, "bid_price": 0.14,
        "ask_price": 0.16,
    }  # fmt: skip
    return values | changes


MISSING = "BTC-27MAR20-95-C"
STATEMENTS = {
    "long": f"BTC,deribit,3,option,{CALL},50,USDT,\n",
    "several": f"BTC,deribit,2,option,{CALL},,,\nBTC,deribit,-2,option,{PUT},,,\n"
    f"BTC,bybit,1,option,{DOLLARS},,,\n",
    "stale": f"BTC,deribit,1,option,{OLD},,,\n",
    "missing": f"BTC,deribit,1,option,{MISSING},,,\n",
    "owed": f"BTC,deribit,-1,option,{MISSING},,,\n",
    "ended": f"BTC,deribit,-2,option,{ENDED},,,2020-02-27\nBTC,deribit,3,option,{PAID},,,\n",
    "soon": f"BTC,deribit,-1,option,{SOON},,,\n",
    "capped": f"BTC,deribit,1,option,{CALL},,,\n",
}


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """Coins on one venue, a chain of Deribit with quotes of every kind, and a portfolio per statement."""
    folder = tmp_path_factory.mktemp("options")
    fill(folder, ("binance",))
    chain = [
        row(CALL),
        row(PUT, mark_price=0.02, bid_price=None, ask_price=None),
        row(OLD, read=NOW - timedelta(hours=30), mark_price=0.03),
        row(ENDED, read=NOW - timedelta(days=3)),
        row(SOON, mark_price=0.4, bid_price=0.39, ask_price=0.42),
        # a call of 70 on 101 is worth about 31 dollars: 31 coins it can not be
        row(DOLLARS, venue="bybit", mark_price=31.4, bid_price=31.0, ask_price=32.0),
    ]
    with open_master(Home(folder / "data"), FakeClock(), "prepare a test") as master:
        load(master, pd.DataFrame(chain).astype(TIMES), "implied_volatility")
    found = settings(folder, ("binance",))
    quick = {"objective": "max_quadratic_utility"}  # the only one that loads no modelling layer
    core = found.portfolios["core"].model_copy(update=quick)
    plain, with_options = ("spot", "cash"), {"class_bounds": {"options": (0.0, 0.1)}}
    portfolios = {name: core.model_copy(update={"sleeves": plain}) for name in STATEMENTS}
    portfolios["capped"] = core.model_copy(update={"sleeves": (*plain, "options"), **with_options})
    made = context_for(found.model_copy(update={"portfolios": portfolios}), as_of=AS_OF)
    for name, text in STATEMENTS.items():
        file = folder / f"{name}.csv"
        file.write_text(HEAD + CASH + text)
        import_positions(made, name, file)
    publish(made.home, FakeClock(), as_of=AS_OF, keep=2, min_free_bytes=0)
    return made


def read(context, portfolio):
    """The inputs, the policy and the book of a decision over one of the statements."""
    with open_point_in_time(context.home, AS_OF) as reader:
        inputs = load_inputs(reader, context, portfolio, (fresh(),), {}).inputs
    policy = policy_of(context.settings, portfolio)
    return inputs, policy, open_book(inputs, policy)


def test_a_long_call_counts_at_the_bid_in_coins_times_the_forward(context):
    inputs, _, book = read(context, "long")
    worth = 50 + 3 * 0.14 * 101.0
    assert book.nav_usd == pytest.approx(1000 + 2 * BTC + worth)
    assert book.weight["options:BTC"] == pytest.approx(worth / book.nav_usd)
    exposed = inputs.exposed["options:BTC"]
    # 26.2083 days: 0.6 √T = 0.16078, d1 = 0.11531/0.16078 + 0.08039 = 0.7976, and N(0.7976) = 0.7874
    assert exposed.options[0].delta_usd == pytest.approx(3 * 0.7874 * 101.0, rel=2e-4)
    assert exposed.gross_usd == pytest.approx(3 * 101.0)
    assert book.keeps("options:BTC").reason_code == "outside_policy"
    assert "at the bid" in exposed.detail
    assert "It expires on 2020-03-27 08:00 UTC." in exposed.detail
    (leg,) = [x for x in value_legs(context, "long") if x["kind"] == "option"]
    assert leg["value_usd"] == pytest.approx(worth)


def test_options_of_one_coin_are_one_line_told_one_by_one(context):
    inputs, policy, book = read(context, "several")
    # the put without quotes costs its mark and a tenth; the dollar-quoted call is recognised as such
    worth = 2 * 0.14 * 101 - 2 * 0.02 * 101 * 1.1 + 31.0
    assert book.weight["options:BTC"] * book.nav_usd == pytest.approx(worth)
    assert "options:BTC" not in book.frozen
    decision = decide(inputs, policy, 1)
    (line,) = [x for x in decision.lines if x.sleeve == "options"]
    assert line.numbers[f"option_value_usd:{CALL}@deribit"] == pytest.approx(2 * 0.14 * 101)
    assert line.numbers[f"option_value_usd:{PUT}@deribit"] == pytest.approx(-2 * 0.02 * 101 * 1.1)
    assert line.numbers["value_usd"] == pytest.approx(worth)
    assert (
        line.numbers[f"option_vega_usd:{PUT}@deribit"] < 0 < line.numbers[f"option_vega_usd:{CALL}@deribit"]
    )
    assert "at the mark 10% worse, for nobody quotes it" in line.reason
    assert line.action == "keep"


def test_a_stale_quote_freezes_the_line_and_says_so(context):
    inputs, policy, book = read(context, "stale")
    assert book.frozen["options:BTC"].reason_code == "stale_option_quote"
    assert (
        "from 2020-02-29 00:00 UTC, older than the limit of 26 hours" in book.frozen["options:BTC"].sentence
    )
    assert inputs.exposed["options:BTC"].delta_usd > 0
    (line,) = [x for x in decide(inputs, policy, 1).lines if x.sleeve == "options"]
    assert (line.action, line.reason_code) == ("frozen", "stale_option_quote")
    assert "by model, 10% worse, at the volatility of an old quote" in line.reason


def test_a_chain_without_the_strike_counts_a_long_option_at_nothing_and_blocks_a_written_one(context):
    inputs, policy, book = read(context, "missing")
    assert book.nav_usd == pytest.approx(1000 + 2 * BTC)
    assert book.frozen["options:BTC"].reason_code == "no_option_quote"
    assert "no chain with its strike is stored" in book.frozen["options:BTC"].sentence
    assert decide(inputs, policy, 1).status != "blocked"
    inputs, policy, _ = read(context, "owed")
    block = first_block(inputs, policy)
    assert block.reason_code == "no_price"
    assert "It was written, and what it may cost has no bound." in block.sentence
    assert "implied_volatility" in block.sentence


def test_an_expired_option_is_worth_what_it_settled_at_and_asks_for_a_new_statement(context):
    # the newest close before 2020-02-28 08:00 is the one that ends at midnight, day 119 since 2019-11-01
    settled = float(closes("BTC", "binance")[118]) - 50.0
    assert settled > 0
    inputs, _, book = read(context, "ended")
    assert book.weight["options:BTC"] * book.nav_usd == pytest.approx(-2 * settled)
    why = book.frozen["options:BTC"]
    assert why.reason_code == "option_expired"
    assert (
        f"{ENDED} at deribit expired on 2020-02-28 08:00 UTC. Import a statement without it." in why.sentence
    )
    assert (
        f"{PAID} at deribit expired on 2020-02-28 08:00 UTC, before the positions were stated."
        in why.sentence
    )
    assert inputs.exposed["options:BTC"].delta_usd == 0.0


def test_an_option_that_expires_soon_says_what_it_would_settle_at(context):
    inputs, _, _ = read(context, "soon")
    told = inputs.exposed["options:BTC"].detail
    assert f"in 4 days; at today's price it settles at {60 - BTC:,.0f} USD" in told


def test_with_the_sleeve_in_the_policy_held_options_are_kept_all_the_same(context):
    inputs, policy, book = read(context, "capped")
    assert "options:BTC" not in inputs.unlisted
    assert book.keeps("options:BTC").reason_code == "held_options"
    decision = decide(inputs, policy, 1)
    assert not [t for t in decision.trades if t.sleeve == "options"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("BTC-27MAR26-90000-C", (True, 90_000.0, "2026-03-27")),
        ("XRP_USDC-5JUN26-0D75-P", (False, 0.75, "2026-06-05")),
        ("BTC-USD-260327-90000-C", (True, 90_000.0, "2026-03-27")),
        ("ETH-260327-2500.5-P", (False, 2_500.5, "2026-03-27")),
        ("BTC-27MAR26-90000-C-USDT", (True, 90_000.0, "2026-03-27")),
        ("BTC-31FEB26-90000-C", None),
        ("BTC-27FOO26-90000-C", None),
        ("BTCUSDT", None),
        ("BTC-27MAR26-0-C", None),
    ],
)
def test_what_an_id_says(text, wanted):
    found = described(text)
    if wanted is None:
        assert found is None
    else:
        assert (found.is_call, found.strike, f"{found.expires_at:%Y-%m-%d}") == wanted
        assert found.expires_at.hour == 8


def test_a_line_of_options_and_contracts_tells_each_with_its_own_figure():
    option = value_option(
        ChainQuote(
            market_id=CALL,
            is_call=True,
            strike=90.0,
            expires_at=AS_OF + timedelta(days=27),
            observed_at=AS_OF,
            bid=14.0,
            forward=100.0,
            volatility=0.6,
        ),
        venue="deribit",
        quantity=1.0,
        as_of=AS_OF,
        limit=timedelta(hours=24),
        coin_usd=100.0,
        settled_usd=None,
    )
    rows = [
        {"kind": "option", "venue": "deribit", "quantity": 1.0},
        {"kind": "perp", "venue": "bybit", "quantity": -2.0},
    ]
    quotes = SimpleNamespace(
        coins={"BTC": 100.0},
        option=lambda row: option if row["kind"] == "option" else None,
        exposure=lambda row: option.delta_usd if row["kind"] == "option" else row["quantity"] * 100.0,
    )
    parts = [
        HeldPart(row=i, sleeve="hedge", asset="BTC", quantity=Decimal(str(row["quantity"])))
        for i, row in enumerate(rows)
    ]
    found = exposures_of(parts, rows, cast("Any", quotes), ["hedge:BTC"], Telling(AS_OF, 7.0))["hedge:BTC"]
    assert found.steady_usd == -200.0
    assert found.delta_usd == pytest.approx(option.delta_usd - 200.0)
    assert found.detail.startswith("-2 BTC (perp) at bybit: exposure -200 USD. +1 ")
    assert "(option)" not in found.detail
