"""A statement as the positions of a decision: paired where the policy says so, valued, nothing guessed."""

import pytest

from portfolio.book import open_book
from tasks.inputs import load_inputs
from tasks.policy import policy_of
from tasks.positions import import_positions
from tests.tasks.test_agreed_decisions import AS_OF, FIRST, closes, fill, settings
from tests.tasks.test_validate import context_for
from tests.warehouse.support import FakeClock, candles, load
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.publish import publish
from warehouse.reader import open_point_in_time

BTC, ETH = float(closes("BTC", "binance")[-1]), float(closes("ETH", "binance")[-1])
HEAD = "asset,venue,quantity,kind,entry_price,margin,margin_mode,market_id,immovable\n"
HEDGED = (
    "BTC,binance,3,spot,,,,,\nBTC,binance,-2,perp,90,70,isolated,,\n"
    "ETH,binance,1,spot,,,,,\nUSDT,binance,500,spot,,,,,\n"
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Four coins on one venue, and a perpetual of BTC whose mark stands 1 % above the coin."""
    folder = tmp_path_factory.mktemp("held")
    fill(folder, ("binance",))
    with open_master(Home(folder / "data"), FakeClock(), "prepare a test") as master:
        perp = {"market_type": "perp", "market_id": "BTCUSDT"}
        load(master, candles(list(closes("BTC", "binance") * 1.01), start=FIRST, **perp))
    return folder


def read(folder, text, *sleeves):
    """The inputs and the book of a decision over the statement."""
    found = settings(folder, ("binance",))
    portfolios = {name: p.model_copy(update={"sleeves": sleeves}) for name, p in found.portfolios.items()}
    context = context_for(found.model_copy(update={"portfolios": portfolios}), as_of=AS_OF)
    file = folder / "holdings.csv"
    file.write_text(HEAD + text)
    import_positions(context, "core", file)
    publish(context.home, FakeClock(), as_of=AS_OF, keep=2, min_free_bytes=0)
    with open_point_in_time(context.home, AS_OF) as reader:
        loaded = load_inputs(reader, context, "core", (), {})
    return loaded, open_book(loaded.inputs, policy_of(context.settings, "core"))


def test_a_hedge_becomes_carry_with_its_capital(filled):
    loaded, book = read(filled, HEDGED, "spot", "carry", "cash")
    capital = 2 * BTC + 70 - 2 * (1.01 * BTC - 90)
    assert book.nav_usd == pytest.approx(BTC + capital + ETH + 500)
    assert book.weight["carry:BTC"] == pytest.approx(capital / book.nav_usd)
    assert book.quantity["carry:BTC"] == 2
    assert book.quantity["spot:BTC"] == 1
    assert loaded.outside == ()
    assert "carry:BTC" not in loaded.inputs.terms  # the policy's own lines get their terms elsewhere


def test_without_the_sleeve_the_derivative_is_a_line_outside_the_policy_and_its_delta_counts(filled):
    loaded, book = read(filled, HEDGED, "spot", "cash")
    capital = 70 - 2 * (1.01 * BTC - 90)
    assert book.nav_usd == pytest.approx(3 * BTC + capital + ETH + 500)
    assert book.weight["perp:BTC"] == pytest.approx(capital / book.nav_usd)
    assert book.stuck["perp:BTC"].reason_code == "outside_policy"
    assert "perp:BTC" not in book.left_out
    assert "perp:BTC" not in book.frozen
    terms = loaded.inputs.terms["perp:BTC"]
    assert terms.net_delta * capital == pytest.approx(-2 * 1.01 * BTC)
    assert terms.gross_notional * abs(capital) == pytest.approx(2 * 1.01 * BTC)
    exposed = loaded.inputs.exposed["perp:BTC"]
    assert (exposed.delta_usd, exposed.gross_usd) == pytest.approx((-2 * 1.01 * BTC, 2 * 1.01 * BTC))


def test_a_perpetual_at_its_entry_price_has_no_capital_and_its_whole_delta(filled):
    entry = repr(1.01 * BTC)
    loaded, book = read(filled, f"BTC,binance,-2,perp,{entry},,cross,,\nUSDT,binance,500,spot,,,,,\n", "spot")
    assert book.weight["perp:BTC"] == pytest.approx(0.0, abs=1e-12)
    assert loaded.inputs.exposed["perp:BTC"].delta_usd == pytest.approx(-2 * 1.01 * BTC)
    assert loaded.inputs.exposed["perp:BTC"].detail == (
        f"-2 BTC (perp) at binance: exposure {-2 * 1.01 * BTC:+,.0f} USD."
    )


def test_lent_staked_bank_and_immovable_count_and_what_nothing_prices_is_named(filled):
    text = (
        "USDT,aave,100,lending,,,,,\nETH,lido,2,staking,,,,,\nUSD,bank,50,bank,,,,,\n"
        "BTC,cold,1,spot,,,,,true\nOWN,treasury,9,spot,,,,,\n"
        "BTC,deribit,1,option,,,,BTC-27MAR20-90-C,\nBTC,binance,1,future,90,5,,BTC_200327,\n"
    )
    loaded, book = read(filled, text, "spot", "cash")
    assert loaded.outside == ("BTC (future)", "OWN (spot)")
    assert book.frozen["options:BTC"].reason_code == "no_option_quote"
    assert book.nav_usd == pytest.approx(100 + 2 * ETH + 50 + BTC)
    assert book.weight["yield:USDT"] == pytest.approx(100 / book.nav_usd)
    assert book.immovable["spot:BTC"] == pytest.approx(BTC / book.nav_usd)
    assert loaded.inputs.terms["staking:ETH"].net_delta == pytest.approx(1.0)
    assert loaded.inputs.terms["yield:USDT"].net_delta == 0.0


def test_a_policy_of_coins_and_cash_sees_what_it_saw_before(filled):
    loaded, _ = read(filled, "BTC,binance,3,spot,,,,,\nUSDT,binance,500,spot,,,,,\n", "spot", "cash")
    assert loaded.inputs.terms == {}
    assert [(p.line, p.quantity, p.capital_usd) for p in loaded.inputs.positions] == [
        ("cash:USDT", 500, None), ("spot:BTC", 3, None),
    ]  # fmt: skip
