"""The server answers to its own names, and listens beyond this machine only behind a login and TLS."""

import asyncio

import pytest

from flows.hosts import LOOPBACK_NAMES, is_loopback, only_hosts
from flows.prefect_server import UnsafeServerError, require_safe

GOOD = "operator:correct-horse-battery"


def status_for(*hosts: str, kind: str = "http", names=LOOPBACK_NAMES) -> object:
    """The status of a request with these Host headers; "served" where the application got it."""
    sent = []

    async def app(scope, receive, send):
        await send({"status": "served"})

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "headers": [(b"host", host.encode()) for host in hosts]}
    asyncio.run(only_hosts(app, names)(scope, None, send))
    return sent[0].get("status") or sent[0]["type"]


@pytest.mark.parametrize("host", ["127.0.0.1:4200", "localhost", "LOCALHOST:80", "[::1]:4200", "localhost."])
def test_its_own_names_are_served(host):
    assert status_for(host) == "served"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:4200",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "[::2]:4200",
        "169.254.169.254",
    ],
)
def test_a_foreign_name_gets_403(host):
    assert status_for(host) == 403
    assert status_for(host, kind="websocket") == "websocket.close"


def test_a_missing_or_second_name_gets_403_and_a_named_one_is_served():
    assert status_for() == 403
    assert status_for("localhost", "evil.example") == 403
    assert status_for("server:4200", names=(*LOOPBACK_NAMES, "server")) == "served"


def test_what_is_no_request_passes():
    assert status_for(kind="lifespan") == "served"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "trimtab.example"])
def test_beyond_loopback_login_tls_and_names_are_wanted(host):
    assert not is_loopback(host)
    for auth in (None, "", "short:pw", "nocolon-but-long-enough"):
        with pytest.raises(UnsafeServerError, match="PREFECT_SERVER_API_AUTH_STRING"):
            require_safe(host, auth, behind_tls=True, allowed=("server",))
    with pytest.raises(UnsafeServerError, match="--behind-tls"):
        require_safe(host, GOOD, behind_tls=False, allowed=("server",))
    with pytest.raises(UnsafeServerError, match="--allow-host"):
        require_safe(host, GOOD, behind_tls=True, allowed=())
    require_safe(host, GOOD, behind_tls=True, allowed=("server",))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_on_loopback_nothing_is_asked(host):
    require_safe(host, None, behind_tls=False, allowed=())
