"""ccxt made strict: any exchange it knows, with a boundary that raises instead of returning nothing.

As shipped, ccxt turns an HTML page or half a JSON document with status 200 into an empty list. The subclass
made here raises for every 2xx answer that is not strict JSON, keeps 429 and 418 apart, and refuses
everything that is not reading public data: orders, withdrawals, transfers and private calls raise before a
request is made.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from tasks.clock import Clock
from tasks.settings_schema import VenueSettings
from tasks.sources._candle_table import CandleBody, CandleTable, read_table
from tasks.sources._errors import SourceError, TradingForbiddenError, seconds_of, status_error
from tasks.sources._json import parse_strictly
from tasks.sources._quirks import Quirks
from tasks.sources._settlements import read_settlements
from tasks.sources._transport import Answer, Transport

# ccxt has no types, and JSON is what it is.
Untyped = Any
FORBIDDEN = re.compile(
    r"^(create|cancel|edit)_?\w*order|^(withdraw|transfer|borrow|repay|redeem|close_?position|close_?all"
    r"|(add|reduce|modify)_?margin|set_?(leverage|margin|position)|sign_?in|create_?(deposit|sub|gift|convert|vault))"
    r"|(private|sapi|papi|wapi)\w*(get|post|put|delete|patch)",
    re.IGNORECASE,
)
# Parts of an API's name that only serve public data although they are not called so.
PUBLIC_PARTS = frozenset({"charts", "history", "fapidata", "dapidata"})
PRIVATE_PARTS = ("private", "sapi", "papi", "wapi")
# Venues whose public reads are POST requests.
READS_BY_POST = frozenset({"hyperliquid"})
HOST = re.compile(r"^https?://[^/]+")
# Of a venue's limit this much is used: its clock and ours part minutes at different instants.
SHARE_OF_LIMIT = 0.95
SHORTEST_WAIT = 0.001
CANDLES_PATH = re.compile(r"/klines\?")


class StrictMixin:
    """What replaces ccxt's own fetching; mixed in before the exchange's class."""

    id: str
    rateLimit: float  # noqa: N815 - ccxt's name: milliseconds per unit of cost
    transport: Transport
    clock: Clock
    quote_volume_at: int | None = None
    funding_row: tuple[str, ...] = ()
    face: str = ""

    async def throttle(self, cost: float | None = None) -> None:
        """Hold a request until the venue's limit allows it: ccxt's costs, one queue for all processes."""
        seconds = (1.0 if cost is None else cost) * self.rateLimit / 1000
        wait = self.transport.turn(f"{self.id}-{self.face}", seconds)
        if wait > SHORTEST_WAIT:
            await self.clock.sleep_async(wait)

    async def fetch(
        self, url: str, method: str = "GET", headers: Untyped = None, body: Untyped = None
    ) -> Untyped:  # the signature is ccxt's
        """Send one request and return its JSON.

        Raises:
            SourceError: the answer is not usable.
        """
        exchange: Untyped = self
        sent = exchange.prepare_request_headers(headers)
        answer = await self.transport.get(url, sent, method=method, body=body)
        failure = status_error(
            self.id, answer.status, url, seconds_of(answer.headers.get("Retry-After")), answer.reason
        )
        if failure is not None:
            raise failure
        payload = self._payload(answer)
        exchange.last_response_headers = answer.headers
        known = (answer.status, answer.reason, url, method, answer.headers, answer.text, payload, sent, body)
        exchange.handle_errors(*known)
        exchange.handle_http_status_code(answer.status, answer.reason, url, method, answer.text)
        return payload

    def _payload(self, answer: Answer) -> Untyped:
        text = answer.text.strip()
        at = self.quote_volume_at
        if at is not None and answer.status == 200 and CANDLES_PATH.search(answer.url):
            table = read_table(text, at)
            if table is not None:
                return CandleBody(table)
        found: Untyped = None
        reason = "it is no JSON object or list"
        try:
            # Without an object there can be no duplicate key, and ccxt's own parser is several times faster.
            is_plain = text.startswith("[") and "{" not in text and "N" not in text and "I" not in text
            found = type(self).on_json_response(text) if is_plain else parse_strictly(text)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
        except ValueError as error:
            reason = str(error)
        if isinstance(found, dict | list):
            return found  # pyright: ignore[reportUnknownVariableType]
        kind = "non-JSON 200" if 200 <= answer.status < 300 else f"status {answer.status} without JSON"
        place = f"{self.id}: {answer.url.split('?', maxsplit=1)[0]}"
        text = f"{place} answered with a {kind} body ({reason}): {text[:60]!r}."
        raise SourceError("unavailable", text, is_transient=answer.status < 400)

    async def fetch2(
        self,
        path: Untyped,
        api: Untyped = "public",
        method: str = "GET",
        params: Untyped = None,
        config: Untyped = None,
    ) -> Untyped:  # the one way from every implicit endpoint to the network
        """Let only public reads through.

        Raises:
            TradingForbiddenError: for anything else.
        """
        parts = [api] if isinstance(api, str) else [str(part) for part in api]
        lowered = [part.lower() for part in parts]
        is_public = any("public" in part or part in PUBLIC_PARTS for part in lowered)
        is_private = any(name in part for part in lowered for name in PRIVATE_PARTS)
        is_read = method == "GET" or (method == "POST" and self.id in READS_BY_POST)
        if is_private or not is_public or not is_read:
            raise _forbidden(self.id, f"{method} {'/'.join(parts)}/{path}")
        parent: Untyped = super()
        return await parent.fetch2(path, api, method, params or {}, config or {})

    def parse_ohlcvs(
        self,
        ohlcvs: Untyped,
        market: Untyped = None,
        timeframe: str = "1m",
        since: Untyped = None,
        limit: Untyped = None,
        tail: bool = False,  # the signature is ccxt's
    ) -> list[list[Untyped]] | CandleTable:
        """Parse candles without dropping any: what lies outside the window is judged by us, not hidden.

        Rows are [open time in ms, open, high, low, close, volume, quote volume or None].
        """
        del since, limit, tail, timeframe
        if isinstance(ohlcvs, CandleBody):
            table = ohlcvs.table
            wanted = [self._parse_one(row, market) for row in table.ends]
            if [table.rows[0].tolist(), table.rows[-1].tolist()] == wanted:
                return table
            ohlcvs = parse_strictly(table.text)
        if not isinstance(ohlcvs, list) or not all(isinstance(row, list | dict) for row in ohlcvs):
            text = f"{self.id}: the candles came as {type(ohlcvs).__name__}, wanted a list of rows."
            raise SourceError("unavailable", text, is_transient=True)
        rows: list[Untyped] = ohlcvs
        fast = self._parse_uniformly(rows, market)
        return fast if fast is not None else [self._parse_one(row, market) for row in rows]

    def _parse_one(self, row: Untyped, market: Untyped) -> list[Untyped]:
        exchange: Untyped = self
        at = self.quote_volume_at
        extra: float | None = None
        if at is not None and isinstance(row, list) and len(row) > at:  # pyright: ignore[reportUnknownArgumentType]
            extra = exchange.safe_number(row, at)
        return [*exchange.parse_ohlcv(row, market)[:6], extra]

    def _parse_uniformly(self, rows: Sequence[Untyped], market: Untyped) -> list[list[Untyped]] | None:
        """The six columns at once where the raw row begins with them; None where ccxt reads it differently.

        ccxt's parser takes 8 µs a row, most of an ingest's CPU. Its reading of the first and of the last
        row decides.
        """
        at = self.quote_volume_at
        if not rows or at is None or not all(isinstance(row, list) and len(row) > at for row in rows):
            return None
        try:
            parsed = [[*map(float, row[:6]), float(row[at])] for row in rows]
        except (TypeError, ValueError):
            return None
        ends = (parsed[0], parsed[-1])
        wanted = (self._parse_one(rows[0], market), self._parse_one(rows[-1], market))
        return parsed if all(a == b for a, b in zip(ends, wanted, strict=True)) else None

    def parse_funding_rate_histories(
        self, response: Untyped, market: Untyped = None, since: Untyped = None, limit: Untyped = None
    ) -> list[Untyped]:  # the signature is ccxt's
        """Parse settlements; ccxt takes 20 µs a row, so a long page is read at once where it can be."""
        parent: Untyped = super()
        rows = read_settlements(response, self.funding_row, since, limit)
        if rows is None:
            return parent.parse_funding_rate_histories(response, market, since, limit)
        ends = parent.parse_funding_rate_histories([rows[0]["info"], rows[-1]["info"]], market)
        wanted = [(end["timestamp"], end["fundingRate"]) for end in ends]
        if [(rows[at]["timestamp"], rows[at]["fundingRate"]) for at in (0, -1)] == wanted:
            return rows
        return parent.parse_funding_rate_histories(response, market, since, limit)


def strict_exchange(
    venue: VenueSettings, market_type: str, quirks: Quirks, transport: Transport, clock: Clock
) -> Untyped:
    """Make a strict exchange whose requests go through `transport` and whose waits through `clock`.

    Raises:
        SourceError: ccxt does not know the venue.
    """
    made = strict_class(venue.id)(
        {
            "enableRateLimit": True,
            "aiohttp_trust_env": True,
            "options": dict(quirks.options.get(market_type, {})),
        }
    )
    made.transport = transport
    made.clock = clock
    made.face = market_type
    made.quote_volume_at = quirks.quote_volume_at
    made.funding_row = quirks.funding_row
    made.rateLimit = _milliseconds_per_cost(venue, market_type, quirks, made.rateLimit)
    stated = venue.base_url
    base = stated if isinstance(stated, str) else {str(k): v for k, v in stated.items()}.get(market_type, "")
    if base:
        made.urls = {**made.urls, "api": _rehosted(made.urls["api"], base)}
    return made


def _milliseconds_per_cost(venue: VenueSettings, market_type: str, quirks: Quirks, own: float) -> float:
    """The pace of requests: the configured limit, else the documented one, else ccxt's."""
    weights, documented = quirks.weights.get(market_type, (1.0, 0.0))
    allowed = venue.weights_per_minute or documented
    return 60_000 * weights / (allowed * SHARE_OF_LIMIT) if allowed else own


