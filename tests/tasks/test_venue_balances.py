"""Keys: one that may do more than read is refused before a balance is asked for; nothing else can be sent."""

import asyncio
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from urllib.parse import parse_qs, urlsplit

import pytest
from ccxt.base.types import Entry

from flows.cli import invoke
from tasks.settings_schema import NetworkSettings
from tasks.sources._account import (
    BALANCES,
    MUST_BE_FALSE,
    PERMISSIONS,
    READS,
    AccountError,
    AccountReader,
    Key,
    UnreadableError,
    powers,
)
from tasks.sources._ccxt import strict_class
from tasks.sources._errors import TradingForbiddenError
from tests.tasks.support import AS_OF

KEY, SECRET = "canary-key-0123456789abcdef", "canary-secret-fedcba9876543210"
READ_ONLY = dict.fromkeys(MUST_BE_FALSE, False) | {
    "ipRestrict": True,
    "enableReading": True,
    "enableFixReadOnly": True,
    "createTime": 1782000000000,
}
HELD = [
    {"asset": "BTC", "free": "1.20000000", "locked": "0.30000000"},
    {"asset": "DOGE", "free": "0.00", "locked": "0.00"},
    {"asset": "USDT", "free": "1250.5", "locked": "0"},
]
CONFIG = """\
[warehouse]
home = "home"
[[venues]]
id = "binance"
base_url = "{base}"
[universe]
assets = ["BTC", "ETH"]
[portfolios.core]
objective = "min_volatility"
"""


class Binance:
    """A venue on loopback that checks signatures and notes every request."""

    def __init__(self):
        self.permissions, self.balances = READ_ONLY, {"balances": HELD}
        self.statuses, self.seen = {}, []
        venue = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                parts = urlsplit(self.path)
                venue.seen.append((self.command, parts.path))
                query, _, sent = parts.query.rpartition("&signature=")
                wanted = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
                is_signed = self.headers["X-MBX-APIKEY"] == KEY and sent == wanted
                assert parse_qs(query)["timestamp"]
                bodies = {PERMISSIONS: venue.permissions, BALANCES: venue.balances}
                status = venue.statuses.get(parts.path, 200 if is_signed else 401)
                body = bodies.get(parts.path)
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/api/v3/order")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def binance():
    with Binance() as running:
        yield running


@pytest.fixture
def fetch(binance, tmp_path, monkeypatch, capfd):
    config = tmp_path / "trimtab.toml"
    config.write_text(CONFIG.format(base=binance.url))
    monkeypatch.setenv("TRIMTAB_KEY_BINANCE", KEY)
    monkeypatch.setenv("TRIMTAB_SECRET_BINANCE", SECRET)

    def run(*arguments, venue="binance"):
        status = invoke(["positions", "fetch", venue, "--config", str(config), *arguments])
        told = capfd.readouterr()
        assert KEY not in told.out + told.err
        assert SECRET not in told.out + told.err
        assert "signature" not in told.out + told.err
        return status, told.out, told.err

    return run


def test_balances_come_as_a_positions_file(fetch, binance, tmp_path):
    status, out, err = fetch()
    assert (status, err) == (0, "")
    assert out == "asset,venue,quantity\nBTC,binance,1.50000000\nUSDT,binance,1250.5\n"
    assert binance.seen == [("GET", PERMISSIONS), ("GET", BALANCES)]
    file = tmp_path / "held.csv"
    assert fetch("-o", str(file))[0] == 0
    config = str(tmp_path / "trimtab.toml")
    assert invoke(["positions", "import", str(file), "--config", config]) == 0


@pytest.mark.parametrize("flag", [*MUST_BE_FALSE, "enableSomethingNobodyKnowsYet"])
@pytest.mark.parametrize("value", [True, "true", 1])
def test_a_key_that_may_do_more_is_named(flag, value):
    assert powers(READ_ONLY | {flag: value}) == ([flag], [])


@pytest.mark.parametrize("flag", [*MUST_BE_FALSE, "permitsSomethingNew"])
def test_a_key_that_may_do_more_than_read_is_refused_whatever_is_accepted(fetch, binance, flag):
    binance.permissions = READ_ONLY | {flag: True}
    for extra in ((), ("--i-accept-unverified-key",)):
        status, out, err = fetch(*extra)
        assert (status, out) == (2, "")
        assert flag in err
        assert "No balance was asked for" in err
    assert set(binance.seen) == {("GET", PERMISSIONS)}


@pytest.mark.parametrize("flag", MUST_BE_FALSE)
def test_a_permission_that_is_not_stated_is_not_taken_for_false(flag):
    stated = {name: value for name, value in READ_ONLY.items() if name != flag}
    assert powers(stated) == ([], [flag])
    assert powers(READ_ONLY | {flag: None}) == ([flag], [])


