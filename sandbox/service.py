"""The service behind the socket: which face answers, at what time, within which limits, with which faults."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, cast

from sandbox import faces
from sandbox.faults import Fault, Faults, as_rules, transport_reply
from sandbox.limits import Limits
from sandbox.market import Market
from sandbox.wire import Call, Face, RefusalError, Reply, encode, instant_ms, iso

LABEL = {"X-Trimtab-Simulated": "1"}
"""On every answer, so that whoever stores it can mark it as simulated."""

_LATEST_MS = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1000
_EARLIEST_MS = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp()) * 1000


def load_faces() -> list[Face]:
    """Return the face of every public module in sandbox/faces: the file is the registration."""
    names = sorted(module.name for module in iter_modules(faces.__path__) if not module.name.startswith("_"))
    return [import_module(f"{faces.__name__}.{name}").FACE for name in names]


@lru_cache(maxsize=2)
def shared_market(seed: int, last_year: int) -> Market:
    """Return the market that sandboxes of one process share: it never changes, and building takes time."""
    return Market(seed, last_year)


def _no_such_endpoint(call: Call) -> Reply:
    page = f"<html><body>404 not found (the sandbox has no {call.path})</body></html>"
    return Reply(page.encode(), 404, "text/html")


class Clock:
    """The market's present: fixed until moved, or the real time."""

    def __init__(self, mode: str, now: datetime, wall: Callable[[], float]) -> None:
        if mode not in {"fixed", "wall"}:
            raise ValueError(f"the clock was to be {mode!r}; it is 'fixed' or 'wall'")
        if now.tzinfo is None:
            raise ValueError(f"the present was given as {now}, without a time zone; give it in UTC")
        self.mode, self._wall = mode, wall
        self._now_ms = self._checked(int(now.timestamp() * 1000))

    @property
    def now_ms(self) -> int:
        """The present in ms since the epoch."""
        return int(self._wall() * 1000) if self.mode == "wall" else self._now_ms

    def set(self, now_ms: int) -> None:
        """Fix the present at an instant."""
        self._now_ms, self.mode = self._checked(now_ms), "fixed"

    def advance(self, seconds: float) -> None:
        """Move the present on (or back) and keep it there."""
        self.set(self.now_ms + round(seconds * 1000))

    @staticmethod
    def _checked(now_ms: int) -> int:
        if not _EARLIEST_MS <= now_ms < _LATEST_MS:
            raise ValueError(
                f"the present was to be {now_ms} ms; the simulated market runs from 2018 to 2099"
            )
        return now_ms

    def describe(self) -> dict[str, object]:
        """Return the clock as the control endpoint shows it."""
        return {"now": self.now_ms, "iso": iso(self.now_ms), "mode": self.mode}


@dataclass
class Endpoint:
    """What one endpoint has been asked and has answered."""

    requests: int = 0
    bytes: int = 0
    status: Counter[str] = field(default_factory=Counter[str])


class Service:
    """One running sandbox: clock, limits, faults, counters, and the market they all look at."""

    def __init__(self, *, seed: int, clock: Clock, limits: Limits) -> None:
        self.seed, self.clock, self.limits = seed, clock, limits
        self.faults = Faults(seed)
        self.endpoints: dict[str, Endpoint] = {}
        self.running = self.peak = 0
        self._faces = load_faces()
        self._market: Market | None = None

    def market(self) -> Market:
        """Return the market up to the end of the present year; a later year only adds to it."""
        year = datetime.fromtimestamp(self.clock.now_ms / 1000, tz=UTC).year
        if self._market is None or self._market.last_year < year:
            self._market = shared_market(self.seed, year)
        return self._market

    def answer(
        self, path: str, query: Mapping[str, str], target: str, base_url: str, due: Sequence[Fault]
    ) -> Reply:
        """Return the answer to a request, with the faults that are due."""
        try:
            for fault in due:
                if refusal := transport_reply(fault, self.clock.now_ms):
                    raise refusal
            headers = self.limits.charge(path, query)
            handler = next((found for face in self._faces if (found := face.find(path))), None)
            reply = (handler or _no_such_endpoint)(
                Call(path, query, self.clock.now_ms, self.market(), base_url)
            )
            reply = self.faults.spoil(reply, target)
            date = format_datetime(datetime.fromtimestamp(self.clock.now_ms / 1000, tz=UTC), usegmt=True)
            headers = {"Date": date, **headers, **reply.headers}
            return Reply(reply.body, reply.status, reply.content_type, headers)
        except RefusalError as refusal:
            return refusal.reply
        except ValueError as error:
            return Reply(
                encode({"code": -1100, "msg": f"Illegal characters found in a parameter. ({error})"}), 400
            )

    def count(self, path: str, status: int, size: int) -> None:
        """Count an answered request under its endpoint."""
        handled = next((face for face in self._faces if face.find(path)), None)
        prefixes = handled.prefixes if handled and path not in handled.paths else {}
        name = next(
            (prefix + "*" for prefix in prefixes if path.startswith(prefix)), path if handled else "(404)"
        )
        endpoint = self.endpoints.setdefault(name, Endpoint())
        endpoint.requests += 1
        endpoint.bytes += size
        endpoint.status[str(status)] += 1

    def stats(self) -> dict[str, Any]:
        """Return the counters as the control endpoint shows them."""
        return {
            "total": sum(endpoint.requests for endpoint in self.endpoints.values()),
            "peak_concurrency": self.peak,
            "injected": dict(self.faults.injected),
            "weight": self.limits.used(),
            "endpoints": {
                name: {
                    "requests": endpoint.requests,
                    "bytes": endpoint.bytes,
                    "status": dict(endpoint.status),
                }
                for name, endpoint in sorted(self.endpoints.items())
            },
        }

    def control(self, method: str, path: str, body: object) -> Reply:
        """Answer a control request; these are never counted, limited or faulted."""
        try:
            return Reply(encode(self._controlled(method, path, body)))
        except (ValueError, TypeError, AttributeError, re.error) as error:
            return Reply(encode({"error": str(error)}), 400)
        except KeyError:
            known = "GET /__stats, GET/POST /__clock, GET/POST/DELETE /__faults, POST /__reset"
            return Reply(
                encode({"error": f"{method} {path} is not a control request; known are {known}"}), 404
            )

    def _controlled(self, method: str, path: str, body: object) -> object:
        actions: dict[tuple[str, str], Callable[[], object]] = {
            ("GET", "/__stats"): self.stats,
            ("GET", "/__clock"): self.clock.describe,
            ("POST", "/__clock"): lambda: self._move_clock(body),
            ("GET", "/__faults"): lambda: [rule.describe() for rule in self.faults.rules],
            ("POST", "/__faults"): lambda: {"ids": [self.faults.add(rule) for rule in as_rules(body)]},
            ("DELETE", "/__faults"): lambda: self.faults.clear() or {"ok": True},
            ("POST", "/__reset"): self._reset,
        }
        return actions[method, path]()

    def _move_clock(self, body: object) -> object:
        if not isinstance(body, dict):
            raise TypeError('the clock takes {"now": ...} or {"advance_s": ...}')
        wanted = cast("dict[str, Any]", body)
        if "now" in wanted:
            self.clock.set(instant_ms(str(wanted["now"])))
        if "advance_s" in wanted:
            self.clock.advance(float(wanted["advance_s"]))
        return self.clock.describe()

    def _reset(self) -> object:
        self.endpoints.clear()
        self.faults.injected.clear()
        self.limits = Limits(self.limits.wall, self.limits.enforced)
        self.peak = 0
        return {"ok": True}
