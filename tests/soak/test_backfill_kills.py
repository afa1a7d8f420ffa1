"""The long form of the kills in tests/faults/test_chaos_replay.py: `make soak`."""

import random

import pytest

from benchmarks.market import RECORDED, market
from tests.faults.kills import after_a_commit, after_requests, contents, finish, kill_at, write_config

pytestmark = [
    pytest.mark.soak,
    pytest.mark.replay,
    pytest.mark.skipif(not RECORDED.is_file(), reason=f"the recorded market is not at {RECORDED}"),
]
NOW = "2020-07-20T18:20:00Z"
COINS = ["BTC", "ETH", "XRP", "ADA", "LTC", "LINK", "DOGE"]


@pytest.mark.parametrize("seed", range(4))
def test_twenty_kills_of_a_backfill_of_seven_coins_change_nothing(tmp_path, seed):
    moments = random.Random(seed)
    with market(NOW) as (base, _):
        calm, torn = (write_config(tmp_path / name, base, COINS, "2018-01-01") for name in ("calm", "torn"))
        finish(calm, NOW)
        kills = 0
        for _ in range(20):
            late = moments.random() < 0.5
            moment = after_a_commit(torn) if late else after_requests(base, moments.randint(3, 60))
            kills += kill_at(torn, NOW, 15_000, moment)
        assert kills >= 10
        finish(torn, NOW)
    assert contents(torn) == contents(calm)
