"""One battery for every venue with a file of its own: pages that fit, windows that skip nothing."""

import asyncio
import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tasks.settings_schema import VenueSettings
from tasks.sources._ccxt import strict_class, strict_exchange
from tasks.sources._errors import TradingForbiddenError
from tasks.sources._quirks import Quirks, quirks_of, venue_files
from tasks.sources._times import DAY_MS, HOUR_MS
from tests.tasks.support import AS_OF, FakeClock

NOW = int(AS_OF.timestamp()) * 1000
FIRST = NOW // DAY_MS * DAY_MS - 40 * DAY_MS
SYMBOLS = {"spot": "BTC/USDT", "perp": "BTC/USDT:USDT"}
# Kraken answers with the newest candles whatever the end is; the others are told where a window ends.
WITHOUT_END = {"kraken"}


class ReachedError(Exception):
    """The request that was about to be sent."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Wire:
    """Stands in for the transport: remembers what was asked and answers nothing."""

    requests = 0
    is_simulated = True

    def turn(self, _name: str, _seconds: float) -> float:
        return 0.0

    async def get(self, url: str, _headers: Any, *, method: str = "GET", body: Any = None) -> Any:
        del method
        raise ReachedError(f"{url} {body or ''}")


def market_of(venue: Any, kind: str) -> dict[str, Any]:
    is_perp = kind == "perp"
    return venue.safe_market_structure(
        {
            "id": "BTCUSDT", "symbol": SYMBOLS[kind], "base": "BTC", "quote": "USDT", "baseId": "BTC",
            "quoteId": "USDT", "settle": "USDT" if is_perp else None, "settleId": "usdt" if is_perp else None,
            "type": "swap" if is_perp else "spot", "spot": not is_perp, "swap": is_perp, "future": False,
            "option": False, "contract": is_perp, "linear": True if is_perp else None,
            "inverse": False if is_perp else None, "contractSize": 1.0 if is_perp else None, "active": True,
            "precision": {"amount": 0.001, "price": 0.01}, "info": {"altname": "BTCUSDT"},
        }
    )  # fmt: skip


def kinds_of(venue: str) -> list[str]:
    kinds = {"kraken": ["spot"], "coinbase": ["spot"], "coinbaseexchange": ["spot"], "binanceus": ["spot"]}
    contracts = ("krakenfutures", "kucoinfutures", "deribit", "hyperliquid")
    return ["perp"] if venue in contracts else kinds.get(venue, ["spot", "perp"])


def exchange_of(venue: str, kind: str) -> Any:
    settings = VenueSettings.model_validate({"id": venue})
    made = strict_exchange(settings, kind, quirks_of(venue), Wire(), FakeClock())  # pyright: ignore[reportArgumentType]
    made.milliseconds = lambda: NOW
    made.set_markets([market_of(made, kind)])
    return made


def asked(venue: str, kind: str, first: int, last: int, size: int) -> dict[str, str]:
    """The parameters of the request for the hours from `first` to `last`."""

    async def ask() -> None:
        exchange = exchange_of(venue, kind)
        await exchange.fetch_ohlcv(SYMBOLS[kind], "1h", first, size, {"until": last + HOUR_MS - 1})

    with pytest.raises(ReachedError) as caught:
        asyncio.run(ask())
    url, _, body = caught.value.text.partition(" ")
    found = dict(parse_qsl(urlsplit(url).query))
    if body:
        held = json.loads(body)
        found |= {key: str(value) for key, value in held.get("req", held).items()}
    return found


def instants(parameters: dict[str, str]) -> list[int]:
    """Everything among the parameters that is an instant, in milliseconds."""
    numbers = [int(value) for value in parameters.values() if re.fullmatch(r"\d{10}|\d{13}", value)]
    texts = [
        datetime.fromisoformat(value) for value in parameters.values() if re.match(r"\d{4}-\d\d-\d\dT", value)
    ]
    found = [number * 1000 if number < 10**11 else number for number in numbers]
    return sorted([*found, *(int(at.timestamp() * 1000) for at in texts)])


CASES = [(venue, kind) for venue in venue_files() for kind in kinds_of(venue)]


@pytest.mark.parametrize("venue", venue_files())
def test_a_venue_file_names_a_venue_and_says_only_what_deviates(venue: str) -> None:
    assert strict_class(venue).__name__ == f"Strict{venue.capitalize()}"
    quirks = quirks_of(venue)
    assert isinstance(quirks, Quirks)
    # Coinbase's 300 is a hard limit that happens to be the cautious default.
    assert quirks != Quirks() or venue.startswith("coinbase")
    pages = (quirks.spot_page, quirks.perp_page, quirks.mark_page, quirks.funding_page, quirks.interest_page)
    assert all(1 <= page <= 5000 for page in pages)


@pytest.mark.parametrize(("venue", "kind"), CASES)
def test_a_window_is_asked_for_from_its_first_candle_to_its_last(venue: str, kind: str) -> None:
    quirks = quirks_of(venue)
    size = min(quirks.spot_page if kind == "spot" else quirks.perp_page, 700)
    last = FIRST + (size - 1) * HOUR_MS
    parameters = asked(venue, kind, FIRST, last, size)
    found = instants(parameters)
    assert found, parameters
    begins = found[0]
    # Some begin a moment or a candle earlier; none may begin later: the first candle would be skipped.
    assert FIRST - HOUR_MS <= begins <= FIRST
    if venue not in WITHOUT_END:
        limit = int(parameters.get("limit") or parameters.get("pageSize") or 0)
        ends = max([*found[1:], FIRST + (limit - 1) * HOUR_MS if limit else 0])
        assert ends >= last


@pytest.mark.parametrize("venue", venue_files())
def test_nothing_that_trades_can_be_called(venue: str) -> None:
    exchange = exchange_of(venue, kinds_of(venue)[0])

    async def trade() -> None:
        await exchange.create_order("BTC/USDT", "market", "buy", 1)

    with pytest.raises(TradingForbiddenError):
        asyncio.run(trade())


def test_kraken_keeps_720_candles_and_binance_pages_by_weight() -> None:
    assert quirks_of("kraken").candle_history == 719
    assert quirks_of("binance").perp_page == 499
    assert quirks_of("somewhere") == Quirks()
