"""Options of a statement as the decision sees them: their quotes, age and end, and what is told of them."""

from datetime import timedelta

import pandas as pd
import pytest

from portfolio.blocks import first_block
from portfolio.book import open_book
from portfolio.decision import decide
from tasks.inputs import load_inputs
from tasks.option_quotes import described
from tasks.policy import policy_of
from tasks.positions import import_positions
from tasks.value import value_legs, value_portfolio
from tests.tasks.test_agreed_decisions import AS_OF, closes, fill, settings
from tests.tasks.test_validate import context_for
from tests.warehouse.support import FakeClock, load
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time

BTC = float(closes("BTC", "binance")[-1])
NOW = AS_OF.replace(tzinfo=None)
HEAD = "asset,venue,quantity,kind,market_id,margin,quote\n"
CASH = "USDT,binance,1000,spot,,,\nBTC,binance,2,spot,,,\n"
CALL, PUT = "BTC-27MAR20-90-C", "BTC-27MAR20-80-P"
OLD, ENDED, SOON, DOLLARS = "BTC-26JUN20-120-C", "BTC-28FEB20-50-C", "BTC-5MAR20-60-C", "BTC-27MAR20-70-C"
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


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Coins on one venue, and a chain of Deribit with quotes of every kind."""
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
    return folder


def read(folder, text, *sleeves, **changes):
    """The inputs, the policy and the book of a decision over the statement."""
    found = settings(folder, ("binance",))
    update = {"sleeves": sleeves or ("spot", "cash"), **changes}
    portfolios = {name: p.model_copy(update=update) for name, p in found.portfolios.items()}
    context = context_for(found.model_copy(update={"portfolios": portfolios}), as_of=AS_OF)
    file = folder / "holdings.csv"
    file.write_text(HEAD + CASH + text)
    import_positions(context, "core", file)
    publish(context.home, FakeClock(), as_of=AS_OF, keep=2, min_free_bytes=0)
    with open_point_in_time(context.home, AS_OF) as reader:
        inputs = load_inputs(reader, context, "core", (), {}).inputs
    policy = policy_of(context.settings, "core")
    return inputs, policy, open_book(inputs, policy), context


def test_a_long_call_counts_at_the_bid_and_a_written_one_at_the_ask_in_coins_times_the_forward(filled):
    for quantity, price in ((3, 0.14), (-3, 0.16)):
        inputs, _, book, context = read(filled, f"BTC,deribit,{quantity},option,{CALL},50,USDT\n")
        worth = 50 + quantity * price * 101.0
        assert book.nav_usd == pytest.approx(1000 + 2 * BTC + worth)
        assert book.weight["options:BTC"] == pytest.approx(worth / book.nav_usd)
        (held,) = inputs.exposed["options:BTC"].options
        # 26.2083 days: 0.6 √T = 0.16078, d1 = 0.11531/0.16078 + 0.08039 = 0.7976, and N(0.7976) = 0.7874
        assert held.delta_usd == pytest.approx(quantity * 0.7874 * 101.0, rel=2e-4)
        assert inputs.exposed["options:BTC"].gross_usd == pytest.approx(3 * 101.0)
        assert book.keeps("options:BTC").reason_code == "outside_policy"
        assert f"at the {'bid' if quantity > 0 else 'ask'}" in inputs.exposed["options:BTC"].detail
        assert "It expires on 2020-03-27 08:00 UTC." in inputs.exposed["options:BTC"].detail
        (leg,) = [x for x in value_legs(context, "core") if x["kind"] == "option"]
        assert leg["value_usd"] == pytest.approx(worth)


def test_options_of_one_coin_are_one_line_told_one_by_one(filled):
    inputs, policy, book, _ = read(
        filled,
        f"BTC,deribit,2,option,{CALL},,\nBTC,deribit,-2,option,{PUT},,\nBTC,bybit,1,option,{DOLLARS},,\n",
    )
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


def test_a_stale_quote_freezes_the_line_and_says_so(filled):
    inputs, policy, book, _ = read(filled, f"BTC,deribit,1,option,{OLD},,\n")
    assert book.frozen["options:BTC"].reason_code == "stale_option_quote"
    assert (
        "from 2020-02-29 00:00 UTC, older than the limit of 26 hours" in book.frozen["options:BTC"].sentence
    )
    assert inputs.exposed["options:BTC"].delta_usd > 0
    (line,) = [x for x in decide(inputs, policy, 1).lines if x.sleeve == "options"]
    assert (line.action, line.reason_code) == ("frozen", "stale_option_quote")
    assert "by model, 10% worse, at the volatility of an old quote" in line.reason


def test_a_chain_without_the_strike_counts_a_long_option_at_nothing_and_blocks_a_written_one(filled):
    missing = "BTC-27MAR20-95-C"
    inputs, policy, book, context = read(filled, f"BTC,deribit,1,option,{missing},,\n")
    assert book.nav_usd == pytest.approx(1000 + 2 * BTC)
    assert book.frozen["options:BTC"].reason_code == "no_option_quote"
    assert "no chain with its strike is stored" in book.frozen["options:BTC"].sentence
    assert any("no chain with its strike" in note for note in value_portfolio(context, "core")["notes"])
    assert decide(inputs, policy, 1).status != "blocked"
    inputs, policy, _, _ = read(filled, f"BTC,deribit,-1,option,{missing},,\n")
    block = first_block(inputs, policy)
    assert block.reason_code == "no_price"
    assert "It was written, and what it may cost has no bound." in block.sentence
    assert "implied_volatility" in block.sentence


def test_an_expired_option_is_worth_what_it_settled_at_and_asks_for_a_new_statement(filled):
    # the newest close before 2020-02-28 08:00 is the one that ends at midnight, day 119 since 2019-11-01
    settled = float(closes("BTC", "binance")[118]) - 50.0
    assert settled > 0
    for quantity in (2, -2):
        inputs, _, book, _ = read(filled, f"BTC,deribit,{quantity},option,{ENDED},,\n")
        assert book.weight["options:BTC"] * book.nav_usd == pytest.approx(quantity * settled)
        assert book.frozen["options:BTC"].reason_code == "option_expired"
        assert "expired on 2020-02-28 08:00 UTC. Import a statement without it." in (
            book.frozen["options:BTC"].sentence
        )
        assert inputs.exposed["options:BTC"].delta_usd == 0.0


def test_an_option_that_expires_soon_says_what_it_would_settle_at(filled):
    inputs, _, _, _ = read(filled, f"BTC,deribit,-1,option,{SOON},,\n")
    told = inputs.exposed["options:BTC"].detail
    assert f"in 4 days; at today's price it settles at {60 - BTC:,.0f} USD" in told


def test_with_the_sleeve_in_the_policy_held_options_are_kept_all_the_same(filled):
    inputs, policy, book, _ = read(
        filled,
        f"BTC,deribit,1,option,{CALL},,\n",
        "spot",
        "cash",
        "options",
        class_bounds={"options": (0, 0.1)},
    )
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
