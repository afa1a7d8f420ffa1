"""Binance USD-M futures, the contract's own figures: funding, premium, open interest, margin tiers."""

from __future__ import annotations

from sandbox.faces._binance import page_size, refuse, symbol_of, whole
from sandbox.market import FUNDING_HOURS, INTEREST_RATE
from sandbox.market_bars import decimals_of
from sandbox.market_coins import COINS
from sandbox.noise import DAY_MS, HOUR_MS
from sandbox.wire import Call, Face, Reply, answer

MARKETS = {f"{base}USDT": base for base in COINS}
_INTEREST_PERIODS = {"1h": 1, "2h": 2, "4h": 4, "6h": 6, "12h": 12, "1d": 24}
_INTEREST_DAYS_KEPT = 30
# Highest notional in USDT, highest leverage, maintenance margin: the shape of Binance's tables, not a copy.
_BRACKETS = (
    (50_000, 100, 0.005),
    (600_000, 50, 0.01),
    (3_000_000, 20, 0.025),
    (12_000_000, 10, 0.05),
    (60_000_000, 4, 0.125),
    (200_000_000, 2, 0.25),
)


def listed(call: Call) -> list[str]:
    """Return the contracts that trade at *now*."""
    return [symbol for symbol, base in MARKETS.items() if COINS[base].perp.is_listed(call.now_ms)]


def _premium_row(call: Call, symbol: str) -> dict[str, object]:
    base, now = MARKETS[symbol], call.now_ms
    index = call.market.spot(base).last_price(now)
    step = FUNDING_HOURS * HOUR_MS
    return {
        "symbol": symbol,
        "markPrice": f"{call.market.mark(base).last_price(now):.8f}",
        "indexPrice": f"{index:.8f}",
        "estimatedSettlePrice": f"{index:.8f}",
        "lastFundingRate": f"{call.market.predicted_funding(base, now):.8f}",
        "interestRate": f"{INTEREST_RATE:.8f}",
        "nextFundingTime": (now // step + 1) * step,
        "time": now,
    }


def premium_index(call: Call) -> Reply:
    """Answer mark, index, the predicted funding rate and its time."""
    if "symbol" in call.query:
        return answer(_premium_row(call, symbol_of(call, set(listed(call)))))
    return answer([_premium_row(call, symbol) for symbol in listed(call)])


def funding_rates(call: Call) -> Reply:
    """Answer settlements: the oldest of the span when it has a start, else the newest."""
    limit = page_size(call, default=100, most=1000, cut=False)
    first, last = whole(call, "startTime"), whole(call, "endTime")
    symbols = [symbol_of(call, set(MARKETS))] if "symbol" in call.query else list(MARKETS)
    end = call.now_ms if last is None else last
    begin = first if first is not None else min(end, call.now_ms) - limit * FUNDING_HOURS * HOUR_MS
    rows = [
        {
            "symbol": symbol, "fundingTime": row.settled_ms,
            "fundingRate": f"{row.rate:.8f}", "markPrice": f"{row.mark:.8f}",
        }
        for symbol in symbols
        for row in call.market.funding(MARKETS[symbol], begin, end, call.now_ms)
    ]  # fmt: skip
    rows.sort(key=lambda row: int(row["fundingTime"]))
    return answer(rows[-limit:] if first is None else rows[:limit])


def funding_info(call: Call) -> Reply:
    """Answer caps and intervals."""
    return answer(
        [
            {
                "symbol": symbol,
                "adjustedFundingRateCap": f"{COINS[MARKETS[symbol]].funding_cap:.8f}",
                "adjustedFundingRateFloor": f"{-COINS[MARKETS[symbol]].funding_cap:.8f}",
                "fundingIntervalHours": FUNDING_HOURS,
                "disclaimer": False,
            }
            for symbol in listed(call)
        ]
    )


def open_interest(call: Call) -> Reply:
    """Answer the present open interest in coins."""
    symbol = symbol_of(call, set(listed(call)))
    amount = call.market.open_interest(MARKETS[symbol], call.now_ms)
    return answer(
        {
            "openInterest": f"{amount:.{decimals_of(COINS[MARKETS[symbol]].perp.lot)}f}",
            "symbol": symbol,
            "time": call.now_ms,
        }
    )


def open_interest_history(call: Call) -> Reply:
    """Answer open interest over the last 30 days; older spans are refused, a span's newest points win."""
    symbol, period = symbol_of(call, set(MARKETS)), call.query.get("period", "")
    if period not in _INTEREST_PERIODS:
        raise refuse(-1130, "Data sent for parameter 'period' is not valid.")
    limit = page_size(call, default=30, most=500, cut=False)
    first, last = whole(call, "startTime"), whole(call, "endTime")
    oldest, step = call.now_ms - _INTEREST_DAYS_KEPT * DAY_MS, _INTEREST_PERIODS[period] * HOUR_MS
    if first is not None and first < oldest:
        raise refuse(-1130, "parameter 'startTime' is invalid.")
    end = min(call.now_ms, last if last is not None else call.now_ms) // step * step
    listed_ms = int(COINS[MARKETS[symbol]].perp.listed.timestamp() * 1000)
    begin = max(oldest, listed_ms, first if first is not None else end - (limit - 1) * step)
    instants = range(-(-begin // step) * step, end + 1, step)
    chosen = instants[:limit] if first is not None and last is None else instants[-limit:]
    rows: list[dict[str, object]] = []
    for at in chosen:
        amount = call.market.open_interest(MARKETS[symbol], at)
        value = amount * call.market.mark(MARKETS[symbol]).last_price(at)
        rows.append(
            {
                "symbol": symbol,
                "sumOpenInterest": f"{amount:.8f}",
                "sumOpenInterestValue": f"{value:.8f}",
                "timestamp": at,
            }
        )
    return answer(rows)


def leverage_brackets(call: Call) -> Reply:
    """Answer margin tiers; the smaller coins get a quarter of the notional at each step."""
    symbols = [symbol_of(call, set(MARKETS))] if "symbol" in call.query else list(MARKETS)
    return answer([{"symbol": symbol, "notionalCoef": 1.0, "brackets": _tiers(symbol)} for symbol in symbols])


def _tiers(symbol: str) -> list[dict[str, object]]:
    share = 1.0 if MARKETS[symbol] in {"BTC", "ETH"} else 0.25
    tiers: list[dict[str, object]] = []
    floor = carried = last_ratio = 0.0
    for number, (notional, leverage, ratio) in enumerate(_BRACKETS, start=1):
        carried += floor * (ratio - last_ratio)
        tiers.append(
            {
                "bracket": number, "initialLeverage": leverage, "notionalCap": int(notional * share),
                "notionalFloor": int(floor), "maintMarginRatio": ratio, "cum": round(carried, 2),
            }
        )  # fmt: skip
        floor, last_ratio = notional * share, ratio
    return tiers


FACE = Face(
    "binance usd-m contracts",
    {
        "/fapi/v1/premiumIndex": premium_index,
        "/fapi/v1/fundingRate": funding_rates,
        "/fapi/v1/fundingInfo": funding_info,
        "/fapi/v1/openInterest": open_interest,
        "/futures/data/openInterestHist": open_interest_history,
        "/fapi/v1/leverageBracket": leverage_brackets,
    },
)