@pytest.mark.parametrize("fault", [401, 403, 404, 500, 302, b"<html>", b"[]", b'{"enableMargin": NaN}', {}])
def test_unreadable_permissions_are_refused_unless_accepted(fetch, binance, fault):
    if isinstance(fault, int):
        binance.statuses[PERMISSIONS] = fault
    else:
        binance.permissions = fault
    status, out, err = fetch()
    assert (status, out) == (2, "")
    assert "--i-accept-unverified-key" in err
    assert binance.seen == [("GET", PERMISSIONS)]
    status, out, err = fetch("--i-accept-unverified-key")
    assert status == 0
    assert "BTC,binance,1.5" in out
    assert "not verified" in err
    assert {method for method, _ in binance.seen} == {"GET"}
    assert {path for _, path in binance.seen} == {PERMISSIONS, BALANCES}


@pytest.mark.parametrize(
    "body",
    [{}, {"balances": None}, {"balances": [{"asset": "BTC"}]}, b"[]", b"x",
     {"balances": [{"asset": "BTC", "free": "NaN", "locked": "0"}]},
     {"balances": [{"asset": "BTC", "free": "-1", "locked": "0"}]}],
)  # fmt: skip
def test_balances_that_are_none_are_refused(fetch, binance, body):
    binance.balances = body
    status, out, _ = fetch()
    assert (status, out) == (2, "")


def test_a_name_that_is_no_ticker_is_left_out_and_told(fetch, binance):
    odd = {"asset": "=HYPERLINK(\x1b[2J)", "free": "1", "locked": "0"}
    binance.balances = {"balances": [*HELD, odd]}
    status, out, err = fetch()
    assert status == 0
    assert "HYPERLINK" not in out
    assert "1 assets are left out" in err
    assert "\x1b" not in err


def test_without_a_key_or_for_another_venue_nothing_is_sent(fetch, binance, monkeypatch):
    assert "kraken" in fetch(venue="kraken")[2]
    monkeypatch.delenv("TRIMTAB_SECRET_BINANCE")
    status, _, err = fetch()
    assert status == 2
    assert "TRIMTAB_SECRET_BINANCE" in err
    assert binance.seen == []


def test_a_key_from_a_file_that_others_can_read_is_refused(fetch, binance, tmp_path, monkeypatch):
    monkeypatch.delenv("TRIMTAB_SECRET_BINANCE")
    file = tmp_path / ".env"
    file.write_text(f"TRIMTAB_SECRET_BINANCE={SECRET}\n")
    file.chmod(0o644)
    status, _, err = fetch()
    assert status == 2
    assert "chmod 600" in err
    assert binance.seen == []


def test_a_key_never_travels_in_the_open():
    with pytest.raises(AccountError, match="https"):
        AccountReader(Key(KEY, SECRET), "http://api.example.org", NetworkSettings())


@pytest.mark.parametrize("path", ["/api/v3/order", "/sapi/v1/capital/withdraw/apply", "/api/v3/account/", ""])
def test_nothing_but_the_two_reads_can_be_signed(path, binance):
    reader = AccountReader(Key(KEY, SECRET), binance.url, NetworkSettings())
    with pytest.raises(TradingForbiddenError, match="never trades"):
        reader.read(path, AS_OF)
    assert reader.sent == []
    assert binance.seen == []
    assert set(READS) == {PERMISSIONS, BALANCES}


def test_an_unreachable_venue_is_told_without_key_or_signature():
    reader = AccountReader(Key(KEY, SECRET), "http://127.0.0.1:1", NetworkSettings())
    with pytest.raises(UnreadableError) as caught:
        reader.permissions(AS_OF)
    assert "signature" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert KEY not in repr(Key(KEY, SECRET))
    assert SECRET not in repr(Key(KEY, SECRET))


ORDERS = (
    *(
        "create_order",
        "createOrder",
        "create_market_buy_order",
        "create_orders",
        "cancel_order",
        "edit_order",
    ),
    *("withdraw", "transfer", "set_leverage", "add_margin", "private_post_order", "privatePostOrder"),
    *("private_get_account", "sapi_post_capital_withdraw_apply"),
)


@pytest.mark.parametrize("name", ORDERS)
def test_every_way_to_trade_is_shut_in_the_exchange(name):
    made = strict_class("binance")
    with pytest.raises(TradingForbiddenError, match="nothing was sent"):
        getattr(made, name)(made())


@pytest.mark.parametrize("venue", ["binance", "kraken", "okx", "bybit", "coinbase"])
def test_every_endpoint_that_is_no_public_read_raises_before_anything_is_sent(venue):
    exchange = strict_class(venue)()
    exchange.transport = None  # whatever reached it would fail with another error
    entries = {name: entry for name, entry in vars(ImplicitAPI_of(venue)).items() if isinstance(entry, Entry)}
    risky = [name for name, entry in entries.items() if entry.method != "GET" or "private" in str(entry.api)]
    assert len(risky) > 50

    async def call(name):
        with pytest.raises(TradingForbiddenError):
            await getattr(exchange, name)({})

    async def all_of_them():
        for name in risky:
            await call(name)

    asyncio.run(all_of_them())


def ImplicitAPI_of(venue):  # noqa: N802 - ccxt's name
    return import_module(f"ccxt.abstract.{venue}").ImplicitAPI
