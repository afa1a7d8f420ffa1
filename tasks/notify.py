"""Delivers what is pending: every alert once over every channel that subscribes to it.

An attempt is written before it is made and its outcome after, so that a crash between the two is seen: such
an alert, and one that may or may not have arrived, is sent once more, marked as a repeat. The alerts were
written with their recommendation in one transaction; nothing is decided here. Real time rules: an alert may
be sent until its `send_until` (docs/decisions/0007).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

from tasks.channel_routes import Route, open_routes
from tasks.channels._delivery import Delivery
from tasks.context import RunContext
from tasks.delivery_lock import delivering
from tasks.messages import Message, as_repeat, render_test
from warehouse.home import Home
from warehouse.master import Master, open_master

MAX_ATTEMPTS = 5
# The first that is in doubt is repeated; after a second one, more messages would only confuse.
MAX_IN_DOUBT = 2
# A receiver that asks for more patience than this is tried again by the next run.
LONGEST_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class NotifySummary:
    """What one delivery run did.

    Attributes:
        sent: messages that were confirmed, repeats among them, the terminal not.
        repeated: messages that said that they may repeat an earlier one.
        expired: alerts that were too old to be sent.
        superseded: alerts that newer news overtook before they were sent.
        waiting: alerts that are still to be delivered somewhere.
        failed: one sentence per message that was not confirmed in this run, with its channel.
        disabled: channels without a secret.
        is_busy: another delivery was at work the whole time; it sends what is pending.
    """

    sent: int = 0
    repeated: int = 0
    expired: int = 0
    superseded: int = 0
    waiting: int = 0
    failed: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    is_busy: bool = False

    @property
    def sentence(self) -> str:
        """What a person should know; empty when there is nothing to say."""
        if self.is_busy:
            return "Another delivery is at work; it sends what is pending."
        counts = {
            "sent": self.sent,
            "of them marked as a repeat": self.repeated,
            "too old to be sent": self.expired,
            "overtaken by newer news": self.superseded,
            "still to be delivered": self.waiting,
        }
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        parts = [f"Alerts: {told}."] if told else []
        parts += [f"Not confirmed by {failure.rstrip('.')}." for failure in self.failed]
        parts += [f"The channel {name} is off: its secret is not set." for name in self.disabled]
        return " ".join(parts)


def notify(context: RunContext, *, test: bool = False) -> NotifySummary:
    """Deliver what is pending, or a harmless message to every channel.

    Args:
        context: The run; its clock is the real one.
        test: Send a test message instead; nothing is stored.

    Returns:
        What was sent and what was not. `failed` is not empty when a channel did not confirm.

    Raises:
        WriterBusy: Another process holds the warehouse.
    """
    routes, disabled = open_routes(context.settings, context.reporter.note, context.clock.now())
    home = context.home
    if test:
        return _send_tests(context, routes, disabled, is_simulated=home.is_simulated() is True)
    home.prepare()
    with delivering(home.state / "notify.lock", context.clock) as is_ours:
        if not is_ours:
            return NotifySummary(disabled=disabled, is_busy=True)
        courier = _Courier(context, home)
        courier.deliver(routes)
    return NotifySummary(
        sent=courier.count["sent"],
        repeated=courier.count["repeated"],
        expired=courier.count["expired"],
        superseded=courier.count["superseded"],
        waiting=courier.count["waiting"],
        failed=tuple(courier.failed),
        disabled=disabled,
    )


@dataclass
class _Attempts:
    """How the attempts at one alert over one channel ended, in order."""

    statuses: list[str] = field(default_factory=list[str])

    @property
    def in_doubt(self) -> int:
        return sum(status in {"sending", "ambiguous"} for status in self.statuses)

    @property
    def state(self) -> Literal["sent", "open", "given up"]:
        if "sent" in self.statuses:
            return "sent"
        spent = len(self.statuses) >= MAX_ATTEMPTS or self.in_doubt >= MAX_IN_DOUBT
        return "given up" if spent else "open"


@dataclass
class _Courier:
    """One delivery run: takes the alerts in order to their channels, and keeps the books."""

    context: RunContext
    home: Home
    count: Counter[str] = field(default_factory=Counter[str])
    failed: list[str] = field(default_factory=list[str])

    def deliver(self, routes: Sequence[Route]) -> None:
        with self._master() as master:
            alerts = master.rows("alerts_to_send")
            known = master.rows("delivery_attempts")
        tried: dict[tuple[str, str], _Attempts] = defaultdict(_Attempts)
        for row in known:
            tried[row["alert_id"], row["channel"]].statuses.append(row["status"])
        self.context.reporter.start("alerts", len(alerts))
        for alert in alerts:
            wanted = [route for route in routes if _is_for(route, alert)]
            attempts = [tried[alert["alert_id"], route.channel] for route in wanted]
            for route, history in zip(wanted, attempts, strict=True):
                if history.state == "open" and not alert["is_overtaken"] and not self._is_late(alert):
                    self._take(alert, route, history)
            self._close(alert, attempts)
            self.context.reporter.advance("alerts")

    def _take(self, alert: Mapping[str, Any], route: Route, history: _Attempts) -> None:
        """Send over one channel; once more if the receiver asks for a short wait first."""
        delivery = self._attempt(alert, route, history)
        wait = delivery.retry_after_seconds
        if delivery.status == "failed" and wait is not None and wait <= LONGEST_WAIT_SECONDS:
            self.context.clock.sleep(wait)
            delivery = self._attempt(alert, route, history)
        if delivery.status != "sent":
            self.failed.append(f"{route.channel}: {alert['alert_id']}: {delivery.detail}")
        elif not route.is_console:
            self.count["sent"] += 1

    def _attempt(self, alert: Mapping[str, Any], route: Route, history: _Attempts) -> Delivery:
        """Write the attempt, make it, write how it ended."""
        message = Message(alert["title"], alert["body"], alert["recommendation_id"] or "")
        is_repeat = history.in_doubt > 0
        if is_repeat:
            message = as_repeat(message, alert["alert_id"])
            self.count["repeated"] += 1
        history.statuses.append("sending")
        row: dict[str, Any] = {
            "alert_id": alert["alert_id"],
            "channel": route.channel,
            "attempt": len(history.statuses),
            "attempted_at": self.context.clock.now(),
            "status": "sending",
            "is_repeat": is_repeat,
            "detail": None,
        }
        if not route.is_console:  # what a terminal showed before a crash needs no repeat
            self._store(row)
        delivery = route.sender.send(message, route.target, idempotency_key=alert["alert_id"])
        history.statuses[-1] = delivery.status
        self._store(row | {"status": delivery.status, "detail": delivery.detail})
        return delivery

    def _close(self, alert: Mapping[str, Any], attempts: Sequence[_Attempts]) -> None:
        """Write how far the alert has come; one that can go no further is not looked at again."""
        states = [history.state for history in attempts]
        status, counted = self._status(alert, states)
        if counted:
            self.count[counted] += 1
        if status != alert["status"]:
            with self._master() as master:
                master.run("set_alert_status", alert_id=alert["alert_id"], status=status)

    def _status(self, alert: Mapping[str, Any], states: Sequence[str]) -> tuple[str, str]:
        reached = "sent" in states
        if "open" not in states:
            return ("failed" if "given up" in states else "delivered"), ""
        if alert["is_overtaken"]:
            return ("failed" if reached else "superseded"), "superseded"
        if self._is_late(alert):
            return ("failed" if reached else "expired"), "expired"
        return ("partial" if reached else "pending"), "waiting"

    def _is_late(self, alert: Mapping[str, Any]) -> bool:
        return alert["send_until"] is not None and self.context.clock.now() >= alert["send_until"]

    def _store(self, row: Mapping[str, Any]) -> None:
        with self._master() as master:
            master.upsert("ops.deliveries", [row])

    def _master(self) -> AbstractContextManager[Master]:
        return open_master(self.home, self.context.clock, purpose="deliver alerts")


def _is_for(route: Route, alert: Mapping[str, Any]) -> bool:
    """Say whether an alert goes over a channel; a retraction goes wherever the wrong advice went."""
    if alert["event"] == "retracted":
        return route.channel in alert["told_channels"]
    return route.wants(alert["portfolio"], alert["event"])


def _send_tests(
    context: RunContext, routes: Sequence[Route], disabled: tuple[str, ...], *, is_simulated: bool
) -> NotifySummary:
    sent, failed = 0, list[str]()
    for route in routes:
        message = render_test(route.channel, context.clock.now(), is_simulated=is_simulated)
        key = f"test-{context.run_id}-{route.channel}"
        delivery = route.sender.send(message, route.target, idempotency_key=key)
        if delivery.status != "sent":
            failed.append(f"{route.channel}: {delivery.detail}")
        elif not route.is_console:
            sent += 1
    return NotifySummary(sent=sent, failed=tuple(failed), disabled=disabled)
