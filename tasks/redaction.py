"""Keeps secrets out of everything a person or a program may read later: details, logs, tracebacks, warnings.

Comes in: the secret values that were configured. Goes out: text in which they, and whatever looks like a
credential, are replaced. `install` does so for the whole process; it never stores a secret anywhere.
"""

import logging
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TextIO
from urllib.parse import quote, quote_plus, unquote, urlsplit

HIDDEN = "[secret]"
# These loggers write whole URLs, tokens in them, below WARNING.
TALKATIVE_LIBRARIES = ("apprise", "urllib3", "requests", "ccxt", "aiohttp")
# Newlines forge further lines of a log, escape sequences steer the terminal that shows it.
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Shorter pieces of a URL are words like "hooks" or "v1"; hiding them would hide nothing and blur much.
_SHORTEST_PART = 8

_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\bbot\d+:[\w-]+", f"bot{HIDDEN}"),
        (r"\b\d{6,}:[\w-]{30,}", HIDDEN),
        (r"\bxox[a-z]-[\w-]+", HIDDEN),
        (r"(hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers))/[^\s\"'<>]+", rf"\1/{HIDDEN}"),
        (r"(discord(?:app)?\.com/api/webhooks)/[^\s\"'<>]+", rf"\1/{HIDDEN}"),
        (
            r"\b((?:api[_-]?key|apikey|access[_-]?key|signature|secret|token|password|passwd)[\"']?\s*[=:])"
            r"\s*[\"']?[^&\s\"',}]+",
            rf"\1{HIDDEN}",
        ),
        (
            r"\b((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:basic|bearer)\s+)?[^\s\"',}]+",
            rf"\1{HIDDEN}",
        ),
        (r"(://)[^/\s:@]+:[^/\s@]+@", rf"\1{HIDDEN}@"),
    )
)


class Redactor:
    """Replaces known secret values, and what looks like one, in any text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        parts = {part for secret in secrets for part in _forms(secret)}
        # longest first: a whole URL is hidden whole, not piece by piece
        self._known = sorted(parts, key=lambda part: (-len(part), part))

    def text(self, text: str) -> str:
        """Return `text` with every secret replaced by `[secret]`."""
        for part in self._known:
            text = text.replace(part, HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def one_line(text: str, *, keep: str = "") -> str:
    """Return `text` with its control and bidi characters written as escapes, but those to keep."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)


def quiet_libraries() -> None:
    """Stop libraries from logging URLs; they speak from WARNING up."""
    for name in TALKATIVE_LIBRARIES:
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() < logging.WARNING:
            logger.setLevel(logging.WARNING)


def install(secrets: Iterable[str]) -> Callable[[], None]:
    """Redact all that this process logs, warns or dies with, whatever logger or handler is used.

    Args:
        secrets: The configured values; URLs are hidden whole and in their parts.

    Returns:
        A function that puts everything back as it was.
    """
    redactor = Redactor(secrets)
    quiet_libraries()
    factory, hook, show = logging.getLogRecordFactory(), sys.excepthook, warnings.showwarning

    def record(*args: object, **kwargs: object) -> logging.LogRecord:
        return _redacted_record(factory(*args, **kwargs), redactor)

    def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(redactor.text("".join(traceback.format_exception(kind, error, trace))))

    def showwarning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        show(redactor.text(str(message)), category, filename, lineno, file, line)

    logging.setLogRecordFactory(record)
    sys.excepthook, warnings.showwarning = excepthook, showwarning

    def restore() -> None:
        logging.setLogRecordFactory(factory)
        sys.excepthook, warnings.showwarning = hook, show

    return restore


def _redacted_record(record: logging.LogRecord, redactor: Redactor) -> logging.LogRecord:
    try:
        message = record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit the format: logging's own complaint follows
        return record
    safe = one_line(redactor.text(message))
    if safe != message:
        record.msg, record.args = safe, None
    if record.exc_info and record.exc_info[0] is not None:
        # a formatter uses exc_text when it is there, so the raw traceback is never rendered
        record.exc_text = redactor.text("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
    return record


def _forms(secret: str) -> set[str]:
    whole = secret.strip()
    if not whole:
        return set()
    pieces = {whole}
    if "://" in whole:
        split = urlsplit(whole)
        long_enough = re.split(r"[/?&=#:@+]", f"{split.netloc}/{split.path}?{split.query}#{split.fragment}")
        # where a service has a fixed host, the place of the host holds a token: tokens have no dots
        hosts = {split.hostname} if "." in (split.hostname or "") else set[str | None]()
        pieces |= {piece for piece in long_enough if len(piece) >= _SHORTEST_PART and piece not in hosts}
    return {
        form for piece in pieces for form in (piece, unquote(piece), quote(piece, safe=""), quote_plus(piece))
    }
