"""The road to a venue: redirects, bodies that swell, and certificates that nobody signed."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tasks.settings_schema import NetworkSettings
from tasks.sources._errors import SourceError
from tasks.sources._hosts import Hosts
from tasks.sources._model import Assignment
from tasks.sources._received import Received
from tasks.sources._transport import Answer, Transport
from tests.tasks.support import AS_OF, FakeClock, small_settings

ROOT = Path(__file__).resolve().parents[2]
Reply = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(reply: Reply, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server on loopback, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            reply(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # a refused handshake is the point
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    scheme = "http" if context is None else "https"
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}/x", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(home: Path, url: str, **network: int) -> Answer:
    settings, clock = small_settings("http://127.0.0.1:9", home), FakeClock()
    assignment = Assignment(
        settings, AS_OF, None, None, {}, (), home, clock, Hosts(home / "held.json", clock),
        Received(home / "received", "r", 0, clock), lambda _: None, threading.Event(),
    )  # fmt: skip
    transport = Transport("binance", NetworkSettings.model_validate(network), assignment)

    async def once() -> Answer:
        try:
            return await transport.get(url, {})
        finally:
            await transport.close()

    return asyncio.run(once())


def send(status: int, body: bytes, **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def test_a_venues_redirect_is_not_followed(tmp_path: Path) -> None:
    with (
        serving(send(200, b"[]")) as (target, reached),
        serving(send(302, b"", Location=target)) as (url, asked),
    ):
        assert ask(tmp_path, url).status == 302
    assert (len(asked), reached) == (1, [])


def test_a_venues_body_that_swells_is_cut_off(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    assert len(bomb) < 50_000
    with (
        serving(send(200, bomb, Content_Encoding="gzip")) as (url, _),
        pytest.raises(SourceError, match="max_body_bytes") as caught,
    ):
        ask(tmp_path, url, max_body_bytes=1_000_000)
    assert caught.value.kind == "malformed"


def test_a_certificate_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    with serving(send(200, b"[]"), _self_signed(tmp_path)) as (url, asked):
        with pytest.raises(SourceError, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
            ask(tmp_path, url)
        assert asked == []


def test_verification_is_never_switched_off() -> None:
    forbidden = ("verify=False", "ssl=False", "CERT_NONE", "check_hostname", "_create_unverified_context")
    for room in ("flows", "tasks", "warehouse", "expectations", "portfolio"):
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text()
            assert not [word for word in forbidden if word in text], path


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = timedelta(days=1)
    now = datetime.now(UTC)  # a certificate is judged by the real clock
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "self-signed.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
