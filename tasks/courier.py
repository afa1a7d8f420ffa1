"""One delivery run: takes the alerts in order to their channels, and keeps the books.

A channel that rejects its credentials is not asked again within the run and then once an hour, so that no
account is locked, and the other channels tell it. What is beyond a channel's messages for the hour goes out
as one digest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from tasks.alert_rate import HOUR, Rates, digest_name, message_name, outcome, render_digest
from tasks.channel_routes import Route
from tasks.channels._delivery import REJECTED, Delivery
from tasks.context import RunContext
from tasks.message_times import in_zone
from tasks.messages import Message, OverdueFacts, as_repeat, render_overdue
from warehouse.home import Home
from warehouse.master import Master, open_master

MAX_ATTEMPTS = 5
# The first that is in doubt is repeated; after a second one, more messages would only confuse.
MAX_IN_DOUBT = 2
# A receiver that asks for more patience than this is tried again by the next run.
LONGEST_WAIT_SECONDS = 30.0
# How long the other channels try to tell that one rejects its credentials.
TELL_WITHIN = timedelta(days=1)
Row = Mapping[str, Any]


@dataclass
class Attempts:
    """How the attempts at one alert over one channel ended, in order."""

    statuses: list[str] = field(default_factory=list[str])

    @property
    def in_doubt(self) -> int:
        """How many may or may not have arrived."""
        return sum(status in {"sending", "ambiguous"} for status in self.statuses)

    @property
    def state(self) -> Literal["sent", "open", "given up"]:
        """Whether another one is to be made."""
        if "sent" in self.statuses:
            return "sent"
        spent = len(self.statuses) >= MAX_ATTEMPTS or self.in_doubt >= MAX_IN_DOUBT
        return "given up" if spent else "open"


@dataclass
class Courier:
    """Delivers what is pending; `count` and `failed` say how it went."""

    context: RunContext
    home: Home
    count: Counter[str] = field(default_factory=Counter[str])
    failed: list[str] = field(default_factory=list[str])
    _rates: Rates = field(init=False)
    _rejected_at: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _held: dict[str, list[tuple[Row, Attempts]]] = field(
        default_factory=lambda: defaultdict[str, list[tuple[Row, Attempts]]](list)
    )

    def __post_init__(self) -> None:
        """Start with nothing sent."""
        self._rates = Rates(self.context.settings.alerts.max_per_hour)

    def deliver(self, routes: Sequence[Route]) -> None:
        """Take every alert to its channels, then the digests, then write how far each has come."""
        self._deliver(routes)
        if self._rejected_at and self._tell_rejections(self._rejected_at.keys()):
            del self.count["waiting"]  # the same alerts are looked at once more
            self._deliver(routes)

    def _deliver(self, routes: Sequence[Route]) -> None:
        with self._master() as master:
            alerts = master.rows("alerts_to_send")
            known = master.rows("delivery_attempts")
            recent = master.rows("recent_deliveries", since=self.context.clock.now() - HOUR)
        for row in recent:
            self._note(row)
        tried: dict[tuple[str, str], Attempts] = defaultdict(Attempts)
        for row in known:
            tried[row["alert_id"], row["channel"]].statuses.append(row["status"])
        self._held.clear()
        self.context.reporter.start("alerts", len(alerts))
        histories: list[list[Attempts]] = []
        for alert in alerts:
            wanted = [route for route in routes if _is_for(route, alert)]
            histories.append([tried[alert["alert_id"], route.channel] for route in wanted])
            for route, history in zip(wanted, histories[-1], strict=True):
                if history.state == "open" and not alert["is_overtaken"] and not self._is_late(alert):
                    self._take(alert, route, history)
            self.context.reporter.advance("alerts")
        for route in routes:
            self._digest(route)
        for alert, attempts in zip(alerts, histories, strict=True):
            self._close(alert, attempts)

    def _note(self, row: Row) -> None:
        """Take what a delivery row tells into account: the channel's rate, and whether it let us in."""
        channel, moment = row["channel"], row["attempted_at"]
        if row["status"] != "failed":
            self._rates.note(channel, message_name(row["alert_id"], row["detail"]), moment)
        elif outcome(row["detail"]).startswith(REJECTED):
            self._rejected_at[channel] = max(moment, self._rejected_at.get(channel, moment))

    def _is_shut(self, channel: str) -> bool:
        """Say whether a channel that rejected its credentials is to be left alone for now."""
        rejected = self._rejected_at.get(channel)
        return rejected is not None and abs(self.context.clock.now() - rejected) < HOUR

    def _take(self, alert: Row, route: Route, history: Attempts) -> None:
        """Send over one channel, or put by for its digest; once more if it asks for a short wait first."""
        if self._is_shut(route.channel):
            return
        is_full = self._rates.is_full(route.channel, alert["event"], self.context.clock.now())
        if is_full and not route.is_console:
            self._held[route.channel].append((alert, history))
            return
        message = Message(alert["title"], alert["body"], alert["recommendation_id"] or "")
        if history.in_doubt:
            message = as_repeat(message, alert["alert_id"])
        delivery = self._send(message, route, alert["alert_id"], [(alert, history)])
        if delivery.status == "sent" and not route.is_console:
            self.count["sent"] += 1

    def _digest(self, route: Route) -> None:
        """Tell in one message what was put by for a channel, if its last digest is an hour old."""
        held, now = self._held.get(route.channel, []), self.context.clock.now()
        if not held or self._is_shut(route.channel) or not self._rates.may_digest(route.channel, now):
            return
        listed = [(alert, history.in_doubt > 0) for alert, history in held]
        message = render_digest(listed, self._rates.max_per_hour)
        delivery = self._send(message, route, digest_name(route.channel, now), held)
        if delivery.status == "sent":
            self.count["sent"] += 1
            self.count["digested"] += len(held)

    def _send(
        self, message: Message, route: Route, key: str, alerts: Sequence[tuple[Row, Attempts]]
    ) -> Delivery:
        shown = in_zone(message, route.time_zone)
        delivery = self._attempt(shown, route, key, alerts)
        wait = delivery.retry_after_seconds
        if delivery.status == "failed" and wait is not None and wait <= LONGEST_WAIT_SECONDS:
            self.context.clock.sleep(wait)
            delivery = self._attempt(shown, route, key, alerts)
        if delivery.status != "sent":
            self.failed.append(f"{route.channel}: {key}: {delivery.detail}")
        return delivery

    def _attempt(
        self, message: Message, route: Route, key: str, alerts: Sequence[tuple[Row, Attempts]]
    ) -> Delivery:
        """Write the attempt at every alert that the message tells, make it, write how it ended."""
        rows: list[dict[str, Any]] = []
        for alert, history in alerts:
            is_repeat = history.in_doubt > 0
            self.count["repeated"] += is_repeat
            history.statuses.append("sending")
            row: dict[str, Any] = {
                "alert_id": alert["alert_id"],
                "channel": route.channel,
                "attempt": len(history.statuses),
                "attempted_at": self.context.clock.now(),
                "status": "sending",
                "is_repeat": is_repeat,
                "detail": None if key == alert["alert_id"] else f"{key}: begun",
            }
            rows.append(row)
        if not route.is_console:  # what a terminal showed before a crash needs no repeat
            self._store(rows)
        delivery = route.sender.send(message, route.target, idempotency_key=key)
        for row, (alert, history) in zip(rows, alerts, strict=True):
            history.statuses[-1] = delivery.status
            prefix = "" if key == alert["alert_id"] else f"{key}: "
            row.update(status=delivery.status, detail=f"{prefix}{delivery.detail}")
            self._note(row)
        self._store(rows)
        return delivery

    def _tell_rejections(self, channels: Set[str]) -> bool:
        """Write an alert for the other channels about each that rejects its credentials, once a day."""
        now, is_simulated = self.context.clock.now(), self.home.is_simulated() is True
        with self._master() as master:
            known = {row["alert_id"] for row in master.rows("channel_alerts")}
            made = [_rejection(name, now, is_simulated=is_simulated) for name in sorted(channels)]
            new = [alert for alert in made if alert["alert_id"] not in known]
            if new:
                master.append("ops.alerts", new)
        return bool(new)

    def _close(self, alert: Row, attempts: Sequence[Attempts]) -> None:
        """Write how far the alert has come; one that can go no further is not looked at again."""
        states = [history.state for history in attempts]
        status, counted = self._status(alert, states)
        if counted:
            self.count[counted] += 1
        if status != alert["status"]:
            with self._master() as master:
                master.run("set_alert_status", alert_id=alert["alert_id"], status=status)

    def _status(self, alert: Row, states: Sequence[str]) -> tuple[str, str]:
        reached = "sent" in states
        if "open" not in states:
            return ("failed" if "given up" in states else "delivered"), ""
        if alert["is_overtaken"]:
            return ("failed" if reached else "superseded"), "superseded"
        if self._is_late(alert):
            return ("failed" if reached else "expired"), "expired"
        return ("partial" if reached else "pending"), "waiting"

    def _is_late(self, alert: Row) -> bool:
        return alert["send_until"] is not None and self.context.clock.now() >= alert["send_until"]

    def _store(self, rows: Sequence[Row]) -> None:
        with self._master() as master:
            master.upsert("ops.deliveries", rows)

    def _master(self) -> AbstractContextManager[Master]:
        return open_master(self.home, self.context.clock, purpose="deliver alerts")


