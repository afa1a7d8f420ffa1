"""What every channel is given and gives back.

A channel is one module of this folder: `KIND` (its word in the configuration), `NEEDS_SECRET`, `check`,
`send`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from tasks.messages import Message

# How the detail begins when the receiver does not accept who we are: trying again can lock an account.
REJECTED = "credentials rejected"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a channel can not work as configured: wanted, found, what to do. No secret is in it."""

    wanted: str
    found: str
    remedy: str

    def __str__(self) -> str:
        """Return the three as sentences."""
        return f"Wanted {self.wanted}; found {self.found}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one attempt ended. `ambiguous`: it may or may not have arrived.

    `retry_after_seconds` is what the receiver asked for, if it did. `detail` carries no secret.
    """

    status: Literal["sent", "failed", "ambiguous"]
    detail: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a channel sends to. The secret and the key are not part of its text form.

    Attributes:
        channel: the id in the configuration.
        secret: an apprise URL or the URL of a webhook; empty where the kind needs none.
        signing_key: signs a webhook; None: unsigned.
        allow_private_hosts: receivers on loopback and private networks are allowed.
        timeout_seconds: for the connection and again for the answer.
        write: shows a text on the terminal.
        now: the real time, aware UTC; part of what is signed.
    """

    channel: str
    secret: str = field(default="", repr=False)
    signing_key: str | None = field(default=None, repr=False)
    allow_private_hosts: bool = False
    timeout_seconds: float = 10.0
    write: Callable[[str], None] = field(default=lambda _text: None, repr=False)
    now: datetime | None = None


class Channel(Protocol):
    """The shape of a channel module."""

    KIND: str
    NEEDS_SECRET: bool

    def check(self, target: Target) -> Problem | None:
        """Say why this target can not work, without network; None when it can."""
        ...

    def send(self, message: Message, target: Target, *, idempotency_key: str) -> Delivery:
        """Send once. Never raises for what happens outside; never retries by itself."""
        ...


def fit(message: Message, title_limit: int, body_limit: int) -> Message:
    """Shorten a message to what a service takes: at the end of a line, with the way to the full text.

    Args:
        message: One whose body is not empty.
        title_limit: Characters; 0: no title of its own, the caller puts it into the body.
        body_limit: Characters; 0: no limit.
    """
    title = " ".join(message.title.split())
    if title_limit and len(title) > title_limit:
        title = title[: max(title_limit - 3, 0)] + "..."
    if not body_limit or len(message.body) <= body_limit:
        return Message(title, message.body, message.reference)
    ending = f"... full: trimtab {'explain ' + message.reference if message.reference else 'status'}"
    room = max(body_limit - len(ending) - 1, 0)
    head = message.body[: room + 1]
    # one line longer than the room is cut where it must be
    kept = head.rpartition("\n")[0] or head[:room]
    return Message(title, f"{kept}\n{ending}"[:body_limit], message.reference)
