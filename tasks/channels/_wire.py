"""Watches and restricts the network while a channel sends.

apprise tells only "not sent" and follows whatever a URL resolves to. Inside `watched`, this thread can reach
only allowed addresses, checked on the very answer that is connected to (a second DNS answer can not differ),
and every HTTP exchange is noted, so that "refused" and "perhaps delivered" can be told apart.
"""

import ipaddress
import socket
import threading
import unicodedata
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError
from urllib3.exceptions import SSLError as UrllibSSLError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa")
# what is swapped is the process's; two channels at once would put back each other's
_ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request: the status that came back, or why none did and whether it may have been taken."""

    status: int | None
    problem: str = ""
    may_have_arrived: bool = False
    retry_after_seconds: float | None = None


@dataclass(slots=True)
class Wire:
    """What happened on the network during one sending."""

    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    looked_up: bool = False
    refused: str = ""


def is_private(address: str) -> bool:
    """Say whether an IP address is not public: loopback, private, link-local, metadata, or mapped."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return not ip.is_global or ip.is_multicast


def names_private_host(host: str) -> bool:
    """Say, without network, whether a host is written as a private one: a local name or an IP literal."""
    # other scripts' digits, letters in circles and the ideographic full stop resolve as what they look like
    name = unicodedata.normalize("NFKC", host).replace("\u3002", ".").strip("[]").rstrip(".").lower()
    if name in _LOCAL_NAMES or name.endswith(_LOCAL_NAMES):
        return True
    try:
        return is_private(name)
    except ValueError:
        pass
    try:
        # 0x7f.1, 2130706433 and 127.1 are addresses too: the resolver reads them so
        return is_private(socket.inet_ntoa(socket.inet_aton(name)))
    except OSError:
        return False


@contextmanager
def watched(*, allow_private_hosts: bool) -> Generator[Wire]:
    """Restrict and note what this thread does on the network; other threads are not touched."""
    wire, owner = Wire(), threading.get_ident()
    look_up: Callable[..., list[Any]] = socket.getaddrinfo
    send: Callable[..., requests.Response] = requests.Session.send

    def guarded(host: str, port: object, *args: object, **kwargs: object) -> list[Any]:
        answers = look_up(host, port, *args, **kwargs)
        if threading.get_ident() == owner:
            wire.looked_up = True
            private = [str(answer[4][0]) for answer in answers if is_private(str(answer[4][0]))]
            if private and not allow_private_hosts:
                wire.refused = f"{host} is at {private[0]}, a private or loopback address"
                raise socket.gaierror(socket.EAI_FAIL, wire.refused)
        return answers

    def noted(
        session: requests.Session, request: requests.PreparedRequest, **kwargs: object
    ) -> requests.Response:
        if threading.get_ident() != owner:
            return send(session, request, **kwargs)
        try:
            response = send(session, request, **kwargs)
        except requests.RequestException as error:
            wire.exchanges.append(_unanswered(error))
            raise
        wait = _retry_after(response.headers.get("Retry-After"))
        wire.exchanges.append(Exchange(response.status_code, retry_after_seconds=wait))
        return response

    with _ONE_AT_A_TIME, _swapped(socket, "getaddrinfo", guarded), _swapped(requests.Session, "send", noted):
        yield wire


@contextmanager
def _swapped(owner: object, name: str, value: object) -> Generator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _unanswered(error: requests.RequestException) -> Exchange:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(reason, NewConnectionError):  # refused, or the name does not resolve
        return Exchange(None, "no connection")
    if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, ConnectTimeoutError):
        return Exchange(None, "no connection in time")
    if isinstance(error, requests.exceptions.SSLError) or isinstance(reason, UrllibSSLError):
        return Exchange(None, "no trusted TLS connection")
    if isinstance(error, requests.exceptions.ReadTimeout):
        return Exchange(None, "no answer in time", may_have_arrived=True)
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return Exchange(None, "the connection broke before the answer was complete", may_have_arrived=True)
    return Exchange(None, f"the request could not be made ({type(error).__name__})")


def _retry_after(header: str | None) -> float | None:
    # a date instead of seconds is legal and rare; without it the next run is soon enough
    return float(header) if header and header.strip().isdecimal() else None
