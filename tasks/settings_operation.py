"""The sections of the configuration that say how the pipeline is operated: when it runs, how alerts behave.

None of them can change a decision, so none enters a recommendation's id.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from tasks.settings_kinds import Section


def _cron(text: str) -> str:
    try:
        CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(
            f"wanted a cron line of five fields such as '7 * * * *' (UTC), found {text!r}: {error}"
        ) from None
    return text


Cron = Annotated[str, AfterValidator(_cron)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"wanted an IANA time zone such as 'Europe/Berlin', found {name!r}") from None
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]


class ScheduleSettings(Section):
    """When each flow is due, UTC: what `ops.expected_runs` and the watchdog count by.

    The same lines as in prefect.yaml; whoever changes one there, or uses another scheduler, says so here.
    """

    market: Cron = "7 * * * *"
    onchain: Cron = "23 2 * * *"
    rebalance: Cron = "31 3 * * *"
    guard: Cron = "*/15 * * * *"
    maintenance: Cron = "41 4 * * 0"
    canary: Cron = "11 5 * * 0"
    # Runs from the terminal count too: for cron and systemd timers.
    terminal: bool = False


class AlertSettings(Section):
    """What holds for all alerts."""

    # A proposal whose market moved further than this since is not accepted any more.
    accept_price_move: float = Field(default=0.02, gt=0, le=1)
    # Messages that a channel takes within an hour; what is beyond that is told in one digest.
    max_per_hour: int = Field(default=20, ge=1, le=1000)


class WatchSettings(Section):
    """The watchdog."""

    # A heartbeat to loopback or a private network must be allowed by name.
    allow_private_hosts: bool = False
