"""The one way in which a source fails: a kind, a sentence, and whether asking again may help."""

from typing import Literal

Kind = Literal[
    "unavailable",  # no answer, a server error, or an answer that is not what the protocol promises
    "deferred",  # the source asks us to wait longer than this run may
    "blocked",  # refused for who or where we are: asking again is pointless
    "refused",  # the request itself is wrong for this source
    "malformed",  # an answer whose content contradicts itself
    "incomplete",  # rows are missing that must exist
    "unsupported",  # the source can not do this at all
    "interrupted",  # the run was told to stop
]


class SourceError(Exception):
    """A source did not deliver.

    Attributes:
        kind: what sort of failure it is.
        is_transient: True when the same request may succeed a little later.
        retry_after: seconds the source asked us to stay away, None if it did not say.
    """

    def __init__(
        self, kind: Kind, message: str, *, is_transient: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.is_transient = is_transient
        self.retry_after = retry_after


class TradingForbiddenError(Exception):
    """Something asked a venue for more than public data; this product never trades."""


def status_error(
    source: str, status: int, url: str, retry_after: float | None, reason: str = ""
) -> SourceError | None:
    """Turn an HTTP status into a failure; None where the body has the last word (2xx, and most 4xx).

    429 ("slow down") and 418 ("banned until") mean different things and are kept apart in the text.
    """
    place = f"{source}: {url.split('?', maxsplit=1)[0]}"
    if 300 <= status < 400:
        return SourceError("refused", f"{place} answered {status}: redirects are not followed. Set base_url.")
    if status == 429:
        text = f"{place} answered 429: too many requests."
        return SourceError("unavailable", text, is_transient=True, retry_after=retry_after or 1.0)
    if status == 418:
        wait = retry_after or 120.0
        text = f"{place} answered 418: this address is banned for {wait:.0f} s."
        return SourceError("unavailable", text, is_transient=True, retry_after=wait)
    if status in {401, 403, 451}:
        text = (
            f"{place} answered {status} {reason}: blocked from this location or address. Use another venue."
        )
        return SourceError("blocked", text)
    if status >= 500:
        text = f"{place} answered {status} {reason}: the source is down."
        return SourceError("unavailable", text, is_transient=True, retry_after=retry_after)
    return None


def seconds_of(retry_after: str | None) -> float | None:
    """Read a Retry-After header given in seconds; None when it is absent or unreadable."""
    try:
        return max(0.0, min(float(retry_after), 86_400.0)) if retry_after else None
    except ValueError:
        return None
