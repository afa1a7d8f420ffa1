"""A grid of 200 weekly policies over six years of eight coins by the installed command, on two processes.

Reading the inputs as of each date is counted; fetching the market is not. The goal is below 300 seconds of
wall time on two idle cores.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.market import ROOT, market

NOW = "2026-05-16T18:20:00Z"
SETTINGS = """
[warehouse]
home = "data"
[[venues]]
id = "binance"
base_url = "{address}"
markets = ["spot"]
[sources.coinmetrics]
base_url = "{address}"
metrics = ["PriceUSD", "CapMrktCurUSD"]
[sources.defillama]
base_url = "{address}"
chains = ["Ethereum"]
[universe]
quote = "USDT"
assets = ["BTC", "ETH", "SOL", "XRP", "ADA", "LINK", "DOGE", "LTC"]
timeframes = ["1d"]
history_start = 2018-01-01
[portfolios.core]
objective = "max_quadratic_utility"
risk_aversion = 3.0
expected_returns = "black_litterman"
lookback_days = 365
weight_bounds = {{ default = [0.0, 0.30], "spot:BTC" = [0.0, 0.60] }}
class_bounds = {{ cash = [0.05, 1.0] }}
max_turnover = 0.30
"""
GRID = """
[vary]
objective = ["max_quadratic_utility", "min_volatility"]
lookback_days = [180, 365]
risk_aversion = [1, 3]
horizon_days = [7, 14, 30, 60, 90]
band_absolute = [0.01, 0.02, 0.03, 0.05, 0.10]
"""
ASKED = [
    "backtest", "--from", "2019-01-01", "--to", "2025-01-01", "--every-hours", "168", "--fast",
    "--draws", "0", "--jobs", "2", "--quiet",
]  # fmt: skip


def trimtab(folder: Path, *arguments: str) -> tuple[str, float, float]:
    """What a command printed, its wall time and its CPU seconds, those of its processes among them."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "flows", *arguments, "--config", str(folder / "trimtab.toml"), "--as-of", NOW],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"trimtab {arguments[0]} failed:\n{done.stderr[-3000:]}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return done.stdout, wall, cpu


def main():
    with market(NOW) as (address, which), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "trimtab.toml").write_text(SETTINGS.format(address=address))
        (folder / "grid.toml").write_text(GRID)
        trimtab(folder, "ingest", "--quiet")
        told, wall, cpu = trimtab(folder, *ASKED, "--grid", str(folder / "grid.toml"))
        walks = next((x.partition(" found")[0] for x in told.splitlines() if " walked now" in x), "?")
        print(f"grid of 200 weekly policies over six years of eight coins ({which}), two processes")
        print(
            f"  {walks} stored; wall {wall:.0f} s (goal: below 300 s on two idle cores), {cpu:.0f} s of CPU"
        )
