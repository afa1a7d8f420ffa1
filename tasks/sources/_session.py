"""One face of a venue during one run: its strict exchange, clock, markets, and how a call is retried."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import numpy as np

from tasks.settings_schema import VenueSettings
from tasks.sources._ccxt import Untyped, strict_exchange
from tasks.sources._errors import SourceError, TradingForbiddenError
from tasks.sources._model import Assignment
from tasks.sources._quirks import quirks_of
from tasks.sources._retry import Attempts
from tasks.sources._times import from_ms, to_ms
from tasks.sources._transport import Transport

T = TypeVar("T")
KINDS = {"perp": "swap", "future": "future", "spot": "spot"}  # our word for a kind of market, and ccxt's
SLOWEST_CLOCK_SECONDS = 20.0  # an answer that took longer says too little about when the clock was read
NO_END_MS = 4_102_444_800_000  # 2100-01-01: a perpetual "ends" then or later
TICK_SIZE = 4  # ccxt's precisionMode in which a precision is the step itself, not a number of digits
TRANSIENT_CLASSES = frozenset({"OperationFailed"})  # ccxt's root of everything that may pass
REFUSED_CLASSES = frozenset({"BadRequest", "BadSymbol", "AuthenticationError", "ArgumentsRequired"})


@dataclass(frozen=True)
class Market:
    """One market as the venue lists it (quantities in base, prices in quote, fees as fractions).

    An inverse contract is settled in its base and counted in quote: its `contract_size` is in quote.
    """

    venue: str
    market_id: str
    symbol: str
    base: str
    quote: str
    market_type: str
    is_active: bool
    contract_size: float
    amount_step: Decimal | None
    price_step: Decimal | None
    min_amount: Decimal | None
    min_cost: Decimal | None
    maker_fee: float | None
    taker_fee: float | None
    expires_at: datetime | None = None
    is_inverse: bool = False

    @property
    def constants(self) -> dict[str, object]:
        """The columns that name the market in every table of market facts."""
        return {
            "venue": self.venue,
            "market_id": self.market_id,
            "symbol": self.symbol,
            "base": self.base,
            "quote": self.quote,
            "market_type": self.market_type,
        }


class VenueSession:
    """A venue's spot face, its perpetual face, or both where they share one limit.

    Attributes:
        exchange: the strict ccxt exchange (untyped).
        server_ms: the venue's own time when the session was prepared, in milliseconds.
        skew_seconds: how far that is ahead of this machine's clock; None where it was not told in time.
        markets: what the venue lists, by unified symbol.
    """

    def __init__(self, venue: VenueSettings, market_types: Sequence[str], assignment: Assignment) -> None:
        self.venue = venue
        self.market_types = tuple(market_types)
        self.quirks = quirks_of(venue.id)
        self.assignment = assignment
        network = assignment.settings.network
        self.transport = Transport(venue.id, network, assignment)
        self.exchange: Untyped = strict_exchange(
            venue, market_types[0], self.quirks, self.transport, assignment.clock
        )
        self.server_ms = to_ms(assignment.as_of)
        self.skew_seconds: float | None = None
        self.markets: dict[str, Market] = {}
        self.ambiguous: frozenset[str] = frozenset()
        self._jitter = np.random.default_rng(assignment.settings.seed)

    @property
    def now_ms(self) -> int:
        """The instant up to which data count: the earlier of the run's as_of and the venue's own time."""
        return min(to_ms(self.assignment.as_of), self.server_ms)

    async def prepare(self) -> None:
        """Ask for the venue's time and markets.

        Raises:
            SourceError: the venue does not answer usefully.
        """
        if self.can("fetchTime"):
            await self.read_clock()
        listed: list[Any] = await self.call(self.exchange.fetch_markets)
        if not listed:
            raise SourceError("incomplete", f"{self.venue.id}: the list of markets is empty.")
        symbols: list[str] = [str(row["symbol"]) for row in listed]
        self.ambiguous = frozenset(name for name in set(symbols) if symbols.count(name) > 1)
        self.exchange.set_markets(listed)
        for row in listed:
            self._list(row)

    async def read_clock(self) -> None:
        """Ask for the venue's time, and compare it with this machine's.

        Raises:
            SourceError: the venue does not answer usefully.
        """
        clock = self.assignment.clock

        async def once() -> tuple[int, float, float]:
            asked = clock.monotonic()
            told = int(await self.exchange.fetch_time())
            return told, clock.monotonic() - asked, clock.now().timestamp()

        self.server_ms, took, ours = await self.call(once)
        # The venue read its clock about half-way between the question and the answer.
        is_quick = took <= SLOWEST_CLOCK_SECONDS
        self.skew_seconds = self.server_ms / 1000 + took / 2 - ours if is_quick else None

    def can(self, ability: str) -> bool:
        """Whether ccxt says that the venue has an ability such as `fetchOHLCV`."""
        return bool(self.exchange.has.get(ability))

    async def call(self, make: Callable[..., Awaitable[T]], *args: object) -> T:
        """Call one of the exchange's reading methods, again where that may help.

        Raises:
            SourceError: it did not work, or the run was told to stop.
        """
        attempts = Attempts(self.assignment.settings.network, self._jitter)
        while True:
            if self.assignment.stop.is_set():
                raise SourceError("interrupted", f"{self.venue.id}: the run was told to stop.")
            try:
                return await make(*args)
            except TradingForbiddenError:
                raise
            except Exception as error:
                wait = attempts.seconds_until_next(self._failure(error))
            await self.assignment.clock.sleep_async(wait)

    async def close(self) -> None:
        """Close the connections; all of them are the transport's, ccxt never opened one."""
        await self.transport.close()

    def _failure(self, error: Exception) -> SourceError:
        """Ccxt leaks a dozen exception types, and plain KeyError or IndexError on odd bodies."""
        if isinstance(error, SourceError):
            return error
        names = {cls.__name__ for cls in type(error).__mro__}
        text = f"{self.venue.id}: {type(error).__name__}: {told(error)}"
        if "NotSupported" in names:
            return SourceError("unsupported", text)
        if names & TRANSIENT_CLASSES:
            return SourceError("unavailable", text, is_transient=True)
        if names & REFUSED_CLASSES:
            return SourceError("refused", text)
        return SourceError("malformed", text, is_transient=True)

    def _list(self, row: dict[str, Any]) -> None:
        kind = next((ours for ours, theirs in KINDS.items() if row.get(theirs)), None)
        if kind not in self.market_types or (kind == "perp" and not row.get("linear")):
            return
        expiry = row.get("expiry") if kind == "future" else self._announced_end(row)
        if kind == "future" and expiry is None:
            return  # a dated contract that does not say until when can not be used
        precision, limits = row.get("precision") or {}, row.get("limits") or {}
        self.markets[row["symbol"]] = Market(
            venue=self.venue.id,
            market_id=str(row["id"]),
            symbol=row["symbol"],
            base=row["base"],
            quote=row["quote"],
            market_type=kind,
            is_active=row.get("active") is not False,
            contract_size=float(row.get("contractSize") or 1.0),
            amount_step=self._step(precision.get("amount")),
            price_step=self._step(precision.get("price")),
            min_amount=_decimal((limits.get("amount") or {}).get("min")),
            min_cost=_decimal((limits.get("cost") or {}).get("min")),
            maker_fee=row.get("maker"),
            taker_fee=row.get("taker"),
            expires_at=None if expiry is None else from_ms(int(expiry)),
            is_inverse=bool(row.get("inverse")),
        )

    def _announced_end(self, row: dict[str, Any]) -> int | None:
        """When a market without a date of delivery closes, in ms; None where the venue announces nothing."""
        info: dict[str, object] = row.get("info") or {}
        told = str(info.get(self.quirks.end_field, "")) if self.quirks.end_field else ""
        end = int(told) if told.isdecimal() else 0
        return end if 0 < end < NO_END_MS else None

    def _step(self, precision: object) -> Decimal | None:
        value = _decimal(precision)
        if value is None or self.exchange.precisionMode == TICK_SIZE:
            return value
        return Decimal(1).scaleb(-int(value))


def told(error: Exception) -> str:
    """What an error says, with a venue's own words in it: one line of at most 300 printable characters."""
    return "".join(letter if letter.isprintable() else " " for letter in str(error)[:300])


def _decimal(value: object) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
