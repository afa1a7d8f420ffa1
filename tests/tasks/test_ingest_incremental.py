"""An hourly run asks each market once per timeframe, however many markets there are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from benchmarks.crowd import coins, crowd
from tasks.ingest import ingest
from tests.tasks.support import AS_OF, make_context, small_settings

MARKETS = 50


def test_one_request_per_market_and_timeframe(tmp_path: Path) -> None:
    with crowd(MARKETS) as market:
        venue = {"id": "binance", "base_url": market.base_url, "markets": ["spot"]}
        universe = {"assets": coins(MARKETS), "timeframes": ["1d", "1h"], "history_start": "2026-06-25"}
        settings = small_settings(market.base_url, tmp_path, venues=[venue], universe=universe)
        first = ingest(make_context(settings, run_id="first", as_of=AS_OF))
        assert not first.failures
        market.asked.clear()
        later = ingest(make_context(settings, run_id="later", as_of=AS_OF + timedelta(hours=1)))
    assert not later.failures
    wanted = {(f"{coin}USDT", timeframe): 1 for coin in coins(MARKETS) for timeframe in ("1d", "1h")}
    assert dict(market.asked) == wanted
    candles = next(part for part in later.datasets if part.dataset == "candles")
    assert candles.rows_new == MARKETS  # one hour later
    assert candles.rows_unchanged == candles.rows_received - MARKETS
