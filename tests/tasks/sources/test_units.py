"""What an upgrade of ccxt must not change: which market an id is, and what a figure is counted in.

The rows are the venues' own, as their documentation and ccxt's sources show them. A value here changes only
together with a look at what is stored already.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.server import running_sandbox
from tasks.settings_schema import VenueSettings
from tasks.sources._candles import CandleSeries
from tasks.sources._model import SeriesState
from tasks.sources._quirks import venue_files
from tasks.sources._session import VenueSession
from tests.tasks.sources.test_funding_and_listing import assignment, market
from tests.tasks.sources.test_venue_files import CASES, SYMBOLS, exchange_of
from tests.tasks.support import failures, last_states, pages, run_source, small_settings

LISTING = Path(__file__).parents[2] / "golden" / "listing.json"
HOUR = 1_609_459_200_000
BINANCE = [HOUR, "25.0", "26.0", "24.0", "25.5", "22.19", HOUR + 1, "554.9", 40, "10.9", "0.27", "0"]
KUCOIN_FUTURES = [HOUR, 4804.95, 4815.0, 4796.3, 4810.15, 61059]
BITGET = [str(HOUR), "39406", "39407", "39374.5", "39379", "35.526", "1399132.341"]
BYBIT = [str(HOUR), "49592.43", "49644.91", "49342.37", "49349.42", "1451.59", "2.43"]
OKX = [str(HOUR), "24341.4", "24344", "24313.2", "24323", "628", "2.5819", "62800", "1"]
PLAIN = [HOUR, 100.0, 110.0, 90.0, 105.0, 7.5]
# By venue and kind: the raw row, the size of a contract, and open, high, low, close and volume in base of it.
GOLDEN: dict[tuple[str, str], tuple[Any, float, list[float]]] = {
    ("binance", "spot"): (BINANCE, 1.0, [25.0, 26.0, 24.0, 25.5, 22.19]),
    ("binance", "perp"): (BINANCE, 1.0, [25.0, 26.0, 24.0, 25.5, 22.19]),
    ("binanceus", "spot"): (BINANCE, 1.0, [25.0, 26.0, 24.0, 25.5, 22.19]),
    ("bitget", "spot"): (BITGET, 1.0, [39406, 39407, 39374.5, 39379, 35.526]),
    ("bitget", "perp"): (BITGET, 0.001, [39406, 39407, 39374.5, 39379, 35.526]),
    ("bybit", "spot"): (BYBIT, 1.0, [49592.43, 49644.91, 49342.37, 49349.42, 1451.59]),
    ("bybit", "perp"): (BYBIT, 1.0, [49592.43, 49644.91, 49342.37, 49349.42, 1451.59]),
    ("coinbase", "spot"): (
        {"start": "1609459200", "low": "17414.36", "high": "17417.99", "open": "17417.74",
         "close": "17417.38", "volume": "1.87780853"},
        1.0,
        [17417.74, 17417.99, 17414.36, 17417.38, 1.87780853],
    ),
    ("coinbaseexchange", "spot"): (
        [1609459200, 9.0, 12.0, 10.0, 11.0, 0.028], 1.0, [10.0, 12.0, 9.0, 11.0, 0.028],
    ),
    ("deribit", "perp"): (PLAIN, 0.001, [100.0, 110.0, 90.0, 105.0, 7.5]),
    ("gate", "spot"): (
        ["1609459200", "6227.07", "133.485", "133.615", "133.347", "133.468", "46.6"],
        1.0,
        [133.468, 133.615, 133.347, 133.485, 46.6],
    ),
    ("gate", "perp"): (
        {"t": 1609459200, "v": 97151, "c": "1.032", "h": "1.035", "l": "1.03", "o": "1.031"},
        10.0,
        [1.031, 1.035, 1.03, 1.032, 971_510.0],
    ),
    ("hyperliquid", "perp"): (
        {"T": HOUR + 1, "c": "2226.4", "h": "2247.9", "i": "1h", "l": "2224.6", "n": 46, "o": "2240.0",
         "s": "ETH", "t": HOUR, "v": "591.6427"},
        1.0,
        [2240.0, 2247.9, 2224.6, 2226.4, 591.6427],
    ),
    ("kraken", "spot"): (
        [1609459200, "0.025", "0.027", "0.024", "0.026", "0.0255", "9.122", 5],
        1.0,
        [0.025, 0.027, 0.024, 0.026, 9.122],
    ),
    ("krakenfutures", "perp"): (
        {"time": HOUR, "open": "309.15", "high": "309.5", "low": "308.7", "close": "308.85",
         "volume": "12.5"},
        1.0,
        [309.15, 309.5, 308.7, 308.85, 12.5],
    ),
    ("kucoin", "spot"): (
        ["1609459200", "0.050", "0.049", "0.058", "0.048", "0.018", "0.000945"],
        1.0,
        [0.050, 0.058, 0.048, 0.049, 0.018],
    ),
    ("kucoin", "perp"): (KUCOIN_FUTURES, 0.01, [4804.95, 4815.0, 4796.3, 4810.15, 610.59]),
    ("kucoinfutures", "perp"): (KUCOIN_FUTURES, 0.01, [4804.95, 4815.0, 4796.3, 4810.15, 610.59]),
    ("okx", "spot"): (OKX, 1.0, [24341.4, 24344, 24313.2, 24323, 628]),
    ("okx", "perp"): (OKX, 0.01, [24341.4, 24344, 24313.2, 24323, 2.5819]),
}  # fmt: skip


class Canned:
    """Stands in for a venue that answers with one row, read by ccxt."""

    def __init__(self, venue: str, kind: str, row: Any) -> None:
        self.exchange, self.kind, self.row = exchange_of(venue, kind), kind, row

    async def fetch_ohlcv(self, *_: Any) -> Any:
        return self.exchange.parse_ohlcvs([self.row], self.exchange.market(SYMBOLS[self.kind]))


def test_every_venue_with_a_file_has_its_row() -> None:
    assert set(GOLDEN) == set(CASES)
    assert {venue for venue, _ in GOLDEN} == set(venue_files())


@pytest.mark.parametrize(("venue", "kind"), sorted(GOLDEN))
def test_a_row_of_the_venue_gives_these_figures_in_these_units(tmp_path: Path, venue: str, kind: str) -> None:
    row, contract_size, wanted = GOLDEN[venue, kind]
    settings = VenueSettings.model_validate({"id": venue, "markets": [kind]})
    session = VenueSession(settings, (kind,), assignment(tmp_path))
    session.exchange = Canned(venue, kind, row)
    made = market(kind, SYMBOLS[kind], venue=venue, contract_size=contract_size)
    series = CandleSeries(session, made, "1h", SeriesState(venue, "candles", kind, "BTCUSDT", "1h", "BTC"))
    (found,) = asyncio.run(series._ask(HOUR, None, 1))
    assert found[0] == HOUR
    assert found[1:6] == pytest.approx(wanted, rel=1e-3)  # 0.1 % is the limit of the fault matrix


def test_the_volume_of_a_contract_in_quote_is_unknown_in_base(tmp_path: Path) -> None:
    settings = VenueSettings.model_validate({"id": "gate", "markets": ["perp"]})
    session = VenueSession(settings, ("perp",), assignment(tmp_path))
    session.exchange = Canned("gate", "perp", GOLDEN["gate", "perp"][0])
    made = market("perp", SYMBOLS["perp"], venue="gate", is_inverse=True)
    series = CandleSeries(session, made, "1h", SeriesState("gate", "candles", "perp", "BTCUSDT", "1h", "BTC"))
    (found,) = asyncio.run(series._ask(HOUR, None, 1))
    assert np.isnan(found[5])
    assert found[4] == 1.032


VENUES = {
    "binance": ["spot", "perp"],
    "kraken": ["spot"],
    "coinbaseexchange": ["spot"],
    "deribit": ["perp", "future"],
}
FACTS = ("market_id", "symbol", "base", "quote", "market_type", "contract_size", "amount_step", "price_step")


def test_the_ids_of_the_listings_are_the_markets_they_were(tmp_path: Path) -> None:
    """The dump was made with ccxt 4.5.90; a market that is another one now stops an upgrade."""
    recorded = json.loads(LISTING.read_text())
    found: dict[str, list[dict[str, str]]] = {}
    with running_sandbox() as sandbox:
        for venue, kinds in VENUES.items():
            venues = [{"id": venue, "base_url": sandbox.base_url, "markets": kinds}]
            universe = {"assets": ["BTC", "ETH", "XRP"], "cash": ["USDC"], "history_start": "2026-06-25"}
            home = tmp_path / venue
            made = small_settings(sandbox.base_url, home, venues=venues, universe=universe)
            columns = [page.columns for page in pages(run_source("venue", made), "instruments")]
            rows = [
                {name: str(column[name][at]) for name in FACTS}  # pyright: ignore[reportArgumentType]
                for column in columns
                for at in range(len(column["market_id"]))
            ]
            found[venue] = sorted(rows, key=lambda row: (row["market_type"], row["market_id"]))
    assert found == recorded


def test_an_id_that_is_another_coin_since_an_upgrade_is_not_followed(tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        settings = small_settings(sandbox.base_url, tmp_path)
        states = last_states(run_source("venue", settings))
        mapped = [
            replace(state, asset="XBT") if state.market_id == "BTCUSDT" else state
            for state in states.values()
        ]
        events = run_source("venue", settings, states=mapped)
        told = [failure.message for failure in failures(events)]
        assert len(told) == 2  # spot and perpetual
        assert all("BTCUSDT was XBT in the stored data and is BTC now" in text for text in told)
        assert all('former = "XBT"' in text for text in told)
        assert {state.market_id for state in last_states(events).values()} == {"ETHUSDT"}
        named = {
            "assets": ["BTC", "ETH"],
            "aliases": [{"asset": "BTC", "former": "XBT", "since": "2026-01-01"}],
        }
        joined = small_settings(sandbox.base_url, tmp_path, universe=named | {"history_start": "2026-05-20"})
        assert not failures(run_source("venue", joined, states=mapped))
