"""A backfill that is killed again and again, moment by moment; what the sample and the soak share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import duckdb

from flows.cli import invoke
from warehouse.home import Home

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.05
CONFIG = """\
[warehouse]
home = "home"
[[venues]]
id = "binance"
base_url = "{base}"
[universe]
assets = {assets}
timeframes = ["1d", "1h"]
history_start = {start}
[portfolios.core]
objective = "hrp"
"""
# Small batches: a short history is stored in many steps, so that there is something to tear apart.
COMMAND = """
import sys
from tasks import _ingest_batches
assert _ingest_batches.ROWS_PER_BATCH > 0
_ingest_batches.ROWS_PER_BATCH = int(sys.argv[1])
from flows.cli import invoke
sys.exit(invoke(sys.argv[2:]))
"""
TABLES = ("core.candles", "core.funding_rates", "raw.candles", "raw.funding_rates", "ops.gaps", "ops.series")
# Which load stored a row is the only thing that may differ; gaps also tell how often they were asked for.
BESIDES = {"ops.gaps": "exclude (attempts, rounds, asked_at)", "ops.series": ""}

Moment = Callable[[], bool]


def write_config(folder: Path, base: str, assets: Sequence[str], start: str) -> Path:
    folder.mkdir()
    config = folder / "trimtab.toml"
    config.write_text(CONFIG.format(base=base, assets=json.dumps(list(assets)), start=start))
    return config


def start(config: Path, now: str, batch: int) -> subprocess.Popen[bytes]:
    words = ["ingest", "--quiet", "--config", str(config), "--as-of", now]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(batch), *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def asked(base: str) -> int:
    with build_opener(ProxyHandler({})).open(f"{base}/__stats") as reply:
        return int(json.load(reply)["total"])


def stored(config: Path) -> int:
    """How many candles the manifest vouches for."""
    manifest = Home(config.parent / "home").manifest
    return int(json.loads(manifest.read_text())["rows"].get("core.candles", 0)) if manifest.exists() else 0


def after_requests(base: str, count: int) -> Moment:
    before = asked(base)
    return lambda: asked(base) - before >= count


def after_a_commit(config: Path) -> Moment:
    before = stored(config)
    return lambda: stored(config) > before


def kill_at(config: Path, now: str, batch: int, moment: Moment) -> bool:
    """Start an ingest and kill it when the moment has come; False where it was done before."""
    with start(config, now, batch) as process:
        while True:
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if not moment():
                    continue
                process.kill()
                process.wait()
                return True
            assert process.returncode == 0, process.stderr and process.stderr.read().decode()[-2000:]
            return False


def finish(config: Path, now: str) -> None:
    assert invoke(["ingest", "--quiet", "--config", str(config), "--as-of", now]) == 0


def contents(config: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that an ingest of a venue writes, but for the number of its load."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect(str(Home(config.parent / "home").master), read_only=True) as connection:
        for table in TABLES:
            besides = BESIDES.get(table, "exclude (load_id)")
            found[table] = connection.execute(f"select * {besides} from {table} order by all").fetchall()
    return found