@functools.cache
def strict_class(venue: str) -> type[Untyped]:
    """The exchange's class with the strict boundary and without everything that trades."""
    import ccxt.async_support as exchanges  # noqa: PLC0415 - 0.8 s that no other command pays

    if venue not in exchanges.exchanges:
        text = (
            f"Wanted a venue by its ccxt id, found {venue!r}, which ccxt does not know. Correct [[venues]]."
        )
        raise SourceError("unsupported", text)
    base = getattr(exchanges, venue)
    body: dict[str, Untyped] = {name: _refusal(name) for name in dir(base) if FORBIDDEN.search(name)}
    return type(f"Strict{venue.capitalize()}", (StrictMixin, base), body)


def _refusal(name: str) -> Untyped:
    def refuse(self: Untyped, *_: Untyped, **__: Untyped) -> NoReturn:
        raise _forbidden(self.id, name)

    return refuse


def _forbidden(venue: str, what: str) -> TradingForbiddenError:
    return TradingForbiddenError(
        f"{venue}: {what} is not reading public data; nothing was sent. This product never trades."
    )


def _rehosted(api: Untyped, base: str) -> Untyped:
    if isinstance(api, str):
        return HOST.sub(base, api)
    if isinstance(api, Mapping):
        return {key: _rehosted(value, base) for key, value in api.items()}  # pyright: ignore[reportUnknownVariableType]
    return api
