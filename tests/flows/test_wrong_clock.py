"""F107: this machine's clock is hours off or jumps back; the sources' own clocks tell, and decisions wait."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from flows.exit_status import BLOCKED, DONE
from flows.opening import open_context
from flows.steps import run_directly
from flows.stories import rebalance
from sandbox.server import running_sandbox
from tasks._ingest_clocks import Clocks
from tasks.decision_gate import gate_state
from tasks.ingest import ingest
from tasks.sources._model import ClockRead
from tests.flows.jobs import answer, write_job
from tests.tasks.support import AS_OF, FakeClock, make_context, small_settings
from warehouse.snapshots import SnapshotInfo

EXTRA = "\n[schedule]\nterminal = true\n"
RIGHT, BACK, AHEAD = timedelta(0), timedelta(hours=-2), timedelta(hours=2)
BACKWARDS = """
select count(*) as n
from (
  select known_at, lag(known_at) over (
    partition by venue, market_type, market_id, timeframe, open_time order by load_id
  ) as before
  from raw.candles
)
where known_at < before
"""
SERVED = "select flow, slot, count(*) as n from ops.expected_runs group by all having n > 1"
PROPOSED = "select slot, count(*) as n from mart.recommendations where status = 'proposed' group by slot"


class ShiftedClock:
    """A machine's clock that is off by `error` from the market's."""

    def __init__(self, market, error: timedelta) -> None:
        self.market, self.error, self.ticks = market, error, 0.0

    def now(self):
        return self.market.now + self.error

    def monotonic(self) -> float:
        self.ticks += 0.001
        return self.ticks

    def sleep(self, seconds: float) -> None:
        self.ticks += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


@pytest.fixture
def market():
    with running_sandbox(seed=7) as running:
        yield running


def quick(config):
    """Two months of days and a fixed target: the clock is what is tested."""
    text = config.read_text().replace(
        "history_start = 2026-01-01", 'history_start = 2026-05-01\ntimeframes = ["1d"]'
    )
    targets = 'target_weights = { "spot:BTC" = 0.5, "spot:ETH" = 0.3, "cash:USDT" = 0.2 }'
    config.write_text(text.replace('objective = "min_volatility"', f'objective = "policy"\n{targets}'))
    return config


def opened(market, config, error: timedelta):
    context = open_context(config, None, None, "run", clock=ShiftedClock(market, error))
    assert context.as_of == market.now + error
    return context


def test_a_clock_hours_off_or_jumping_back_holds_every_decision_until_it_is_right(market, tmp_path, capsys):
    config = quick(write_job(tmp_path, market.base_url, EXTRA))
    first = rebalance(run_directly, opened(market, config, RIGHT))
    assert (first.status, first.recommendations[0].status) == (DONE, "proposed")
    market.advance(60)
    ahead = opened(market, config, AHEAD)
    ingest(ahead)
    found = gate_state(ahead, "core", SnapshotInfo(1, AS_OF, 10**9, True, AS_OF)).datasets
    assert [d.reason_code for d in found if d.dataset == "clock"] == ["clock_skew"]
    market.advance(60)
    told = rebalance(run_directly, opened(market, config, BACK))
    assert told.status == BLOCKED
    assert told.verdict[:2] == ("blocked", "clock_skew")
    assert "binance by +7,200 s" in told.recommendations[0].reason
    assert "timedatectl" in told.recommendations[0].reason
    assert any("this machine's clock differs" in note for note in told.ingest.notes)
    market.advance(3600)
    healed = rebalance(run_directly, opened(market, config, RIGHT))
    assert (healed.status, healed.recommendations[0].reason_code) != (BLOCKED, "clock_skew")
    assert healed.recommendations[0].status == "proposed"
    assert healed.ingest.notes == ()
    assert answer(capsys, config, BACKWARDS) == [{"n": 0}]
    assert answer(capsys, config, SERVED) == []
    events = answer(capsys, config, "select event, count(*) as n from ops.alerts group by event")
    assert {row["event"]: row["n"] for row in events if row["event"] != "recommendation"} == {
        "blocked": 1,
        "resolved": 1,
    }
    (day,) = answer(capsys, config, PROPOSED)
    assert day["n"] == 1  # the first one was overtaken, none stands twice


@pytest.mark.parametrize(
    ("skews", "verdicts"),
    [
        ({"binance": 31.0, "fred": -40.0}, [False]),
        ({"binance": 7200.0, "fred": 0.4}, []),  # one voice alone changes nothing
        ({"binance": -29.0}, [True]),
        ({}, []),
    ],
)
def test_two_sources_must_say_that_the_clock_is_wrong(tmp_path, skews, verdicts):
    context = make_context(small_settings("http://127.0.0.1:1", tmp_path))
    clocks, rows = Clocks(context), list[dict]()
    for source, skew in skews.items():
        clocks.take(ClockRead(source, context.as_of, skew))
    clocks.settle(SimpleNamespace(append=lambda _, new: rows.extend(new)))
    assert [row["success"] for row in rows] == verdicts


def test_a_run_of_another_time_says_nothing_of_the_clock(tmp_path):
    context = make_context(small_settings("http://127.0.0.1:1", tmp_path), clock=FakeClock(AS_OF + AHEAD))
    clocks = Clocks(context)
    clocks.take(ClockRead("binance", AS_OF, -7200.0))
    clocks.take(ClockRead("fred", AS_OF, -7200.0))
    assert clocks.settle(SimpleNamespace()) == ""
