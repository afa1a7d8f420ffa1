"""DefiLlama's api host: value locked on chains and in protocols."""

from __future__ import annotations

from typing import cast
from urllib.parse import unquote

from sandbox import market_defi as defi
from sandbox.faces._defillama import Point, known_points, sum_points
from sandbox.market import Market
from sandbox.noise import Floats
from sandbox.wire import Call, Face, RefusalError, Reply, answer


def _chain(market: Market, name: str) -> Floats:
    return market.keep(("chain", name), lambda: defi.locked(market, defi.CHAINS[name]))


def _protocol(market: Market, slug: str) -> dict[str, Floats]:
    return market.keep(("protocol", slug), lambda: defi.locked_by_protocol(market, defi.PROTOCOLS[slug]))


def _chain_points(call: Call, name: str) -> list[Point]:
    return known_points(call, name, _chain(call.market, name), defi.CHAINS[name].born)


def chain_history(call: Call) -> Reply:
    """Answer value locked per day, of one chain or of all together."""
    wanted = unquote(call.path.removeprefix("/v2/historicalChainTvl").strip("/")).lower()
    names = [name for name in defi.CHAINS if not wanted or name.lower() == wanted]
    if not names:
        raise RefusalError(400, {"message": "There is no chain with that name"})
    total: dict[int, float] = {}
    for name in names:
        for day, value in _chain_points(call, name):
            total[day] = total.get(day, 0.0) + value
    return answer([{"date": defi.day_starts_s(day), "tvl": round(total[day], 2)} for day in sorted(total)])


def chains(call: Call) -> Reply:
    """Answer every chain and what is locked on it now."""
    rows: list[dict[str, object]] = []
    for name, chain in defi.CHAINS.items():
        points = _chain_points(call, name)
        if points:
            rows.append(
                {
                    "gecko_id": chain.gecko_id, "tvl": round(points[-1][1], 2), "tokenSymbol": chain.symbol,
                    "cmcId": None, "name": name, "chainId": None,
                }
            )  # fmt: skip
    return answer(rows)


def _protocol_points(call: Call, slug: str) -> dict[str, list[Point]]:
    """Return a protocol's history on each chain that has begun."""
    histories = {
        name: known_points(call, f"{slug}/{name}", values, defi.CHAINS[name].born + 0.2)
        for name, values in _protocol(call.market, slug).items()
    }
    return {name: points for name, points in histories.items() if points}


def _facts(slug: str) -> dict[str, object]:
    protocol = defi.PROTOCOLS[slug]
    return {
        "id": protocol.number, "name": protocol.name, "symbol": protocol.symbol,
        "category": protocol.category, "chains": list(protocol.shares),
        "url": "", "description": "", "gecko_id": None, "mcap": None,
    }  # fmt: skip


def _change(points: list[Point], days: int) -> float | None:
    return (points[-1][1] / points[-1 - days][1] - 1) * 100 if len(points) > days else None


def protocols(call: Call) -> Reply:
    """Answer every protocol with what it holds now."""
    rows: list[dict[str, object]] = []
    for slug, protocol in defi.PROTOCOLS.items():
        histories = _protocol_points(call, slug)
        total = sum_points(histories)
        if not total:
            continue
        held = list(protocol.shares)
        rows.append(
            {
                **_facts(slug),
                "slug": slug,
                "chain": held[0] if len(held) == 1 else "Multi-Chain",
                "tvl": round(total[-1][1], 2),
                "chainTvls": {name: round(points[-1][1], 2) for name, points in histories.items()},
                "change_1h": None,
                "change_1d": _change(total, 1),
                "change_7d": _change(total, 7),
            }
        )
    return answer(sorted(rows, key=lambda row: -cast("float", row["tvl"])))


def _liquidity(points: list[Point]) -> list[dict[str, object]]:
    return [{"date": defi.day_starts_s(day), "totalLiquidityUSD": round(value, 2)} for day, value in points]


def protocol(call: Call) -> Reply:
    """Answer one protocol's history, per chain and in total."""
    slug = unquote(call.path.removeprefix("/protocol/"))
    if slug not in defi.PROTOCOLS:
        raise RefusalError(400, b"Protocol not found", content_type="text/plain")
    histories = _protocol_points(call, slug)
    return answer(
        {
            **_facts(slug),
            "currentChainTvls": {name: round(points[-1][1], 2) for name, points in histories.items()},
            "chainTvls": {
                name: {"tvl": _liquidity(points), "tokensInUsd": [], "tokens": []}
                for name, points in histories.items()
            },
            "tvl": _liquidity(sum_points(histories)),
        }
    )


FACE = Face(
    "defillama",
    {"/v2/historicalChainTvl": chain_history, "/v2/chains": chains, "/protocols": protocols},
    {"/v2/historicalChainTvl/": chain_history, "/protocol/": protocol},
)
