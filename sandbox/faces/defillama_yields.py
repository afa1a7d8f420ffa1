"""DefiLlama's yields host: pools, their histories, and what borrowers pay in the lending ones."""

from __future__ import annotations

from sandbox import market_defi as defi
from sandbox.market import Market
from sandbox.noise import DAY_MS, START_MS, Floats
from sandbox.wire import Call, Face, RefusalError, Reply, answer, iso


def _pool(market: Market, number: str) -> tuple[Floats, Floats, Floats]:
    return market.keep(("pool", number), lambda: defi.pool_history(market, defi.POOLS[number]))


def _pool_days(call: Call, pool: defi.Pool) -> range:
    """Return the closed days of a pool: a day's reading is taken at its end."""
    return range(defi.born_on(pool.born), defi.day_of(call.now_ms + 59 * 60_000))


def pools(call: Call) -> Reply:
    """Answer every pool with its present yield."""
    rows = [
        _pool_row(call, number) for number, pool in defi.POOLS.items() if len(_pool_days(call, pool)) > 30
    ]
    return answer({"status": "success", "data": rows})


def _pool_row(call: Call, number: str) -> dict[str, object]:
    pool, (base, reward, size) = defi.POOLS[number], _pool(call.market, number)
    day = _pool_days(call, pool)[-1]
    total = base + reward
    return {
        "chain": pool.chain, "project": pool.project, "symbol": pool.symbol,
        "tvlUsd": round(float(size[day])), "apyBase": round(float(base[day]), 5),
        "apyReward": round(float(reward[day]), 5) if pool.reward_yield else None,
        "apy": round(float(total[day]), 5), "rewardTokens": None, "pool": number,
        "apyPct1D": round(float(total[day] - total[day - 1]), 5),
        "apyPct7D": round(float(total[day] - total[day - 7]), 5),
        "apyPct30D": round(float(total[day] - total[day - 30]), 5),
        "stablecoin": pool.is_stable, "ilRisk": "no", "exposure": "single",
        "predictions": {"predictedClass": None, "predictedProbability": None, "binnedConfidence": None},
        "poolMeta": None, "mu": round(float(total[: day + 1].mean()), 5),
        "sigma": round(float(total[: day + 1].std()), 5), "count": len(_pool_days(call, pool)),
        "outlier": False, "underlyingTokens": None, "il7d": None, "apyBase7d": None,
        "apyMean30d": round(float(total[day - 29 : day + 1].mean()), 5),
        "volumeUsd1d": None, "volumeUsd7d": None, "apyBaseInception": None,
    }  # fmt: skip


def pool_chart(call: Call) -> Reply:
    """Answer one pool's daily readings, taken at 23:01."""
    number = call.path.removeprefix("/chart/")
    if number not in defi.POOLS:
        raise RefusalError(404, {"status": "error", "message": "pool not found"})
    pool, (base, reward, size) = defi.POOLS[number], _pool(call.market, number)
    rows: list[dict[str, object]] = []
    for day in _pool_days(call, pool):
        taken = START_MS + (day + 1) * DAY_MS - 59 * 60_000
        rows.append(
            {
                "timestamp": iso(taken, "%Y-%m-%dT%H:%M:%S.000Z"), "tvlUsd": round(float(size[day])),
                "apy": round(float(base[day] + reward[day]), 5), "apyBase": round(float(base[day]), 5),
                "apyReward": round(float(reward[day]), 5) if pool.reward_yield else None,
                "il7d": None, "apyBase7d": None,
            }
        )  # fmt: skip
    return answer({"status": "success", "data": rows})


def lending_chart(call: Call) -> Reply:
    """Answer a lending pool's daily readings with what borrowers pay: the more is lent out, the more."""
    number = call.path.removeprefix("/chartLendBorrow/")
    if number not in defi.POOLS:
        raise RefusalError(404, {"status": "error", "message": "pool not found"})
    pool, (base, reward, size) = defi.POOLS[number], _pool(call.market, number)
    rows: list[dict[str, object]] = []
    for day in _pool_days(call, pool):
        rate = float(base[day])
        lent = min(0.95, 0.55 + 0.06 * rate)
        rows.append(
            {
                "timestamp": iso(START_MS + (day + 1) * DAY_MS - 59 * 60_000, "%Y-%m-%dT%H:%M:%S.000Z"),
                "totalSupplyUsd": round(float(size[day])), "totalBorrowUsd": round(float(size[day]) * lent),
                "debtCeilingUsd": None, "apyBase": round(rate, 5),
                "apyReward": round(float(reward[day]), 5) if pool.reward_yield else None,
                "apyBaseBorrow": round(rate / (0.9 * lent), 5), "apyRewardBorrow": None,
            }
        )  # fmt: skip
    return answer({"status": "success", "data": rows})


FACE = Face(
    "defillama yields",
    {"/pools": pools},
    {"/chart/": pool_chart, "/chartLendBorrow/": lending_chart},
)
