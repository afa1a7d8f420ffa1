"""The warehouse beside bare DuckDB: 20 million hourly candles, 500 markets over four and a half years.

The two files are made once, under build/bench, and copied for each run. Both sides take turns at being first,
over several rounds, and medians are compared.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from tasks.clock import RealClock
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.people import connect
from warehouse.publish import publish
from warehouse.snapshots import file_sha256

MARKETS, HOURS = 500, 40_000
ROUNDS = 5
BASE = Path(__file__).resolve().parents[1] / "build" / "bench"
# Our master folds its log at this size; the bare table gets the same.
LIKE_OURS = {"checkpoint_threshold": "256MB"}
AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
ROWS = """
select
  'binance' as venue, 'M' || m as market_id, 'A' || m || '/USDT' as symbol, 'A' || m as base, 'USDT' as quote,
  'spot' as market_type, '1h' as timeframe, timestamp '2020-01-01' + interval (h) hour as open_time,
  p as open, p * 1.01 as high, p * 0.99 as low, p * {scale} as close, 10.0::double + m as base_volume, null::double as quote_volume,
  timestamp '2020-01-01' + interval (h + 1) hour as known_at, true as is_reconstructed
from (select m, h, 100 + m + sin(h / 50.0 + m) * 10 as p from range({hours}) hours(h), range({markets}) markets(m))
where {where}
order by h, m
"""
QUESTIONS = {
    "latest prices": "select market_id, arg_max(close, open_time) from {t} where timeframe = '1h' group by market_id",
    "returns pivot": (
        "pivot (select open_time::date as day, base, last(close order by open_time) / first(open order by open_time) - 1 as r "
        "from {t} where base in ('A1','A2','A3','A4','A5','A6','A7','A8') group by all) on base using first(r) order by day"
    ),
    "as-of join": (
        "select count(*), sum(c.close - f.close) from {t} c asof join (select * from {t} where base = 'A2' and "
        "hour(open_time) % 8 = 0) f on f.open_time <= c.open_time where c.base = 'A1'"
    ),
    "rolling volatility": (
        "select open_time, stddev_samp(ln(close / open)) over (partition by market_id order by open_time rows between 719 "
        "preceding and current row) from {t} where base in ('A1','A2','A3','A4')"
    ),
    "coverage": "select market_id, min(open_time), max(open_time), count(*) from {t} group by market_id",
    "one symbol's week": (
        "select * from {t} where market_id = 'M7' and timeframe = '1h' and open_time >= timestamp '2024-07-01' and "
        "open_time < timestamp '2024-07-08' order by open_time"
    ),
}


def rows(markets: int, hours: int, where: str = "true", scale: str = "1.002") -> str:
    return ROWS.format(markets=markets, hours=hours, where=where, scale=scale)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of both; each is first every other time."""
    took: dict[str, list[float]] = {"ours": [], "theirs": []}
    both = [("ours", ours), ("theirs", theirs)]
    for _ in range(rounds):
        for name, work in both:
            took[name].append(timed(work))
        both.reverse()
    return statistics.median(took["ours"]), statistics.median(took["theirs"])


def fill(folder: Path) -> None:
    home = Home(folder / "home")
    with duckdb.connect(str(folder / "bare.duckdb")) as bare:
        bare.execute(f"create table candles as select *, 0::bigint as load_id from ({rows(MARKETS, HOURS)})")
        bare.execute("checkpoint")
        with open_master(home, RealClock(), "bench"):
            pass
        with duckdb.connect(home.master) as connection:  # what is measured comes later
            connection.register("source", bare.sql("select * from candles").to_arrow_reader(1_000_000))
            connection.execute("insert into core.candles by name select * from source")
            connection.execute("insert into raw.candles from core.candles")
            connection.execute("update ops.master_state set commit_id = commit_id + 1")


def base_copied(target: Path) -> None:
    """The 20 million rows, twice over in our home and once in a bare table, in a folder of this run's own."""
    if not BASE.exists():
        building = BASE.with_name("bench.new")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        print(f"{MARKETS * HOURS:,} candles are stored under {BASE}, once: ", end="", flush=True)
        print(f"{timed(lambda: fill(building)):.0f} s")
        building.rename(BASE)
    shutil.copytree(BASE, target)


