"""DefiLlama's stablecoins host: supply and prices."""

from __future__ import annotations

from sandbox import market_defi as defi
from sandbox.faces._defillama import Point, known_points, sum_points
from sandbox.market import Market
from sandbox.market_bars import hour_index
from sandbox.market_coins import STABLES
from sandbox.market_onchain import supply
from sandbox.noise import Floats
from sandbox.wire import Call, Face, RefusalError, Reply, answer


def _supply(market: Market, asset: str) -> Floats:
    return market.keep(("supply", asset), lambda: supply(market, asset))


def _supply_points(call: Call, asset: str) -> list[Point]:
    born = {"USDT": 2017.9, "USDC": 2018.75, "DAI": 2019.9}[asset]
    return known_points(call, asset + "/supply", _supply(call.market, asset), born)


def _price(call: Call, asset: str) -> float:
    """Return the stablecoin's USD price at the end of the last full hour."""
    return round(float(call.market.dollars(asset)[hour_index(call.now_ms) - 1]), 6)


def _stable_facts(number: str) -> dict[str, object]:
    asset, gecko_id, mechanism = defi.STABLE_IDS[number]
    return {
        "id": number, "name": STABLES[asset].full_name, "symbol": asset, "gecko_id": gecko_id,
        "pegType": "peggedUSD", "priceSource": "defillama", "pegMechanism": mechanism,
    }  # fmt: skip


def _pegged(points: list[Point], days_ago: int) -> dict[str, float]:
    return {"peggedUSD": round(points[max(0, len(points) - 1 - days_ago)][1], 2)}


def stablecoins(call: Call) -> Reply:
    """Answer every stablecoin with its supply, and its price when asked to include it."""
    rows: list[dict[str, object]] = []
    for number, (asset, _, _) in defi.STABLE_IDS.items():
        points = _supply_points(call, asset)
        if not points:
            continue
        row: dict[str, object] = {
            **_stable_facts(number),
            "circulating": _pegged(points, 0),
            "circulatingPrevDay": _pegged(points, 1),
            "circulatingPrevWeek": _pegged(points, 7),
            "circulatingPrevMonth": _pegged(points, 30),
            "chainCirculating": {},
            "chains": ["Ethereum"],
        }
        if call.query.get("includePrices") == "true":
            row["price"] = _price(call, asset)
        rows.append(row)
    return answer({"peggedAssets": rows})


def _stable_number(text: str) -> str:
    if text not in defi.STABLE_IDS:
        raise RefusalError(404, b"Not found", content_type="text/plain")
    return text


def stablecoin_charts(call: Call) -> Reply:
    """Answer supply per day, of one stablecoin or of all together."""
    asked = call.query.get("stablecoin")
    numbers = [_stable_number(asked)] if asked else list(defi.STABLE_IDS)
    total = sum_points({number: _supply_points(call, defi.STABLE_IDS[number][0]) for number in numbers})
    asset = defi.STABLE_IDS[numbers[0]][0] if asked else None
    prices = defi.at_midnight(call.market.dollars(asset)) if asset else None
    rows: list[dict[str, object]] = []
    for day, value in total:
        amount = {"peggedUSD": round(value, 2)}
        dollars = {"peggedUSD": round(value * (float(prices[day]) if prices is not None else 1.0), 2)}
        rows.append(
            {
                "date": str(defi.day_starts_s(day)), "totalCirculating": amount, "totalMintedUSD": amount,
                "totalCirculatingUSD": dollars, "totalUnreleased": {"peggedUSD": 0},
                "totalBridgedToUSD": {"peggedUSD": 0},
            }
        )  # fmt: skip
    return answer(rows)


def stablecoin(call: Call) -> Reply:
    """Answer one stablecoin's supply history."""
    number = _stable_number(call.path.removeprefix("/stablecoin/"))
    asset = defi.STABLE_IDS[number][0]
    points = [
        {"date": defi.day_starts_s(day), "circulating": {"peggedUSD": round(value, 2)}}
        for day, value in _supply_points(call, asset)
    ]
    balances = {"Ethereum": {"tokens": points}}
    return answer(
        {**_stable_facts(number), "price": _price(call, asset), "chainBalances": balances, "tokens": points}
    )


def stablecoin_prices(call: Call) -> Reply:
    """Answer the price of every stablecoin at the start of each day."""
    histories = {
        gecko_id: (defi.at_midnight(call.market.dollars(asset)), len(_supply_points(call, asset)))
        for asset, gecko_id, _ in defi.STABLE_IDS.values()
    }
    today = defi.day_of(call.now_ms)
    longest = max(count for _, count in histories.values())
    rows: list[dict[str, object]] = []
    for day in range(today + 1 - longest, today + 1):
        known = {
            name: round(float(values[day]), 6)
            for name, (values, count) in histories.items()
            if today - day < count
        }
        rows.append({"date": defi.day_starts_s(day), "prices": known})
    return answer(rows)


FACE = Face(
    "defillama stablecoins",
    {"/stablecoins": stablecoins, "/stablecoinprices": stablecoin_prices},
    {"/stablecoincharts/": stablecoin_charts, "/stablecoin/": stablecoin},
)
