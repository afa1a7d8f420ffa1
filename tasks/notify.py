"""Delivers what is pending: every alert once over every channel that subscribes to it.

An attempt is written before it is made and its outcome after, so that a crash between the two is seen: such
an alert, and one that may or may not have arrived, is sent once more, marked as a repeat. The alerts were
written with their recommendation in one transaction; nothing is decided here. Real time rules: an alert may
be sent until its `send_until` (docs/decisions/0007).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.channel_routes import Route, open_routes
from tasks.context import RunContext
from tasks.courier import Courier
from tasks.delivery_lock import delivering
from tasks.message_times import in_zone
from tasks.messages import render_test


@dataclass(frozen=True)
class NotifySummary:
    """What one delivery run did.

    Attributes:
        sent: messages that were confirmed, repeats among them, the terminal not.
        repeated: messages that said that they may repeat an earlier one.
        expired: alerts that were too old to be sent.
        superseded: alerts that newer news overtook before they were sent.
        digested: alerts that went out as a line of a digest: the channel had its messages for the hour.
        waiting: alerts that are still to be delivered somewhere.
        failed: one sentence per message that was not confirmed in this run, with its channel.
        disabled: channels without a secret.
        is_busy: another delivery was at work the whole time; it sends what is pending.
    """

    sent: int = 0
    repeated: int = 0
    expired: int = 0
    superseded: int = 0
    digested: int = 0
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
            "told in a digest": self.digested,
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
        courier = Courier(context, home)
        courier.deliver(routes)
    return NotifySummary(
        sent=courier.count["sent"],
        repeated=courier.count["repeated"],
        expired=courier.count["expired"],
        superseded=courier.count["superseded"],
        digested=courier.count["digested"],
        waiting=courier.count["waiting"],
        failed=tuple(courier.failed),
        disabled=disabled,
    )


def _send_tests(
    context: RunContext, routes: Sequence[Route], disabled: tuple[str, ...], *, is_simulated: bool
) -> NotifySummary:
    sent, failed = 0, list[str]()
    for route in routes:
        message = render_test(route.channel, context.clock.now(), is_simulated=is_simulated)
        message = in_zone(message, route.time_zone)
        key = f"test-{context.run_id}-{route.channel}"
        delivery = route.sender.send(message, route.target, idempotency_key=key)
        if delivery.status != "sent":
            failed.append(f"{route.channel}: {delivery.detail}")
        elif not route.is_console:
            sent += 1
    return NotifySummary(sent=sent, failed=tuple(failed), disabled=disabled)