def batch(bare: duckdb.DuckDBPyConnection, shift: int) -> pd.DataFrame:
    start, stop = HOURS - 100 + shift, HOURS + 100 + shift
    changed = f"case when h < {HOURS - 40 + shift} and h >= {HOURS - 100 + shift} then 1.003 else 1.002 end"
    return (
        bare.sql(rows(MARKETS, stop, f"h >= {start}", changed))
        .to_arrow_table()
        .to_pandas(date_as_object=False)
    )


def upsert(home: Home, bare: duckdb.DuckDBPyConnection) -> None:
    frames = [batch(bare, 100 * number) for number in range(4 * ROUNDS)]
    ours, theirs, counts = iter(frames), iter(frames), []

    def plain() -> None:
        bare.register("staged", next(theirs).assign(load_id=2))
        bare.execute("begin")
        bare.execute(
            "delete from candles using staged where candles.venue = staged.venue and candles.market_type = staged.market_type "
            "and candles.market_id = staged.market_id and candles.timeframe = staged.timeframe and candles.open_time = staged.open_time"
        )
        bare.execute("insert into candles by name select * from staged")
        bare.execute("commit")

    os.sync()  # else it waits for the disk to take the copy
    opening = timed(lambda: _open_and_close(home))
    with open_master(home, RealClock(), "bench") as master:  # open all the time, as the bare table is

        def load() -> None:
            frame = next(ours)
            facts = {"source": "binance", "dataset": "candles", "rows_received": len(frame)}
            counts.append(master.load("candles", frame, as_of=AS_OF, started_at=AS_OF, **facts))

        mine, plainly = in_turns(load, plain, 4 * ROUNDS)
    done = counts[-1]
    print(
        f"upsert of {len(frames[0]):,} rows ({done.rows_new:,} new, {done.rows_revised:,} revised): ours {mine:.2f} s (raw, "
        f"core, bookkeeping; opening and closing take {opening:.2f} s more), bare DELETE+INSERT {plainly:.2f} s; ratio "
        f"{plainly / mine:.2f} (wanted >= 0.5)"
    )


def _open_and_close(home: Home) -> None:
    with open_master(home, RealClock(), "bench"):
        pass


def publishing(home: Home) -> None:
    with open_master(home, RealClock(), "bench") as master:
        master.checkpoint()
    copy, hours = home.root / "copy", iter(range(1000))

    def plain() -> None:
        os.sync()  # else one pays for what the other left for the disk to do
        fresh = copy.with_name("copy.new")  # beside the one before, as whoever has readers must
        shutil.copyfile(home.master, fresh)
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        file_sha256(fresh)
        fresh.replace(copy)

    def ours() -> None:
        os.sync()
        publish(home, RealClock(), as_of=AS_OF + timedelta(hours=next(hours)), keep=1)

    mine, plainly = in_turns(ours, plain, ROUNDS)
    copy.unlink()
    size = home.master.stat().st_size / 1e6
    print(
        f"publish of {size:,.0f} MB: ours {mine:.2f} s, copy + fsync + checksum {plainly:.2f} s; ratio {mine / plainly:.2f} "
        "(wanted <= 1.3)"
    )


def questions(home: Home, bare: duckdb.DuckDBPyConnection) -> None:
    published = connect(home.root)
    for name, sql in QUESTIONS.items():
        ours, theirs = in_turns(
            lambda sql=sql: published.execute(sql.format(t="core.candles")).fetchall(),
            lambda sql=sql: bare.execute(sql.format(t="candles")).fetchall(),
            ROUNDS,
        )
        print(
            f"{name}: ours {ours * 1000:.0f} ms, bare table {theirs * 1000:.0f} ms; ratio {ours / theirs:.2f} (wanted <= 1.2)"
        )
    view = timed(lambda: published.execute("select * from mart.latest_prices").fetchall())
    print(f"mart.latest_prices of {MARKETS} markets: {view:.2f} s")
    published.close()


def main() -> None:
    with tempfile.TemporaryDirectory(dir=BASE.parent if BASE.parent.exists() else None) as folder:
        work = Path(folder) / "work"
        base_copied(work)
        with duckdb.connect(str(work / "bare.duckdb"), config=LIKE_OURS) as bare:
            upsert(Home(work / "home"), bare)
            bare.execute("checkpoint")
            publishing(Home(work / "home"))
            questions(Home(work / "home"), bare)
