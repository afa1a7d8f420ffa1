"""Only requests that were meant for this server: a page elsewhere may point its own name at 127.0.0.1.

The browser then sends that page's requests here, with a foreign name in `Host` (DNS rebinding). Prefect does
not look at it; this does, before Prefect sees the request. Pure ASGI, without Prefect.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
REFUSAL = b"This server answers to its own names only. Name others when it is started: --allow-host NAME.\n"


def is_loopback(host: str) -> bool:
    """Whether a name or address to listen on reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def name_of(host_header: str) -> str:
    """The name in a Host header, without its port and brackets, in lower case."""
    if host_header.startswith("["):
        return host_header[1:].partition("]")[0].lower()
    return host_header.partition(":")[0].strip().rstrip(".").lower()


def only_hosts(app: App, names: Iterable[str]) -> App:
    """Wrap an application: requests whose Host is not among the names, or missing, or double, get 403."""
    allowed = frozenset(name.lower() for name in names)

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and not _is_meant(scope, allowed):
            await _refuse(scope, send)
            return
        await app(scope, receive, send)

    return guarded


def _is_meant(scope: Message, allowed: frozenset[str]) -> bool:
    hosts = [value for name, value in scope["headers"] if name.lower() == b"host"]
    return len(hosts) == 1 and name_of(hosts[0].decode("latin-1")) in allowed


async def _refuse(scope: Message, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before acceptance: answered with 403
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(REFUSAL))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSAL})
