"""One venue of four lies as it likes: the price of a coin, and of its past, stays among the honest ones."""

import random
from datetime import UTC, datetime

import pytest

from tests.warehouse.support import FakeClock, candles, load
from warehouse.home import Home
from warehouse.master import open_master

DAYS = 20
HONEST = {"a": 0.999, "b": 1.0, "c": 1.001}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [0.02, 0.09, 0.5, 0.999])
def test_one_hostile_venue_of_four_moves_no_price_beyond_the_honest_ones(home: Home, seed: int, size: float):
    chance = random.Random(seed)
    level = [100 * 1.01 ** chance.uniform(-3, 3) for _ in range(DAYS)]
    told = [price * (1 + chance.choice((-size, size))) for price in level]
    with open_master(home, FakeClock(), "test") as master:
        for venue, factor in HONEST.items():
            closes = [price * factor for price in level]
            load(master, candles(closes, quote="USD", venue=venue, market_id=f"BTC-{venue}"))
        load(master, candles(told, quote="USD", venue="d", market_id="BTC-d"))
        past = master._connection.execute(
            "select price_usd from mart.spot_prices where asset = 'BTC' order by as_of_date"
        ).fetchall()
        oldest = datetime(2015, 1, 1, tzinfo=UTC)
        now = master.rows("decision_prices", assets=["BTC"], oldest=oldest)[0]
    assert len(past) == DAYS
    for (price,), honest in zip(past, level, strict=True):
        assert honest * 0.999 <= price <= honest * 1.001
    assert level[-1] * 0.999 <= now["price_usd"] <= level[-1] * 1.001
    assert now["has_quorum"]