def _is_for(route: Route, alert: Row) -> bool:
    """Say whether an alert goes over a channel; a retraction goes wherever the wrong advice went."""
    if alert["event"] == "retracted":
        return route.channel in alert["told_channels"]
    if alert["episode_id"] == _episode(route.channel):
        return False
    return route.wants(alert["portfolio"], alert["event"])


def _episode(channel: str) -> str:
    return f"channel-{channel}"


def _rejection(channel: str, now: datetime, *, is_simulated: bool) -> dict[str, Any]:
    """Return the alert that a channel rejects its credentials."""
    facts = OverdueFacts(
        sentences=(
            f"The channel {channel} does not accept its credentials any more: nothing reaches it.",
            f"Put a new secret into TRIMTAB_CHANNEL_{channel.upper()}, then `trimtab notify --test`.",
        ),
        seen_at=now,
        is_simulated=is_simulated,
    )
    message = render_overdue(facts)
    return {
        "alert_id": f"{_episode(channel)}-{now:%Y%m%d}",
        "episode_id": _episode(channel),
        "recommendation_id": None,
        "portfolio": None,
        "event": "overdue",
        "severity": "warning",
        "title": f"{message.title}: {REJECTED} by {channel}",
        "body": message.body,
        "created_at": now,
        "valid_until": None,
        "send_until": now + TELL_WITHIN,
        "status": "pending",
        "is_simulated": is_simulated,
    }
