"""Ingestion: a full backfill beside a bare ccxt loop over the same pages, under a limit, and hour by hour.

The backfill goes end to end into a published snapshot. Both sides take turns, each in a fresh process, and are
compared after their imports. The split says where our processor time goes; work inside DuckDB's and Arrow's own
threads is what is left.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.crowd import coins
from benchmarks.market import RECORDED, ROOT, child, free_port, market, served

NOW = "2026-05-16T18:20:00Z"
SINCE = "2018-01-01"
ASSETS = ["BTC", "ETH", "XRP", "ADA", "LTC", "LINK", "DOGE", "SOL"]

BARE = """
import asyncio, json, resource, sys, time
import ccxt.async_support as ccxt
from datetime import datetime, UTC
base, since, now, assets = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(",")
start = int(datetime.fromisoformat(since).replace(tzinfo=UTC).timestamp() * 1000)
end = int(datetime.fromisoformat(now).timestamp() * 1000)

async def series(exchange, gate, symbol, page, timeframe, step):
    async with gate:
        first = await exchange.fetch_ohlcv(symbol, timeframe, since=0, limit=1)
    rows, at = 0, max(start, first[0][0]) if first else end
    while at < end:
        async with gate:
            candles = await exchange.fetch_ohlcv(symbol, timeframe, since=at, limit=page, params={"endTime": at + page * step - 1})
        rows += len(candles)
        at += page * step
    return rows

async def settlements(exchange, gate, symbol):
    rows, at = 0, start
    while at < end:
        async with gate:
            found = await exchange.fetch_funding_rate_history(symbol, at, 1000, {"endTime": end})
        if not found:
            break
        rows, at = rows + len(found), found[-1]["timestamp"] + 1000
    return rows

async def main():
    exchange = ccxt.binance({"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot", "linear"]}}})
    swap = lambda urls: {k: swap(v) if isinstance(v, dict) else base + "/" + v.split("/", 3)[3] for k, v in urls.items()}
    exchange.urls["api"] = swap(exchange.urls["api"])
    await exchange.load_markets()
    gate = asyncio.Semaphore(8)
    used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    before, clock = used(), time.perf_counter()
    markets = [(f"{a}/USDT", 1000) for a in assets] + [(f"{a}/USDT:USDT", 499) for a in assets]
    steps = (("1d", 86400000), ("1h", 3600000))
    jobs = [series(exchange, gate, *market, *step) for step in steps for market in markets]
    jobs += [settlements(exchange, gate, f"{a}/USDT:USDT") for a in assets]
    rows = sum(await asyncio.gather(*jobs))
    print(json.dumps({"rows": rows, "cpu": used() - before, "wall": time.perf_counter() - clock}))
    await exchange.close()

