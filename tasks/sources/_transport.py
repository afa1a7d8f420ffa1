"""One HTTP GET at a time for ccxt: capped, timed, without redirects, with the answer's own headers.

ccxt's own fetch follows redirects, reads without a limit and leaves the headers of whichever call came last
in a shared field; here every answer carries its own.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import yarl

from tasks.settings_schema import NetworkSettings
from tasks.sources._errors import SourceError, seconds_of
from tasks.sources._model import Assignment

CHUNK_BYTES = 1 << 16
SIMULATED_HEADER = "X-Trimtab-Simulated"
# How long to stay away after 429 and 418 where the source does not say, in seconds.
HOLDING_STATUS = {429: 1.0, 418: 120.0}


@dataclass(frozen=True)
class Answer:
    """One answer, decoded."""

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    text: str


class Transport:
    """The connections of one venue; made and used inside one event loop.

    Attributes:
        requests: how many requests were sent.
        is_simulated: True once an answer said that it comes from a simulated market.
    """

    def __init__(self, source: str, network: NetworkSettings, assignment: Assignment) -> None:
        self.requests = 0
        self.is_simulated = False
        self._source = source
        self._network = network
        self._assignment = assignment
        self._session: aiohttp.ClientSession | None = None

    async def get(
        self, url: str, headers: Mapping[str, str], *, method: str = "GET", body: str | None = None
    ) -> Answer:
        """Ask once.

        Raises:
            SourceError: no complete answer within the deadline, or one that is too large or not text.
        """
        await self._wait_for_the_host(url)
        self.requests += 1
        place = f"{self._source}: {url.split('?', maxsplit=1)[0]}"
        try:
            async with asyncio.timeout(self._network.deadline_seconds):
                status, reason, answer_headers, raw = await self._exchange(url, headers, method, body)
        except TimeoutError as error:
            limit = self._network.deadline_seconds
            text = f"{place} did not answer completely within {limit:.0f} s."
            raise SourceError("unavailable", text, is_transient=True) from error
        except (aiohttp.ClientError, OSError) as error:
            text = f"{place} could not be reached or broke off: {type(error).__name__}: {error}."
            raise SourceError("unavailable", text, is_transient=True) from error
        if self._assignment.received.note(self._source, url, status, raw):
            await asyncio.to_thread(self._assignment.received.write, self._source)
        if status in HOLDING_STATUS:
            told = seconds_of(answer_headers.get("Retry-After"))
            self._assignment.hosts.hold(url, HOLDING_STATUS[status] if told is None else told)
        self.is_simulated = self.is_simulated or SIMULATED_HEADER in answer_headers
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"{place} sent bytes that are not text (status {status})."
            raise SourceError("unavailable", message, is_transient=True) from error
        return Answer(url, status, reason, answer_headers, text)

    def turn(self, name: str, seconds: float) -> float:
        """Take the next turn under a limit, which lasts so many seconds; returns how long to wait for it."""
        return self._assignment.hosts.reserve(name, seconds)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _wait_for_the_host(self, url: str) -> None:
        wait = self._assignment.hosts.seconds_to_wait(url)
        if wait > self._network.retry_budget_seconds:
            text = f"{self._source} asked us to stay away for another {wait:.0f} s; nothing was sent."
            raise SourceError("deferred", text)
        if wait > 0:
            await self._assignment.clock.sleep_async(wait)

    async def _exchange(
        self, url: str, headers: Mapping[str, str], method: str, body: str | None
    ) -> tuple[int, str, Mapping[str, str], bytes]:
        if self._session is None:
            wait = self._network.timeout_seconds
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=wait, sock_read=wait)
            self._session = aiohttp.ClientSession(trust_env=True, timeout=timeout)
        target = yarl.URL(url, encoded=True)
        async with self._session.request(
            method, target, headers=headers, data=body, allow_redirects=False
        ) as response:
            pieces: list[bytes] = []
            size = 0
            async for piece in response.content.iter_chunked(CHUNK_BYTES):
                size += len(piece)
                if size > self._network.max_body_bytes:
                    cap = self._network.max_body_bytes
                    text = f"{self._source}: {target.path} sent more than network.max_body_bytes ({cap})."
                    raise SourceError("malformed", f"{text} Raise it if that is right.")
                pieces.append(piece)
            return response.status, response.reason or "", response.headers, b"".join(pieces)
