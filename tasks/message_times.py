"""The times of a message in its recipient's zone; stored texts name UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tasks.messages import Message

_INSTANT = re.compile(r"\b(\d{4}-\d{2}-\d{2} \d{2}:\d{2}) UTC\b(?![+-])")


def in_zone(message: Message, time_zone: str) -> Message:
    """Show every "YYYY-MM-DD HH:MM UTC" of a text in a zone, its offset from UTC named.

    Args:
        message: As stored.
        time_zone: IANA name; "UTC" changes nothing.
    """
    if time_zone == "UTC":
        return message
    zone = ZoneInfo(time_zone)

    def shown(found: re.Match[str]) -> str:
        try:
            local = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).astimezone(zone)
        except (ValueError, OverflowError):  # looks like an instant and is none
            return found[0]
        offset = local.strftime("%z")
        return f"{local.isoformat(' ', 'minutes')[:16]} UTC{offset[:3]}:{offset[3:5]}"

    return Message(_INSTANT.sub(shown, message.title), _INSTANT.sub(shown, message.body), message.reference)
