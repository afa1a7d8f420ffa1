"""The warehouse beside bare DuckDB: 20 million hourly candles, 500 markets over four and a half years."""

import os
import resource
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import great_expectations  # noqa: F401 - what a run has imported when the gate begins
import pandas as pd

from expectations.gate import judge
from tasks.clock import RealClock
from warehouse.home import Home
from warehouse.master import open_master
from warehouse.people import connect
from warehouse.publish import publish
from warehouse.snapshots import file_sha256

MARKETS, HOURS, BATCH = 500, 40_000, 100_000
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
# The newest 200 hours of every market: 100 are new, 60 differ, 40 are there already.
NEW_FROM, DIFFERENT_FROM = HOURS, HOURS - 60
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


def timed(work, repeat: int = 1) -> float:
    took = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def fill(home: Home, bare: duckdb.DuckDBPyConnection) -> None:
    bare.execute(f"create table candles as select *, 1::bigint as load_id from ({rows(MARKETS, HOURS)})")
    bare.execute("checkpoint")
    with open_master(home, RealClock(), "bench"):
        pass
    with duckdb.connect(home.master) as connection:  # what is measured comes later
        connection.register("source", bare.sql("select * from candles").to_arrow_reader(1_000_000))
        connection.execute("insert into core.candles by name select * from source")
        connection.execute("insert into raw.candles from core.candles")
        connection.execute("update ops.master_state set commit_id = commit_id + 1")


def batch(bare: duckdb.DuckDBPyConnection, shift: int) -> pd.DataFrame:
    start, stop = HOURS - 100 + shift, HOURS + 100 + shift
    changed = f"case when h < {HOURS - 40 + shift} and h >= {HOURS - 100 + shift} then 1.003 else 1.002 end"
    return (
        bare.sql(rows(MARKETS, stop, f"h >= {start}", changed))
        .to_arrow_table()
        .to_pandas(date_as_object=False)
    )


def upsert(home: Home, bare: duckdb.DuckDBPyConnection) -> None:
    ours, theirs = [], []
    for shift in (0, 100, 200):
        frame = batch(bare, shift)
        with open_master(home, RealClock(), "bench") as master:
            start = time.perf_counter()
            done = master.load(
                "candles",
                frame,
                source="binance",
                dataset="candles",
                as_of=AS_OF,
                started_at=AS_OF,
                rows_received=len(frame),
            )
            ours.append(time.perf_counter() - start)
        staged = frame.assign(load_id=2)
        bare.register("staged", staged)

        def plain() -> None:
            bare.execute("begin")
            bare.execute(
                "delete from candles using staged where candles.venue = staged.venue and candles.market_type = staged.market_type "
                "and candles.market_id = staged.market_id and candles.timeframe = staged.timeframe and candles.open_time = staged.open_time"
            )
            bare.execute("insert into candles by name select * from staged")
            bare.execute("commit")

        theirs.append(timed(plain))
        bare.unregister("staged")
    mine, plainly = statistics.median(ours), statistics.median(theirs)
    print(
        f"upsert of {len(frame):,} rows ({done.rows_new:,} new, {done.rows_revised:,} revised): ours {mine:.2f} s (raw, core, "
        f"bookkeeping), bare DELETE+INSERT {plainly:.2f} s; ratio {plainly / mine:.2f} (wanted >= 0.5)"
    )


def publishing(home: Home) -> None:
    with open_master(home, RealClock(), "bench") as master:
        master.checkpoint()
    copy = home.root / "copy"

    def plain() -> None:
        shutil.copyfile(home.master, copy)
        with copy.open("rb+") as file:
            os.fsync(file.fileno())
        file_sha256(copy)

    plainly = timed(plain, 2)
    copy.unlink()
    start = time.perf_counter()
    publish(home, RealClock(), as_of=AS_OF, keep=1)
    mine = time.perf_counter() - start
    size = home.master.stat().st_size / 1e6
    print(
        f"publish of {size:,.0f} MB: ours {mine:.2f} s, copy + fsync + checksum {plainly:.2f} s; ratio {mine / plainly:.2f} "
        "(wanted <= 1.3)"
    )


def questions(home: Home, bare: duckdb.DuckDBPyConnection) -> None:
    published = connect(home.root)
    for name, sql in QUESTIONS.items():
        theirs = timed(lambda sql=sql: bare.execute(sql.format(t="candles")).fetchall(), 5)
        ours = timed(lambda sql=sql: published.execute(sql.format(t="core.candles")).fetchall(), 5)
        print(
            f"{name}: ours {ours * 1000:.0f} ms, bare table {theirs * 1000:.0f} ms; ratio {ours / theirs:.2f} (wanted <= 1.2)"
        )
    view = timed(lambda: published.execute("select * from mart.latest_prices").fetchall())
    print(f"mart.latest_prices of {MARKETS} markets: {view:.2f} s")
    published.close()


def gate() -> None:
    connection = duckdb.connect()
    frame = connection.sql(rows(1, 1000)).to_arrow_table().to_pandas(date_as_object=False)
    spent = []
    for number in range(3):
        before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        judge(
            "core_candles",
            frame,
            dataset="candles",
            run_id=f"bench-{number}",
            judged_at=AS_OF,
            parameters={"as_of": AS_OF},
        )
        spent.append(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - before)
    print(
        f"gate on 1,000 hourly candles: first {spent[0]:.2f}, then {min(spent[1:]):.2f} CPU s (wanted <= 1.5)"
    )


def main() -> None:
    gate()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        bare = duckdb.connect(str(Path(folder) / "bare.duckdb"))
        took = timed(lambda: fill(home, bare))
        print(f"{MARKETS * HOURS:,} candles stored twice over in {took:.0f} s")
        upsert(home, bare)
        publishing(home)
        questions(home, bare)
        bare.close()
