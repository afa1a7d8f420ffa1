"""GET for the sources that are no exchange: strict, capped, timed and patient within a budget.

An answer counts when it is complete within the wall-clock deadline (also when it drips byte by byte), no
larger than the cap once decoded, from the host that was asked, and JSON in the strict sense where JSON is
wanted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import numpy as np
import requests
import urllib3.exceptions

from tasks.sources._errors import SourceError, seconds_of, status_error
from tasks.sources._json import Json, parse_strictly
from tasks.sources._model import Assignment, ClockRead
from tasks.sources._retry import Attempts
from tasks.sources._transport import HOLDING_STATUS, SIMULATED_HEADER

PIECE_BYTES = 1 << 16
USER_AGENT = "trimtab (data pipeline; reads public endpoints)"


@dataclass(frozen=True)
class Pace:
    """At most `count` requests in any `seconds`, by all processes of a home together."""

    count: int
    seconds: float


class HttpSource:
    """The requests of one source in one run, one after the other.

    Attributes:
        requests: how many were sent.
        is_simulated: True once an answer said that it comes from a simulated market.
        skew_seconds: how far its clock is ahead of this machine's; None until an answer said its time.
    """

    def __init__(self, source: str, assignment: Assignment, pace: Pace | None = None) -> None:
        self.requests = 0
        self.is_simulated = False
        self.skew_seconds: float | None = None
        self._source = source
        self._assignment = assignment
        self._network = assignment.settings.network
        self._pace = pace
        self._jitter = np.random.default_rng(assignment.settings.seed)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT

    def json(self, url: str, parameters: Mapping[str, str] | None = None) -> Json:
        """Ask for JSON, again where that may help.

        Raises:
            SourceError: it could not be had.
        """
        return self._patiently(url, parameters or {}, is_json=True)

    def text(self, url: str, parameters: Mapping[str, str] | None = None) -> str:
        """Ask for text such as CSV, again where that may help.

        Raises:
            SourceError: it could not be had.
        """
        return str(self._patiently(url, parameters or {}, is_json=False))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _patiently(self, url: str, parameters: Mapping[str, str], *, is_json: bool) -> Json:
        attempts = Attempts(self._network, self._jitter)
        while True:
            if self._assignment.stop.is_set():
                raise SourceError("interrupted", f"{self._source}: the run was told to stop.")
            try:
                text = self._once(url, parameters)
                return self._parsed(url, text) if is_json else text
            except SourceError as error:
                wait = attempts.seconds_until_next(error)
            self._assignment.clock.sleep(wait)

    def _parsed(self, url: str, text: str) -> Json:
        try:
            return parse_strictly(text)
        except ValueError as error:
            message = f"{self._source}: {url} answered with a non-JSON 200 body ({error}): {text[:60]!r}."
            raise SourceError("unavailable", message, is_transient=True) from error

    def _once(self, url: str, parameters: Mapping[str, str]) -> str:
        self._wait_for_the_host(url)
        if self._pace is not None:
            hosts, clock = self._assignment.hosts, self._assignment.clock
            wait = hosts.reserve_one_of(self._source, self._pace.count, self._pace.seconds)
            if wait > 0:
                clock.sleep(wait)
        self.requests += 1
        started = self._assignment.clock.monotonic()
        wait = min(self._network.timeout_seconds, self._network.deadline_seconds)
        try:
            with self._session.get(
                url, params=dict(parameters), stream=True, allow_redirects=False, timeout=wait
            ) as response:
                raw = self._read(response, started)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            text = (
                f"{self._source}: {url} could not be reached or broke off: {type(error).__name__}: {error}."
            )
            raise SourceError("unavailable", text, is_transient=True) from error
        return self._accepted(url, response, raw)

    def _read(self, response: requests.Response, started: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        # One system call at a time: a slow drip must not hide from the deadline inside a long read.
        while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
            size += len(piece)
            if size > self._network.max_body_bytes:
                cap = self._network.max_body_bytes
                text = f"{self._source}: {response.url} sent more than network.max_body_bytes ({cap})."
                raise SourceError("malformed", f"{text} Raise it if that is right.")
            if self._assignment.clock.monotonic() - started > self._network.deadline_seconds:
                limit = self._network.deadline_seconds
                text = f"{self._source}: {response.url} did not answer completely within {limit:.0f} s."
                raise SourceError("unavailable", text, is_transient=True)
            pieces.append(piece)
        return b"".join(pieces)

    def _accepted(self, url: str, response: requests.Response, raw: bytes) -> str:
        status = response.status_code
        self._assignment.received.keep(self._source, response.url, status, raw)
        self.is_simulated = self.is_simulated or SIMULATED_HEADER in response.headers
        self._read_clock(response.headers)
        told = seconds_of(response.headers.get("Retry-After"))
        if status in HOLDING_STATUS:
            self._assignment.hosts.hold(url, HOLDING_STATUS[status] if told is None else told)
        failure = status_error(self._source, status, url, told, response.reason)
        if failure is not None:
            raise failure
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"{self._source}: {url} sent bytes that are not text."
            raise SourceError("unavailable", message, is_transient=True) from error
        if status >= 400:
            message = f"{self._source}: {url} refused the request with {status}: {text[:200]!r}."
            raise SourceError("refused", message)
        return text

    def _read_clock(self, headers: Mapping[str, str]) -> None:
        """Compare the answer's `Date` with this machine's clock; a cached copy may bear an old one."""
        told = headers.get("Date")
        if self.skew_seconds is not None or told is None or headers.get("Age", "0") != "0":
            return
        now = self._assignment.clock.now()
        try:
            at = parsedate_to_datetime(told)
        except ValueError:
            return
        if at.tzinfo is not None:
            self.skew_seconds = (at - now).total_seconds()
            self._assignment.emit(ClockRead(self._source, at.astimezone(UTC), self.skew_seconds))

    def _wait_for_the_host(self, url: str) -> None:
        wait = self._assignment.hosts.seconds_to_wait(url)
        if wait > self._network.retry_budget_seconds:
            text = f"{self._source} asked us to stay away for another {wait:.0f} s; nothing was sent."
            raise SourceError("deferred", text)
        if wait > 0:
            self._assignment.clock.sleep(wait)
