"""FRED's graph download: /graph/fredgraph.csv, "." where a value is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sandbox.market import Market
from sandbox.market_macro import SERIES, build_series, first_day, is_business_day, published_at
from sandbox.noise import Floats
from sandbox.wire import Call, Face, RefusalError, Reply

_MISSING = "."
_LONGEST_LAG = timedelta(days=130)


def _values(market: Market, name: str) -> Floats:
    return market.keep(("macro", name), lambda: build_series(market, name))


def _date(call: Call, name: str, default: date) -> date:
    text = call.query.get(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _not_found() from None


def _not_found() -> RefusalError:
    page = b"<!DOCTYPE html><html><head><title>Error - St. Louis Fed</title></head><body>404</body></html>"
    return RefusalError(404, page, content_type="text/html")


def _value(call: Call, name: str, day: date, now: datetime) -> str | None:
    """Return the text for one day: None when the day has no row (yet), "." when it has a row and no value."""
    series = SERIES[name]
    if (
        now - datetime(day.year, day.month, day.day, tzinfo=UTC) < _LONGEST_LAG
        and published_at(name, day) > now
    ):
        return None
    if not series.has(day):
        return None
    if series.every == "day" and not series.weekends and not is_business_day(day):
        return _MISSING
    return f"{_values(call.market, name)[(day - first_day()).days]:.{series.decimals}f}"


def graph(call: Call) -> Reply:
    """Answer one column per series and one row per day on which any of them has one."""
    names = call.query.get("id", "").split(",")
    if not all(name in SERIES for name in names):
        raise _not_found()
    now = datetime.fromtimestamp(call.now_ms / 1000, tz=UTC)
    begin = max(_date(call, "cosd", first_day()), first_day())
    end = min(_date(call, "coed", now.date()), now.date())
    lines = ["observation_date," + ",".join(names)]
    for offset in range((end - begin).days + 1):
        day = begin + timedelta(days=offset)
        values = [_value(call, name, day, now) for name in names]
        if any(value is not None for value in values):
            lines.append(f"{day},{','.join(_MISSING if value is None else value for value in values)}")
    return Reply(("\n".join(lines) + "\n").encode(), content_type="application/csv")


FACE = Face("fred", {"/graph/fredgraph.csv": graph})
