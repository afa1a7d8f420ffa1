"""A job that is killed again and again ends where an undisturbed one ends; one check for sample and soak."""

from pathlib import Path
from typing import Any

from sandbox.server import running_sandbox
from tests.flows.jobs import answer, kill_runs, receiver, require_whole, trimtab, write_job

FACTS = (
    "select venue, market_type, market_id, timeframe, open_time, open, high, low, close, base_volume "
    "from core.candles order by all",
    "select venue, market_id, settled_at, funding_rate from core.funding_rates order by all",
    "select provider, asset, metric, period_start, value from core.onchain_metrics order by all",
    "select recommendation_id, status, reason_code from mart.recommendations order by all",
    "select recommendation_id, line, symbol, side, quantity from mart.recommendation_trades order by all",
)


def check_that_kills_lose_nothing(folder: Path, capsys: Any, monkeypatch: Any, times: int, seed: int) -> None:
    with running_sandbox(seed=7) as market, receiver() as (address, got):
        monkeypatch.setenv("TRIMTAB_CHANNEL_OPS", address)
        (folder / "killed").mkdir()
        (folder / "calm").mkdir()
        killed = write_job(folder / "killed", market.base_url)
        calm = write_job(folder / "calm", market.base_url)
        early = kill_runs(killed, times, seed)
        assert set(early) <= {0}
        assert trimtab(killed, "run") == 0
        told = [message["title"] for message in got]
        monkeypatch.delenv("TRIMTAB_CHANNEL_OPS")
        assert trimtab(calm, "run") == 0
    require_whole(killed, got)
    for statement in FACTS:
        assert answer(capsys, killed, statement) == answer(capsys, calm, statement)
    first = [title for title in told if "(repeat)" not in title]
    assert len(first) == 1, told
    assert len(told) <= 1 + times
