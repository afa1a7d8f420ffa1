"""What an account at Binance holds, read with a key that must be able to do nothing else.

The only place where a key is sent to a venue. It is no ccxt exchange: it can make the requests of `READS` and
has no way to make another. Balances are asked for only after the venue itself has said what the key may do.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import requests

from tasks.settings_schema import NetworkSettings
from tasks.sources._errors import TradingForbiddenError
from tasks.sources._http import PIECE_BYTES, USER_AGENT
from tasks.sources._json import parse_strictly

VENUES = ("binance",)
DEFAULT_BASE = "https://api.binance.com"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PERMISSIONS = "/sapi/v1/account/apiRestrictions"
BALANCES = "/api/v3/account"
# Path → its parameters. All of them are GET; nothing else is ever signed.
READS: Mapping[str, Mapping[str, str]] = {PERMISSIONS: {}, BALANCES: {"omitZeroBalances": "true"}}
# Each must be there and be false: a key that may do one of these is refused.
MUST_BE_FALSE = (
    "enableWithdrawals",
    "enableInternalTransfer",
    "permitsUniversalTransfer",
    "enableSpotAndMarginTrading",
    "enableMargin",
    "enableFutures",
    "enableVanillaOptions",
    "enablePortfolioMarginTrading",
    "enableFixApiTrade",
)
# Flags that may be true: they allow reading, or take something away.
MAY_BE_TRUE = frozenset({"ipRestrict", "enableReading", "enableFixReadOnly"})
FALSE_TEXTS = frozenset({"", "0", "false", "no", "none", "null"})
VALID_MS = 5_000


class AccountError(Exception):
    """An account was not read; the message says what was wanted, found and what to do. Exit status 2."""

    exit_status = 2


class UnreadableError(AccountError):
    """The venue did not answer a signed request usefully."""


@dataclass(frozen=True)
class Key:
    """A venue's key; its text form does not show it."""

    key: str = field(repr=False)
    secret: str = field(repr=False)


class AccountReader:
    """Signed reading of one Binance account.

    Attributes:
        sent: paths of the requests that were sent, in order.
    """

    def __init__(self, key: Key, base_url: str, network: NetworkSettings) -> None:
        """Prepare; nothing is sent.

        Raises:
            AccountError: the address is not encrypted, so the key would travel in the open.
        """
        base = urlsplit(base_url or DEFAULT_BASE)
        if base.scheme != "https" and base.hostname not in LOOPBACK:
            raise AccountError(
                f"binance: wanted an https base_url to send a key to, found {base.scheme}://. "
                "Correct it; nothing was sent."
            )
        self.sent: list[str] = []
        self._key = key
        self._base = f"{base.scheme}://{base.netloc}"
        self._network = network

    def permissions(self, now: datetime) -> dict[str, Any]:
        """What the key may do, in the venue's own words; `now` is the real time, aware UTC.

        Raises:
            UnreadableError: the venue does not say.
        """
        return self.read(PERMISSIONS, now)

    def balances(self, now: datetime) -> dict[str, Decimal]:
        """Free and locked coins by the venue's ticker, none of them zero; `now` is the real time, aware UTC.

        Raises:
            UnreadableError: the venue does not say, or says something else.
        """
        listed: object = self.read(BALANCES, now).get("balances")
        try:
            rows = cast("list[dict[str, str]]", listed)
            held = {str(row["asset"]): _amount(row["free"]) + _amount(row["locked"]) for row in rows}
        except (TypeError, KeyError, InvalidOperation):
            raise UnreadableError(
                "binance: wanted balances as a list of asset, free and locked, found something else. "
                "Nothing was stored; export the balances as CSV and import that."
            ) from None
        return {asset: amount for asset, amount in held.items() if amount}

    def read(self, path: str, now: datetime) -> dict[str, Any]:
        """Send one of the allowed requests.

        Raises:
            TradingForbiddenError: the path is not one of `READS`; nothing was sent.
            UnreadableError: no complete answer that is an object of JSON with status 200.
        """
        if path not in READS:
            raise TradingForbiddenError(
                f"binance: {path} is not among the {len(READS)} requests that may carry a key; nothing was "
                "sent. This product never trades."
            )
        self.sent.append(path)
        stamp = {"recvWindow": str(VALID_MS), "timestamp": str(int(now.timestamp() * 1000))}
        query = urlencode({**READS[path], **stamp})
        signed = hmac.new(self._key.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        status, text = self._get(path, f"{query}&signature={signed}")
        found: object = None
        if status == 200:
            try:
                found = parse_strictly(text)
            except ValueError:
                found = None
        if not isinstance(found, dict):
            what = f"status {status}" if status != 200 else "no object of JSON"
            raise UnreadableError(f"binance: {path} answered with {what}.{_advice(status)}")
        return cast("dict[str, Any]", found)

    def _get(self, path: str, query: str) -> tuple[int, str]:
        # Neither the query (signature) nor the library's own message (the whole URL) is ever told.
        headers = {"X-MBX-APIKEY": self._key.key, "User-Agent": USER_AGENT}
        cap, size, pieces = self._network.max_body_bytes, 0, list[bytes]()
        try:
            with requests.get(
                f"{self._base}{path}?{query}",
                headers=headers,
                timeout=self._network.timeout_seconds,
                allow_redirects=False,
                stream=True,
            ) as answer:
                for piece in answer.iter_content(PIECE_BYTES):
                    size += len(piece)
                    if size > cap:
                        raise UnreadableError(
                            f"binance: {path} sent more than network.max_body_bytes ({cap})."
                        )
                    pieces.append(piece)
                return answer.status_code, b"".join(pieces).decode("utf-8", "replace")
        except requests.RequestException as error:
            kind = type(error).__name__
            raise UnreadableError(
                f"binance: {path} could not be reached or broke off: {kind}. Try again later."
            ) from None


def powers(permissions: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What a key may do beyond reading, and what its venue does not say.

    Args:
        permissions: the venue's answer.

    Returns:
        Names of what is allowed and must not be, a flag that we do not know among them; and names of what
        must be stated as false and is missing.
    """
    allowed = [
        name
        for name, value in permissions.items()
        if name not in MAY_BE_TRUE and (_is_on(value) or (name in MUST_BE_FALSE and value is not False))
    ]
    return sorted(allowed), [name for name in MUST_BE_FALSE if name not in permissions]


def _is_on(value: object) -> bool:
    """Whether a flag says yes: true, 1 or a word; other numbers are times and counts, not permissions."""
    if isinstance(value, bool | str):
        return value is True or (isinstance(value, str) and value.strip().lower() not in FALSE_TEXTS)
    return value == 1 or (isinstance(value, list | dict) and bool(value))  # pyright: ignore[reportUnknownArgumentType]


def _amount(text: object) -> Decimal:
    value = Decimal(str(text))
    if not value.is_finite() or value < 0:
        raise InvalidOperation
    return value


def _advice(status: int) -> str:
    if status in {400, 401, 403}:
        return " Look at the key: is it valid, for this address, and the clock right (`trimtab doctor`)?"
    return " Try again later."
