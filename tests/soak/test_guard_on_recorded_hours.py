"""`trimtab guard` over 12 March 2020 as recorded: it speaks in the hour in which the rows show the breach."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.flows.jobs import answer, trimtab
from tests.portfolio.recorded_hours import DATA, candles, ms_of
from tests.tasks.test_ingest_replay import Replay, replay

__all__ = ["replay"]  # the fixture is used by its name
pytestmark = [
    pytest.mark.soak,
    pytest.mark.replay,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded market is not at {DATA}"),
]
NOW = datetime(2020, 3, 12, 23, 20, tzinfo=UTC)
STRUCK = datetime(2020, 3, 12, 6, 0, tzinfo=UTC)
LIMIT, MAINTENANCE = 0.35, 0.004  # the recorded first bracket of BTCUSDT
CONFIG = """\
[warehouse]
home = "home"
keep_received_days = 0
[[venues]]
id = "binance"
base_url = "{base}"
datasets = ["mark_candles", "leverage_brackets"]
[universe]
cash = ["USDT"]
assets = ["BTC"]
timeframes = ["1d", "1h"]
history_start = 2020-03-10
[portfolios.core]
objective = "hrp"
sleeves = ["spot", "carry", "cash"]
requires = ["candles_1h"]
min_liquidation_distance = 0.35
"""


def test_a_long_contract_is_told_in_the_first_hour_of_the_crash(replay: Replay, tmp_path, capsys):
    marks = candles("mark", "BTCUSDT")
    entry = float(marks.close[marks.at(ms_of(STRUCK))])
    where = (entry - entry / 2.0) / (1.0 - MAINTENANCE)  # 2x, isolated: Binance's formula for a long
    first = marks.at(ms_of(STRUCK)) + 1
    near = next(i for i in range(first, len(marks.low)) if 1.0 - where / marks.low[i] < LIMIT)
    config = tmp_path / "trimtab.toml"
    config.write_text(CONFIG.format(base=replay.base_url))
    # Twice, because brackets are known from when they were first fetched.
    for moment in (STRUCK + timedelta(minutes=20), NOW):
        replay.freeze(moment)
        assert trimtab(config, "ingest", as_of=moment.isoformat()) == 0
    held = tmp_path / "held.csv"
    rows = f"BTC,binance,1,perp,{entry:.2f},{entry / 2.0:.2f},isolated\nUSDT,binance,5000,spot,,,\n"
    held.write_text("asset,venue,quantity,kind,entry_price,margin,margin_mode\n" + rows)
    assert trimtab(config, "positions", "import", str(held), as_of=STRUCK.isoformat()) == 0
    visible = datetime.fromtimestamp(int(marks.closed[near]) / 1000, UTC)
    for hours in (-1, 0, 1):
        at = visible + timedelta(hours=hours, minutes=20)
        assert trimtab(config, "guard", as_of=at.isoformat()) == 0
    told = answer(
        capsys, config, "select kind, subject, opened_at, announced_at, level from ops.guard_episodes"
    )
    assert [(one["kind"], one["subject"]) for one in told] == [("margin", "BTCUSDT at binance")]
    assert told[0]["announced_at"].startswith(f"{visible:%Y-%m-%d}")
    assert f"{visible + timedelta(minutes=20):%H:%M}" in told[0]["announced_at"]
