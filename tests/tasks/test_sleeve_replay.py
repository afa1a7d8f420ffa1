"""Carry on recorded prices and settlements: the views against sums done by hand, row by row."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tasks.ingest import ingest
from tasks.settings_schema import Settings
from tests.tasks.support import FakeClock, make_context
from tests.tasks.test_ingest_replay import REPLAY, Replay, replay

__all__ = ["replay"]  # the fixture is used by its name
pytestmark = [
    pytest.mark.replay,
    pytest.mark.skipif(not REPLAY.is_dir(), reason=f"the recorded market is not at {REPLAY}"),
]
NOW = datetime(2026, 5, 16, 18, 20, tzinfo=UTC)
LEVERAGE = 3.0
DAYS = [
    date(2020, 7, 20), date(2020, 9, 4), date(2021, 2, 23), date(2021, 5, 20), date(2022, 6, 14),
    date(2022, 11, 9), date(2024, 3, 6), date(2025, 1, 20), date(2025, 7, 15),
]  # fmt: skip
Rows = Mapping[Any, Any]


@pytest.fixture(scope="module")
def recorded(replay: Replay, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the daily candles, settlements and prices of the stablecoin to the end of the recording."""
    replay.freeze(NOW)
    home = tmp_path_factory.mktemp("carry")
    settings = Settings.model_validate(
        {
            "config_path": home / "trimtab.toml",
            "warehouse": {"home": home, "keep_received_days": 0},
            "venues": [{"id": "binance", "base_url": replay.base_url}],
            "sources": {
                "coinmetrics": {"base_url": replay.base_url, "metrics": ["PriceUSD"]},
                "defillama": {"base_url": replay.base_url, "chains": [], "stablecoins": ["USDT"]},
            },
            "universe": {
                "quote": "USDT", "assets": ["BTC", "ETH"], "timeframes": ["1d"], "history_start": "2020-07-01"
            },
            "sleeves": {"carry": {"leverage": LEVERAGE}},
        }
    )  # fmt: skip
    ingest(make_context(settings, as_of=NOW, clock=FakeClock(NOW)))
    return home / "master.duckdb"


def by_hand(connection: duckdb.DuckDBPyConnection, asset: str, day: date) -> float:
    """(ΔS − ΔF + Σ rate × mark + Δmargin) / (S + margin), in dollars, from the rows as they were received."""
    market = f"{asset}USDT"

    def close(market_type: str, at: date) -> float:
        asked = "select close from core.candles where market_id = ? and market_type = ? and open_time = ?"
        found = connection.execute(asked, [market, market_type, at - timedelta(days=1)]).fetchall()
        assert len(found) == 1
        return float(found[0][0])

    def dollar(at: date) -> float:
        asked = "select price_usd from mart.stablecoin_prices where asset = 'USDT' and as_of_date <= ?"
        rows = connection.execute(f"{asked} order by as_of_date desc limit 1", [at]).fetchall()
        return float(rows[0][0])

    before = day - timedelta(days=1)
    spot, spot_before = close("spot", day), close("spot", before)
    perp, perp_before = close("perp", day), close("perp", before)
    settled = connection.execute(
        "select settled_at, funding_rate, mark_price from core.funding_rates where market_id = ? "
        "and settled_at > ? and settled_at <= ? order by settled_at",
        [market, before, day],
    ).fetchall()
    assert [row[0].hour for row in settled] == [8, 16, 0]
    funding = sum(float(rate) * float(mark or perp_before) for _, rate, mark in settled)
    now, then = dollar(day), dollar(before)
    margin = spot_before / LEVERAGE
    gain = (
        spot * now - spot_before * then - (perp - perp_before) * now + funding * now + margin * (now - then)
    )
    return gain / ((spot_before + margin) * then)


@pytest.mark.parametrize("asset", ["BTC", "ETH"])
@pytest.mark.parametrize("day", DAYS)
def test_carry_is_what_the_rows_say(recorded: Path, asset: str, day: date) -> None:
    with duckdb.connect(str(recorded), read_only=True) as connection:
        found = connection.execute(
            "select simple_return from mart.sleeve_returns "
            "where sleeve = 'carry' and asset = ? and as_of_date = ?",
            [asset, day],
        ).fetchall()
        assert len(found) == 1
        assert found[0][0] == pytest.approx(by_hand(connection, asset, day), abs=1e-12)
        assert found[0][0] != 0.0


def test_without_a_dollar_price_of_the_quote_there_is_no_return(recorded: Path) -> None:
    # The recording has no price of USDT after August 2025; candles and settlements go on.
    asked = (
        "select count(*), count(notional_return), count(funding) from mart.carry_days "
        "where as_of_date between '2025-10-01' and '2026-05-01'"
    )
    with duckdb.connect(str(recorded), read_only=True) as connection:
        days, returns, funded = connection.execute(asked).fetchall()[0]
    assert (returns, funded) == (0, days)
