"""Candles per CPU second, end to end into a published snapshot, beside a bare ccxt loop over the same pages."""

import json
import tempfile
from pathlib import Path

from benchmarks.market import child, market

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
    rows, at = 0, start
    while at < end:
        async with gate:
            candles = await exchange.fetch_ohlcv(symbol, timeframe, since=at, limit=page, params={"endTime": at + page * step - 1})
        rows += len(candles)
        at += page * step
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
from flows.opening import open_context
from flows.steps import run_directly
from flows.stories import INGEST, OPEN, PUBLISH
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
before, clock = used(), time.perf_counter()
context = open_context(Path(sys.argv[1]), None, datetime.fromisoformat(sys.argv[2]), "bench")
run_directly(OPEN, context)
told = run_directly(INGEST, context)
run_directly(PUBLISH, context)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"cpu": used() - before, "wall": time.perf_counter() - clock, "peak_mb": peak, "failures": len(told.failures)}))
"""

COUNT = """
import sys
from pathlib import Path
from warehouse.home import Home
from warehouse.reader import open_published
with open_published(Home(Path(sys.argv[1]))) as reader:
    print(reader.select("select count(*) from core.candles").rows[0][0])
"""

CONFIG = """
[warehouse]
home = "home"
[[venues]]
id = "binance"
base_url = "{base}"
weights_per_minute = 1e9
[universe]
assets = {assets}
timeframes = ["1d", "1h"]
history_start = {since}
"""


def main() -> None:
    with market(NOW) as (base, which), tempfile.TemporaryDirectory() as folder:
        bare = json.loads(child(BARE, base, SINCE, NOW, ",".join(ASSETS)))
        config = Path(folder) / "trimtab.toml"
        config.write_text(CONFIG.format(base=base, assets=json.dumps(ASSETS), since=SINCE))
        ours = json.loads(child(OURS, str(config), NOW).splitlines()[-1])
        rows = int(child(COUNT, str(Path(folder) / "home")))
        for label, rate, unit in (("CPU", "cpu", "CPU s"), ("wall", "wall", "s")):
            a, b = bare["rows"] / bare[rate], rows / ours[rate]
            print(
                f"{which}, {label}: bare ccxt {a:,.0f} candles per {unit}, end to end {b:,.0f}; ratio {b / a:.2f}"
            )
        print(
            f"rows: bare {bare['rows']:,}, stored {rows:,} (closed ones only); peak memory {ours['peak_mb']:.0f} MB"
        )
        again = json.loads(child(OURS, str(config), NOW).splitlines()[-1])
        print(f"the same again: {again['cpu']:.1f} CPU s after imports")
