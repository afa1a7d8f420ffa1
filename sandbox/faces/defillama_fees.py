"""DefiLlama's fees, revenue and incidents."""

from __future__ import annotations

from urllib.parse import unquote

from sandbox import market_defi as defi
from sandbox.market import Market
from sandbox.market_fees import Incident, fees, incidents, protocol_born
from sandbox.noise import HOUR_MS, Floats
from sandbox.wire import Call, Face, RefusalError, Reply, answer

_LAG_MS = 3 * HOUR_MS
"""A day's fees are there some hours after the day is over."""

_KINDS = ("dailyFees", "dailyRevenue")


def _earned(market: Market, slug: str) -> tuple[Floats, Floats]:
    return market.keep(("fees", slug), lambda: fees(market, slug))


def _incidents(market: Market) -> list[Incident]:
    return market.keep(("incidents",), lambda: incidents(market))


def _kind(call: Call) -> int:
    """Read `dataType` as an index into fees and revenue."""
    kind = call.query.get("dataType", "dailyFees")
    if kind not in _KINDS:
        raise RefusalError(400, {"message": f"dataType {kind} is not one of {', '.join(_KINDS)}"})
    return _KINDS.index(kind)


def _chart(call: Call, slug: str) -> list[list[float]]:
    """Return [second, USD] for every finished day."""
    values = _earned(call.market, slug)[_kind(call)]
    days = range(protocol_born(slug), defi.day_of(call.now_ms - _LAG_MS))
    return [[defi.day_starts_s(day), round(float(values[day]))] for day in days]


def _totals(chart: list[list[float]]) -> dict[str, object]:
    def over(days: int) -> float | None:
        return sum(value for _, value in chart[-days:]) if len(chart) >= days else None

    before = chart[-2][1] if len(chart) > 1 else 0
    return {
        "total24h": over(1),
        "total48hto24h": chart[-2][1] if len(chart) > 1 else None,
        "total7d": over(7),
        "total30d": over(30),
        "total1y": over(365),
        "totalAllTime": sum(value for _, value in chart),
        "change_1d": round((chart[-1][1] / before - 1) * 100, 2) if before else None,
    }


def _facts(slug: str) -> dict[str, object]:
    protocol = defi.PROTOCOLS[slug]
    return {
        "defillamaId": protocol.number, "name": protocol.name, "displayName": protocol.name, "slug": slug,
        "category": protocol.category, "chains": list(protocol.shares), "protocolType": "protocol",
    }  # fmt: skip


def overview(call: Call) -> Reply:
    """Answer every protocol's totals, and the sum per day unless it is excluded."""
    rows: list[dict[str, object]] = []
    daily: dict[float, float] = {}
    for slug in defi.PROTOCOLS:
        chart = _chart(call, slug)
        if not chart:
            continue
        rows.append({**_facts(slug), **_totals(chart)})
        for second, value in chart:
            daily[second] = daily.get(second, 0) + value
    chart = [[second, daily[second]] for second in sorted(daily)]
    shown = [] if call.query.get("excludeTotalDataChart") == "true" else chart
    return answer(
        {"totalDataChart": shown, "totalDataChartBreakdown": [], "protocols": rows, **_totals(chart)}
    )


def summary(call: Call) -> Reply:
    """Answer one protocol's history."""
    slug = unquote(call.path.removeprefix("/summary/fees/"))
    if slug not in defi.PROTOCOLS:
        raise RefusalError(400, {"message": "Protocol not found"})
    chart = _chart(call, slug)
    return answer({**_facts(slug), "totalDataChart": chart, "totalDataChartBreakdown": [], **_totals(chart)})


def hacks(call: Call) -> Reply:
    """Answer the incidents so far, oldest first."""
    today = defi.day_of(call.now_ms)
    rows: list[dict[str, object]] = []
    for incident in _incidents(call.market):
        if incident.day >= today:
            break
        protocol = defi.PROTOCOLS[incident.slug]
        rows.append(
            {
                "date": defi.day_starts_s(incident.day), "name": protocol.name,
                "classification": "Protocol Logic",
                "technique": "Price Oracle Manipulation", "amount": incident.lost_usd,
                "chain": list(protocol.shares)[:1], "bridgeHack": False, "targetType": "DeFi Protocol",
                "source": "", "returnedFunds": None, "defillamaId": protocol.number, "language": "Solidity",
            }
        )  # fmt: skip
    return answer(rows)


FACE = Face("defillama fees", {"/overview/fees": overview, "/hacks": hacks}, {"/summary/fees/": summary})
