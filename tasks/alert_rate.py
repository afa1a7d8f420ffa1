"""How many messages a channel takes an hour; what is beyond that is told in one digest.

Nothing is lost: a digest lists every alert it stands for, and each has its own row in `ops.deliveries`, whose
detail begins with the digest's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tasks.messages import SIMULATED, Message
from tasks.plain_text import clean

HOUR = timedelta(hours=1)
_PREFIX = "digest-"
# Whoever holds wrong advice must hear of it at once.
NEVER_HELD = ("retracted",)


@dataclass
class Rates:
    """What went over each channel within the last hour.

    Attributes:
        max_per_hour: messages that a channel takes within an hour before the rest goes into a digest.
        times: channel → when each message began, a digest counted once.
        digests: channel → when its newest digest began.
    """

    max_per_hour: int
    times: dict[str, dict[str, datetime]] = field(default_factory=dict[str, dict[str, datetime]])
    digests: dict[str, datetime] = field(default_factory=dict[str, datetime])

    def note(self, channel: str, name: str, moment: datetime) -> None:
        """Count a message; every row of one digest has the digest's name."""
        self.times.setdefault(channel, {})[name] = moment
        if name.startswith(_PREFIX):
            self.digests[channel] = max(moment, self.digests.get(channel, moment))

    def is_full(self, channel: str, event: str, now: datetime) -> bool:
        """Say whether an alert has to wait for the digest."""
        recent = sum(abs(now - moment) < HOUR for moment in self.times.get(channel, {}).values())
        return event not in NEVER_HELD and recent >= self.max_per_hour

    def may_digest(self, channel: str, now: datetime) -> bool:
        """Say whether the next digest is due: one an hour, so that it is not a storm of its own."""
        newest = self.digests.get(channel)
        return newest is None or abs(now - newest) >= HOUR


def message_name(alert_id: str, detail: str | None) -> str:
    """Return the message that a delivery row belongs to: its alert's own, or a digest."""
    return detail.partition(":")[0] if detail and detail.startswith(_PREFIX) else alert_id


def outcome(detail: str | None) -> str:
    """Return what the channel answered, without the digest that the row belonged to."""
    said = detail or ""
    return said.partition(": ")[2] if said.startswith(_PREFIX) else said


def digest_name(channel: str, now: datetime) -> str:
    """Return a name that this digest alone has, and that a repeat of the same sending keeps."""
    return f"{_PREFIX}{channel}-{now:%Y%m%dT%H%M%S}"


def render_digest(alerts: Sequence[tuple[Mapping[str, Any], bool]], max_per_hour: int) -> Message:
    """List alerts, oldest first: title and id of each; the second of a pair says that it may be a repeat."""
    count = len(alerts)
    is_simulated = any(alert["title"].startswith(SIMULATED) for alert, _ in alerts)
    title = f"{SIMULATED + ' ' if is_simulated else ''}Trimtab: {count} alert{'s' * (count != 1)} in one"
    lines = [
        f"More than {max_per_hour} messages within an hour. Each in full: trimtab explain, trimtab status."
    ]
    for alert, is_repeat in alerts:
        name = clean(alert["recommendation_id"] or alert["alert_id"])
        repeat = " (may be a repeat)" if is_repeat else ""
        lines.append(f"- {clean(alert['title'])}{repeat} [{name}]")
    return Message(title, "\n".join(lines))
