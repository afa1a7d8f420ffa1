"""A backtest of dated contracts on a small home: rolled in time, and nothing of the future is seen."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tasks.backtest import backtest
from tasks.backtest_inputs import OPTIONS, assumptions_of
from tests.tasks.test_backtest import DAYS, FIRST, LAST, asked, closes, context, fill, told
from tests.tasks.test_validate import load
from tests.warehouse.support import FakeClock, candles
from warehouse.publish import publish

BASIS = {
    "objective": "policy",
    "sleeves": ("spot", "basis", "options", "cash"),
    "target_weights": {"basis:BTC": 0.5, "spot:ETH": 0.1, "cash:USDT": 0.4},
}
CUT = FIRST + timedelta(days=190)


def contracts(master, garble=None):
    """Three contracts on BTC, one after the other, each trading for half a year before it ends."""
    coin = closes()[:, 0]
    for name, ends in (("SEP", 100), ("DEC", 180), ("MAR", 300)):
        expires = FIRST + timedelta(days=ends, hours=8)
        first, last = max(0, ends - 130), min(DAYS, ends)
        left = ends - np.arange(first, last)
        prices = coin[first:last] * (1 + 0.0003 * left)
        if garble is not None:
            late = np.arange(first, last) >= (garble - FIRST).days
            prices = prices * np.where(late, np.random.default_rng(5).uniform(0.9, 1.1, last - first), 1.0)
        at = FIRST + timedelta(days=first)
        limits = ("amount_step", "price_step", "min_amount", "min_cost", "maker_fee", "taker_fee")
        rules = dict.fromkeys(limits) | {
            "venue": "binance", "market_id": f"BTC{name}", "symbol": f"BTC/USDT:USDT-{name}", "base": "BTC",
            "quote": "USDT", "market_type": "future", "contract_size": 1.0, "is_active": True,
            "expires_at": pd.Timestamp(expires.replace(tzinfo=None)), "known_at": pd.Timestamp("2020-02-20"),
        }  # fmt: skip
        load(master, pd.DataFrame([rules]), "instruments", as_of=LAST)
        frame = candles(
            list(prices), start=f"{at:%Y-%m-%d}", market_id=f"BTC{name}", base="BTC", market_type="future"
        )
        load(master, frame.assign(base_volume=1e7), as_of=LAST)


def dated(folder):
    """A context whose venue lists dated contracts."""
    found = context(folder, **BASIS)
    venue = found.settings.venues[0].model_copy(update={"markets": ("spot", "future")})
    return replace(found, settings=found.settings.model_copy(update={"venues": (venue,)}))


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What was walked with the contracts as they were, and with those of the last weeks garbled."""
    found = []
    for name, garble in (("a", None), ("b", CUT)):
        folder = tmp_path_factory.mktemp(name)
        home = fill(folder, closes(), lambda master, garble=garble: contracts(master, garble))
        own = backtest(dated(folder), asked()).report.own
        publish(home, FakeClock(), as_of=LAST, keep=9, min_free_bytes=0)
        found.append((own, told(home)))
    return found


def test_a_basis_is_walked_and_rolled_leg_by_leg(seen):
    own, rows = seen[0]
    assert (own["missed_orders"], own["proposals"] > 0) == (0, True)
    assert any("basis:BTC" in (row[2] or "") for row in rows)
    (rolled,) = [x for x in own["assumptions"] if "left before the end" in x]
    assert rolled.startswith("One dated contract was")
    assert not any("delivered" in x or "liquidated" in x for x in own["assumptions"])


def test_contracts_that_are_to_come_are_not_seen(seen):
    honest, other = (rows for _, rows in seen)
    before = [row for row in honest if row[0] <= CUT.date()]
    assert sum(row[3] is not None for row in before) >= 3
    assert [row for row in other if row[0] <= CUT.date()] == before
    assert other != honest


def test_that_options_are_left_out_is_said(seen):
    own, _ = seen[0]
    assert OPTIONS in own["assumptions"]
    assert OPTIONS not in assumptions_of([], ("spot", "cash"), is_start_known=True)
