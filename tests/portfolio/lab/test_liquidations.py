"""Own thresholds by the venue's formula, exactly; the market's clusters by hand and marked as modelled."""

import pytest

from portfolio.guarded import HeldLeg
from portfolio.lab.exposures import Exposure
from portfolio.lab.liquidations import Bracket, cascades, clusters, own_liquidations, with_own_distances


def short(**changes):
    values = {
        "venue": "binance", "account": "", "kind": "perp", "sleeve": "carry", "asset": "BTC",
        "market_id": "BTCUSDT", "quantity": -1.0, "price_usd": 60_000.0, "entry_usd": 60_000.0,
        "margin_usd": 20_000.0, "maintenance_rate": 0.005,
    }  # fmt: skip
    return HeldLeg(**(values | changes))


def test_an_isolated_short_is_liquidated_where_binance_says_whatever_leverage_was_configured():
    (found,) = own_liquidations([short()], 200_000.0)
    assert 60_000 * (1 + found.numbers["distance"]) == pytest.approx(79_601.99, abs=0.005)
    assert found.loss == pytest.approx(0.1)
    assert found.by_line == {"carry:BTC": pytest.approx(0.1)}
    assert "rise of 32.67%" in found.sentence
    assumed = Exposure(line="carry:BTC", weight=0.4, net_delta=0.0, liquidation_distance=0.1)
    (known,) = with_own_distances([assumed], [short()])
    assert known.liquidation_distance == found.numbers["distance"]


def test_legs_of_one_cross_account_share_its_collateral_and_lose_it_in_proportion():
    cash = short(kind="cash", sleeve="cash", asset="USDT", market_id="", quantity=30_000.0, price_usd=1.0,
                 margin_usd=0.0, entry_usd=None)  # fmt: skip
    btc = short(is_cross=True, margin_usd=0.0)
    eth = short(is_cross=True, margin_usd=0.0, asset="ETH", market_id="ETHUSDT", quantity=-10.0,
                price_usd=3_000.0, entry_usd=3_000.0)  # fmt: skip
    (found,) = own_liquidations([cash, btc, eth], 300_000.0)
    # E + xN = M (1 + x): 30,000 - 90,000 x = 450 (1 + x)
    assert found.numbers["distance"] == pytest.approx((30_000 - 450) / 90_450)
    assert found.by_line["carry:BTC"] == pytest.approx(0.1 * 2 / 3)
    assert found.by_line["carry:ETH"] == pytest.approx(0.1 / 3)


def test_without_a_bracket_nothing_is_said_but_that():
    (found,) = own_liquidations([short(maintenance_rate=None)], 1_000.0)
    assert (found.status, found.loss, found.missing) == ("no_data", None, ("carry:BTC",))


def bracket(leverage, maintenance, venue="binance"):
    return Bracket(
        asset="BTC", venue=venue, market_id="BTCUSDT", max_leverage=leverage, maintenance=maintenance,
        price_usd=60_000.0, open_usd=3e9,
    )  # fmt: skip


def test_open_interest_is_spread_over_brackets_on_both_sides_and_adds_up_over_venues():
    found = clusters([bracket(10, 0.01), bracket(5, 0.02), bracket(2, 0.1), bracket(10, 0.01, "bybit")])
    assert sum(c.usd for c in found if c.side == "long") == pytest.approx(6e9)
    tenfold = next(c for c in found if c.side == "long" and c.leverage == 10)
    assert tenfold.usd == pytest.approx(1e9 + 3e9)
    assert tenfold.move == pytest.approx(-0.09 / 0.99, abs=1e-6)
    # at that price a long of ten times has margin 0.1 - 0.0909 of notional 0.909: 1 %
    assert (0.1 + tenfold.move) / (1 + tenfold.move) == pytest.approx(0.01, abs=1e-5)
    sold = next(c for c in found if c.side == "short" and c.leverage == 5)
    assert (0.2 - sold.move) / (1 + sold.move) == pytest.approx(0.02, abs=1e-5)


def test_a_cascade_is_marked_modelled_and_lines_lose_by_their_delta():
    held = [Exposure(line=x, weight=w, net_delta=1.0) for x, w in (("spot:BTC", 0.5), ("spot:XRP", 0.1))]
    btc, xrp = cascades(held, clusters([bracket(100, 0.004), bracket(10, 0.01)]))
    assert (btc.kind, btc.status) == ("modelled", "complete")
    assert "Modelled" in btc.sentence
    assert btc.loss == pytest.approx(0.5 * 0.09 / 0.99, abs=1e-6)
    assert (xrp.kind, xrp.status, xrp.loss) == ("modelled", "no_data", None)
