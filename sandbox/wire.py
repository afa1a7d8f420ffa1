"""What a face sees of a request and says in answer; nothing here knows HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.market import Market

JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Call:
    """One request: the path, its parameters, the market's present and the address the caller used."""

    path: str
    query: Mapping[str, str]
    now_ms: int
    market: Market
    base_url: str = ""


@dataclass(frozen=True)
class Reply:
    """One answer, exactly as it goes over the wire."""

    body: bytes
    status: int = 200
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class RefusalError(Exception):
    """A face declines a request in the venue's own words."""

    def __init__(
        self,
        status: int,
        body: object,
        *,
        content_type: str = JSON_TYPE,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status}: {body!r}")
        self.reply = Reply(
            body if isinstance(body, bytes) else encode(body), status, content_type, headers or {}
        )


Handler = Callable[[Call], Reply]
"""Answers one kind of request."""


@dataclass(frozen=True)
class Face:
    """One provider's dialect: exact paths, and prefixes for paths that carry a name."""

    name: str
    paths: Mapping[str, Handler]
    prefixes: Mapping[str, Handler] = field(default_factory=dict[str, Handler])

    def find(self, path: str) -> Handler | None:
        """Return what answers the path, or None."""
        if path in self.paths:
            return self.paths[path]
        return next((handler for prefix, handler in self.prefixes.items() if path.startswith(prefix)), None)


def encode(value: object) -> bytes:
    """Write compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def answer(value: object) -> Reply:
    """Answer with JSON and status 200."""
    return Reply(encode(value))


def iso(at_ms: int, pattern: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Write an instant as text in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime(pattern)


def day_text(at_ms: int) -> str:
    """Write the UTC day of an instant."""
    return iso(at_ms, "%Y-%m-%d")


def instant_ms(text: str) -> int:
    """Read an ISO date or time (any fraction of a second, UTC when unsaid) or a count of milliseconds."""
    if text.lstrip("-").isdigit() and len(text) > 10:
        return int(text)
    head, _, fraction = text.rstrip("Z").partition(".")
    parsed = datetime.fromisoformat(head)
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return int(parsed.timestamp()) * 1000 + int((fraction + "000")[:3])