asyncio.run(main())
"""

OURS = """
import json, resource, sys, time
from datetime import datetime
from pathlib import Path
import ccxt.async_support, great_expectations, pandas  # what a run imports; timed apart
from benchmarks import split
from flows.opening import open_context
from flows.steps import run_directly
from flows.stories import INGEST, OPEN, PUBLISH
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
spent = split.follow()
before, clock = used(), time.perf_counter()
context = open_context(Path(sys.argv[1]), None, datetime.fromisoformat(sys.argv[2]), "bench")
run_directly(OPEN, context)
told = run_directly(INGEST, context)
run_directly(PUBLISH, context)
wall, cpu = time.perf_counter() - clock, used() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
rows = sum(part.rows_received for part in told.datasets if part.dataset in ("candles", "funding_rates"))
print(json.dumps({"cpu": cpu, "wall": wall, "peak_mb": peak, "failures": len(told.failures), "rows": rows, "split": spent}))
"""

CONFIG = """
[warehouse]
home = "home"
[[venues]]
id = "binance"
base_url = "{base}"
markets = {markets}
weights_per_minute = {weights}
[universe]
assets = {assets}
timeframes = ["1d", "1h"]
history_start = {since}
"""


ROUNDS = 3
LIMIT = 300
WATCHED_SECONDS = 180
MARKETS = 50


def configured(folder: Path, base: str, **changes: object) -> Path:
    """A configuration of one venue in a folder of its own."""
    folder.mkdir()
    chosen: dict[str, object] = {
        "weights": 1e9,
        "assets": ASSETS,
        "since": SINCE,
        "markets": ["spot", "perp"],
    }
    chosen |= changes
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in chosen.items()}
    file = folder / "trimtab.toml"
    file.write_text(CONFIG.format(base=base, **texts))
    return file


def ours(config: Path, now: str) -> dict[str, float]:
    told = json.loads(child(OURS, str(config), now).splitlines()[-1])
    if told["failures"] or not told["rows"]:
        raise SystemExit(f"this run is no measure: {told}")
    return told


def backfill(folder: Path) -> None:
    with market(NOW) as (base, which):
        theirs, mine = [], []
        for turn in range(ROUNDS):
            theirs.append(json.loads(child(BARE, base, SINCE, NOW, ",".join(ASSETS))))
            mine.append(ours(configured(folder / str(turn), base), NOW))
            show(mine[-1])
        for label, unit in (("cpu", "CPU s"), ("wall", "s")):
            a = [one["rows"] / one[label] for one in theirs]
            b = [one["rows"] / one[label] for one in mine]
            ratio = statistics.median(x / y for x, y in zip(b, a, strict=True))
            print(
                f"{which}: bare ccxt {statistics.median(a):,.0f} rows per {unit}, end to end "
                f"{statistics.median(b):,.0f}; ratio {ratio:.2f} (wall: wanted >= 0.8)"
            )
        print(f"rows: bare {theirs[0]['rows']:,}, ours {mine[0]['rows']:,} (closed candles only)")
        print(f"peak memory {max(one['peak_mb'] for one in mine):.0f} MB (wanted < 600)")
        again = ours(folder / "0" / "trimtab.toml", NOW)
        print(f"the same again: {again['cpu']:.1f} CPU s after imports")


def show(run: dict[str, float]) -> None:
    parts: dict[str, float] = dict(run["split"])  # pyright: ignore[reportArgumentType] - a part of the answer
    rest = run["cpu"] - sum(parts.values())
    listed = ", ".join(f"{name} {seconds:.1f}" for name, seconds in parts.items())
    print(
        f"of {run['cpu']:.1f} CPU s: {listed}, other threads and the rest {rest:.1f}; wall {run['wall']:.1f} s"
    )


def limited(folder: Path) -> None:
    """Under a limit of 300 weights a minute for each service, for some minutes: how much of it is used."""
    if not RECORDED.is_file():
        print("under a limit: the recorded market is not there")
        return
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(RECORDED), "--port", str(port), "--weight-limit", str(LIMIT), "--warm"]
    with served([*command, "--clock", "fixed", "--now", NOW], base):
        config = configured(folder / "limited", base, weights=LIMIT)
        process = subprocess.Popen(
            [sys.executable, "-c", OURS, str(config), NOW], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        try:
            while sum(weights(base).values()) == 0 and process.poll() is None:
                time.sleep(0.5)
            time.sleep(60)  # what was allowed at once at the beginning is no pace
            before, clock = weights(base), time.monotonic()
            time.sleep(WATCHED_SECONDS)
            after, seconds = weights(base), time.monotonic() - clock
        finally:
            process.kill()
            process.wait()
        for service, spent in after.items():
            share = (spent - before[service]) / (LIMIT * seconds / 60)
            print(f"limit of {LIMIT} a minute, {service}: {share:.2f} of it used (wanted >= 0.9)")
        print(f"refusals: {stats(base)['injected'] or 'none'} (weight418: never wanted)")


def stats(base: str) -> dict[str, dict[str, dict[str, float]]]:
    with urllib.request.urlopen(base + "/__stats", timeout=10) as answer:
        return json.load(answer)


def weights(base: str) -> dict[str, float]:
    """Weights spent on candles: 2 a page on either service at our page sizes."""
    endpoints = stats(base)["endpoints"]
    paths = {"spot": "/api/v3/klines", "perp": "/fapi/v1/klines"}
    return {name: 2 * endpoints.get(path, {}).get("n", 0) for name, path in paths.items()}


def hourly(folder: Path) -> None:
    """One hour later over 50 markets and two timeframes."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with served(
        [sys.executable, "-m", "benchmarks.crowd", "--port", str(port), "--count", str(MARKETS)], base
    ):
        now = datetime.fromisoformat("2026-06-30T18:20:00+00:00")
        config = configured(
            folder / "hourly", base, assets=coins(MARKETS), since="2026-04-01", markets=["spot"]
        )
        ours(config, now.isoformat())
        spent = [ours(config, (now + timedelta(hours=at)).isoformat()) for at in (1, 2, 3)]
    show(min(spent, key=lambda one: one["cpu"]))
    median = statistics.median(one["cpu"] for one in spent)
    print(f"an hour later over {MARKETS} markets: {median:.2f} CPU s after imports (wanted < 3)")


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hourly(folder)
        backfill(folder)
        limited(folder)
