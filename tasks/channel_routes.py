"""Which channels are open, which are not and why: the configuration and the secrets, joined for one use.

A secret leaves this module only inside a `Target`, whose text form does not show it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tasks.channels._delivery import Channel, Target
from tasks.channels._registry import load_channels
from tasks.settings import ChannelSettings, Settings, channel_secret, heartbeat_url, webhook_key

CONSOLE = "console"
# No alert is worth holding a run up for longer than this.
_LONGEST_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Route:
    """One open channel: what it subscribes to (nothing named: all), how it sends, where to, whose zone."""

    channel: str
    portfolios: tuple[str, ...]
    events: tuple[str, ...]
    sender: Channel
    target: Target
    time_zone: str = "UTC"

    @property
    def is_console(self) -> bool:
        """The terminal: shown once, never repeated."""
        return self.sender.KIND == CONSOLE

    def wants(self, portfolio: str | None, event: str) -> bool:
        """Say whether an alert is for this channel."""
        for_portfolio = not self.portfolios or portfolio is None or portfolio in self.portfolios
        # Whoever wants to hear that nothing is recommended wants to hear of a risk to what is held.
        wanted = {*self.events, *(["guard"] if "blocked" in self.events else [])}
        return for_portfolio and (not self.events or event in wanted)


def open_routes(
    settings: Settings, write: Callable[[str], None], now: datetime
) -> tuple[tuple[Route, ...], tuple[str, ...]]:
    """Return the open channels, the terminal among them, and the names of those without a secret.

    Args:
        settings: The configuration.
        write: Shows a text on the terminal.
        now: The real time, aware UTC.
    """
    senders = load_channels()
    channels = dict(settings.channels)
    if not any(channel.kind == CONSOLE for channel in channels.values()):
        channels[CONSOLE] = ChannelSettings(kind=CONSOLE, events=())
    routes: list[Route] = []
    disabled: list[str] = []
    for name, channel in channels.items():
        sender = senders[channel.kind]  # settings know no other kinds
        secret = channel_secret(settings, name) or ""
        if sender.NEEDS_SECRET and not secret:
            disabled.append(name)
            continue
        target = Target(
            channel=name,
            secret=secret,
            signing_key=webhook_key(settings, name),
            allow_private_hosts=channel.allow_private_hosts,
            timeout_seconds=min(settings.network.timeout_seconds, _LONGEST_TIMEOUT_SECONDS),
            write=write,
            now=now,
        )
        routes.append(Route(name, channel.portfolios, channel.events, sender, target, channel.time_zone))
    return tuple(routes), tuple(disabled)


def channel_problems(settings: Settings, now: datetime) -> tuple[str, ...]:
    """Say why open channels can not work, one sentence each; no network. For `check` and a run's start."""
    routes, _ = open_routes(settings, lambda _text: None, now)
    found = [(route, route.sender.check(route.target)) for route in routes]
    return tuple(f"channels.{route.channel}: {problem}" for route, problem in found if problem)


def channel_secrets(settings: Settings) -> tuple[str, ...]:
    """Return every secret value that a channel or the heartbeat uses, for the redaction of the output."""
    values = [read(settings, name) for name in settings.channels for read in (channel_secret, webhook_key)]
    return tuple(value for value in (*values, heartbeat_url(settings)) if value)
