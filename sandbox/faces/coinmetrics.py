"""Coin Metrics API v4, the community tier: the catalogue and daily asset metrics."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

from sandbox.market import Market
from sandbox.market_coins import COINS, STABLES
from sandbox.market_onchain import Metric, build_metrics, metric_names
from sandbox.noise import DAY_MS, START_MS
from sandbox.wire import Call, Face, RefusalError, Reply, answer, day_text, instant_ms

_ASSETS = sorted(name.lower() for name in [*COINS, *STABLES])
_PAGE, _LARGEST_PAGE = 100, 10_000


def _metrics(market: Market, asset: str) -> dict[str, Metric]:
    return market.keep(("metrics", asset), lambda: build_metrics(market, asset.upper()))


def _bad(parameter: str, value: object) -> RefusalError:
    message = f"Bad parameter '{parameter}'. Value '{value}' is not supported."
    return RefusalError(400, {"error": {"type": "bad_parameter", "message": message}})


def _assets(call: Call) -> list[str]:
    asked = call.query.get("assets", "*")
    if asked == "*":
        return list(_ASSETS)
    names = sorted(set(asked.split(",")))
    if unknown := [name for name in names if name not in _ASSETS]:
        if call.query.get("ignore_unsupported_errors") != "true":
            raise _bad("assets", unknown[0])
        names = [name for name in names if name in _ASSETS]
    return names


def _metric_list(call: Call, assets: list[str]) -> list[str]:
    metrics = call.query["metrics"].split(",")
    known = {name for asset in assets for name in metric_names(asset.upper())}
    for name in metrics:
        if name not in known and call.query.get("ignore_unsupported_errors") != "true":
            raise _bad("metrics", name)
    return metrics


def _flag(call: Call, name: str, *, default: bool) -> bool:
    return call.query.get(name, str(default).lower()) == "true"


def _whole(call: Call, name: str, default: int, most: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise _bad(name, text)
    return int(text)


def _day_span(call: Call) -> range:
    """Return the grid days whose start lies within start_time and end_time."""
    last = (call.now_ms - START_MS) // DAY_MS
    try:
        begin = instant_ms(call.query["start_time"]) if "start_time" in call.query else START_MS
        end = instant_ms(call.query["end_time"]) if "end_time" in call.query else call.now_ms
    except ValueError:
        raise _bad(
            "start_time/end_time", f"{call.query.get('start_time')}/{call.query.get('end_time')}"
        ) from None
    begin += 0 if _flag(call, "start_inclusive", default=True) else 1
    end -= 0 if _flag(call, "end_inclusive", default=True) else 1
    first = max(0, -((START_MS - begin) // DAY_MS))
    return range(first, max(first, min(last, (end - START_MS) // DAY_MS + 1)))


def _offset(call: Call) -> int:
    token = call.query.get("next_page_token", "")
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token + "==").decode().removeprefix("rows:"))
    except ValueError:
        raise _bad("next_page_token", token) from None


def _page(call: Call, rows: list[dict[str, object]], *, from_end: bool) -> Reply:
    """Cut a page out and say where the next one is."""
    size, done = _whole(call, "page_size", _PAGE, _LARGEST_PAGE), _offset(call)
    total = len(rows)
    page = rows[max(0, total - done - size) : max(0, total - done)] if from_end else rows[done : done + size]
    document: dict[str, object] = {"data": page}
    if done + size < total:
        token = base64.urlsafe_b64encode(f"rows:{done + size}".encode()).decode().rstrip("=")
        query = urlencode({**dict(call.query), "next_page_token": token})
        document |= {"next_page_token": token, "next_page_url": f"{call.base_url}{call.path}?{query}"}
    return answer(document)


def timeseries(call: Call) -> Reply:
    """Answer daily values as known at *now*: an unsupported metric is left out, a missing value is null."""
    for name in ("assets", "metrics"):
        if not call.query.get(name):
            message = f"Missing parameter '{name}'."
            raise RefusalError(400, {"error": {"type": "missing_parameter", "message": message}})
    if call.query.get("frequency", "1d") != "1d":
        wanted = call.query["frequency"]
        message = f"Requested metric with frequency '{wanted}' is not available with supplied credentials."
        raise RefusalError(403, {"error": {"type": "forbidden", "message": message}})
    assets, span = _assets(call), _day_span(call)
    names = _metric_list(call, assets)
    empty = "0" if _flag(call, "null_as_zero", default=False) else None
    from_end = call.query.get("paging_from", "end") == "end"
    rows: list[dict[str, object]] = []
    for asset in assets:
        having = _metrics(call.market, asset)
        metrics = [having[name] for name in names if name in having]
        mine = _rows(call, asset, metrics, span, empty)
        if "limit_per_asset" in call.query:
            most = _whole(call, "limit_per_asset", 1, 10**9)
            mine = mine[-most:] if from_end else mine[:most]
        rows += mine
    if call.query.get("sort") == "time":
        rows.sort(key=lambda row: (str(row["time"]), str(row["asset"])))
    return _page(call, rows, from_end=from_end)


def _rows(
    call: Call, asset: str, metrics: list[Metric], span: range, empty: str | None
) -> list[dict[str, object]]:
    columns = [metric.texts(span, call.market, call.now_ms) for metric in metrics]
    names = [metric.name for metric in metrics]
    rows: list[dict[str, object]] = []
    for day, values in zip(span, zip(*columns, strict=True), strict=True):
        if any(value is not None for value in values):
            filled = [empty if value is None else value for value in values]
            rows.append({"asset": asset, "time": _stamp(day), **dict(zip(names, filled, strict=True))})
    return rows


def _stamp(day: int) -> str:
    return day_text(START_MS + day * DAY_MS) + "T00:00:00.000000000Z"


def catalog(call: Call) -> Reply:
    """Answer which asset has which metric over which days."""
    wanted = set(call.query["metrics"].split(",")) if call.query.get("metrics") else None
    rows: list[dict[str, object]] = []
    for asset in _assets(call):
        entries = [
            _catalog_entry(call, metric)
            for name, metric in _metrics(call.market, asset).items()
            if (wanted is None or name in wanted) and metric.first_day < _last_day(call, metric)
        ]
        if entries:
            rows.append({"asset": asset, "metrics": entries})
    return _page(call, rows, from_end=False)


def _last_day(call: Call, metric: Metric) -> int:
    """Return the newest published day, one before the first when there is none."""
    today = (call.now_ms - START_MS) // DAY_MS
    recent = range(max(0, today - 4), today + 1)
    texts = metric.texts(recent, call.market, call.now_ms)
    published = [day for day, text in zip(recent, texts, strict=True) if text is not None]
    return max(published, default=metric.first_day - 1)


def _catalog_entry(call: Call, metric: Metric) -> dict[str, object]:
    span = {"min_time": _stamp(metric.first_day), "max_time": _stamp(_last_day(call, metric))}
    return {"metric": metric.name, "frequencies": [{"frequency": "1d", **span, "community": True}]}


FACE = Face(
    "coin metrics",
    {
        "/v4/timeseries/asset-metrics": timeseries,
        "/v4/catalog-v2/asset-metrics": catalog,
        "/v4/catalog-all-v2/asset-metrics": catalog,
    },
)
