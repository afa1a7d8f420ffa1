"""What Binance's spot and USD-M faces share: parameters, errors, candle text, tickers."""

from __future__ import annotations

from sandbox.market_bars import TIMEFRAME_HOURS, Bars, Row
from sandbox.market_coins import Rules
from sandbox.noise import HOUR_MS
from sandbox.wire import Call, RefusalError, Reply

_NOT_SERVED = {"1s", "1m", "3m", "5m", "15m", "30m", "1M"}


def refuse(code: int, message: str) -> RefusalError:
    """Return Binance's error body with status 400."""
    return RefusalError(400, {"code": code, "msg": message})


def whole(call: Call, name: str) -> int | None:
    """Read an integer parameter, None when absent."""
    text = call.query.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise refuse(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
        ) from None


def page_size(call: Call, *, default: int, most: int, cut: bool) -> int:
    """Read `limit`; above `most` it is cut or refused, as the venue does on that endpoint."""
    limit = whole(call, "limit")
    if limit is None:
        return default
    if limit < 1 or (limit > most and not cut):
        raise refuse(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(limit, most)


def symbol_of(call: Call, known: set[str]) -> str:
    """Read `symbol` and refuse an unknown one."""
    symbol = call.query.get("symbol", "")
    if not symbol:
        raise refuse(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    if symbol not in known:
        raise refuse(-1121, "Invalid symbol.")
    return symbol


def candle_rows(call: Call, bars: Bars, limit: int) -> list[Row]:
    """Read interval and span from the call and cut the candles out."""
    interval = call.query.get("interval", "")
    if interval not in TIMEFRAME_HOURS:
        # The market's base grid is hourly: finer candles would be invented, so they are refused like a typo.
        detail = " (the sandbox serves 1h and longer)" if interval in _NOT_SERVED else ""
        raise refuse(-1120, "Invalid interval." + detail)
    span = (whole(call, "startTime"), whole(call, "endTime"))
    return bars.window(interval, span, limit, call.now_ms)


def candle_reply(call: Call, bars: Bars, rows: list[Row], *, printed: int | None = None) -> Reply:
    """Write candles as Binance does: twelve columns, prices and volumes as text.

    Args:
        call: the request.
        bars: the market the rows are of.
        rows: the candles.
        printed: decimals to print, the step's own when None; zeros fill up, so that no digit is made up.
    """
    span = TIMEFRAME_HOURS[call.query["interval"]] * HOUR_MS - 1
    price, amount = (
        f'"%.{decimals}f{"0" * ((printed or decimals) - decimals)}"'
        for decimals in (bars.price_decimals, bars.amount_decimals)
    )
    line = f'[%d,{price},{price},{price},{price},{amount},%d,"%.4f0000",%d,{amount},"%.8f","0"]'
    lines: list[str] = []
    for row in rows:
        taken = 0.5 + 0.2 * max(-1.0, min(1.0, 20.0 * (row.close / row.open - 1.0)))
        lines.append(
            line
            % (
                row.open_ms, row.open, row.high, row.low, row.close, row.base_volume, row.open_ms + span,
                row.quote_volume, row.quote_volume / 850.0, row.base_volume * taken, row.quote_volume * taken,
            )
        )  # fmt: skip
    return Reply(("[" + ",".join(lines) + "]").encode())


def price_filter(rules: Rules) -> dict[str, str]:
    """Return the price step and its range."""
    return {
        "filterType": "PRICE_FILTER",
        "minPrice": rules.tick,
        "maxPrice": "1000000",
        "tickSize": rules.tick,
    }


def lot_filter(rules: Rules, kind: str = "LOT_SIZE") -> dict[str, str]:
    """Return the amount step and its range."""
    return {"filterType": kind, "minQty": rules.lot, "maxQty": "9000000", "stepSize": rules.lot}


def day_ticker(symbol: str, bars: Bars, now_ms: int) -> dict[str, object]:
    """Return what both faces' 24-hour ticker has in common."""
    day = bars.last_day(now_ms)
    places, lots = bars.price_decimals, bars.amount_decimals
    average = day.quote_volume / day.base_volume if day.base_volume else day.close
    return {
        "symbol": symbol,
        "priceChange": f"{day.close - day.open:.{places}f}",
        "priceChangePercent": f"{(day.close / day.open - 1) * 100:.3f}",
        "weightedAvgPrice": f"{average:.{places}f}",
        "lastPrice": f"{day.close:.{places}f}",
        "lastQty": bars.lot,
        "openPrice": f"{day.open:.{places}f}",
        "highPrice": f"{day.high:.{places}f}",
        "lowPrice": f"{day.low:.{places}f}",
        "volume": f"{day.base_volume:.{lots}f}",
        "quoteVolume": f"{day.quote_volume:.8f}",
        "openTime": now_ms - 86_400_000,
        "closeTime": now_ms,
        "firstId": day.open_ms // 1000,
        "lastId": day.open_ms // 1000 + int(day.quote_volume / 850.0),
        "count": int(day.quote_volume / 850.0),
    }
