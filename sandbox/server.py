"""The sandbox as an HTTP server on loopback: `serve` for a terminal, `running_sandbox` for demo and tests."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sandbox.faults import Fault, as_rules
from sandbox.limits import Limits
from sandbox.service import LABEL, Clock, Service
from sandbox.wire import Reply

HOST = "127.0.0.1"
DEFAULT_NOW = datetime(2026, 6, 30, 18, 20, tzinfo=UTC)
_HANG_SECONDS = 3600.0
# The sandbox is a venue of its own: its wall clock and request windows are real unless a test injects others.
_REAL_WALL = time.time  # noqa: TID251 — a venue reads the real time; see above

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class _Web:
    """Turns HTTP into calls on the service and back."""

    service: Service
    sleep: Sleep

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if request.path.startswith("/__"):
            return _response(self.service.control(request.method, request.path, await _json_body(request)))
        self.service.running += 1
        self.service.peak = max(self.service.peak, self.service.running)
        try:
            return await self._counted(request)
        finally:
            self.service.running -= 1

    async def _counted(self, request: web.Request) -> web.StreamResponse:
        due = self.service.faults.due(request.path_qs)
        base_url = f"{request.scheme}://{request.host}"
        await self._delay(due)
        if any(fault.kind == "reset" for fault in due):
            return self._dropped(request)
        reply = self.service.answer(request.path, request.query, request.path_qs, base_url, due)
        cut = next((fault for fault in due if fault.kind == "truncate"), None)
        if cut and reply.status == 200 and len(reply.body) > 2:
            return await self._truncated(request, reply, cut)
        self.service.count(request.path, reply.status, len(reply.body))
        return _response(reply)

    async def _delay(self, due: Sequence[Fault]) -> None:
        defaults = {"slow": 1.0, "hang": _HANG_SECONDS}
        for fault in due:
            if fault.kind in defaults:
                await self.sleep(float(fault.settings.get("seconds", defaults[fault.kind])))

    def _dropped(self, request: web.Request) -> web.Response:
        """Cut the connection; the answer returned goes nowhere."""
        self.service.count(request.path, 0, 0)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _truncated(self, request: web.Request, reply: Reply, cut: Fault) -> web.StreamResponse:
        """Send the first part of the body: as a whole answer, or with `wire` on a connection that dies."""
        kept = reply.body[: max(1, int(len(reply.body) * float(cut.settings.get("keep", 0.6))))]
        self.service.count(request.path, reply.status, len(kept))
        if not cut.settings.get("wire"):
            return _response(Reply(kept, reply.status, reply.content_type, reply.headers))
        headers = {**LABEL, "Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
        response = web.StreamResponse(status=200, headers=headers)
        await response.prepare(request)
        await response.write(kept)
        if request.transport is not None:
            request.transport.close()
        return response


async def _json_body(request: web.Request) -> object:
    text = await request.text()
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return None


def _response(reply: Reply) -> web.Response:
    headers = {**reply.headers, **LABEL, "Content-Type": reply.content_type}
    return web.Response(body=reply.body, status=reply.status, headers=headers)


async def _run(
    service: Service, port: int, sleep: Sleep, ready: Callable[[int], None], stop: asyncio.Event
) -> None:
    """Serve until `stop` is set."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _Web(service, sleep).handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        ready(_port_of(runner))
        await stop.wait()
    finally:
        await runner.cleanup()


def _port_of(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])


def serve(
    *,
    port: int = 0,
    seed: int = 7,
    clock: str = "fixed",
    now: datetime = DEFAULT_NOW,
    limits: bool = True,
    on_ready: Callable[[int], None],
    wall: Callable[[], float] = _REAL_WALL,
) -> None:
    """Serve the sandbox on loopback until SIGTERM or SIGINT.

    Args:
        port: 0 takes a free one.
        seed: which market.
        clock: "fixed" stands at `now` until moved, "wall" follows the real time.
        now: the present of a fixed clock, with a time zone.
        limits: whether the venues' request limits are enforced.
        on_ready: called with the port once connections are accepted.
        wall: the real time in seconds since the epoch.
    """
    service = Service(seed=seed, clock=Clock(clock, now, wall), limits=Limits(wall, limits))

    async def until_signalled() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await _run(service, port, asyncio.sleep, on_ready, stop)

    asyncio.run(until_signalled())


class RunningSandbox:
    """A sandbox in a daemon thread of this process, for the demo and for tests; use it in a `with` statement.

    Attributes:
        base_url: where it listens, known once entered.
    """

    def __init__(self, service: Service, *, sleep: Sleep = asyncio.sleep) -> None:
        self._service, self._sleep = service, sleep
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)
        self.base_url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise RuntimeError("the sandbox could not start") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def now(self) -> datetime:
        """The market's present."""
        return datetime.fromtimestamp(self._service.clock.now_ms / 1000, tz=UTC)

    def stats(self) -> dict[str, Any]:
        """Requests per endpoint, injected faults, weight used."""
        return self._service.stats()

    def set_faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Put these fault rules in force instead of those before; an empty list clears them."""
        self._service.faults.clear()
        for rule in as_rules(list(rules)):
            self._service.faults.add(rule)

    def advance(self, seconds: float) -> None:
        """Move the market's present on."""
        self._service.clock.advance(seconds)

    def set_now(self, now: datetime) -> None:
        """Fix the market's present at an instant."""
        self._service.clock.set(int(now.timestamp() * 1000))

    def _serve(self) -> None:
        try:
            asyncio.run(self._until_stopped())
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _until_stopped(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await _run(self._service, 0, self._sleep, self._announce, self._stop)

    def _announce(self, port: int) -> None:
        self.base_url = f"http://{HOST}:{port}"
        self._ready.set()


def running_sandbox(
    *,
    seed: int = 7,
    clock: str = "fixed",
    now: datetime = DEFAULT_NOW,
    limits: bool = False,
    wall: Callable[[], float] = _REAL_WALL,
    sleep: Sleep = asyncio.sleep,
) -> RunningSandbox:
    """Return a sandbox that runs within a `with` statement.

    Args:
        seed: which market.
        clock: "fixed" or "wall".
        now: the present of a fixed clock, with a time zone.
        limits: whether request limits are enforced.
        wall: the real time in seconds since the epoch; inject another to test limits without waiting.
        sleep: how slow answers wait; inject another to test them without waiting.
    """
    service = Service(seed=seed, clock=Clock(clock, now, wall), limits=Limits(wall, limits))
    return RunningSandbox(service, sleep=sleep)
