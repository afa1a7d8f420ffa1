"""The boundary itself: strict JSON, no trading, honest failures, hosts that are left alone."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.settings_schema import NetworkSettings, VenueSettings
from tasks.sources._ccxt import StrictMixin, Untyped, strict_class, strict_exchange
from tasks.sources._errors import SourceError, TradingForbiddenError, seconds_of, status_error
from tasks.sources._hosts import Hosts
from tasks.sources._json import parse_strictly
from tasks.sources._quirks import quirks_of
from tasks.sources._received import Received
from tasks.sources._retry import Attempts
from tasks.sources._transport import Answer
from tests.tasks.support import AS_OF, FakeClock

URL = "https://api.example.org/x?y=1"


class Canned:
    """A transport that answers from a list."""

    def __init__(self, *bodies: str, status: int = 200) -> None:
        self.bodies, self.status, self.sent = list(bodies), status, list[str]()
        self.is_simulated = False
        self.turn: Callable[[str, float], float] = lambda _name, _seconds: 0.0

    async def get(self, url: str, headers: Any, *, method: str = "GET", body: str | None = None) -> Answer:
        self.sent.append(f"{method} {url}")
        return Answer(url, self.status, "", {"Content-Type": "application/json"}, self.bodies.pop(0))


def exchange_with(transport: Any, venue: str = "binance") -> Untyped:
    settings = VenueSettings.model_validate({"id": venue})
    return strict_exchange(settings, "spot", quirks_of(venue), transport, FakeClock())


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        '{"a": NaN}',
        "[Infinity]",
        "[-Infinity]",
        "[1e400]",
        '{"a": 1, "a": 2}',
        "[1, 2",
        "[1] x",
        "",
        "<html>",
    ],
)
def test_what_is_not_strict_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_strictly(text)


def test_strict_json_is_plain_json_otherwise() -> None:
    assert parse_strictly('{"a": [1, 2.5, "x", null, true], "b": {}}') == {
        "a": [1, 2.5, "x", None, True],
        "b": {},
    }


BODY = '[[1782000000000,"1.0","2.0","0.5","1.5","10.0",1782003599999,"15.0",5,"5","7","0"]]'


@pytest.mark.parametrize("venue", ["binance", "kraken", "okx", "coinbase", "bybit"])
@pytest.mark.parametrize(
    "body",
    ["", "null", '""', "42", "<html>down</html>", BODY[:40], BODY[:-1], "[NaN]", '{"a":1,"a":2}', "[1e400]"],
)
def test_no_venue_class_swallows_a_body_that_is_not_json(venue: str, body: str) -> None:
    exchange = exchange_with(Canned(body), venue)
    with pytest.raises(SourceError, match=f"{venue}.*non-JSON 200") as caught:
        asyncio.run(exchange.fetch("https://api.example.org/x"))
    assert caught.value.is_transient


@pytest.mark.parametrize("cut", range(1, len(BODY), 7))
def test_a_body_cut_anywhere_gives_no_row(cut: int) -> None:
    with pytest.raises(SourceError):
        asyncio.run(exchange_with(Canned(BODY[:cut])).fetch(URL))


@pytest.mark.parametrize("body", ["{}", '{"code": 0}', "[1, 2, 3]", '["a"]', "[null]"])
def test_candles_of_another_shape_are_refused(body: str) -> None:
    with pytest.raises(SourceError, match="candles"):
        exchange_with(Canned()).parse_ohlcvs(parse_strictly(body))


def test_the_fast_reading_of_candles_is_ccxts_own() -> None:
    exchange = exchange_with(Canned())
    rows = [
        [
            1782000000000 + n * 3_600_000,
            f"{n + 1}.25",
            "9.5",
            "0.5",
            "1.125",
            "10.0",
            0,
            "15.75",
            5,
            "5",
            "7",
            "0",
        ]
        for n in range(5)
    ]
    assert exchange.parse_ohlcvs(rows) == [exchange._parse_one(row, None) for row in rows]
    odd = [*rows[:2], [*rows[2][:4], "abc", *rows[2][5:]], *rows[3:]]
    parsed = exchange.parse_ohlcvs(odd)
    assert parsed[2][4] is None
    assert len(parsed) == 5


def test_429_and_418_are_told_apart() -> None:
    slow, banned = status_error("v", 429, URL, 3.0), status_error("v", 418, URL, None)
    assert slow is not None
    assert banned is not None
    assert (slow.retry_after, banned.retry_after) == (3.0, 120.0)
    assert "banned" in str(banned)
    assert "banned" not in str(slow)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, "refused"),
        (401, "blocked"),
        (403, "blocked"),
        (451, "blocked"),
        (500, "unavailable"),
        (503, "unavailable"),
    ],
)
def test_each_status_has_its_kind(status: int, kind: str) -> None:
    error = status_error("v", status, URL, None)
    assert error is not None
    assert error.kind == kind
    assert error.is_transient is (kind == "unavailable")
    assert "y=1" not in str(error)


def test_success_and_plain_refusals_are_left_to_the_body() -> None:
    assert [status_error("v", status, URL, None) for status in (200, 204, 400, 404)] == [None] * 4
    assert [seconds_of(text) for text in ("7", "0", "-3", "soon", None)] == [7.0, 0.0, 0.0, None, None]


@pytest.mark.parametrize(
    "name",
    ["create_order", "createOrder", "cancel_order", "edit_order", "withdraw", "transfer", "set_leverage",
     "setMarginMode", "add_margin", "borrow_cross_margin", "close_position", "sapiGetAccountSnapshot",
     "private_post_order", "fapiPrivatePostOrder", "sign_in"],
)  # fmt: skip
def test_whatever_trades_raises_before_a_request(name: str) -> None:
    transport = Canned("{}")
    exchange = exchange_with(transport)
    with pytest.raises(TradingForbiddenError, match="never trades"):
        getattr(exchange, name)("BTC/USDT", "limit", "buy", 1, 1)
    assert not transport.sent


@pytest.mark.parametrize("api", ["private", "sapi", ["v1", "private"], "fapiPrivate", "web"])
def test_a_raw_request_reaches_public_reads_only(api: Any) -> None:
    transport = Canned("{}", "{}")
    exchange = exchange_with(transport)
    with pytest.raises(TradingForbiddenError):
        asyncio.run(exchange.request("order", api, "GET", {}))
    with pytest.raises(TradingForbiddenError):
        asyncio.run(exchange.request("order", "public", "POST", {}))
    assert not transport.sent


def test_every_address_of_a_venue_moves_to_the_base_url() -> None:
    settings = VenueSettings.model_validate(
        {"id": "binance", "base_url": {"spot": "http://h:1", "perp": "http://h:2"}}
    )
    for kind, port in (("spot", 1), ("perp", 2)):
        exchange = strict_exchange(settings, kind, quirks_of("binance"), Canned(), FakeClock())
        assert all(url.startswith(f"http://h:{port}/") for url in exchange.urls["api"].values())


def test_an_unknown_venue_is_named() -> None:
    with pytest.raises(SourceError, match="'bitmexx'"):
        strict_class("bitmexx")


def test_the_throttle_spaces_requests_by_cost_on_the_injected_clock(tmp_path: Path) -> None:
    canned = Canned()
    exchange = exchange_with(canned)
    assert isinstance(exchange, StrictMixin)
    canned.turn = Hosts(tmp_path / "held.json", exchange.clock).reserve

    async def three() -> None:
        for _ in range(3):
            await exchange.throttle(4)

    asyncio.run(three())
    assert exchange.clock.seconds == pytest.approx(2 * 4 * exchange.rateLimit / 1000)


def test_attempts_are_bounded_and_wait_longer_each_time() -> None:
    attempts = Attempts(NetworkSettings(attempts=4), np.random.default_rng(7))
    error = SourceError("unavailable", "down", is_transient=True)
    waits = [attempts.seconds_until_next(error) for _ in range(3)]
    assert 0.25 <= waits[0] <= 0.75 <= 1.0 <= waits[2] <= 3.0
    with pytest.raises(SourceError, match="down"):
        attempts.seconds_until_next(error)


def test_a_wait_over_the_budget_is_deferred_and_a_permanent_failure_is_not_repeated() -> None:
    network = NetworkSettings(retry_budget_seconds=10)
    long = SourceError("unavailable", "slow down", is_transient=True, retry_after=60)
    with pytest.raises(SourceError, match="over this run's budget") as caught:
        Attempts(network, np.random.default_rng(7)).seconds_until_next(long)
    assert caught.value.kind == "deferred"
    with pytest.raises(SourceError, match="gone"):
        Attempts(network, np.random.default_rng(7)).seconds_until_next(SourceError("blocked", "gone"))


def test_a_pause_holds_for_its_host_and_across_processes(tmp_path: Path) -> None:
    file, clock = tmp_path / "state" / "held_hosts.json", FakeClock()
    hosts = Hosts(file, clock)
    hosts.hold(URL, 600)
    hosts.hold(URL, 5)
    assert hosts.seconds_to_wait("https://api.example.org/other") == 600
    assert hosts.seconds_to_wait("https://elsewhere.example.org/") == 0
    assert Hosts(file, FakeClock(AS_OF + timedelta(seconds=100))).seconds_to_wait(URL) == pytest.approx(500)
    assert Hosts(file, FakeClock(AS_OF + timedelta(seconds=700))).seconds_to_wait(URL) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("{broken")
    assert Hosts(file, clock).seconds_to_wait(URL) == 0


def test_received_bytes_are_kept_for_some_days_or_not_at_all(tmp_path: Path) -> None:
    old = tmp_path / (AS_OF - timedelta(days=9)).date().isoformat()
    old.mkdir()
    none = Received(tmp_path, "r", 0, FakeClock())
    none.keep("x", URL, 200, b"body")
    none.close()
    assert not list(tmp_path.rglob("*.zst"))
    kept = Received(tmp_path, "r", 7, FakeClock())
    kept.keep("x", URL, 200, b"body")
    kept.close()
    assert not old.exists()
    (file,) = tmp_path.rglob("*.zst")
    assert file.parent.name == AS_OF.date().isoformat()
