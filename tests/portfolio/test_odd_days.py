"""Days on which little is known: each ends in a status and a reason, never in an exception."""

import pandas as pd
import pytest

from portfolio.decision import decide
from portfolio.model import Freeze
from tests.portfolio.market import COINS, board, hold, inputs, marks, policy, returns

NO_USDT = {k: v for k, v in marks().items() if k != "cash:USDT"}
BARE = {"prices": {}, "positions": (), "instruments": (), "liquidity": (), "quote_price_usd": {}}
FROZEN = {f"spot:{c}": Freeze("failed_gate", f"{c} failed its gate.") for c in COINS}


@pytest.mark.parametrize(
    ("day", "owner", "verdict"),
    [
        (inputs(prices=NO_USDT, quote_price_usd={}), board(), ("blocked", "no_price")),
        (
            inputs(prices=NO_USDT, quote_price_usd={}, positions=(hold("BTC", 1), hold("USD", 1000))),
            board({"spot:BTC": 0.5, "cash:USD": 0.5}),
            ("hold", "no_market"),
        ),
        (inputs(**BARE, returns=pd.DataFrame()), policy(), ("blocked", "bad_input")),
        (inputs(**BARE, returns=pd.DataFrame()), board(), ("proposed", "weights_only")),
        (inputs(returns=pd.DataFrame()), board(), ("proposed", "outside_band")),
        (
            inputs(
                returns=returns(("BTC",)),
                prices=marks({"BTC": 9_200.0}),
                positions=(hold("BTC", 1), hold("USDT", 5e3)),
            ),
            policy(),
            ("proposed", "hard_limit"),
        ),
        (
            inputs(returns=returns(()), prices=marks({}), positions=(hold("USDT", 5e3),)),
            policy(),
            ("hold", "within_bands"),
        ),
        (inputs(frozen=FROZEN), policy(max_frozen_share=1.0), ("hold", "cannot_trade")),
        (inputs(positions=(hold("BTC", 0),)), board(), ("proposed", "weights_only")),
        (inputs(positions=(hold("USDT", 3),)), policy(), ("hold", "below_minimum")),
        (inputs(), policy(sleeves=("spot",), class_bounds={}), ("hold", "benefit_below_cost")),
        (
            inputs(positions=(*inputs().positions, hold("BTC", -1, sleeve="carry", kind="perp"))),
            policy(),
            ("blocked", "no_price"),
        ),
    ],
)
def test_an_odd_day_has_a_status_and_a_reason(day, owner, verdict):
    found = decide(day, owner, 1)
    assert (found.status, found.reason_code) == verdict
    assert found.reason


def test_bank_dollars_count_and_are_not_spent_without_a_market():
    positions = (hold("BTC", 1), hold("USD", 50_000, kind="bank"), hold("USDT", 1_000))
    found = decide(inputs(positions=positions), policy(objective="equal_weight"), 1)
    assert found.nav_usd == pytest.approx(60_200)
    bank = next(t for t in found.target_lines if t.asset == "USD")
    assert bank.target_weight == pytest.approx(bank.current_weight, abs=1e-8)
    assert bank.binding == "no_conversion_market"
