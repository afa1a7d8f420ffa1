"""What Deribit's instruments have in common: names, expiries, the fair price of a forward and an option."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.market_bars import Bars
from sandbox.market_coins import COINS
from sandbox.noise import DAY_MS
from sandbox.wire import Call, Reply, answer, iso

BASES = ("BTC", "ETH")
YEAR_MS = 365 * DAY_MS
_CARRY = 0.06
_QUARTERS = 2
_SHARES = (0.7, 0.85, 0.95, 1.0, 1.05, 1.2, 1.5)
_STRIKE_STEPS = {"BTC": 1000, "ETH": 50}


@dataclass(frozen=True)
class Expiry:
    """A Friday at 08:00 UTC on which contracts end."""

    at_ms: int

    @property
    def name(self) -> str:
        """The day as Deribit writes it: 25SEP26."""
        return iso(self.at_ms, "%d%b%y").upper().lstrip("0")


def expiries(now_ms: int) -> list[Expiry]:
    """Return the ends of the next quarters: the last Fridays of March, June, September and December."""
    day = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
    found: list[Expiry] = []
    month = day.year * 12 + day.month - 1
    while len(found) < _QUARTERS:
        month += 1
        if month % 12 not in {0, 3, 6, 9}:
            continue
        last = datetime(month // 12, month % 12 + 1, 1, 8, tzinfo=UTC) - timedelta(days=1)
        friday = last - timedelta(days=(last.weekday() - 4) % 7)
        if friday.timestamp() * 1000 > now_ms:
            found.append(Expiry(int(friday.timestamp()) * 1000))
    return found


def bars(call: Call, base: str) -> Bars:
    """Return the venue's own candles of the index."""
    return call.market.venue_spot("deribit", base, "USD", rules=COINS[base].spot, share=0.3, noise=0.0001)


def premium(at_ms: int, expiry_ms: int) -> float:
    """Return how much dearer than the index a contract is that ends then."""
    return math.exp(_CARRY * max(0, expiry_ms - at_ms) / YEAR_MS)


def strikes(call: Call, base: str) -> list[int]:
    """Return the strikes that are listed: around the price at the beginning of the year."""
    start = datetime(datetime.fromtimestamp(call.now_ms / 1000, tz=UTC).year, 1, 1, tzinfo=UTC)
    step, price = _STRIKE_STEPS[base], bars(call, base).last_price(int(start.timestamp()) * 1000)
    return sorted({max(1, round(price * share / step)) * step for share in _SHARES})


def smile(base: str, strike: float, forward: float) -> float:
    """Return the volatility of a strike in percent a year."""
    return round((62.0 if base == "BTC" else 74.0) + 35.0 * math.log(strike / forward) ** 2, 2)


def option_value(forward: float, strike: float, years: float, percent: float, *, is_call: bool) -> float:
    """Return a European option's price in dollars after Black (1976), without interest."""
    spread = percent / 100 * math.sqrt(years)
    upper = math.log(forward / strike) / spread + spread / 2
    below = [(1 + math.erf(d / math.sqrt(2))) / 2 for d in (upper, upper - spread)]
    value = forward * below[0] - strike * below[1]
    return value if is_call else value - forward + strike


def rpc(call: Call, result: object) -> Reply:
    """Wrap a result as Deribit's JSON-RPC does."""
    at = call.now_ms * 1000
    return answer(
        {"jsonrpc": "2.0", "result": result, "usIn": at, "usOut": at + 100, "usDiff": 100, "testnet": False}
    )


def refused(reason: str, parameter: str) -> dict[str, object]:
    """Return the body of a refusal."""
    data = {"reason": reason, "param": parameter}
    return {"jsonrpc": "2.0", "error": {"message": "Invalid params", "data": data, "code": -32602}}
