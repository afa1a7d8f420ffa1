"""A real HTTP receiver on loopback that keeps what it got and answers as it is told."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.invariants_told import Arrival


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    answer: int | str = 200

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Sink:
    """`script` holds the next answers: a status, or one of "lost", "hang", "redirect"; afterwards 200."""

    received: list[Received] = field(default_factory=list)
    script: list[int | str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b"ok"
    redirect_to: str = ""
    on_request: Callable[[], None] = lambda: None
    port: int = 0
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook"

    def start(self) -> "Sink":
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                got = Received(self.path, dict(self.headers), self.rfile.read(length))
                sink.received.append(got)
                sink.on_request()
                got.answer = answer = sink.script.pop(0) if sink.script else 200
                if answer == "lost":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.close()
                    return
                if answer == "hang":
                    sink.release.wait(10)
                    self.close_connection = True
                    return
                self.send_response(302 if answer == "redirect" else int(answer))
                if answer == "redirect":
                    self.send_header("Location", sink.redirect_to)
                for name, value in sink.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sink.content)))
                self.end_headers()
                self.wfile.write(sink.content)

            do_GET = do_POST  # noqa: N815 - http.server finds the method by this name

            def finish(self) -> None:
                with contextlib.suppress(OSError, ValueError):
                    super().finish()

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def arrivals(sink: Sink) -> list[Arrival]:
    """What came, in the words of the invariants; "lost" and "hang" gave no answer."""
    return [
        Arrival(
            one.headers.get("Idempotency-Key", ""),
            one.json["title"],
            one.json["message"],
            302 if one.answer == "redirect" else one.answer if isinstance(one.answer, int) else None,
        )
        for one in sink.received
    ]
