"""Request limits as the venues document them: weights a minute, 429 with Retry-After, then a ban with 418."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.wire import RefusalError


@dataclass(frozen=True)
class Budget:
    """A fixed window: how much weight in how many seconds."""

    weight: int
    seconds: int


BUDGETS = {
    "spot": Budget(6000, 60),
    "perp": Budget(2400, 60),
    "coin-margined": Budget(2400, 60),
    "funding": Budget(500, 300),
    "futures data": Budget(1000, 300),
}
_METRICS_REQUESTS, _METRICS_SECONDS = 10, 6
_VIOLATIONS_BEFORE_BAN = 10
_BAN_SECONDS = 120


def budget_of(path: str) -> str | None:
    """Return which budget a path is charged to, None when it is free."""
    if path in {"/fapi/v1/fundingRate", "/fapi/v1/fundingInfo"}:
        return "funding"
    owners = {
        "/api/v3": "spot",
        "/fapi": "perp",
        "/dapi": "coin-margined",
        "/futures/data": "futures data",
        "/v4/": "metrics",
    }
    return next((owner for prefix, owner in owners.items() if path.startswith(prefix)), None)


def _steps(size: int, ladder: tuple[tuple[int, int], ...], beyond: int) -> int:
    return next((weight for most, weight in ladder if size <= most), beyond)


def weight_of(path: str, query: Mapping[str, str]) -> int:
    """Return a request's weight by Binance's tables."""
    name, spot = path.rpartition("/")[2], path.startswith("/api/v3")
    text = query.get("limit", "")
    size = int(text) if text.isdigit() else (100 if name == "depth" and spot else 500)
    if name in {"klines", "uiKlines", "markPriceKlines"}:
        return 2 if spot else _steps(size, ((99, 1), (499, 2), (1000, 5)), 10)
    if name == "depth":
        if spot:
            return _steps(size, ((100, 5), (500, 25), (1000, 50)), 250)
        return _steps(size, ((50, 2), (100, 5), (500, 10)), 20)
    one = "symbol" in query
    table = {
        "24hr": (2, 80) if spot else (1, 40),
        "bookTicker": (2, 4) if spot else (2, 5),
        "price": (2, 4) if spot else (1, 2),
        "exchangeInfo": (20, 20) if spot else (1, 1),
        "premiumIndex": (1, 10),
    }
    single, every = table.get(name, (1, 1))
    return single if one else every


@dataclass
class _Window:
    number: int = -1
    used: int = 0
    violations: int = 0
    banned_until: float = 0.0


@dataclass
class Limits:
    """What has been used. Windows follow the real clock, as a venue's do, whatever time the market shows.

    Attributes:
        wall: seconds since the epoch, really.
        enforced: without it usage is counted and reported, never refused.
    """

    wall: Callable[[], float]
    enforced: bool = True
    _windows: dict[str, _Window] = field(default_factory=dict[str, _Window])
    _recent: deque[float] = field(default_factory=deque[float])

    def charge(self, path: str, query: Mapping[str, str]) -> dict[str, str]:
        """Charge a request and return the headers that report it; raise the refusal when it is too much."""
        owner = budget_of(path)
        if owner is None:
            return {}
        if owner == "metrics":
            return self._charge_metrics()
        return self._charge_weight(owner, weight_of(path, query))

    def used(self) -> dict[str, int]:
        """Return the weight used in each budget's current window."""
        return {owner: window.used for owner, window in self._windows.items()}

    def _charge_weight(self, owner: str, weight: int) -> dict[str, str]:
        now, budget = self.wall(), BUDGETS[owner]
        window = self._windows.setdefault(owner, _Window())
        if self.enforced and window.banned_until > now:
            raise self._banned(window, now)
        number = int(now // budget.seconds)
        if number != window.number:
            window.number, window.used, window.violations = number, 0, 0
        window.used += weight
        headers = {}
        if owner in {"spot", "perp", "coin-margined"}:
            headers = {"X-MBX-USED-WEIGHT": str(window.used), "X-MBX-USED-WEIGHT-1M": str(window.used)}
        if not self.enforced or window.used <= budget.weight:
            return headers
        window.violations += 1
        if window.violations > _VIOLATIONS_BEFORE_BAN:
            window.banned_until = now + _BAN_SECONDS
        wait = max(1, math.ceil((number + 1) * budget.seconds - now))
        minutes = budget.seconds // 60
        message = f"Too much request weight used; current limit is {budget.weight} per {minutes} MINUTE."
        raise RefusalError(
            429, {"code": -1003, "msg": message}, headers={**headers, "Retry-After": str(wait)}
        )

    @staticmethod
    def _banned(window: _Window, now: float) -> RefusalError:
        message = f"Way too much request weight used; IP banned until {int(window.banned_until * 1000)}."
        wait = max(1, math.ceil(window.banned_until - now))
        return RefusalError(418, {"code": -1003, "msg": message}, headers={"Retry-After": str(wait)})

    def _charge_metrics(self) -> dict[str, str]:
        now = self.wall()
        while self._recent and self._recent[0] <= now - _METRICS_SECONDS:
            self._recent.popleft()
        free = _METRICS_REQUESTS - len(self._recent)
        wait = (
            max(1, math.ceil(self._recent[0] + _METRICS_SECONDS - now)) if self._recent else _METRICS_SECONDS
        )
        headers = {
            "X-RateLimit-Limit": f"{_METRICS_REQUESTS}, {_METRICS_REQUESTS};w={_METRICS_SECONDS}",
            "X-RateLimit-Remaining": str(max(0, free - 1)),
            "X-RateLimit-Reset": str(wait),
        }
        if self.enforced and free <= 0:
            refusal = {"error": {"type": "too_many_requests", "message": "Too many requests."}}
            raise RefusalError(429, refusal, headers={**headers, "Retry-After": str(wait)})
        self._recent.append(now)
        return headers
