"""Shows an alert where the run is watched. It always exists, and nothing is repeated for it."""

from tasks.channels._delivery import Delivery, Problem, Target
from tasks.messages import Message

KIND = "console"
NEEDS_SECRET = False


def check(target: Target) -> Problem | None:
    """A terminal always works."""
    del target
    return None


def send(message: Message, target: Target, *, idempotency_key: str) -> Delivery:
    """Hand the text to the callback that flows gave."""
    del idempotency_key
    target.write(f"{message.title}\n{message.body}")
    return Delivery("sent", "shown")
