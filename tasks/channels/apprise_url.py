"""Sends an alert through apprise to the one service that the channel's URL names.

One apprise object per channel, so that a failing one can not hide another. No redirects, no retries, no
attachments, plain text only; apprise's own log is kept out of ours, because it holds tokens.
"""

import logging
import re
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from tasks.channels._delivery import Delivery, Problem, Target, fit
from tasks.channels._services import REFUSED_PARAMETERS, SERVICES, UNENCRYPTED, Markup, neutral
from tasks.channels._verdict import judge
from tasks.channels._wire import names_private_host, watched
from tasks.messages import Message
from tasks.redaction import Redactor, quiet_libraries

KIND = "apprise"
NEEDS_SECRET = True
# what a title that a service puts into the body may take there beside its own length
_TITLE_ROOM = 16
_ALLOW = "Set allow_private_hosts = true for this channel if that receiver is meant."


class Plugin(Protocol):
    """What is used of an apprise service object, which has no types of its own."""

    title_maxlen: int
    body_maxlen: int
    redirects: bool
    retry: int
    optional: bool
    socket_connect_timeout: float
    socket_read_timeout: float
    notify_format: object


def check(target: Target) -> Problem | None:
    """Say why this URL can not work or must not be used; no network is touched."""
    name = f"TRIMTAB_CHANNEL_{target.channel.upper()}"
    scheme = target.secret.partition("://")[0].lower() if "://" in target.secret else ""
    if scheme not in SERVICES:
        known = ", ".join(sorted(SERVICES))
        found = f"the scheme {scheme!r}" if scheme.isalnum() else "none"
        return Problem(f"an apprise URL in {name} with one of the schemes {known}", found, "Correct it.")
    if scheme in UNENCRYPTED and not target.allow_private_hosts:
        return Problem(f"an encrypted service in {name}", f"{scheme}://", f"Use {scheme}s://. {_ALLOW}")
    given = {key.lower() for key, _ in parse_qsl(urlsplit(target.secret).query, keep_blank_values=True)}
    refused = sorted(given & REFUSED_PARAMETERS)
    if refused:
        return Problem(
            f"a URL in {name} without {', '.join(refused)}", "it", "Remove it: Trimtab decides that."
        )
    with _overheard(target) as heard:
        plugins: list[Plugin] = list(_service(target))
    if len(plugins) != 1:
        found = f"{len(plugins)}. {' '.join(heard)}".strip().rstrip(".")
        return Problem(f"one complete apprise URL in {name}", found, "Correct it: one service per channel.")
    hosts = [str(getattr(plugins[0], part, "") or "") for part in ("host", "smtp_host")]
    if "[" in target.secret:  # an IPv6 address as it is written: apprise reads some of them differently
        hosts += re.findall(r"\[([^\]]*)\]", target.secret.partition("://")[2].partition("/")[0])
    if not target.allow_private_hosts and any(names_private_host(host) for host in hosts if host):
        return Problem(f"a public host in {name}", "a loopback or private one", _ALLOW)
    return None


def send(message: Message, target: Target, *, idempotency_key: str) -> Delivery:
    """Send once and say honestly how it ended; an empty body is refused before apprise sees it."""
    if not message.body.strip():
        return Delivery("failed", "Not sent: the alert has no text. This is a defect; please report it.")
    problem = check(target)
    if problem:
        return Delivery("failed", f"Not sent: {problem}")
    markup = SERVICES[target.secret.partition("://")[0].lower()]
    with _overheard(target) as heard, watched(allow_private_hosts=target.allow_private_hosts) as wire:
        service = _service(target)
        (plugin,) = list(service)
        _restrict(plugin, target, markup, idempotency_key)
        result = _notify(service, _fitted(message, plugin, markup))
    # False, None and, in a later apprise, an object that is false: none of them means sent
    delivery = judge(wire, accepted=bool(result), explanation=" ".join(heard))
    safe = Redactor([target.secret]).text(delivery.detail)
    return Delivery(delivery.status, safe, delivery.retry_after_seconds)


def _service(target: Target) -> Any:  # noqa: ANN401 - apprise has no types
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - 0.4 s to import: only a run that sends pays it

    # async_mode off: everything happens in this thread, where the network is watched
    asset = AppriseAsset(async_mode=False, http_redirects=False, interpret_escapes=False, app_id="Trimtab")
    service = Apprise(asset=asset)
    with warnings.catch_warnings():
        # its services are imported at the first add(); one of them imports a module that Python 3.13 drops
        warnings.simplefilter("ignore", DeprecationWarning)
        # add() returns False, or True after adding fewer than it was given: what counts is what is there
        service.add(target.secret)
    return service


def _restrict(plugin: Plugin, target: Target, markup: Markup, idempotency_key: str) -> None:
    from apprise import NotifyFormat  # noqa: PLC0415 - as above

    plugin.redirects, plugin.retry, plugin.optional = False, 0, False
    plugin.socket_connect_timeout = plugin.socket_read_timeout = target.timeout_seconds
    if markup is not Markup.ESCAPED:
        plugin.notify_format = NotifyFormat.TEXT
    headers = getattr(plugin, "headers", None)
    if isinstance(headers, dict):
        headers["Idempotency-Key"] = idempotency_key


def _fitted(message: Message, plugin: Plugin, markup: Markup) -> Message:
    """Fit the text, with room for what escaping adds and for a title that goes into the body."""
    escaping = Markup.SLACK if markup is Markup.ESCAPED else markup
    added = sum(len(neutral(text, escaping)) - len(text) for text in (message.title, message.body))
    # some services put the title into the body although they claim a title of their own
    room = plugin.body_maxlen - added - len(message.title) - _TITLE_ROOM
    fitted = fit(message, plugin.title_maxlen, room)
    # apprise escapes a Slack title by itself, and only that
    title = fitted.title if markup is Markup.SLACK else neutral(fitted.title, markup)
    return Message(title, neutral(fitted.body, markup), fitted.reference)


def _notify(service: Any, message: Message) -> object:  # noqa: ANN401 - as above
    from apprise import NotifyFormat  # noqa: PLC0415 - as above

    try:
        return service.notify(body=message.body, title=message.title, body_format=NotifyFormat.TEXT)
    except Exception as error:  # a plugin may raise anything; an alert's failure must be recorded
        logging.getLogger(__name__).warning("apprise raised %s", type(error).__name__)
        return False


@contextmanager
def _overheard(target: Target) -> Generator[list[str]]:
    """Keep apprise's log from every handler; what it warns of comes back redacted."""
    quiet_libraries()
    logger, heard, redactor = logging.getLogger("apprise"), list[str](), Redactor([target.secret])
    listener = _Listener(heard, redactor)
    before = logger.propagate
    logger.propagate = False
    logger.addHandler(listener)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)
        logger.propagate = before


class _Listener(logging.Handler):
    def __init__(self, heard: list[str], redactor: Redactor) -> None:
        super().__init__(logging.WARNING)
        self._heard, self._redactor = heard, redactor

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(self._redactor.text(record.getMessage()))
