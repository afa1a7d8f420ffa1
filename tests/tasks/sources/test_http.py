"""GET for the sources that are no exchange: what a server may do wrong, one server per wrong."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tasks.sources._errors import SourceError
from tasks.sources._hosts import Hosts
from tasks.sources._http import HttpSource, Pace
from tasks.sources._model import Assignment
from tasks.sources._received import Received
from tests.tasks.support import AS_OF, FakeClock, small_settings

Reply = Callable[[BaseHTTPRequestHandler], None]


class Server:
    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.seen: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append(self.path)
                reply = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                reply(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


def answer(body: bytes, status: int = 200, **headers: str) -> Reply:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def assignment(home: Path, clock: FakeClock, **network: Any) -> Assignment:
    settings = small_settings("http://127.0.0.1:9", home, network={"attempts": 3} | network)
    return Assignment(
        settings, AS_OF, None, None, {}, (), home, clock, Hosts(home / "held.json", clock),
        Received(home / "received", "r", 0, clock), lambda _: None, threading.Event(),
    )  # fmt: skip


Make = Callable[..., HttpSource]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Make]:
    made: list[HttpSource] = []

    def make(clock: FakeClock | None = None, pace: Pace | None = None, **network: Any) -> HttpSource:
        made.append(HttpSource("probe", assignment(tmp_path, clock or FakeClock(), **network), pace))
        return made[-1]

    yield make
    for probe in made:
        probe.close()


GOOD = answer(b'{"data": [1]}')


@pytest.mark.parametrize(
    "bad",
    [
        answer(b"<html>down</html>"),
        answer(b'{"data": [1'),
        answer(b'{"a": NaN}'),
        answer(b'{"a": 1, "a": 2}'),
        answer(b""),
        answer(b"\xff\xfe"),
        answer(b"{}", 503),
        answer(b"{}", 429, Retry_After="3"),
        lambda handler: handler.connection.close(),
    ],
)
def test_a_passing_fault_is_asked_again(server: Server, source: Make, bad: Reply) -> None:
    server.replies = [bad, GOOD]
    assert source().json(server.url) == {"data": [1]}
    assert len(server.seen) == 2


def test_a_lasting_fault_ends_after_the_attempts(server: Server, source: Make) -> None:
    server.replies = [answer(b"<html>", 200)]
    with pytest.raises(SourceError, match=r"probe: .*non-JSON 200"):
        source().json(server.url)
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [400, 404, 403, 451])
def test_what_is_refused_is_not_asked_again(server: Server, source: Make, status: int) -> None:
    server.replies = [answer(b"no", status)]
    with pytest.raises(SourceError):
        source().json(server.url)
    assert len(server.seen) == 1


def test_a_redirect_is_not_followed(server: Server, source: Make) -> None:
    server.replies = [answer(b"", 302, Location=f"{server.url}/elsewhere")]
    with pytest.raises(SourceError, match="redirects are not followed"):
        source().json(server.url)
    assert server.seen == ["/"]


def test_a_body_that_swells_when_decoded_is_cut_off(server: Server, source: Make) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    server.replies = [answer(bomb, Content_Encoding="gzip")]
    with pytest.raises(SourceError, match="max_body_bytes"):
        source(max_body_bytes=1_000_000).json(server.url)
    assert len(bomb) < 100_000


def test_a_slow_drip_ends_at_the_deadline(server: Server, source: Make) -> None:
    clock = FakeClock()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        try:
            for _ in range(1000):
                clock.seconds += 3  # each byte takes three seconds of the injected time
                handler.wfile.write(b"1")
                handler.wfile.flush()
        except OSError:
            pass  # the client has hung up, as it should

    server.replies = [drip]
    with pytest.raises(SourceError, match="did not answer completely within 30 s"):
        source(clock, attempts=1).json(server.url)


def test_a_retry_after_is_obeyed_for_the_whole_host(server: Server, source: Make) -> None:
    clock = FakeClock()
    server.replies = [answer(b"{}", 429, Retry_After="20"), GOOD]
    source(clock).json(f"{server.url}/a")
    assert clock.seconds >= 20


def test_the_pace_is_kept(server: Server, source: Make) -> None:
    clock = FakeClock()
    server.replies = [GOOD]
    polite = source(clock, Pace(10, 6.0))
    for _ in range(25):
        polite.json(server.url)
    assert clock.seconds == pytest.approx(12)


def test_a_simulated_answer_is_noticed(server: Server, source: Make) -> None:
    server.replies = [GOOD, answer(b"{}", X_Trimtab_Simulated="1")]
    probe = source()
    probe.json(server.url)
    assert not probe.is_simulated
    probe.json(server.url)
    assert probe.is_simulated


def test_a_stopped_run_asks_nothing(server: Server, tmp_path: Path) -> None:
    stopped = threading.Event()
    stopped.set()
    probe = HttpSource("probe", replace(assignment(tmp_path, FakeClock()), stop=stopped))
    with pytest.raises(SourceError, match="told to stop"):
        probe.json(server.url)
    probe.close()
    assert not server.seen


def test_only_the_token_of_a_next_page_is_followed(server: Server, source: Make) -> None:
    from tasks.sources.coinmetrics import _pages  # noqa: PLC0415 - the one private thing this file looks at

    first = {"data": [{"n": 1}], "next_page_token": "t", "next_page_url": "http://169.254.169.254/latest"}
    server.replies = [answer(json.dumps(first).encode()), answer(b'{"data": [{"n": 2}]}')]
    rows = list(_pages(source(), f"{server.url}/v4", {"assets": "btc"}))
    assert rows == [{"n": 1}, {"n": 2}]
    assert server.seen == ["/v4?assets=btc", "/v4?assets=btc&next_page_token=t"]
    server.replies = [answer(json.dumps(first).encode())]
    with pytest.raises(SourceError, match="again and again"):
        list(_pages(source(), f"{server.url}/v4", {}))
